/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What was given to a task, where the task cannot write: in BPF task storage. The digits
 * of a slice (events.h) do not say which program set it, for any task may set its own.
 */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

/* Of a task that we set, or that was forked by one with a slice of ours. */
struct procdb_given {
	__u64 slice[2]; /* ns, the last two that we gave, newest first; 0: none */
	__s32 nice;	/* that we gave with it, if nice_given */
	__u16 nice_given;
	__u8 counted;  /* it was given a slice, rather than only inherited one */
	__u8 decision; /* of an administrator, for what it executes; PROCDB_DECISION() or 0 */
};

/* What a rule decided: a tier (enum procdb_tier), and whether by the program or by the unit. */
#define PROCDB_BY_PROGRAM 0x80
#define PROCDB_DECISION(tier, by) ((__u8)(((tier) + 1) | (by)))
#define PROCDB_DECIDED_TIER(decision) ((__u8)(((decision) & ~PROCDB_BY_PROGRAM) - 1))

/* A task that has a slice of ours now. */
struct procdb_given_task {
	__u64 start_time; /* ns since boot, as in struct procdb_task_event */
	__u64 pidfs_ino;
	__u64 slice; /* ns, also of a real-time task, which keeps it for when it is none */
	struct procdb_given given;
	__u32 pid;
	__u32 hint; /* not on record, nor are its parents: only the digits of its slice say so */
};

/*
 * What others do to a task while we look at it and set it: two calls, and the nice value is
 * written with the slice. On kernels whose functions BPF can trace every call of others is
 * seen; it counts when the kernel has carried it out, which it refuses to a caller without the
 * right. On all others what the task has when it leaves the CPU, executes a
 * program or ends, and, if it runs, when the kernel begins to carry our call out.
 */
struct procdb_guard {
	__u32 pid;	/* of the task; 0: none */
	__u32 service;	/* our own tgid, whose calls do not count */
	__u32 expected; /* PROCDB_GUARD_NICE() of what is no change; 0: not known yet */
	__u32 set;	/* the same of what we set */
	__u64 slice[2]; /* ns: that it has from us, and gets; the kernel's own is no change */
	__u32 changes;	/* how many were seen */
	__s32 nice;	/* what the last of them asked for or left */
	__u64 others;	/* ns: its slice; PROCDB_GUARD_NO_SLICE: it does not touch that */
	__u32 entered;	/* calls that began */
	__u32 left;	/* calls that have ended, and are in changes if they were carried out */
};

#define PROCDB_GUARD_NICE(nice) ((__u32)((nice) + 120)) /* as static_prio of a task */
#define PROCDB_GUARD_NO_SLICE (~0ULL)

static inline int procdb_given_is(const struct procdb_given *given, __u64 slice)
{
	return slice && (slice == given->slice[0] || slice == given->slice[1]);
}

_Static_assert(sizeof(struct procdb_given) == 24, "no padding that BPF would leave unset");
_Static_assert(sizeof(struct procdb_given_task) == 56, "no padding that BPF would leave unset");
