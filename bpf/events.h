/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Which tasks should run with another slice: what our observer tells the
 * service by ring buffer. Between these two only; other schedulers do not
 * speak it.
 */

#include "procdb-abi.h"

enum procdb_task_reason {
	PROCDB_TASK_EXECUTED = 0, /* it executed a program: tier is the prediction, if any */
	PROCDB_TASK_MATURED = 1,  /* tier is its own, measured */
	PROCDB_TASK_FORKED = 2,	  /* it started a process, or is that process */
};

/* A running task whose slice is not the one that its tier should have. */
struct procdb_task_event {
	__u64 when;	  /* ns, monotonic */
	__u64 start_time; /* ns since boot, as in /proc/PID/stat */
	__u64 pidfs_ino;  /* inode number of its pidfd; 0 where the kernel has none */
	__u64 slice;	  /* ns, its EEVDF slice now */
	__u64 runtime;	  /* ns, of its average run, predicted or measured; 0: not known */
	struct procdb_comm comm;
	__u32 pid;	   /* of the thread, in the initial pid namespace */
	__u8 tier;	   /* enum procdb_tier; PROCDB_TIERS: nothing is known of it */
	__u8 reason;	   /* enum procdb_task_reason */
	__u8 custom_slice; /* somebody, perhaps we, set the slice */
	__u8 pad;
};

/* What the service asks for; it writes this through the mapped .bss. */
struct procdb_wanted {
	__u64 slice[PROCDB_TIERS + 1]; /* ns, marked; 0, as for the unknown: the kernel's own */
	__u32 on;		       /* whether to send events at all */
	__u32 armed;		       /* the service sleeps: the next event has to wake it */
};

/*
 * The last four digits of a slice that we set say so, and which nice value we
 * set with it: the task itself carries what was done to it. Nothing else has to
 * be remembered, also not over a crash of the service, and not for the children
 * that inherit it.
 */
#define PROCDB_SLICE_STEP 10000ULL /* ns */
#define PROCDB_SLICE_MARK 7300ULL  /* ns; plus the nice value, 0 to PROCDB_SLICE_NICE_MAX */
#define PROCDB_SLICE_NICE_MAX 19

static inline int procdb_slice_is_ours(__u64 slice)
{
	__u64 digits = slice % PROCDB_SLICE_STEP;

	return digits >= PROCDB_SLICE_MARK && digits <= PROCDB_SLICE_MARK + PROCDB_SLICE_NICE_MAX;
}

/* More than the kernel's own slice on any machine would be no favour (base_slice_ns: 0.7 to 2.8 ms). */
#define PROCDB_SLICE_FIT_MAX 2800000ULL /* ns */

/*
 * The slice of a latency-critical task whose average run lasts runtime ns: half
 * as much again, or the scheduler would interrupt most of its runs, and then a
 * program that is woken up at once is done late. slice is the shortest that it
 * may be, marked as ours, or 0 for none; so is the result.
 */
static inline __u64 procdb_slice_fit(__u64 slice, __u64 runtime)
{
	__u64 fit = runtime < PROCDB_SLICE_FIT_MAX ? runtime + (runtime >> 1) : PROCDB_SLICE_FIT_MAX;

	if (!slice)
		return 0;
	if (fit > PROCDB_SLICE_FIT_MAX)
		fit = PROCDB_SLICE_FIT_MAX;
	fit = fit / PROCDB_SLICE_STEP * PROCDB_SLICE_STEP + slice % PROCDB_SLICE_STEP;
	return fit > slice ? fit : slice;
}

/* Whether a slice is so near to the fitted one that changing it would be busywork. */
static inline int procdb_slice_is_near(__u64 slice, __u64 fit)
{
	return (slice > fit ? slice - fit : fit - slice) <= fit / 4;
}

_Static_assert(sizeof(struct procdb_task_event) == 64, "no padding that BPF would leave unset");
_Static_assert(sizeof(struct procdb_wanted) == 40, "the same on both sides");
