// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * A stand-in for an interactive program: sleeps, does a little work, and notes
 * how late each wake-up was, and how late the work was done: who preempts it in
 * between is as visible to a user as who delays it. Runs until SIGTERM or
 * SIGINT, then prints one JSON object: count, mean, quantiles of the latency in
 * ns, and the same of the response.
 *
 *   procdb-probe [PERIOD_US [WORK_US]]
 *
 * It sleeps for half to one and a half periods, by chance but in every run the
 * same: a fixed period near that of the kernel's tick (4 ms at HZ=250) falls in
 * step with it, and then all wake-ups see the same moment of it.
 */

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_S 1000000000LL
#define QUANTILES 200
/* An hour at one wake-up a millisecond. */
#define MAX_SAMPLES 3600000

static volatile sig_atomic_t stopped;

static void on_signal(int signo)
{
	stopped = 1;
}

static int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
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

static long argument(int argc, char **argv, int at, long fallback)
{
	char *end;
	long value;

	if (at >= argc)
		return fallback;
	errno = 0;
	value = strtol(argv[at], &end, 10);
	if (errno || *end || end == argv[at] || value < 0 || value > 1000000) {
		fprintf(stderr, "%s: not a number of microseconds: %s\n", argv[0], argv[at]);
		exit(2);
	}
	return value;
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
	size_t n = 0;

	late = calloc(MAX_SAMPLES, sizeof(*late));
	done = calloc(MAX_SAMPLES, sizeof(*done));
	if (!late || !done) {
		perror("procdb-probe: samples");
		return 1;
	}
	/* Page faults of our own are not the scheduler's latency. */
	if (mlockall(MCL_CURRENT) != 0)
		fprintf(stderr, "procdb-probe: memory is not locked\n");
	/* The default slack of 50 µs would be all that an idle machine shows. */
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);

	while (!stopped && n < MAX_SAMPLES) {
		int64_t due = now_ns(CLOCK_MONOTONIC) + around(period), until;
		struct timespec t = {.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};

		if (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) != 0)
			continue;
		late[n] = now_ns(CLOCK_MONOTONIC) - due;
		until = now_ns(CLOCK_THREAD_CPUTIME_ID) + work;
		while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
			;
		done[n++] = now_ns(CLOCK_MONOTONIC) - due - work;
	}
	printf("{");
	report(late, n);
	printf(", \"response\": {");
	report(done, n);
	printf("}}\n");
	return 0;
}
