/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What a task's nice value is worth inside its cgroups. The kernel hands a
 * sched_ext scheduler the weights and leaves the hierarchy to it; here it is
 * flattened: a task counts for its own weight times, for each cgroup up to the
 * root, that cgroup's weight over the weight of all that is runnable in it.
 * (The idea is that of tools/sched_ext/scx_flatcg.bpf.c.)
 */

#include "scx-kfuncs.h"

#define WEIGHT_UNIT 100 /* nice 0, and the default of cpu.weight */
#define WEIGHT_SHIFT 10 /* fixed point, for shares below 1 */
#define CGROUP_DEPTH 16 /* levels that count; the ones above them do not */

struct group {
	struct bpf_spin_lock lock;
	u32 weight;
	u32 counted; /* of weight, in the active of the parent */
	u64 parent;  /* id; 0 for the root and the level below it */
	s64 active;  /* weights of the runnable tasks and active groups in it */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16384);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64); /* cgroup id */
	__type(value, struct group);
} groups SEC(".maps");

static __always_inline u64 group_id(struct cgroup *cgrp)
{
	/* The root's tasks compete only with each other. */
	return cgrp->level > 0 ? cgrp->kn->id : 0;
}

static __always_inline s32 group_add(struct cgroup *cgrp, u32 weight)
{
	u64 id = group_id(cgrp);
	struct group g = {.weight = weight};
	struct cgroup *parent;

	if (!id)
		return 0;
	parent = bpf_cgroup_ancestor(cgrp, cgrp->level - 1);
	if (parent) {
		g.parent = group_id(parent);
		bpf_cgroup_release(parent);
	}
	return (s32)bpf_map_update_elem(&groups, &id, &g, BPF_ANY);
}

/* Adds change to what is runnable in a group, and what follows to its parents. */
static __always_inline void group_activate(u64 id, s64 change)
{
	for (int i = 0; i < CGROUP_DEPTH && id && change; i++) {
		struct group *g = bpf_map_lookup_elem(&groups, &id);
		u32 counted;

		if (!g)
			return;
		bpf_spin_lock(&g->lock);
		g->active += change;
		counted = g->active > 0 ? g->weight : 0;
		change = (s64)counted - (s64)g->counted;
		g->counted = counted;
		bpf_spin_unlock(&g->lock);
		id = g->parent;
	}
}

static __always_inline void group_set_weight(u64 id, u32 weight)
{
	struct group *g = bpf_map_lookup_elem(&groups, &id);
	s64 change = 0;

	if (!g)
		return;
	bpf_spin_lock(&g->lock);
	g->weight = weight;
	if (g->counted) {
		change = (s64)weight - (s64)g->counted;
		g->counted = weight;
	}
	bpf_spin_unlock(&g->lock);
	group_activate(g->parent, change);
}

/* The weight that a task of this group and own weight competes with, << WEIGHT_SHIFT; at least 1.
 */
static __always_inline u64 group_effective(u64 id, u32 weight)
{
	u64 effective = (u64)weight << WEIGHT_SHIFT;

	for (int i = 0; i < CGROUP_DEPTH && id; i++) {
		struct group *g = bpf_map_lookup_elem(&groups, &id);

		if (!g)
			break;
		if (g->active > 0)
			effective = effective * g->weight / (u64)g->active;
		id = g->parent;
	}
	return effective ? effective : 1;
}
