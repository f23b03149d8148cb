/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * How our own backends tell what uses its CPU from what waits for a person: by
 * the share of CPU time that a task wants, not by momentary rates. Pure functions
 * of integers without a division on the way of a switch, so that the unit tests
 * run the code that the kernel runs. The rule of the reference is in classify.h.
 *
 * share: CPU time / (CPU time + sleep). Time spent in the queue is in neither:
 * on a crowded machine a compiler has a tenth of the wall time, and wants all.
 * burst: CPU time between two sleeps, weighted by its length. A preemption cuts a
 * run; a burst it leaves whole.
 */

#include "classify.h"

/* The sums fade by half when they span more than 2^31 ns, so they speak of the last 1 to 2 s. */
#define PROCDB_SHARE_WINDOW_BITS 31
/* A single run or sleep counts as no more than so long in them: 4.3 s. */
#define PROCDB_SHARE_STEP_MAX (1ULL << 32)
/* CPU time and sleep, ns, below which nothing is said of a task that lives on: 134 ms. */
#define PROCDB_SHARE_KNOWN_NS (1ULL << 27)
/* CPU time of a life that ended sooner below which it says nothing either: 34 ms. */
#define PROCDB_SHARE_BRIEF_NS (1ULL << 25)
/* A task without a prediction becomes batch only after so much CPU time of its own: 1.1 s. */
#define PROCDB_SHARE_BURNS_NS (1ULL << 30)
/* A burst that goes on for so long counts already: 268 ms. */
#define PROCDB_SHARE_BURST_MAX (1ULL << 28)
/* Bursts are squared in units of 2^10 ns, so that sums of squares fit. */
#define PROCDB_SHARE_UNIT_BITS 10

/* Sums of ns, over the window or over a whole life. */
struct procdb_use {
	__u64 run;    /* on a CPU */
	__u64 span;   /* on a CPU or asleep */
	__u64 square; /* of bursts, each in 2^10 ns */
	__u64 wakeups;
};

struct procdb_share {
	struct procdb_use window;
	struct procdb_use faded; /* what the window has lost: both together are the life */
	__u64 burst;		 /* ns on a CPU since it last woke, not in window.square yet */
	__u64 slept_at;		 /* ns, when it went to sleep; 0: it has not, or was not seen to */
	__u64 woke_at;		 /* ns, its last wake-up; 0: none was seen */
	__u64 interval;		 /* ns between two wake-ups, EWMA */
	__u64 interval_dev;	 /* ns, EWMA of |interval - its mean| */
};

/* Hints about a task whose share does not decide. */
enum procdb_hint {
	/* Its process burns more than a CPU: it is one of a pool of threads that shares out work.
	 */
	PROCDB_HINT_POOL = 1,
	/* It wakes at regular intervals: frames and audio do, work that is shared out does not. */
	PROCDB_HINT_PERIODIC = 2,
	/* It does, and each time for a little work only: a frame or a buffer of audio. */
	PROCDB_HINT_LIGHT = 4,
	/* Its process takes most of the CPUs of the machine. */
	PROCDB_HINT_FULL = 8,
};

static inline void procdb_share_begin(struct procdb_share *s)
{
	*s = (struct procdb_share){0};
}

/* Keeps the window within its span; what it loses goes to the life. */
static inline void procdb_share_fade(struct procdb_share *s)
{
	__u64 over = s->window.span >> PROCDB_SHARE_WINDOW_BITS;
	struct procdb_use left;
	__u32 shift;

	if (!over)
		return;
	/* One run and one sleep more than the window: less than 2^34. */
	shift = over >= 4 ? 3 : over >= 2 ? 2 : 1;

	left.run = s->window.run >> shift;
	left.span = s->window.span >> shift;
	left.square = s->window.square >> shift;
	left.wakeups = s->window.wakeups >> shift;
	s->faded.run += s->window.run - left.run;
	s->faded.span += s->window.span - left.span;
	s->faded.square += s->window.square - left.square;
	s->faded.wakeups += s->window.wakeups - left.wakeups;
	if (s->faded.square < s->window.square - left.square)
		s->faded.square = ~0ULL;
	s->window = left;
}

