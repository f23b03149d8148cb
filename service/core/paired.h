/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The usual difference of pairs, with an interval. It is that of Hodges and Lehmann, the median of
 * the averages of all two differences, and the interval is that of Wilcoxon's signed ranks (both in
 * Hollander and Wolfe, Nonparametric Statistical Methods, 3.2 and 3.3). Nothing is assumed of how
 * the differences are spread but that a pair whose order was drawn at random may as well have come
 * out the other way round: delays have long tails, and an average of them says little. libc only.
 */

#include <stdbool.h>
#include <stddef.h>

/* The most pairs; further ones are ignored. */
#define PROCDB_PAIRS_MAX 512

struct procdb_estimate {
	bool known; /* there were enough pairs for an interval of that confidence */
	double value;
	double low;
	double high;
};

/*
 * The difference of which n differences speak. certainty: how often the interval has the truth, as
 * 0.99. Not known when there are too few of them, or no memory.
 */
struct procdb_estimate procdb_paired_estimate(const double *differences, size_t n,
					      double certainty);
