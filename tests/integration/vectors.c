/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * vectors N SLICE INTERPRETER OTHER: starts copies of itself with N argument vectors, no two the
 * same: INTERPRETER is called as one that is known, OTHER is not. An override of the program
 * train.py gives SLICE (ns); no vector is one of train.py, though all of them try. Prints how many
 * got that slice, and how many were started in a second.
 *
 * After so many as the service can be told of at once, one that is of train.py is started, and gets
 * the slice: by then the service has looked at all that came before.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sched-attr.h"

/* There is room for 350. Some execute twice, and other programs on the machine do so as well. */
#define AT_ONCE 200
#define ARGS 8
#define BYTES 120000 /* of one argument; the kernel takes 131072 */
#define WAIT_S 60
#define READY_FD 8
#define GATE_FD 9

static char bytes[ARGS][BYTES + 32];
static const char *const waits[] = {"VECTOR=wait", NULL};

static uint64_t slice_of(pid_t pid)
{
	return attr_of(pid).slice;
}

static uint32_t any(uint32_t n)
{
	static uint64_t state = 16;

	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33) % n;
}

/* Bytes of any kind that are not zero; now and then far more than are looked at. */
static void fill(char *to, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		to[i] = (char)(1 + any(255));
}

static char *junk(int index)
{
	/* No slash is before it. */
	static const char end[] = "xtrain.py";
	static const uint32_t lengths[] = {0, 1, 7, 64, 200, 255, 256, 257, 900};
	uint32_t n = any(400) ? lengths[any(sizeof(lengths) / sizeof(lengths[0]))] : BYTES;

	fill(bytes[index], n);
	memcpy(bytes[index] + n, end, sizeof(end));
	return bytes[index];
}

/* The name of the script is cut where what is looked at ends, just behind "train.py". */
static char *cut(int index, size_t before)
{
	static const char end[] = "/train.py.no";
	size_t n = 255 - before - strlen("/train.py");

	memset(bytes[index], 'j', n);
	memcpy(bytes[index] + n, end, sizeof(end));
	return bytes[index];
}

static const char *const mine = "train.py";

/* Fills a vector that is not of train.py. TRUE if it is for the interpreter. */
static int make_vector(long number, const char **vector)
{
	static char first[32], script[64];
	int kind = (int)any(8), n = 0, options = 0;

	snprintf(first, sizeof(first), "%ld", number);
	if (kind == 0 && any(64) == 0) {
		/* The kernel makes one of no arguments one of an empty one. */
		vector[0] = NULL;
		return 1;
	}
	vector[n++] = first;
	switch (kind) {
	case 1: /* Another script comes first. */
		snprintf(script, sizeof(script), "j%ld.py", number);
		vector[n++] = script;
		break;
	case 2:
		vector[n++] = any(2) ? "-c" : "-m";
		vector[n++] = "pass";
		break;
	case 3: /* What an option takes. */
		vector[n++] = any(2) ? "-W" : "-X";
		vector[n++] = mine;
		vector[n++] = "serve.py";
		break;
	case 4:
		vector[n++] = cut(0, strlen(first) + 1);
		break;
	case 5: /* Its name alone, in the place of the program's. */
		vector[0] = mine;
		snprintf(script, sizeof(script), "./j%ld.py", number);
		vector[n++] = script;
		break;
	default: /* Not of an interpreter: whatever it says. */
		for (options = (int)any(ARGS - 2); options > 0; options--)
			vector[n++] = any(2) ? mine : junk(options);
		vector[n] = NULL;
		return 0;
	}
	if (any(2))
		vector[n++] = junk(1);
	if (any(2))
		vector[n++] = mine;
	vector[n] = NULL;
	return 1;
}

