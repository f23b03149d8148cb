/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Counts the CPU time of each group of tasks (crowd.h). */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "crowd.h"
#include "task-stats.h"

/* By the address of the group, which is the same as long as it lives. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, PROCDB_GROUPS_MAX);
	__type(key, u64);
	__type(value, struct procdb_group_use);
} group_uses SEC(".maps");

__u64 competed;	    /* ns: of all groups, also of those that the map had no room for */
__u64 crowd_window; /* the service begins one each second */

/* p stops after a run of ns that others may have waited for. */
static __noinline void crowd_count(struct task_struct *p, u64 ns)
{
	struct procdb_group_use first = {.window = crowd_window, .run = ns}, *use;
	u64 group;

	if (p->flags & PF_KTHREAD || (p->policy != SCHED_NORMAL && p->policy != SCHED_BATCH) ||
	    !bpf_core_field_exists(p->sched_task_group))
		return;
	group = (u64)p->sched_task_group;
	__sync_fetch_and_add(&competed, ns);
	use = bpf_map_lookup_elem(&group_uses, &group);
	if (!use) {
		bpf_map_update_elem(&group_uses, &group, &first, BPF_ANY);
		return;
	}
	if (use->window == first.window) {
		__sync_fetch_and_add(&use->run, ns);
		return;
	}
	use->run = ns;
	use->window = first.window;
}
