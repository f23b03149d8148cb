/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Whether applying helps, from windows of time with it and without it. libc only. */

#include "delay-stats.h"
#include "paired.h"

/* What was counted in a window. */
struct procdb_window {
	__u64 waits[PROCDB_DELAY_BUCKETS]; /* of latency-critical tasks, whatever slice they had */
	uint64_t batch_run;		   /* ns of CPU time that batch tasks got */
	uint64_t length;		   /* ns */
};

/* Two windows next to each other, in an order that was drawn. */
struct procdb_pair {
	struct procdb_window with;
	struct procdb_window without;
};

/* Fewer pairs cannot give an interval of 99 %. */
#define PROCDB_PAIRS_MIN 8

enum procdb_effect {
	PROCDB_EFFECT_UNKNOWN = 0, /* too little load to tell */
	PROCDB_EFFECT_NONE = 1,
	PROCDB_EFFECT_HELPS = 2,
	PROCDB_EFFECT_HARMS = 3,
};

/* The percentiles that are compared. */
enum { PROCDB_P50, PROCDB_P90, PROCDB_P99, PROCDB_PERCENTILES };
extern const double procdb_percentile_shares[PROCDB_PERCENTILES];

struct procdb_comparison {
	enum procdb_effect effect;
	const char *reason; /* of the effect, as a clause for people; static */
	size_t pairs;	    /* that had enough delays to be compared */
	uint64_t waits;	    /* delays in all windows */
	/* ns, of all windows of a kind together. */
	uint64_t with[PROCDB_PERCENTILES];
	uint64_t without[PROCDB_PERCENTILES];
	/* With divided by without: below 1, tasks waited less with applying. */
	struct procdb_estimate delay[PROCDB_PERCENTILES];
	struct procdb_estimate batch; /* CPU time of batch tasks: below 1, they got less */
};

/*
 * Compares n pairs. certainty: of each of the intervals; the effect is what one of them says, so
 * that it is wrong up to four times as often.
 */
struct procdb_comparison procdb_compare(const struct procdb_pair *pairs, size_t n,
					double certainty);

/* Whether a percentile of the delays surely rises with applying, and by as much as counts as harm.
 */
bool procdb_delays_rise(const struct procdb_comparison *found);
/* The same by the estimates alone, whatever their intervals. */
bool procdb_delays_seem_to_rise(const struct procdb_comparison *found);
/*
 * Whether what was counted in ns is enough for windows of a second to be compared: otherwise
 * nothing has to wait.
 */
bool procdb_delays_are_load(const struct procdb_delays *had, uint64_t ns);

/* "helps", "harms", "no difference" or "too little load to tell". */
const char *procdb_effect_name(enum procdb_effect effect);
