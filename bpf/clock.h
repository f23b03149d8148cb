/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The scheduler's own clock for the observer's programs. Reading a clock costs
 * more than all the rest that they do, and the scheduler has just done it: each
 * CPU's run queue keeps the time of its last update (struct rq, clock), which
 * is done before a switch (kernel/sched/core.c, __schedule()). Outside of the
 * scheduler that may be as old as the last tick, and a kernel without group
 * scheduling shows no way from a task to its queue: there the time is read.
 * Nanoseconds; CPUs may differ a little.
 */

/* To subtract from bpf_ktime_get_ns() for run-queue time; run-queue time when it was measured. */
__u64 clock_ahead;
__u64 clock_compared;

/* Every 2^26 ns, a fifteenth of a second: the two clocks may run at different speeds. */
#define CLOCK_COMPARE_BITS 26

/* The clock of the queue that p belongs to, of whatever class it is; 0 when that is unknown. */
static __always_inline u64 clock_of_queue(const struct task_struct *p)
{
	if (!bpf_core_field_exists(struct sched_entity, cfs_rq) ||
	    !bpf_core_field_exists(struct cfs_rq, rq))
		return 0;
	return p->se.cfs_rq->rq->clock;
}

/* Now, in a switch from or to p. */
static __always_inline u64 clock_of_switch(const struct task_struct *p)
{
	u64 now = clock_of_queue(p);

	if (!now)
		return bpf_ktime_get_ns();
	if ((now ^ clock_compared) >> CLOCK_COMPARE_BITS) {
		clock_ahead = bpf_ktime_get_ns() - now;
		clock_compared = now;
	}
	return now;
}

/* The same clock, read: for code that runs as p, outside of a switch. */
static __always_inline u64 clock_read(const struct task_struct *p)
{
	u64 now = clock_of_queue(p);

	/* Until the first switch it is right to a tick. */
	return now && !clock_compared ? now : bpf_ktime_get_ns() - clock_ahead;
}
