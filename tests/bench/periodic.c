// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * A stand-in for an audio callback, a loop of frames or a blinking cursor: each
 * period it works for a while, and notes how much later than that it was done.
 *
 *   procdb-periodic PERIOD_US WORK_US FROM_NS UNTIL_NS
 *
 * Prints what was due from FROM_NS until UNTIL_NS of CLOCK_MONOTONIC, as one
 * JSON object: "late", how late each period's work was done beyond the work, in
 * µs; "missed", how many were done after the next period had begun. Periods
 * that have passed by then are skipped, as players and games do.
 */

#include <inttypes.h>

#include "stopwatch.h"

#define MAX_US 10000000
#define MAX_SAMPLES 1000000

int main(int argc, char **argv)
{
	int64_t period, work, from, until, due;
	size_t n = 0, missed = 0;
	int64_t *late;
	double unit_ns;

	if (argc != 5) {
		fprintf(stderr, "usage: %s PERIOD_US WORK_US FROM_NS UNTIL_NS\n", argv[0]);
		return 2;
	}
	period = number_argument(argv[0], argv[1], MAX_US, "microseconds") * 1000;
	work = number_argument(argv[0], argv[2], MAX_US, "microseconds") * 1000;
	from = number_argument(argv[0], argv[3], INT64_MAX, "nanoseconds");
	until = number_argument(argv[0], argv[4], INT64_MAX, "nanoseconds");
	if (period == 0) {
		fprintf(stderr, "%s: a period of 0\n", argv[0]);
		return 2;
	}
	late = calloc(MAX_SAMPLES, sizeof(*late));
	if (!late) {
		perror("procdb-periodic: samples");
		return 1;
	}
	prepare_timing(argv[0]);
	unit_ns = measure_work();

	due = now_ns(CLOCK_MONOTONIC) + period;
	while (due < until && n < MAX_SAMPLES) {
		int64_t done;

		if (sleep_until(due) != 0)
			continue;
		work_for(work, unit_ns);
		done = now_ns(CLOCK_MONOTONIC);
		if (due >= from) {
			late[n++] = done - due - work;
			missed += done > due + period;
		}
		due += (done > due ? (done - due) / period + 1 : 1) * period;
	}
	printf("{\"missed\": %zu, \"late\": [", missed);
	for (size_t i = 0; i < n; i++)
		printf("%s%" PRId64, i ? "," : "", late[i] / 1000);
	printf("]}\n");
	return 0;
}
