/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "delay-stats.h"

#include "classify.h"

/* struct procdb_delays consists of counters. batch_since is none, and no part of a difference. */
#define COUNTERS (sizeof(struct procdb_delays) / sizeof(__u64) - 1)

_Static_assert(offsetof(struct procdb_delays, batch_since) == COUNTERS * sizeof(__u64), "the last");

bool procdb_delays_since(const struct procdb_delays *before, const struct procdb_delays *after,
			 struct procdb_delays *difference)
{
	const __u64 *from = (const __u64 *)before, *to = (const __u64 *)after;

	*difference = (struct procdb_delays){0};
	/*
	 * The time of batch tasks that run is estimated, and may be a little more than what they
	 * then had.
	 */
	for (size_t i = 0; i < COUNTERS - 1; i++)
		if (to[i] < from[i])
			return false;
	for (size_t i = 0; i < COUNTERS; i++)
		((__u64 *)difference)[i] = to[i] > from[i] ? to[i] - from[i] : 0;
	return true;
}

void procdb_waits_add(__u64 *sum, const __u64 *more)
{
	for (size_t i = 0; i < PROCDB_DELAY_BUCKETS; i++)
		sum[i] = procdb_add(sum[i], more[i]);
}

uint64_t procdb_waits_count(const __u64 *waits)
{
	uint64_t count = 0;

	for (size_t i = 0; i < PROCDB_DELAY_BUCKETS; i++)
		count = procdb_add(count, waits[i]);
	return count;
}

uint64_t procdb_waits_percentile(const __u64 *waits, double share)
{
	const double wanted = share * (double)procdb_waits_count(waits);
	uint64_t last = 0;
	double seen = 0;

	for (uint32_t i = 0; i < PROCDB_DELAY_BUCKETS; i++) {
		const double from = (double)procdb_delay_from(i),
			     to = (double)procdb_delay_from(i + 1);

		if (waits[i] == 0)
			continue;
		if (seen + (double)waits[i] >= wanted)
			return (uint64_t)(from + (to - from) * (wanted - seen) / (double)waits[i]);
		seen += (double)waits[i];
		last = (uint64_t)to;
	}
	return last;
}

uint64_t procdb_octaves_count(const __u32 *octaves)
{
	uint64_t count = 0;

	for (size_t i = 0; i < PROCDB_WAIT_OCTAVES; i++)
		count += octaves[i];
	return count;
}

uint64_t procdb_octaves_percentile(const __u32 *octaves, double share)
{
	const double wanted = share * (double)procdb_octaves_count(octaves);
	const uint32_t last = PROCDB_WAIT_OCTAVES - 1;
	double seen = 0;

	for (uint32_t i = 0; i < last; i++) {
		const double from = (double)procdb_delay_from(4 * i),
			     to = (double)procdb_delay_from(4 * (i + 1));

		if (octaves[i] > 0 && seen + octaves[i] >= wanted)
			return (uint64_t)(from + (to - from) * (wanted - seen) / octaves[i]);
		seen += octaves[i];
	}
	return octaves[last] > 0 ? procdb_delay_from(4 * last) : 0;
}
