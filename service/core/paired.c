/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "paired.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/*
 * How many of the averages to leave out at either end: the greatest k for which a sum of signed
 * ranks below k is no more likely than tail, if the sign of each of n is drawn. 0: there is none.
 */
static size_t ends_to_leave_out(size_t n, double tail)
{
	const size_t most = n * (n + 1) / 2;
	double *likely = calloc(most + 1, sizeof(*likely)), sum = 0;
	size_t k = 0;

	if (!likely)
		return 0;
	likely[0] = 1;
	for (size_t rank = 1; rank <= n; rank++)
		for (size_t i = most + 1; i-- > 0;)
			likely[i] = (likely[i] + (i >= rank ? likely[i - rank] : 0)) / 2;
	while (k <= most && sum + likely[k] <= tail)
		sum += likely[k++];
	free(likely);
	return k;
}

struct procdb_estimate procdb_paired_estimate(const double *differences, size_t n, double certainty)
{
	struct procdb_estimate estimate = {0};
	double *averages;
	size_t count = 0, k;

	n = n < PROCDB_PAIRS_MAX ? n : PROCDB_PAIRS_MAX;
	averages = n > 0 ? malloc(n * (n + 1) / 2 * sizeof(*averages)) : NULL;
	if (!averages)
		return estimate;
	for (size_t i = 0; i < n; i++)
		for (size_t j = i; j < n; j++)
			averages[count++] = (differences[i] + differences[j]) / 2;
	qsort(averages, count, sizeof(*averages), compare);
	k = ends_to_leave_out(n, (1 - certainty) / 2);
	estimate.value = (averages[(count - 1) / 2] + averages[count / 2]) / 2;
	if (k > 0) {
		estimate.known = true;
		estimate.low = averages[k - 1];
		estimate.high = averages[count - k];
	}
	free(averages);
	return estimate;
}
