#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A program that reads its own CPU time gives up the CPU sooner.
#
# Seen on:   Linux 6.18.44, x86-64, CONFIG_HZ=250, base slice 1.4 ms (2 CPUs)
# Guess:     clock_gettime(CLOCK_THREAD_CPUTIME_ID) is a question and changes nothing; a task
#            that is alone with another one on a CPU is switched out by the tick, every 4 ms.
# Behaviour: to answer, the kernel brings the run queue up to date (task_sched_runtime(), to
#            update_curr()), which notices that the slice is used up and has the task
#            switched out at once. A benchmark that "works for 3 ms of CPU time" by asking
#            that clock is interrupted nearly twice as often as a program that just works,
#            so it measures another scheduler than users have.
# Output:    plain loop: 130 involuntary switches a second
#            loop that reads the thread's clock: 221 involuntary switches a second
#
# Fails if the second is not at least four thirds of the first, or says why that
# cannot be seen here (a tick that is not longer than the slice).
set -eu

work=$(mktemp -d)
trap 'kill $hog 2>/dev/null || :; rm -rf "$work"' EXIT
hog=
cat >"$work/loop.c" <<'END'
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* loop SECONDS ASK: prints the involuntary switches of each second. */
int main(int argc, char **argv)
{
	double seconds = argc > 2 ? atof(argv[1]) : 1, end = now(CLOCK_MONOTONIC) + seconds;
	int ask = argc > 2 && atoi(argv[2]);
	volatile unsigned long sink = 0;
	struct rusage usage;
	cpu_set_t first;

	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		return 1;
	while (now(CLOCK_MONOTONIC) < end)
		for (int i = 0; i < 2000; i++) {
			sink++;
			if (ask && i % 100 == 0)
				now(CLOCK_THREAD_CPUTIME_ID);
		}
	getrusage(RUSAGE_SELF, &usage);
	printf("%.0f\n", (double)usage.ru_nivcsw / seconds);
	return 0;
}
END
gcc -O1 -o "$work/loop" "$work/loop.c"

echo "Linux $(uname -r), HZ $(zcat /proc/config.gz 2>/dev/null | sed -n 's/^CONFIG_HZ=//p' || :)"
taskset -c 0 sh -c 'while :; do :; done' &
hog=$!
plain=$("$work/loop" 4 0)
asking=$("$work/loop" 4 1)
echo "plain loop: $plain involuntary switches a second"
echo "loop that reads the thread's clock: $asking involuntary switches a second"
if [ "$asking" -lt $((plain * 4 / 3)) ]; then
	echo "The clock changes nothing here: another kernel, or a tick as short as the slice." >&2
	exit 1
fi
