/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * storm NAMES SECONDS: starts processes of so many distinct names in turn, each
 * of which uses the CPU for 2 ms and ends. Prints how many there were.
 */

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void be(int number)
{
	char comm[32];

	/* The kernel keeps the first 15 bytes. */
	snprintf(comm, sizeof(comm), "storm-%d", number);
	if (prctl(PR_SET_NAME, comm))
		_exit(1);
	while (now(CLOCK_PROCESS_CPUTIME_ID) < 0.002)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	int names = argc == 3 ? atoi(argv[1]) : 0;
	double end = now(CLOCK_MONOTONIC) + (argc == 3 ? atof(argv[2]) : 0);
	int started = 0;

	if (names <= 0)
		return 2;
	while (now(CLOCK_MONOTONIC) < end) {
		int status;
		pid_t pid = fork();

		if (pid < 0)
			return 1;
		if (pid == 0)
			be(started % names);
		if (waitpid(pid, &status, 0) != pid || status)
			return 1;
		started++;
	}
	printf("storm: %d processes of %d names\n", started, names);
	return 0;
}
