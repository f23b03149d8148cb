/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Which groups of tasks want the CPUs. To the kernel a control group with a CPU controller, and
 * without one a session (autogroup), is one entity in the queue, and has the shortest slice of the
 * tasks that are runnable in it (kernel/sched/fair.c, cfs_rq_min_slice(), aef6987d8954): a long one
 * while that is a batch task. Once the batch task has used that up, the whole group waits until the
 * others have had as long a turn, and with it a task that wakes up in the group and waits for a
 * person (tests/bench/groups). Where one group alone wants the CPUs, nothing of this happens.
 */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* A task's demand is told when it has come to this, ns: 1 ms. */
#define PROCDB_DEMAND_NS (1ULL << 20)
/* ... and counts as no more than this at a time: what was alone on a CPU stops once in a while. */
#define PROCDB_DEMAND_MAX (1ULL << 30)
/*
 * CPU time since a task woke up, ns, from which on it stands in the way of others for long, 8 ms.
 * What goes to sleep sooner, as frames and requests do, counts for an eighth.
 */
#define PROCDB_DEMAND_BURST (1ULL << 23)
#define PROCDB_DEMAND_BRIEF_SHIFT 3
#define PROCDB_GROUPS_MAX 512

/* How long tasks of a group ran or waited for a CPU. */
struct procdb_group_use {
	__u64 window; /* that demand is of */
	__u64 demand; /* ns */
};
