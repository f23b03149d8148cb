// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * A stand-in for an interactive program: sleeps, does a little work, and notes
 * how late each wake-up was, and how late the work was done: what preempts it in
 * between is as visible to a user as what delays it. Runs until SIGTERM or
 * SIGINT, then prints one JSON object: count, mean, quantiles of the latency in
 * ns, and the same of the response.
 *
 *   procdb-probe [PERIOD_US [WORK_US]]
 *
 * It sleeps for half to one and a half periods, by chance but in every run the
 * same: a fixed period near that of the kernel's tick (4 ms at HZ=250) falls in
 * step with it, and then all wake-ups see the same moment of it.
 */

#include <inttypes.h>
#include <signal.h>

#include "stopwatch.h"

#define QUANTILES 200
/* An hour at one wake-up a millisecond. */
#define MAX_SAMPLES 3600000

static volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
	stopped = 1;
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

/* The members of a JSON object about n times in ns, which it sorts. */
static void report(int64_t *late, size_t n)
{
	static const struct {
		const char *name;
		double q;
	} named[] = {{"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"max", 1}};
	double sum = 0;

	qsort(late, n, sizeof(*late), compare);
	for (size_t i = 0; i < n; i++)
		sum += (double)late[i];
	printf("\"n\": %zu, \"mean\": %.0f", n, n ? sum / (double)n : 0);
	for (size_t i = 0; n && i < sizeof(named) / sizeof(named[0]); i++)
		printf(", \"%s\": %" PRId64, named[i].name,
		       late[(size_t)((double)(n - 1) * named[i].q)]);
	printf(", \"quantiles\": [");
	for (size_t i = 0; n && i <= QUANTILES; i++)
		printf("%s%" PRId64, i ? ", " : "", late[(n - 1) * i / QUANTILES]);
	printf("]");
}

static int64_t argument(int argc, char **argv, int at, int64_t fallback)
{
	return at < argc ? number_argument(argv[0], argv[at], 1000000, "microseconds") : fallback;
}

/* Half to one and a half times period; xorshift. */
static int64_t around(int64_t period)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return period / 2 + (int64_t)(x % (uint64_t)(period + 1));
}

int main(int argc, char **argv)
{
	int64_t period = argument(argc, argv, 1, 4000) * 1000;
	int64_t work = argument(argc, argv, 2, 200) * 1000;
	struct sigaction action = {.sa_handler = on_signal};
	int64_t *late, *done;
	double unit_ns;
	size_t n = 0;

	late = calloc(MAX_SAMPLES, sizeof(*late));
	done = calloc(MAX_SAMPLES, sizeof(*done));
	if (!late || !done) {
		perror("procdb-probe: samples");
		return 1;
	}
	prepare_timing(argv[0]);
	unit_ns = measure_work();
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	while (!stopped && n < MAX_SAMPLES) {
		int64_t due = now_ns(CLOCK_MONOTONIC) + around(period);

		if (sleep_until(due) != 0)
			continue;
		late[n] = now_ns(CLOCK_MONOTONIC) - due;
		work_for(work, unit_ns);
		done[n++] = now_ns(CLOCK_MONOTONIC) - due - work;
	}
	printf("{");
	report(late, n);
	printf(", \"response\": {");
	report(done, n);
	printf("}}\n");
	return 0;
}
