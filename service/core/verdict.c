/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "verdict.h"

#include <math.h>
#include <stdlib.h>

/* A window with fewer delays says nothing of percentiles. */
#define WAITS_MIN 20
/* When 99 of 100 wait for less than this, ns, with applying and without, there is no load. */
#define CALM 250000
/* A difference that a person could notice: a tenth, and this many ns. */
#define NOTABLE_RATIO 1.1
#define NOTABLE 50000
/* Batch tasks that surely get less than this share of their time are harmed. */
#define BATCH_MIN 0.95
/*
 * Shorter runs of batch tasks, ns, in both windows of a pair are no load that could be compared. In
 * one of them alone they are what is to be found: starved tasks.
 */
#define BATCH_RUN_MIN 20000000
#define BATCH_RUN_FLOOR 1000000 /* so that none at all has a logarithm */

const double procdb_percentile_shares[PROCDB_PERCENTILES] = {.5, .9, .99};

const char *procdb_effect_name(enum procdb_effect effect)
{
	static const char *const names[] = {
	    [PROCDB_EFFECT_UNKNOWN] = "too little load to tell",
	    [PROCDB_EFFECT_NONE] = "no difference",
	    [PROCDB_EFFECT_HELPS] = "helps",
	    [PROCDB_EFFECT_HARMS] = "harms",
	};

	return effect <= PROCDB_EFFECT_HARMS ? names[effect] : "";
}

static struct procdb_estimate ratio_of(const double *logs, size_t n, double certainty)
{
	struct procdb_estimate estimate = procdb_paired_estimate(logs, n, certainty);

	estimate.value = n > 0 ? exp(estimate.value) : 0;
	estimate.low = estimate.known ? exp(estimate.low) : 0;
	estimate.high = estimate.known ? exp(estimate.high) : 0;
	return estimate;
}

/* The logarithm of the ratio of two delays: half a bucket more keeps a zero from being infinite. */
static double log_ratio(uint64_t with, uint64_t without)
{
	const double floor = (double)(1 << PROCDB_DELAY_SHIFT) / 2;

	return log(((double)with + floor) / ((double)without + floor));
}

static bool has_waits(const struct procdb_pair *pair)
{
	return procdb_waits_count(pair->with.waits) >= WAITS_MIN &&
	       procdb_waits_count(pair->without.waits) >= WAITS_MIN;
}

static void compare_delays(const struct procdb_pair *pairs, size_t n, double certainty,
			   struct procdb_comparison *found)
{
	double logs[PROCDB_PAIRS_MAX];

	for (size_t p = 0; p < PROCDB_PERCENTILES; p++) {
		const double share = procdb_percentile_shares[p];
		size_t used = 0;

		for (size_t i = 0; i < n; i++)
			if (has_waits(&pairs[i]))
				logs[used++] = log_ratio(
				    procdb_waits_percentile(pairs[i].with.waits, share),
				    procdb_waits_percentile(pairs[i].without.waits, share));
		found->pairs = used;
		found->delay[p] = ratio_of(logs, used, certainty);
	}
}

/* CPU time for each second of a window, since no two are of the same length. */
static double batch_rate(const struct procdb_window *window)
{
	const uint64_t run =
	    window->batch_run > BATCH_RUN_FLOOR ? window->batch_run : BATCH_RUN_FLOOR;

	return (double)run / (double)window->length;
}

static void compare_batch(const struct procdb_pair *pairs, size_t n, double certainty,
			  struct procdb_comparison *found)
{
	double logs[PROCDB_PAIRS_MAX];
	size_t used = 0;

	for (size_t i = 0; i < n; i++)
		if (pairs[i].with.length > 0 && pairs[i].without.length > 0 &&
		    (pairs[i].with.batch_run >= BATCH_RUN_MIN ||
		     pairs[i].without.batch_run >= BATCH_RUN_MIN))
			logs[used++] =
			    log(batch_rate(&pairs[i].with) / batch_rate(&pairs[i].without));
	found->batch = ratio_of(logs, used, certainty);
}

