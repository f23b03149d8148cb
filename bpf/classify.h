/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * How one task's behaviour is measured and classified: pure functions of
 * integers, without a BPF helper, so that the unit tests run the code that the
 * kernel runs.
 */

#include "procdb-abi.h"

/*
 * A pure function that the verifier follows once, by itself: a global one (kernel:
 * Documentation/bpf/bpf_design_QA.rst, commit 51c39bb1d5d1). One that is inlined, or static,
 * is followed once for each way that leads to it, and all that comes after it once for each way
 * out of it. Its pointers have to be compared with NULL, for the verifier knows no caller.
 */
#ifdef __bpf__
#define PROCDB_ONCE __attribute__((noinline))
#else
#define PROCDB_ONCE static inline
#endif

#define PROCDB_WINDOW_NS 100000000ULL /* rates are per 100 ms */
#define PROCDB_AGE_MATURE 8	      /* wake-ups after which the averages are published */
#define PROCDB_AGE_MAX 16
#define PROCDB_WAKEUP_FREQ_MAX 64
#define PROCDB_CSW_RATE_MAX 512
#define PROCDB_SCORE_MAX 255
#define PROCDB_SCORE_LAT_CRITICAL 32
#define PROCDB_SCORE_INTERACTIVE 8
#define PROCDB_PRIOR_WAKEUP_FREQ 20
#define PROCDB_PRIOR_AVG_RUNTIME 100000ULL

/* State of one running task; belongs in task-local storage. */
struct procdb_task {
	__u64 avg_runtime; /* ns, EWMA */
	__u64 runtime_dev; /* ns, EWMA of |run - avg_runtime| */
	__u64 wakeup_freq; /* wake-ups per 100 ms, EWMA */
	__u64 csw_rate;	   /* voluntary switches per 100 ms, EWMA */
	__u64 last_wakeup; /* ns; 0 before the first wake-up */
	__u64 last_nvcsw;  /* voluntary switches at last_wakeup */
	__u32 age;	   /* wake-ups, at most PROCDB_AGE_MAX */
	__u32 tier;	   /* enum procdb_tier */
};

/* How a task begins about which nothing is known. */
static inline void procdb_task_reset(struct procdb_task *t)
{
	t->avg_runtime = PROCDB_PRIOR_AVG_RUNTIME;
	t->runtime_dev = 0;
	t->wakeup_freq = PROCDB_PRIOR_WAKEUP_FREQ;
	t->csw_rate = 0;
	t->last_wakeup = 0;
	t->last_nvcsw = 0;
	t->age = 0;
	t->tier = PROCDB_TIER_INTERACTIVE;
}

/*
 * Exponentially weighted moving average: half old, half new until maturity,
 * then 7/8 old and 1/8 new. The shifts are term by term, so it cannot overflow
 * and rounds down as the reference does.
 */
static inline __u64 procdb_ewma(__u64 old, __u64 val, __u32 age)
{
	if (age < PROCDB_AGE_MATURE)
		return (old >> 1) + (val >> 1);
	return old - (old >> 3) + (val >> 3);
}

/* The sum, or the greatest number where that is less. */
static inline __u64 procdb_add(__u64 a, __u64 b)
{
	return a + b < a ? ~0ULL : a + b;
}

static inline __u64 procdb_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/*
 * The time from one moment to another. The clocks of two CPUs may differ a little,
 * and what began on one and ended at once on another may seem to have ended before.
 */
static inline __u64 procdb_elapsed(__u64 from, __u64 to)
{
	return to > from ? to - from : 0;
}

/*
 * The tier of a task with these averages. A frequent waker that switches often
 * and runs briefly is latency critical. never_batch: a workqueue worker
 * (PF_WQ_WORKER); always_critical: a compositor from the configured list.
 */
static inline __u32 procdb_classify(__u64 avg_runtime, __u64 runtime_dev, __u64 wakeup_freq,
				    __u64 csw_rate, int never_batch, int always_critical)
{
	__u64 effective = avg_runtime + (runtime_dev >> 1);
	__u64 ms, score;

	if (always_critical)
		return PROCDB_TIER_LAT_CRITICAL;
	if (effective < avg_runtime)
		effective = ~0ULL;
	ms = effective >> 20; /* 2^20 ns: a millisecond without a division */
	if (!ms)
		ms = 1;
	wakeup_freq = procdb_min(wakeup_freq, PROCDB_WAKEUP_FREQ_MAX);
	csw_rate = procdb_min(csw_rate, PROCDB_CSW_RATE_MAX);
	score = procdb_min(wakeup_freq * csw_rate / ms, PROCDB_SCORE_MAX);
	if (score >= PROCDB_SCORE_LAT_CRITICAL)
		return PROCDB_TIER_LAT_CRITICAL;
	if (score >= PROCDB_SCORE_INTERACTIVE || never_batch)
		return PROCDB_TIER_INTERACTIVE;
	return PROCDB_TIER_BATCH;
}

/*
 * A task woke up at now (ns, monotonic), having switched voluntarily nvcsw
 * times in its life. The first two wake-ups only set the stamps: an interval
 * needs two ends, and the first one measures the fork.
 */
