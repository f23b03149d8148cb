// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/* What programs share that are measured for how late they are. */

#pragma once

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#define NS_PER_S 1000000000LL

static inline int64_t now_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Sleeps until due on CLOCK_MONOTONIC; 0, or EINTR after a signal. */
static inline int sleep_until(int64_t due)
{
	struct timespec t = {.tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S};

	return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* One unit of work; the compiler cannot leave it out. */
static inline void work_units(uint64_t units)
{
	static volatile uint64_t sink;
	uint64_t x = sink;

	for (uint64_t i = 0; i < units; i++)
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
	sink = x;
}

/*
 * ns that a unit of work takes on this CPU, the least of many attempts: beside load,
 * most of them are interrupted.
 */
static inline double measure_work(void)
{
	const uint64_t units = 20000;
	double best = 1e9;

	for (int i = 0; i < 2000; i++) {
		int64_t start = now_ns(CLOCK_MONOTONIC);
		double each;

		work_units(units);
		each = (double)(now_ns(CLOCK_MONOTONIC) - start) / (double)units;
		best = each < best ? each : best;
	}
	return best;
}

/*
 * Works for that many ns of CPU time, however long they take. Without asking for the
 * thread's CPU time: each such question has the kernel look whether the slice is used
 * up (kernel/sched/cputime.c, task_sched_runtime(), to update_curr()), which a program
 * that just works lets it do once a tick.
 */
static inline void work_for(int64_t ns, double unit_ns)
{
	work_units((uint64_t)((double)ns / unit_ns));
}

/* Keeps page faults and the timer slack of 50 µs out of the latencies. */
static inline void prepare_timing(const char *program)
{
	if (mlockall(MCL_CURRENT) != 0)
		fprintf(stderr, "%s: memory is not locked\n", program);
	prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
}

/* A number of 0 to most; anything else is a fatal error that names the unit. */
static inline int64_t number_argument(const char *program, const char *text, int64_t most,
				      const char *unit)
{
	char *end;
	long long value;

	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || end == text || value < 0 || value > most) {
		fprintf(stderr, "%s: not a number of %s: %s\n", program, unit, text);
		exit(2);
	}
	return value;
}
