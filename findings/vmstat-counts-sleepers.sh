#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A program that sleeps counts as one that runs, in vmstat and in the load average, beside a burner.
#
# Seen on:   Linux 6.18.44 (EEVDF), x86-64, CONFIG_HZ=250, 2 CPUs
# Guess:     procs_running in /proc/stat (column r of vmstat, the number before the slash in
#            /proc/loadavg) counts the tasks that run or wait for a CPU: those of state R.
# Behaviour: since Linux 6.12 a task that goes to sleep after it had more than its part stays on
#            the run queue until the others have caught up (kernel/sched/fair.c, DELAY_DEQUEUE in
#            dequeue_entity()). In /proc/PID/stat and for ps its state is S at once. But the length of
#            the queue (sub_nr_running() in dequeue_entities()) falls only when it leaves, and
#            procs_running is the sum of these lengths, as is the load average
#            (kernel/sched/loadavg.c). A program of nice 10 that works for half a millisecond
#            and sleeps for two counts all the time, if there is a burner on its CPU; one
#            of nice 0 a part of it. Without the burner it does not count. So programs that wait
#            for a timer make a machine look short of CPUs, and there are fewer tasks of state R
#            than vmstat says.
# Output:    (mean of procs_running while the program is in state S; one is the reader)
#            no burner: asleep for up to 2 ms 1.03, for more than 25 ms 1.03
#            a burner:  asleep for up to 2 ms 2.99, for more than 25 ms 2.03
#
# Fails unless the short sleep counts for at least 0.3 more than the long one beside the burner, and
# for less than half of that without. On a quiet machine with two CPUs.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/count.c" <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum sleep { SHORT, LONG, SLEEPS };

/* Since when the program is asleep, in ms; 0 while it is not. */
static volatile double *asleep;
static double sums[2][SLEEPS], samples[2][SLEEPS];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(2);
}

static void burn(void)
{
	for (;;)
		;
}

/* Four times half a millisecond of work and two of sleep, then a long sleep. */
static void work_and_sleep(void)
{
	if (nice(10) == -1)
		exit(2);
	for (int i = 0;; i++) {
		double end = now() + 0.5;

		while (now() < end)
			;
		*asleep = now();
		usleep(i % 4 == 3 ? 40000 : 2000);
		*asleep = 0;
	}
}

static pid_t start(void (*what)(void))
{
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	pin(0);
	what();
	exit(2);
}

static char *text(int file)
{
	static char buffer[1 << 15];
	ssize_t size = pread(file, buffer, sizeof(buffer) - 1, 0);

	buffer[size < 0 ? 0 : size] = 0;
	return buffer;
}

/* If the program is asleep before and after, and its state is S. */
static void sample(int all, int program, int burner)
{
	double since = *asleep, passed;
	const char *found = strstr(text(all), "procs_running ");
	int running = found ? atoi(found + strlen("procs_running ")) : 0;
	enum sleep sleep = SLEEPS;

	found = strrchr(text(program), ')');
	if (!running || !found)
		exit(2);
	passed = now() - since;
	if (passed > 0.1 && passed < 2)
		sleep = SHORT;
	else if (passed > 25 && passed < 40)
		sleep = LONG;
	if (sleep == SLEEPS || found[2] != 'S' || since == 0 || since != *asleep)
		return;
	sums[burner][sleep] += running;
	samples[burner][sleep]++;
}

int main(void)
{
	int all = open("/proc/stat", O_RDONLY);
	double mean[2][SLEEPS];

	asleep = mmap(NULL, sizeof(*asleep), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (all < 0 || asleep == MAP_FAILED)
		return 2;
	pin(1);
	for (int round = 0; round < 6; round++) {
		pid_t burner = round % 2 ? start(burn) : 0, sleeper = start(work_and_sleep);
		double end = now() + 300;
		char path[64];
		int program;

		snprintf(path, sizeof(path), "/proc/%d/stat", sleeper);
		program = open(path, O_RDONLY);
		for (; now() < end; usleep(100))
			sample(all, program, round % 2);
		close(program);
		if (burner)
			kill(burner, SIGKILL);
		kill(sleeper, SIGKILL);
		while (wait(NULL) > 0)
			;
		*asleep = 0;
	}
	for (int burner = 0; burner < 2; burner++) {
		for (enum sleep sleep = SHORT; sleep < SLEEPS; sleep++)
			mean[burner][sleep] = sums[burner][sleep] / samples[burner][sleep];
		printf("%s asleep for up to 2 ms %.2f, for more than 25 ms %.2f\n",
		       burner ? "a burner: " : "no burner:", mean[burner][SHORT], mean[burner][LONG]);
	}
	mean[0][SHORT] -= mean[0][LONG];
	mean[1][SHORT] -= mean[1][LONG];
	return !(mean[1][SHORT] > 0.3 && mean[0][SHORT] < mean[1][SHORT] / 2);
}
C
gcc -O1 -o "$work/count" "$work/count.c"
"$work/count"
