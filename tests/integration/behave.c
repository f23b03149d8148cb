/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * behave NAME RUN-US SLEEP-US SECONDS [THREADS]: a program of that name (\xNN for any
 * byte) that runs and sleeps in turn, so that its tier is known beforehand. With THREADS
 * it waits for so many that never sleep.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void decode(const char *text, char comm[16])
{
	unsigned int byte;
	int n = 0;

	memset(comm, 0, 16);
	while (*text && n < 15) {
		if (sscanf(text, "\\x%2x", &byte) == 1) {
			comm[n++] = (char)byte;
			text += 4;
		} else {
			comm[n++] = *text++;
		}
	}
}

static void *burn(void *end)
{
	while (now(CLOCK_MONOTONIC) < *(double *)end)
		;
	return NULL;
}

static int wait_for_threads(int n, double end)
{
	pthread_t threads[16];

	if (n > 16)
		return 2;
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, burn, &end))
			return 1;
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	char comm[16];
	double end;

	if (argc < 5 || argc > 6)
		return 2;
	decode(argv[1], comm);
	if (prctl(PR_SET_NAME, comm))
		return 1;
	end = now(CLOCK_MONOTONIC) + atof(argv[4]);
	if (argc == 6)
		return wait_for_threads(atoi(argv[5]), end);
	while (now(CLOCK_MONOTONIC) < end) {
		double until = now(CLOCK_PROCESS_CPUTIME_ID) + atof(argv[2]) / 1e6;

		while (now(CLOCK_PROCESS_CPUTIME_ID) < until)
			;
		usleep((useconds_t)atoi(argv[3]));
	}
	return 0;
}
