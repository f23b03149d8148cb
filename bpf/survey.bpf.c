// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * Which services there are on this kernel, and what holds its maps: no pin and no /proc tells
 * whether those are alive that made them.
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "map-users.h"

char LICENSE[] SEC("license") = "GPL";

/* The ids of the programs that follow forks: one for each service on this kernel. */
SEC("iter/bpf_prog")
int list_services(struct bpf_iter__bpf_prog *ctx)
{
	static const char ours[16] = "procdb_inherit";
	struct bpf_prog *prog = ctx->prog;
	char name[16];
	__u32 id;

	if (!prog || prog->type != BPF_PROG_TYPE_TRACING)
		return 0;
	bpf_probe_read_kernel(name, sizeof(name), prog->aux->name);
	for (int i = 0; i < 16; i++)
		if (name[i] != ours[i])
			return 0;
	id = prog->aux->id;
	bpf_seq_write(ctx->meta->seq, &id, sizeof(id));
	return 0;
}

/*
 * How each map is held (include/linux/bpf.h): usercnt counts descriptors and pins, refcnt
 * those and the programs that use it, and this iterator (bpf_map_get_curr_or_next()).
 */
SEC("iter/bpf_map")
int list_maps(struct bpf_iter__bpf_map *ctx)
{
	struct procdb_map_users users = {};
	struct bpf_map *map = ctx->map;

	if (!map)
		return 0;
	users.id = map->id;
	users.handles = (__u32)map->usercnt.counter;
	users.programs = (__u32)map->refcnt.counter - users.handles - 1;
	bpf_seq_write(ctx->meta->seq, &users, sizeof(users));
	return 0;
}
