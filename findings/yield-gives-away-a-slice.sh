#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A longer slice takes the CPU away from a program that calls sched_yield(2).
#
# Seen on:   Linux 6.18.44, x86-64, CONFIG_HZ=250, base slice 1.4 ms (2 CPUs)
# Guess:     the slice says how long a task runs at a time and the nice value how much it gets
#            in all; sched_yield() lets the others go first once and is made up for later.
# Behaviour: a task that yields is charged for all of its slice that is left, as if it had run
#            (kernel/sched/fair.c, yield_task_fair(): the virtual runtime becomes the
#            deadline), and that is never given back. Each call costs up to a slice of CPU:
#            a task that works for a millisecond between two calls keeps most of its part
#            with the system's slice, a third with 20 ms, a tenth with 100 ms. So a slice
#            that is meant to let a program compute in peace starves it when it spins and
#            yields, as locks, runtimes and thread pools do. The nice value is what it was.
# Output:    (beside a loop that never yields, on one CPU, in percent of what both got; on a
#            busy machine the first with sched_yield() was down to 10)
#            slice of the system: plain 50.0, with sched_yield() 42.5
#            slice of 20 ms:      plain 50.0, with sched_yield() 18.5
#            slice of 100 ms:     plain 50.0, with sched_yield() 4.8
#
# Fails if the slice changes the plain share, or if the program that yields has less with
# the system's slice than with 100 ms, or a fifth of the plain share with that.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/share.c" <<'C'
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* About a millisecond. */
static void work(void)
{
	for (volatile int i = 0; i < 2000000; i++)
		;
}

static double used(pid_t pid)
{
	struct rusage usage;

	if (wait4(pid, NULL, 0, &usage) != pid)
		exit(1);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static pid_t start(double end, int yields, uint64_t slice)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attributes = {.size = 48, .runtime = slice};
	pid_t pid = fork();

	if (pid)
		return pid;
	if (slice && syscall(SYS_sched_setattr, 0, &attributes, 0))
		_exit(1);
	while (now() < end) {
		work();
		if (yields)
			sched_yield();
	}
	_exit(0);
}

/* share SECONDS YIELDS SLICE_MS: the part of the first of two that share a CPU, in percent. */
int main(int argc, char **argv)
{
	double end = now() + (argc > 3 ? atof(argv[1]) : 0), first, second;
	cpu_set_t one;
	pid_t a, b;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	if (argc < 4 || sched_setaffinity(0, sizeof(one), &one))
		return 1;
	a = start(end, atoi(argv[2]), (uint64_t)atoi(argv[3]) * 1000000);
	b = start(end, 0, 0);
	first = used(a);
	second = used(b);
	printf("%.1f\n", 100 * first / (first + second));
	return 0;
}
C
gcc -O1 -o "$work/share" "$work/share.c"

echo "Linux $(uname -r)"
for slice in 0 20 100; do
	plain=$("$work/share" 3 0 $slice)
	yields=$("$work/share" 3 1 $slice)
	case $slice in
	0) name="of the system:" first=$yields ;;
	*) name="of $slice ms:" ;;
	esac
	printf 'slice %-14s plain %s, with sched_yield() %s\n' "$name" "$plain" "$yields"
	awk -v plain="$plain" 'BEGIN { exit !(plain > 35 && plain < 65) }'
done
awk -v first="$first" -v last="$yields" 'BEGIN { exit !(last < first && last < 10) }'