static inline void procdb_task_wakeup(struct procdb_task *t, __u64 now, __u64 nvcsw,
				      int never_batch, int always_critical)
{
	if (t->age >= 2) {
		__u64 dt = now > t->last_wakeup ? now - t->last_wakeup : 1;
		__u64 switches = nvcsw > t->last_nvcsw ? nvcsw - t->last_nvcsw : 0;
		__u64 freq, csw;

		/* More than 2^32 switches cannot be; the cap keeps the product in 64 bits. */
		switches = procdb_min(switches, 0xffffffffULL);
		freq = PROCDB_WINDOW_NS / dt;
		/* Mostly it slept once: one division for both. */
		csw = switches == 1 ? freq : switches ? switches * PROCDB_WINDOW_NS / dt : 0;
		t->wakeup_freq =
		    procdb_min(procdb_ewma(t->wakeup_freq, freq, t->age), PROCDB_WAKEUP_FREQ_MAX);
		t->csw_rate = procdb_min(
		    procdb_ewma(t->csw_rate, csw, t->age < PROCDB_AGE_MAX ? t->age + 1 : t->age),
		    PROCDB_CSW_RATE_MAX);
	}
	t->last_wakeup = now;
	t->last_nvcsw = nvcsw;
	if (t->age < PROCDB_AGE_MAX)
		t->age++;
	if (t->age > 2)
		t->tier = procdb_classify(t->avg_runtime, t->runtime_dev, t->wakeup_freq,
					  t->csw_rate, never_batch, always_critical);
}

/* A task stopped running after run_ns on a CPU. */
static inline void procdb_task_stop(struct procdb_task *t, __u64 run_ns)
{
	__u64 diff = run_ns > t->avg_runtime ? run_ns - t->avg_runtime : t->avg_runtime - run_ns;

	t->avg_runtime = procdb_ewma(t->avg_runtime, run_ns, t->age);
	t->runtime_dev = procdb_ewma(t->runtime_dev, diff, t->age);
}

/*
 * What a task did from its exec to its death, for those that die before their
 * averages mature: means over the whole life, so the prior of the averages,
 * which would make any short life look erratic, has no part in it.
 */
struct procdb_life {
	__u64 start; /* ns */
	__u64 start_nvcsw;
	__u64 cpu;	   /* ns on a CPU */
	__u64 avg_runtime; /* ns, mean of the runs, each weighted by its length */
	__u64 runtime_dev; /* ns, mean distance from that, weighted alike */
};

/*
 * The rates of a life shorter than a second are those of a second: waking
 * three times in 20 ms is what every program does that waits for a child, and
 * says nothing about how often it would go on to wake.
 */
#define PROCDB_LIFE_WINDOW_NS 1000000000ULL

static inline void procdb_life_begin(struct procdb_life *l, __u64 now, __u64 nvcsw)
{
	l->start = now;
	l->start_nvcsw = nvcsw;
	l->cpu = 0;
	l->avg_runtime = 0;
	l->runtime_dev = 0;
}

/*
 * One more run of run_ns. Weighted by length because that is what matters to a
 * scheduler: a compiler's one run of 80 ms, not the three of 10 us around it.
 */
static inline void procdb_life_run(struct procdb_life *l, __u64 run_ns)
{
	__u64 weight, diff;

	if (!run_ns || run_ns >> 50)
		return;
	l->cpu += run_ns;
	if (l->cpu == run_ns) {
		l->avg_runtime = run_ns;
		return;
	}
	weight = (run_ns << 10) / l->cpu; /* in 1024ths of the life so far */
	if (run_ns > l->avg_runtime)
		l->avg_runtime += (run_ns - l->avg_runtime) * weight >> 10;
	else
		l->avg_runtime -= (l->avg_runtime - run_ns) * weight >> 10;
	diff = run_ns > l->avg_runtime ? run_ns - l->avg_runtime : l->avg_runtime - run_ns;
	if (diff > l->runtime_dev)
		l->runtime_dev += (diff - l->runtime_dev) * weight >> 10;
	else
		l->runtime_dev -= (l->runtime_dev - diff) * weight >> 10;
}

/*
 * What is published of a life that ends at now. nvcsw includes the last
 * switch, which the task does not return from (kernel/sched/core.c, __schedule()).
 * A wake-up follows every other voluntary switch, so their number is known.
 */
static inline void procdb_life_class(const struct procdb_life *l, __u64 now, __u64 nvcsw,
				     int never_batch, int always_critical,
				     struct procdb_class *seen)
{
	__u64 window = procdb_elapsed(l->start, now);
	__u64 switches = nvcsw > l->start_nvcsw ? nvcsw - l->start_nvcsw - 1 : 0;
	__u64 rate;

	if (window < PROCDB_LIFE_WINDOW_NS)
		window = PROCDB_LIFE_WINDOW_NS;
	rate = procdb_min(switches, 0xffffffffULL) * PROCDB_WINDOW_NS / window;
	seen->avg_runtime = l->avg_runtime;
	seen->runtime_dev = l->runtime_dev;
	seen->wakeup_freq = procdb_min(rate, PROCDB_WAKEUP_FREQ_MAX);
	seen->csw_rate = procdb_min(rate, PROCDB_CSW_RATE_MAX);
	seen->tier = (__u8)procdb_classify(seen->avg_runtime, seen->runtime_dev, seen->wakeup_freq,
					   seen->csw_rate, never_batch, always_critical);
}
