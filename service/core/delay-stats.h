/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Arithmetic of the histograms of delays.h: differences, sums, percentiles. libc only. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "delays.h"

/*
 * What was counted between two snapshots. False, and all 0, when a counter went back: they are of
 * two observers.
 */
bool procdb_delays_since(const struct procdb_delays *before, const struct procdb_delays *after,
			 struct procdb_delays *difference);

/* Adds histograms of PROCDB_DELAY_BUCKETS; counters stay at their greatest value. */
void procdb_waits_add(__u64 *sum, const __u64 *more);

/* How many delays a histogram has. */
uint64_t procdb_waits_count(const __u64 *waits);

/*
 * The delay, ns, that the given share of them (0 to 1) did not exceed: interpolated within its
 * bucket, so wrong by less than its width. 0 when there is none.
 */
uint64_t procdb_waits_percentile(const __u64 *waits, double share);

/* The same of a histogram of PROCDB_WAIT_OCTAVES; what is in the last one is where that begins. */
uint64_t procdb_octaves_count(const __u32 *octaves);
uint64_t procdb_octaves_percentile(const __u32 *octaves, double share);