/* The present burst, or a piece of it, becomes part of the sum of squares. */
static inline void procdb_share_end_burst(struct procdb_share *s)
{
	__u64 b = procdb_min(s->burst, PROCDB_SHARE_STEP_MAX) >> PROCDB_SHARE_UNIT_BITS;

	s->window.square += b * b;
	s->burst = 0;
}

/* A task stopped running at now, after run ns; asleep: it waits for something. */
static inline void procdb_share_stop(struct procdb_share *s, __u64 run, __u64 now, int asleep)
{
	__u64 step = procdb_min(run, PROCDB_SHARE_STEP_MAX);

	s->window.run += step;
	s->window.span += step;
	/* Rare, and another cache line. */
	if (run > step) {
		s->faded.run += run - step;
		s->faded.span += run - step;
	}
	s->burst += step;
	s->slept_at = asleep ? now : 0;
	if (s->burst >= PROCDB_SHARE_BURST_MAX)
		procdb_share_end_burst(s);
	/* Before the next wake-up may add as much again. */
	procdb_share_fade(s);
}

/* A task woke up at now. */
static inline void procdb_share_wakeup(struct procdb_share *s, __u64 now)
{
	__u64 interval, distance;

	if (s->slept_at) {
		__u64 slept = procdb_elapsed(s->slept_at, now);
		__u64 step = procdb_min(slept, PROCDB_SHARE_STEP_MAX);

		s->window.span += step;
		if (slept > step)
			s->faded.span += slept - step;
		s->slept_at = 0;
	}
	procdb_share_end_burst(s);
	s->window.wakeups++;
	procdb_share_fade(s);
	if (s->woke_at) {
		interval = procdb_min(procdb_elapsed(s->woke_at, now), PROCDB_SHARE_STEP_MAX);
		distance = interval > s->interval ? interval - s->interval : s->interval - interval;
		/* The first interval is the mean of one. */
		if (!s->interval)
			s->interval = interval;
		else {
			s->interval = procdb_ewma(s->interval, interval, PROCDB_AGE_MATURE);
			s->interval_dev = procdb_ewma(s->interval_dev, distance, PROCDB_AGE_MATURE);
		}
	}
	s->woke_at = now;
}

/* With the burst that goes on. */
static inline struct procdb_use procdb_share_recent(const struct procdb_share *s)
{
	struct procdb_use use = s->window;
	__u64 b = procdb_min(s->burst, PROCDB_SHARE_STEP_MAX) >> PROCDB_SHARE_UNIT_BITS;

	use.square += b * b;
	return use;
}

/* From its exec, or since it was first seen, until now. */
static inline struct procdb_use procdb_share_life(const struct procdb_share *s)
{
	struct procdb_use use = procdb_share_recent(s);

	use.run = procdb_add(use.run, s->faded.run);
	use.span = procdb_add(use.span, s->faded.span);
	use.square = procdb_add(use.square, s->faded.square);
	use.wakeups += s->faded.wakeups;
	return use;
}

/* Whether use is at least num / den of a CPU. */
static inline int procdb_use_reaches(const struct procdb_use *use, __u32 num, __u32 den)
{
	return use->run && use->run * den >= use->span * num;
}

/* Whether its bursts are at least so long, ns; a mean in which each counts by its length. */
static inline int procdb_use_bursts(const struct procdb_use *use, __u64 ns)
{
	return use->square >= (use->run >> PROCDB_SHARE_UNIT_BITS) * (ns >> PROCDB_SHARE_UNIT_BITS);
}

/*
 * Work is shared out in pools (encoders, bundlers, compressors): each thread sleeps
 * a good part of the time, and waits for the others. From which share on such
 * a thread is batch, and from which share on any task is.
 */
#define PROCDB_POOL_NUM 4
#define PROCDB_BURN_NUM 8
/* ... if it is woken at regular intervals: a frame loop that works for 13 of 16 ms is no burner,
 * while a hash behind a pipe waits for its writer a tenth of the time. */
