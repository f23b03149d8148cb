/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Which groups of tasks use the CPUs. To the kernel a control group with a CPU controller, and
 * without one a session (autogroup), is one entity in the queue. Since Linux 6.13 that has the
 * shortest slice among its tasks that wait or run (kernel/sched/fair.c, cfs_rq_min_slice()): with
 * only a batch task in the queue a long one. Once the batch task has used that up, the whole group
 * waits until the others have had as long a turn, and with it a task that wakes up in the group and
 * waits for a person: for 15 ms at the median in place of 2.5 where two groups share a CPU (20 ms
 * each; tests/bench/groups). Where one group alone uses the CPUs,
 * nothing of this happens.
 */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* A run that is shorter makes no task wait for long, ns: 1 ms. */
#define PROCDB_COMPETES_NS (1ULL << 20)
#define PROCDB_GROUPS_MAX 512

/* What tasks of a group ran, in runs of PROCDB_COMPETES_NS and more. */
struct procdb_group_use {
	__u64 window; /* that run is of */
	__u64 run;    /* ns */
};
