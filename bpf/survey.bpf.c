// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/* Which services there are on this kernel: no pin and no /proc tells whether they are alive. */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

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
