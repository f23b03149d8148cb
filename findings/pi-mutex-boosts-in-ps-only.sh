#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A priority-inheritance mutex between nice values boosts what ps shows, not what the holder gets.
#
# Seen on:   Linux 6.18.44, x86-64, 2 CPUs; glibc 2.36, gcc 12
# Guess:     while a thread waits for a mutex with PTHREAD_PRIO_INHERIT, its holder runs with
#            the priority of the waiter, if that is higher; a nice value is a priority, and ps
#            and top show that it went over.
# Behaviour: the kernel does raise the priority number of the holder
#            (kernel/sched/core.c, rt_mutex_setprio()), which is what /proc/PID/stat, ps and
#            top show. But the fair scheduler divides the CPU by weight, which stays that of
#            the holder's own nice value, and so does its slice. The waiter waits as long as
#            with a plain mutex. Only a waiter of a real-time or deadline policy is helped.
#            So audio and display programs without real-time rights that trust in such a
#            mutex have the inversion that it is meant to avoid, and the tools deny it.
# Output:    (holder of nice 10 that needs 30 ms of CPU, beside three burners of nice 0)
#            waiter of nice -20, plain mutex:                1520 ms, holder shown with priority 30
#            waiter of nice -20, PTHREAD_PRIO_INHERIT:       1492 ms, holder shown with priority 0
#            waiter under SCHED_FIFO, PTHREAD_PRIO_INHERIT:  29 ms
#
# Fails if one waiter of nice -20 waits less than eight times as long as the real-time one, or
# if the shown priority stays. Needs root.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/wait.c" <<'C'
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t mutex;
static atomic_int held, stop, shown;

static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What ps and top read: the 18th field. */
static int shown_priority(void)
{
	char text[512] = "";
	int fd = open("/proc/thread-self/stat", O_RDONLY), priority = -1;
	char *field;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		exit(1);
	close(fd);
	field = strrchr(text, ')');
	for (int number = 2; field && number < 18; number++)
		field = strchr(field + 1, ' ');
	if (!field || sscanf(field, "%d", &priority) != 1)
		exit(1);
	return priority;
}

static void *holder(void *unused)
{
	double end;

	setpriority(PRIO_PROCESS, (id_t)gettid(), 10);
	pthread_mutex_lock(&mutex);
	held = 1;
	end = now(CLOCK_THREAD_CPUTIME_ID) + 0.03;
	while (now(CLOCK_THREAD_CPUTIME_ID) < end)
		;
	shown = shown_priority();
	pthread_mutex_unlock(&mutex);
	return unused;
}

static void *burner(void *unused)
{
	setpriority(PRIO_PROCESS, (id_t)gettid(), 0);
	while (!stop)
		;
	return unused;
}

/* wait INHERITS REAL-TIME: prints how long the waiter waits in ms, and the holder's priority. */
int main(int argc, char **argv)
{
	int inherits = argc > 2 && atoi(argv[1]), real_time = argc > 2 && atoi(argv[2]);
	struct sched_param first = {.sched_priority = 1};
	pthread_mutexattr_t attributes;
	pthread_t thread;
	cpu_set_t one;
	double begin;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	pthread_mutexattr_init(&attributes);
	if (sched_setaffinity(0, sizeof(one), &one) || setpriority(PRIO_PROCESS, 0, -20) ||
	    pthread_mutexattr_setprotocol(&attributes, inherits ? PTHREAD_PRIO_INHERIT : PTHREAD_PRIO_NONE) ||
	    pthread_mutex_init(&mutex, &attributes) || pthread_create(&thread, NULL, holder, NULL))
		return 1;
	while (!held)
		usleep(1000);
	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, burner, NULL))
			return 1;
	if (real_time && sched_setscheduler(0, SCHED_FIFO, &first))
		return 1;
	begin = now(CLOCK_MONOTONIC);
	pthread_mutex_lock(&mutex);
	printf("%.0f %d\n", (now(CLOCK_MONOTONIC) - begin) * 1000, shown);
	stop = 1;
	return 0;
}
C
gcc -O1 -pthread -o "$work/wait" "$work/wait.c"

echo "Linux $(uname -r), $(getconf GNU_LIBC_VERSION)"
read -r plain plain_shown <<<"$("$work/wait" 0 0)"
read -r nice nice_shown <<<"$("$work/wait" 1 0)"
read -r real _ <<<"$("$work/wait" 1 1)"
echo "waiter of nice -20, plain mutex:                $plain ms, holder shown with priority $plain_shown"
echo "waiter of nice -20, PTHREAD_PRIO_INHERIT:       $nice ms, holder shown with priority $nice_shown"
echo "waiter under SCHED_FIFO, PTHREAD_PRIO_INHERIT:  $real ms"
[ "$plain_shown $nice_shown" = "30 0" ] && [ "$plain" -gt $((real * 8)) ] && [ "$nice" -gt $((real * 8)) ]
