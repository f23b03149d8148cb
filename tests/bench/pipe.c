/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * procdb-pipe OPERATIONS: two processes hand a byte to each other and back, again and again, as
 * `perf bench sched pipe` does. An operation is two switches and two wake-ups. Prints how long one
 * took on average, ns. Which CPU they run on is up to the caller.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Operations before the clock starts: what is new to the observer is not new any more. */
#define WARM_UP 2000

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "procdb-pipe: %s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

/* Passes on what comes, until the other end is closed. */
static void answer(int from, int to)
{
	char byte;

	while (read(from, &byte, 1) == 1)
		if (write(to, &byte, 1) != 1)
			exit(EXIT_FAILURE);
	exit(EXIT_SUCCESS);
}

static void run(long operations, int from, int to)
{
	char byte = 0;

	for (long i = 0; i < operations; i++)
		if (write(to, &byte, 1) != 1 || read(from, &byte, 1) != 1)
			fail("the other process has gone");
}

int main(int argc, char **argv)
{
	const long operations = argc == 2 ? atol(argv[1]) : 0;
	int there[2], back[2], status;
	double begin;
	pid_t child;

	if (operations <= 0) {
		fprintf(stderr, "usage: procdb-pipe OPERATIONS\n");
		return 2;
	}
	if (pipe(there) != 0 || pipe(back) != 0)
		fail("pipe");
	child = fork();
	if (child < 0)
		fail("fork");
	if (child == 0) {
		close(there[1]);
		answer(there[0], back[1]);
	}
	close(there[0]);
	run(WARM_UP, back[0], there[1]);
	begin = now_ns();
	run(operations, back[0], there[1]);
	printf("%.1f\n", (now_ns() - begin) / (double)operations);
	close(there[1]);
	if (waitpid(child, &status, 0) != child || status != 0)
		fail("the other process");
	return EXIT_SUCCESS;
}
