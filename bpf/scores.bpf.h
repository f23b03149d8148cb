/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How predictions fared since the service last took it out, by name. */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "classify.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_score);
} scores SEC(".maps");

__u64 scored; /* changes to the map; read by the service through the mapped .bss */

/*
 * Makes an entry for a name that has none. A function that the verifier follows once; as keys Linux
 * 6.1 takes from it only what is on its own stack.
 */
PROCDB_ONCE int ensure_score(const struct procdb_comm *name)
{
	static const struct procdb_score none;
	struct procdb_comm comm;

	if (!name)
		return 0;
	comm = *name;
	bpf_map_update_elem(&scores, &comm, &none, BPF_NOEXIST);
	return 0;
}

/* The score of a name, made when there is none; NULL when the map refuses. */
static __always_inline struct procdb_score *score_of(const struct procdb_comm *comm)
{
	struct procdb_score *score = bpf_map_lookup_elem(&scores, comm);

	__sync_fetch_and_add(&scored, 1);
	/* Not each time: an update of one that is there takes room, and may throw others out. */
	if (score)
		return score;
	ensure_score(comm);
	return bpf_map_lookup_elem(&scores, comm);
}

/* A task was looked up by its name, and a prediction was found or not. */
static __always_inline void count_look_up(const struct procdb_comm *comm, bool found)
{
	struct procdb_score *score = score_of(comm);

	if (score)
		__sync_fetch_and_add(found ? &score->found : &score->missed, 1);
}