#define PROCDB_BURN_PERIODIC_NUM 9
#define PROCDB_SHARE_DEN 10
/* The limits for a task that is in a tier already: it changes only for good reason. */
#define PROCDB_POOL_LEAVE_NUM 2
#define PROCDB_BURN_LEAVE_LESS 1

/* CPUs that its process burns then, in eighths; and with which it stops to be one. */
#define PROCDB_POOL_DEMAND 9
#define PROCDB_POOL_LEAVE_DEMAND 8
/* From which on a main thread that sleeps does not speak for it: a busy machine gives no more. */
#define PROCDB_HOST_DEMAND 4
/* ... with bursts of so many of the kernel's slices: it does not just pass messages on. */
#define PROCDB_POOL_BURST 4
/* ... or of one, if most of the machine works for it: encoders hand on small pieces, too. */
#define PROCDB_FULL_BURST 1

/* Below 1/20 a task sleeps nearly always. */
#define PROCDB_SLEEPS_DEN 20
#define PROCDB_SLEEPS_LEAVE_DEN 12
/* A task that a clock wakes waits for a person, too, if it needs < 1/4 and a few ms each time. */
#define PROCDB_LIGHT_DEN 4
#define PROCDB_LIGHT_LEAVE_DEN 3
#define PROCDB_LIGHT_BURST_NS 4200000ULL
#define PROCDB_LIGHT_LEAVE_BURST_NS 6300000ULL

/*
 * The tier of a task with this use. was: its tier until now, PROCDB_TIERS for none;
 * hints: enum procdb_hint; base: the kernel's own slice in ns, below which a longer
 * one changes nothing.
 */
PROCDB_ONCE __u32 procdb_use_tier(const struct procdb_use *use, __u32 was, __u32 hints, __u64 base)
{
	int batch = was == PROCDB_TIER_BATCH, critical = was == PROCDB_TIER_LAT_CRITICAL;
	__u64 burst = hints & PROCDB_HINT_FULL ? PROCDB_FULL_BURST : PROCDB_POOL_BURST;
	__u32 burn = (hints & PROCDB_HINT_PERIODIC ? PROCDB_BURN_PERIODIC_NUM : PROCDB_BURN_NUM) -
		     (batch ? PROCDB_BURN_LEAVE_LESS : 0);
	int pool;

	if (!use)
		return PROCDB_TIERS;
	pool = (hints & PROCDB_HINT_POOL) && !(hints & PROCDB_HINT_PERIODIC) &&
	       procdb_use_bursts(use, burst * base);
	if (procdb_use_bursts(use, base) &&
	    (procdb_use_reaches(use, burn, PROCDB_SHARE_DEN) ||
	     (pool && procdb_use_reaches(use, batch ? PROCDB_POOL_LEAVE_NUM : PROCDB_POOL_NUM,
					 PROCDB_SHARE_DEN))))
		return PROCDB_TIER_BATCH;
	if ((hints & PROCDB_HINT_LIGHT && !(hints & PROCDB_HINT_POOL)) ||
	    !procdb_use_reaches(use, 1, critical ? PROCDB_SLEEPS_LEAVE_DEN : PROCDB_SLEEPS_DEN))
		return PROCDB_TIER_LAT_CRITICAL;
	return PROCDB_TIER_INTERACTIVE;
}

/* Whether a life is too short to tell what a person waits for (ls) from what may wait (as). */
static inline int procdb_use_is_brief(const struct procdb_use *use)
{
	return use->span < PROCDB_SHARE_KNOWN_NS && use->run < PROCDB_SHARE_BRIEF_NS;
}

/* The tier of a whole life. A short one is batch if it did nothing but work, or says nothing. */
PROCDB_ONCE __u32 procdb_life_tier(const struct procdb_use *use, __u32 hints, __u64 base)
{
	__u32 tier = procdb_use_tier(use, PROCDB_TIERS, hints, base);

	if (!use || procdb_use_is_brief(use) ||
	    (use->span < PROCDB_SHARE_KNOWN_NS && tier != PROCDB_TIER_BATCH))
		return PROCDB_TIER_INTERACTIVE;
	return tier;
}

