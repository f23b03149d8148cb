/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Which tasks should run with another slice: what our observer tells the
 * service by ring buffer. Between these two only; other schedulers do not
 * speak it.
 */

#include "classify.h"
#include "task-row.h"

enum procdb_task_reason {
	PROCDB_TASK_EXECUTED = 0, /* it executed a program: tier is the prediction, if any */
	PROCDB_TASK_MATURED = 1,  /* tier is its own, measured */
	PROCDB_TASK_FORKED = 2,	  /* it is new, and its parent's slice would favour it */
	PROCDB_TASK_MOVED = 3,	  /* it came into another cgroup; tier is its own */
};

/* A running task whose slice is not the one that its tier should have. */
struct procdb_task_event {
	__u64 when;	  /* ns, monotonic */
	__u64 start_time; /* ns since boot, as in /proc/PID/stat */
	__u64 pidfs_ino;  /* inode number of its pidfd; 0 where the kernel has none */
	__u64 slice;	  /* ns, its EEVDF slice now */
	__u64 runtime;	  /* ns, of its average run, predicted or measured; 0: not known */
	__u64 base;	  /* ns, the kernel's own slice */
	struct procdb_comm comm;
	__u32 pid;	   /* of the thread, in the initial pid namespace */
	__u8 tier;	   /* enum procdb_tier; PROCDB_TIERS: nothing is known of it */
	__u8 reason;	   /* enum procdb_task_reason */
	__u8 custom_slice; /* a program, perhaps ours, set the slice */
	__u8 decision;	   /* what a rule says (ledger.h); BPF leaves it 0 */
};

/* Arguments of a task beyond so many bytes are not looked at. */
#define PROCDB_ARGS_LEN 256

/* While there are rules: what they look at, of a task that executed a program or was moved. */
struct procdb_execution {
	struct procdb_task_event event;
	__u32 args_len; /* 0: not known, as of one that was moved */
	__u32 pad;
	char path[PROCDB_PATH_LEN]; /* as in struct procdb_task_row */
	char unit[PROCDB_UNIT_LEN];
	char args[PROCDB_ARGS_LEN]; /* each but the last, which may be cut, ends with a zero */
};

/* Requests of the service, which writes them through the mapped .bss. */
struct procdb_wanted {
	__u64 slice[PROCDB_TIERS + 1]; /* ns, marked; 0, as for the unknown: the kernel's own */
	__u32 on;		       /* whether to send events at all */
	__u32 armed;		       /* the service sleeps: the next event has to wake it */
	__u32 rules;		       /* there are some: tell of each program that is executed */
	__u32 decided;		       /* tasks may be on record with what a rule decided */
};

/*
 * The last four digits of a slice that we set. No proof: any task may set such a slice for
 * itself. What was given is on record (ledger.h); this is for what no program could record, the
 * children of tasks that were set by a service that was killed, and for people who look.
 */
#define PROCDB_SLICE_STEP 10000ULL /* ns */
#define PROCDB_SLICE_MARK 7300ULL  /* ns */

static inline int procdb_slice_is_marked(__u64 slice)
{
	return slice % PROCDB_SLICE_STEP == PROCDB_SLICE_MARK;
}

/*
 * The slice that a task gets; 0: the kernel's own. setting: what its tier should have,
 * marked as ours, 0 for none; runtime: of its average run, 0 when that is not known;
 * base: the kernel's own slice. All in ns; the result is marked as the setting is.
 *
 * Why no task is worse off by this than without it: EEVDF runs the eligible task with
 * the earliest deadline, which is its virtual start plus its slice over its weight; which
 * task is eligible, and so each share of the CPU, does not depend on slices (Stoica
 * and Abdel-Wahab, 1995; kernel/sched/fair.c, pick_eevdf(), entity_eligible()), but for two
 * things: what yields gives away its slice (yield_task_fair()), and what sleeps keeps no more than
 * two slices, or a tick, of what it was owed (update_entity_lag()).
 * - What waits for a person gets a shorter slice than the kernel's, hence no later
 *   deadline, and may interrupt what has a longer one (PREEMPT_SHORT). It is half as long
 *   again as an average run, as far as it can be, so that few runs are cut: a program that
 *   is woken up at once and then interrupted is done late.
 * - What burns its CPU gets no shorter one, hence no earlier deadline: it is taken off
 *   the CPU for others sooner, and less often for its like. Only while one group of tasks uses
 *   the CPUs: else a long slice would be its group's, which others wait for with it (crowd.h).
 * - What is in between, or not known, is left alone.
 */
static inline __u64 procdb_slice_for(__u32 tier, __u64 setting, __u64 runtime, __u64 base)
{
	__u64 most = base - (base >> 3), fit = runtime < base ? runtime + (runtime >> 1) : base;

	if (!setting || tier > PROCDB_TIER_LAT_CRITICAL)
		return 0;
	if (tier == PROCDB_TIER_BATCH)
		return setting > base ? setting : 0;
	if (tier == PROCDB_TIER_INTERACTIVE)
		return setting;
	fit = procdb_min(fit, most) / PROCDB_SLICE_STEP * PROCDB_SLICE_STEP +
	      setting % PROCDB_SLICE_STEP;
	if (fit < setting)
		fit = setting;
	return fit < base ? fit : 0;
}

/* Whether a slice is so near to the fitted one that changing it would be busywork. */
static inline int procdb_slice_is_near(__u64 slice, __u64 fit)
{
	return (slice > fit ? slice - fit : fit - slice) <= fit / 4;
}

_Static_assert(sizeof(struct procdb_task_event) == 72, "no padding that BPF would leave unset");
_Static_assert(sizeof(struct procdb_execution) ==
		   80 + PROCDB_PATH_LEN + PROCDB_UNIT_LEN + PROCDB_ARGS_LEN,
	       "no padding that BPF would leave unset");
_Static_assert(sizeof(struct procdb_wanted) == 48, "the same on both sides");