static void pool(const struct procdb_pair *pairs, size_t n, struct procdb_comparison *found)
{
	__u64 with[PROCDB_DELAY_BUCKETS] = {0}, without[PROCDB_DELAY_BUCKETS] = {0};

	for (size_t i = 0; i < n; i++) {
		procdb_waits_add(with, pairs[i].with.waits);
		procdb_waits_add(without, pairs[i].without.waits);
	}
	for (size_t p = 0; p < PROCDB_PERCENTILES; p++) {
		found->with[p] = procdb_waits_percentile(with, procdb_percentile_shares[p]);
		found->without[p] = procdb_waits_percentile(without, procdb_percentile_shares[p]);
	}
	procdb_waits_add(with, without);
	found->waits = procdb_waits_count(with);
}

static bool is_less(const struct procdb_comparison *found, size_t p)
{
	return found->delay[p].known && found->delay[p].high < 1 &&
	       found->delay[p].value * NOTABLE_RATIO <= 1 &&
	       found->with[p] + NOTABLE <= found->without[p];
}

/* By the estimate alone. */
static bool seems_more(const struct procdb_comparison *found, size_t p)
{
	return found->delay[p].value >= NOTABLE_RATIO &&
	       found->with[p] >= found->without[p] + NOTABLE;
}

static bool is_more(const struct procdb_comparison *found, size_t p)
{
	return found->delay[p].known && found->delay[p].low > 1 && seems_more(found, p);
}

bool procdb_delays_seem_to_rise(const struct procdb_comparison *found)
{
	for (size_t p = 0; p < PROCDB_PERCENTILES; p++)
		if (seems_more(found, p))
			return true;
	return false;
}

bool procdb_delays_rise(const struct procdb_comparison *found)
{
	for (size_t p = 0; p < PROCDB_PERCENTILES; p++)
		if (is_more(found, p))
			return true;
	return false;
}

bool procdb_delays_are_load(const struct procdb_delays *had, uint64_t ns)
{
	__u64 waits[PROCDB_DELAY_BUCKETS] = {0};

	for (size_t side = 0; side < PROCDB_DELAY_SIDES; side++)
		procdb_waits_add(waits, had->waits[PROCDB_TIER_LAT_CRITICAL][side]);
	return (double)procdb_waits_count(waits) * 1e9 >= WAITS_MIN * (double)ns &&
	       procdb_waits_percentile(waits, procdb_percentile_shares[PROCDB_P99]) >= CALM;
}

/* Harm first: what is worse in one way is not excused by what is better in another. */
static void judge(struct procdb_comparison *found)
{
	found->effect = PROCDB_EFFECT_HARMS;
	found->reason = "latency-critical tasks wait longer with applying";
	if (procdb_delays_rise(found))
		return;
	found->reason = "batch tasks get less CPU time with applying";
	if (found->batch.known && found->batch.high < BATCH_MIN)
		return;
	found->effect = PROCDB_EFFECT_UNKNOWN;
	found->reason = "too few latency-critical tasks were woken up";
	if (found->pairs < PROCDB_PAIRS_MIN)
		return;
	found->reason = "hardly any latency-critical task had to wait for a CPU";
	if (found->with[PROCDB_P99] < CALM && found->without[PROCDB_P99] < CALM)
		return;
	found->effect = PROCDB_EFFECT_NONE;
	found->reason = "some waits seem to be longer with applying, and none surely is";
	if (procdb_delays_seem_to_rise(found))
		return;
	found->effect = PROCDB_EFFECT_HELPS;
	found->reason = "latency-critical tasks wait less with applying";
	for (size_t p = 0; p < PROCDB_PERCENTILES; p++)
		if (is_less(found, p))
			return;
	found->effect = PROCDB_EFFECT_NONE;
	found->reason = "no difference that is surely there and that a person could notice";
}

struct procdb_comparison procdb_compare(const struct procdb_pair *pairs, size_t n, double certainty)
{
	struct procdb_comparison found = {0};

	n = n < PROCDB_PAIRS_MAX ? n : PROCDB_PAIRS_MAX;
	compare_delays(pairs, n, certainty, &found);
	compare_batch(pairs, n, certainty, &found);
	pool(pairs, n, &found);
	judge(&found);
	return found;
}