static pid_t start(const char *program, const char *const *vector, const char *const *environment)
{
	pid_t pid;

	return posix_spawn(&pid, program, NULL, NULL, (char *const *)vector,
			   (char *const *)environment)
		   ? -1
		   : pid;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Starts the one that is of train.py; FALSE if it does not get the slice. */
static int wait_for_service(const char *interpreter, uint64_t slice, pid_t *pid)
{
	const char *const own[] = {"python3", mine, NULL};
	double until = now() + WAIT_S;

	*pid = start(interpreter, own, waits);
	while (*pid > 0 && slice_of(*pid) != slice && now() < until)
		usleep(1000);
	if (*pid > 0 && slice_of(*pid) == slice)
		return 1;
	fprintf(stderr, "what is of train.py, %d, has a slice of %llu ns\n", (int)*pid,
		(unsigned long long)slice_of(*pid));
	return 0;
}

/* Whether n programs came to where they wait, and are done with all that they execute. */
static int wait_for_programs(int fd, int n)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char told[AT_ONCE];
	ssize_t got;

	while (n > 0) {
		if (poll(&poll_fd, 1, WAIT_S * 1000) != 1)
			return 0;
		got = read(fd, told, (size_t)n);
		if (got <= 0)
			return 0;
		n -= (int)got;
	}
	return 1;
}

/* So many from number on; how many of them got the slice, or -1. */
static long run_some(long number, int n, uint64_t slice, char **programs)
{
	static char then[4096];
	const char *const becomes[] = {then, NULL};
	pid_t pids[AT_ONCE + 1] = {0};
	const char *will_be[AT_ONCE];
	const char *vector[ARGS + 2];
	long wrong = 0;
	int gate[2], ready[2], ok;

	snprintf(then, sizeof(then), "VECTOR=%s", programs[1]);
	if (pipe2(gate, O_CLOEXEC) || dup2(gate[0], GATE_FD) != GATE_FD ||
	    pipe2(ready, O_CLOEXEC) || dup2(ready[1], READY_FD) != READY_FD)
		return -1;
	for (int i = 0; i < n; i++) {
		int interpreted = make_vector(number + i, vector);

		if (any(8) == 0) {
			/* It is of train.py for a moment, and is another program then. */
			vector[0] = "python3";
			vector[1] = mine;
			vector[2] = NULL;
			pids[i] = start(programs[0], vector, becomes);
			will_be[i] = programs[1];
		} else {
			will_be[i] = programs[!interpreted];
			pids[i] = start(will_be[i], vector, waits);
		}
		if (pids[i] < 0)
			return -1;
	}
	ok = wait_for_programs(ready[0], n) && wait_for_service(programs[0], slice, &pids[n]);
	for (int i = 0; ok && i < n; i++)
		if (slice_of(pids[i]) == slice) {
			fprintf(stderr, "vector %ld, of %s, got the slice\n", number + i,
				will_be[i]);
			wrong++;
		}
	for (int i = 0; i < 2; i++) {
		close(gate[i]);
		close(ready[i]);
	}
	close(GATE_FD);
	close(READY_FD);
	while (wait(NULL) > 0)
		;
	return ok ? wrong : -1;
}

static int started_by_it(const char *told)
{
	const char *const vector[] = {mine, mine, NULL};
	char byte;

	if (strcmp(told, "wait") != 0) {
		execve(told, (char *const *)vector, (char *const *)waits);
		return 9;
	}
	/* Until the other end is closed. */
	return write(READY_FD, "", 1) != 1 || read(GATE_FD, &byte, 1) != 0;
}

int main(int argc, char **argv)
{
	const char *told = getenv("VECTOR");
	double began = now();
	long wrong = 0;

	if (told)
		return started_by_it(told);
	if (argc != 5)
		return 2;
	for (long number = 0; number < atol(argv[1]); number += AT_ONCE) {
		long found = run_some(number, AT_ONCE, strtoull(argv[2], NULL, 10), argv + 3);

		if (found < 0) {
			fprintf(stderr, "after %ld: a program was not started, or got no slice\n",
				number);
			return 1;
		}
		wrong += found;
	}
	printf("%ld %.0f\n", wrong, atof(argv[1]) / (now() - began));
	return 0;
}
