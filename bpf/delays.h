/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * How long tasks waited from their wake-up to a CPU, counted by the observer: histograms that
 * BPF and the service share.
 */

#include "procdb-abi.h"

/*
 * Four buckets an octave, from 1.024 µs to 4.29 s: a percentile that is read from them is wrong by
 * an eighth at most. Below 8 µs they are 1 µs wide. What waited longer is in the last one.
 */
#define PROCDB_DELAY_SHIFT 10
#define PROCDB_DELAY_BUCKETS 84
#define PROCDB_DELAY_LONGEST ((1ULL << 22) - 1) /* in units of 2^PROCDB_DELAY_SHIFT ns */

/*
 * What is woken up more than a thousand times a second shows how long it waits by one wake-up of
 * so many, which counts for all of them. It would be what counting costs most.
 */
#define PROCDB_DELAY_OF 32
#define PROCDB_DELAY_OFTEN_SHIFT 20

/* The bits that decide which of a task's wake-ups count, of how many it had in span ns. */
static inline __u8 procdb_delay_mask(__u64 wakeups, __u64 span)
{
	return wakeups >= PROCDB_DELAY_OF && span >> PROCDB_DELAY_OFTEN_SHIFT < wakeups
		   ? PROCDB_DELAY_OF - 1
		   : 0;
}

/*
 * Whether a wake-up counts, for mask + 1 of them. woken: when it was, ns; the low bits are as good
 * as drawn by lot. Of a coarse clock they may not be, and one of so many is left by their number.
 */
static inline __u32 procdb_delay_counts(__u8 mask, __u64 woken, __u64 number)
{
	return ((woken ^ number) & mask) == 0;
}

/*
 * The bits for the next wake-up: of a task whose wake-ups have become few meanwhile each counts, as
 * its mean interval shows at once.
 */
static inline __u8 procdb_delay_mask_now(__u8 mask, __u64 interval)
{
	return interval >> PROCDB_DELAY_OFTEN_SHIFT ? 0 : mask;
}

/* Whether the task had a slice that a program set, which nearly always is the service. */
enum procdb_delay_side {
	PROCDB_DELAY_PLAIN = 0,
	PROCDB_DELAY_APPLIED = 1,
	PROCDB_DELAY_SIDES = 2,
};

/*
 * The same by name and more coarsely, in struct procdb_program: an octave a bucket, so that a
 * percentile may be the half of the true one, or twice as much. In the first is what waited for
 * less than 4 µs, in the last what waited for 67 ms or longer.
 */
#define PROCDB_WAIT_OCTAVES 16

static inline __u32 procdb_wait_octave(__u32 bucket)
{
	return bucket / 4 < PROCDB_WAIT_OCTAVES ? bucket / 4 : PROCDB_WAIT_OCTAVES - 1;
}

/* One for each CPU. Counts since the observer was loaded. */
struct procdb_delays {
	/* By what the task was treated as, and by enum procdb_delay_side. */
	__u64 waits[PROCDB_TIERS][PROCDB_DELAY_SIDES][PROCDB_DELAY_BUCKETS];
	__u64 batch_run;   /* ns on the CPU that batch tasks had, of runs that ended */
	__u64 batch_since; /* ns, the observer's clock: the run of one that goes on; 0: none */
};

/* The bucket of a delay of ns. Shifts by halves, for BPF has no instruction that counts zeros. */
static inline __u32 procdb_delay_bucket(__u64 ns)
{
	__u64 units = ns >> PROCDB_DELAY_SHIFT;
	__u32 shift = 0;

	if (units < 8)
		return (__u32)units;
	if (units > PROCDB_DELAY_LONGEST)
		units = PROCDB_DELAY_LONGEST;
	if (units >> 18) {
		shift += 16;
		units >>= 16;
	}
	if (units >> 10) {
		shift += 8;
		units >>= 8;
	}
	if (units >> 6) {
		shift += 4;
		units >>= 4;
	}
	if (units >> 4) {
		shift += 2;
		units >>= 2;
	}
	if (units >> 3) {
		shift += 1;
		units >>= 1;
	}
	return shift * 4 + (__u32)units;
}

/* The shortest delay of a bucket, ns; that of PROCDB_DELAY_BUCKETS is the end of the last one. */
static inline __u64 procdb_delay_from(__u32 bucket)
{
	if (bucket < 8)
		return (__u64)bucket << PROCDB_DELAY_SHIFT;
	return (__u64)(4 + bucket % 4) << (bucket / 4 - 1 + PROCDB_DELAY_SHIFT);
}

_Static_assert(PROCDB_DELAY_SIDES *PROCDB_WAIT_OCTAVES == 32, "the mask in delays_count()");
_Static_assert(sizeof(struct procdb_delays) ==
		   8 * (PROCDB_TIERS * PROCDB_DELAY_SIDES * PROCDB_DELAY_BUCKETS + 2),
	       "no padding");
