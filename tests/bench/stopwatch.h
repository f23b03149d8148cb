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

/* Works for that many ns of CPU time, however long they take. */
static inline void work_for(int64_t ns)
{
	int64_t until = now_ns(CLOCK_THREAD_CPUTIME_ID) + ns;

	while (now_ns(CLOCK_THREAD_CPUTIME_ID) < until)
		;
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