/*
 * What the intervals between its wake-ups say of a task with this use and tier until now:
 * hints.
 *
 * Regular is what deviates by less than 7/16 of the mean: intervals that come at random
 * deviate by 2/e of it (0.74), frames of which every third is missed by 0.36. Light is
 * measured by the wall clock, too: what a clock wakes sleeps the less, the longer it waits
 * in the queue, so that on a crowded machine it seems to want more than it does. By the
 * mean of bursts, not that weighted by length: a program that began with 200 ms of work is
 * not told from a burner by its first burst for long.
 */
PROCDB_ONCE __u32 procdb_share_rhythm(const struct procdb_share *s, const struct procdb_use *use,
				      __u32 was)
{
	int critical = was == PROCDB_TIER_LAT_CRITICAL;
	__u64 den = critical ? PROCDB_LIGHT_LEAVE_DEN : PROCDB_LIGHT_DEN;
	__u64 most = critical ? PROCDB_LIGHT_LEAVE_BURST_NS : PROCDB_LIGHT_BURST_NS;

	if (!s || !use)
		return 0;
	if (use->wakeups < PROCDB_AGE_MATURE || !(s->interval >> 21) ||
	    s->interval_dev >= (s->interval >> 2) + (s->interval >> 3) + (s->interval >> 4))
		return 0;
	if (use->run < use->wakeups * procdb_min(most, s->interval / den))
		return PROCDB_HINT_PERIODIC | PROCDB_HINT_LIGHT;
	/* More than 240 a second are no frames: rows of a picture, maybe. */
	return s->interval >> 22 ? PROCDB_HINT_PERIODIC : 0;
}

/* floor of the square root */
PROCDB_ONCE __u64 procdb_root(__u64 n)
{
	__u64 root = 0;

	for (__u64 bit = 1ULL << 31; bit; bit >>= 1)
		if ((root | bit) * (root | bit) <= n)
			root |= bit;
	return root;
}

/* The mean burst of a use in ns, each weighted by its length. */
PROCDB_ONCE __u64 procdb_use_burst(const struct procdb_use *use)
{
	__u64 run;

	if (!use)
		return 0;
	run = use->run >> PROCDB_SHARE_UNIT_BITS;
	return run ? procdb_min(use->square / run, ~0ULL >> PROCDB_SHARE_UNIT_BITS)
			 << PROCDB_SHARE_UNIT_BITS
		   : use->run;
}

/*
 * What a life says in the terms of the ABI: the length of bursts with their standard
 * deviation, and true rates, over the wall ns that it took.
 *
 * Of bursts b the weighted mean is m + var/m, with m = sum(b)/n: so var is known
 * without another sum.
 */
static inline void procdb_share_class(const struct procdb_share *s, __u64 wall,
				      struct procdb_class *seen)
{
	struct procdb_use life = procdb_share_life(s);
	__u64 weighted = procdb_use_burst(&life),
	      mean = life.run / (life.wakeups ? life.wakeups : 1);
	__u64 rate, ms = wall / 1000000;
	/* The product of two times in µs fits: a burst of an hour is 2^32 µs. */
	__u64 m = procdb_min(mean / 1000, 0xffffffffULL), over;

	over = weighted / 1000 > m ? procdb_min(weighted / 1000 - m, 0xffffffffULL) : 0;
	rate = (procdb_min(life.wakeups, 0xffffffffULL) * 100 + (ms >> 1)) / (ms ? ms : 1);
	seen->avg_runtime = weighted;
	seen->runtime_dev = procdb_root(m * over) * 1000;
	seen->wakeup_freq = procdb_min(rate, PROCDB_WAKEUP_FREQ_MAX);
	seen->csw_rate = procdb_min(rate, PROCDB_CSW_RATE_MAX);
}
