/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Counts what groups of tasks want of the CPUs (crowd.h). */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "crowd.h"
#include "task-stats.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROCDB_GROUPS_MAX);
	__type(key, u32); /* crowd_group() */
	__type(value, struct procdb_group_use);
} group_uses SEC(".maps");

__u64 demanded;	    /* ns, of all groups */
__u64 crowd_window; /* the service begins one each second */

/* What a task wants of the CPUs, for its group. */
struct crowd_part {
	u32 group;  /* that it was in before it began to end: then it is in none any more */
	u32 demand; /* ns that were not told yet */
};

/* A name of a task's group: of its address, which is that of nothing else as long as it lives. */
static __always_inline u32 crowd_group(const struct task_struct *p)
{
	/* Read as a number: the verifier lets no address be shifted. */
	return bpf_core_field_exists(p->sched_task_group)
		   ? (u32)((u64)BPF_CORE_READ(p, sched_task_group) >> 6)
		   : 0;
}

static __noinline void crowd_tell(struct task_struct *p, struct crowd_part *part, u64 ns)
{
	struct procdb_group_use first = {.window = crowd_window, .demand = ns}, *use;
	u32 group;

	/* A session's task that ends is moved to the root (sched_autogroup_exit_task()). */
	if (!(p->flags & PF_EXITING))
		part->group = crowd_group(p);
	group = part->group;
	/* Real-time tasks are in other queues. */
	if (p->policy != SCHED_NORMAL && p->policy != SCHED_BATCH && p->policy != SCHED_IDLE)
		return;
	__sync_fetch_and_add(&demanded, ns);
	use = bpf_map_lookup_elem(&group_uses, &group);
	if (!use) {
		bpf_map_update_elem(&group_uses, &group, &first, BPF_ANY);
		return;
	}
	if (use->window == first.window) {
		__sync_fetch_and_add(&use->demand, ns);
		return;
	}
	use->demand = ns;
	use->window = first.window;
}

/*
 * p stops, or ends, after it waited for a CPU and ran, ns, in a burst of so many ns. Kernel threads
 * do not count: they are brief.
 */
static __always_inline void crowd_count(struct task_struct *p, struct crowd_part *part, u64 ns,
					u64 burst, bool dead)
{
	if (burst < PROCDB_DEMAND_BURST)
		ns >>= PROCDB_DEMAND_BRIEF_SHIFT;
	ns += part->demand;
	if ((ns < PROCDB_DEMAND_NS && !dead) || p->flags & PF_KTHREAD) {
		part->demand = (u32)ns;
		return;
	}
	part->demand = 0;
	crowd_tell(p, part, procdb_min(ns, PROCDB_DEMAND_MAX));
}
