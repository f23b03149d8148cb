/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Windows of a load that is made up. */

#include <glib.h>
#include <math.h>

#include "verdict.h"

#define NS_PER_S 1000000000ULL

/* The load of a window: its delays are exponential, a share of them longer. */
typedef struct {
	guint waits;
	double mean_us;
	double batch_s; /* CPU time of batch tasks */
} Load;

/*
 * Delays of a window. Load differs from window to window by a fifth or so, and half of that lasts
 * longer than a pair, as on a machine that is in use.
 */
static inline struct procdb_window window_of(GRand *rand, const Load *load, double drift)
{
	struct procdb_window window = {.length = NS_PER_S};
	const double mean = load->mean_us * drift * exp(g_rand_double_range(rand, -.2, .2));
	const guint waits = (guint)(load->waits * g_rand_double_range(rand, .7, 1.3));

	for (guint i = 0; i < waits; i++) {
		double us = -log(1 - g_rand_double(rand)) * mean;

		if (g_rand_int_range(rand, 0, 20) == 0)
			us *= 5;
		window.waits[procdb_delay_bucket((guint64)(us * 1000))]++;
	}
	window.batch_run =
	    (guint64)(load->batch_s * NS_PER_S * g_rand_double_range(rand, .97, 1.03));
	return window;
}

/* Two windows next to each other. */
static inline struct procdb_pair pair_of(GRand *rand, const Load *with, const Load *without,
					 double drift)
{
	struct procdb_pair pair;

	pair.with = window_of(rand, with, drift);
	pair.without = window_of(rand, without, drift);
	return pair;
}

/* The drift of the next pair: load wanders, but not away. */
static inline double drift_on(GRand *rand, double drift)
{
	return CLAMP(drift * exp(g_rand_double_range(rand, -.2, .2)), .2, 5);
}
