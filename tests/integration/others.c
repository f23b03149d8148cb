/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Programs that set their own scheduling, as many do right after their start:
 *   others set WHAT DELAY-US WAIT-US    sets it, waits, and fails if it has it no more
 *   others late WHAT DELAY-US WAIT-US   the same, but it may come back within 2 s
 *   others spin WHAT DELAY-US WAIT-US   the same without ever leaving the CPU of itself
 *   others starts N AT-ONCE PROGRAM...  starts it so often; prints how many failed
 *   others forge                        takes our slice and executes itself; prints its nice value
 *   others renames SECONDS NAME NAME    goes by the one and the other name in turn, and prints
 *                                       how often it changed
 *   others threads N NAME               so many threads that call themselves NAME and their id
 *   others processes N NAME             so many processes with pids from 20000 on, named likewise,
 *                                       with a letter behind it
 *   others refused PID NICE SLICE-NS    asks for it for 4 s, and fails unless each time that is
 *                                       refused
 *   others uring                        has a worker of io_uring work; 77 where there is none
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sched-attr.h"

#define OWN_SLICE 5000000

static int set(struct attr attr)
{
	return (int)syscall(SYS_sched_setattr, 0, &attr, 0);
}

static int set_policy(uint32_t policy, uint32_t priority)
{
	struct attr attr = attr_of(0);

	attr.policy = policy;
	attr.priority = priority;
	attr.slice = 0;
	return set(attr);
}

static int set_what(const char *what)
{
	struct attr attr = attr_of(0);

	if (strcmp(what, "nice") == 0)
		return setpriority(PRIO_PROCESS, 0, 15);
	if (strcmp(what, "slice+nice") == 0)
		return set_what("slice") || set_what("nice");
	if (strcmp(what, "slice") == 0) {
		attr.slice = OWN_SLICE;
		return set(attr);
	}
	if (strcmp(what, "fifo") == 0)
		return set_policy(SCHED_FIFO, 20);
	return set_policy(strcmp(what, "idle") == 0 ? SCHED_IDLE : SCHED_BATCH, 0);
}

static int has(const char *what)
{
	struct attr attr = attr_of(0);

	if (strcmp(what, "nice") == 0)
		return attr.nice == 15;
	if (strcmp(what, "slice+nice") == 0)
		return has("slice") && has("nice");
	if (strcmp(what, "slice") == 0)
		return attr.slice == OWN_SLICE;
	if (strcmp(what, "fifo") == 0)
		return attr.policy == SCHED_FIFO && attr.priority == 20;
	return attr.policy == (strcmp(what, "idle") == 0 ? SCHED_IDLE : SCHED_BATCH);
}

static int refused(pid_t pid, int32_t nice, uint64_t slice)
{
	struct attr attr = {.size = sizeof(attr), .nice = nice, .slice = slice};
	const time_t end = time(NULL) + 4;

	while (time(NULL) < end)
		if (syscall(SYS_sched_setattr, pid, &attr, 0) == 0 || errno != EPERM)
			return 1;
	return 0;
}

static int starts(int n, int at_once, char **command)
{
	int failed = 0, status, started;
	pid_t pid;

	for (int i = 0; i < n; i += at_once) {
		started = 0;
		/* A fork would cost as much as all that is to be seen. */
		for (int k = 0; k < at_once; k++)
			started += posix_spawn(&pid, command[0], NULL, NULL, command, environ) == 0;
		failed += at_once - started;
		for (int k = 0; k < started; k++)
			failed += wait(&status) > 0 && status != 0;
	}
	printf("%d\n", failed);
	return 0;
}

/* The mark of a slice of ours, with its last digits as they once told a nice value. */
static int forge(char **argv)
{
	struct attr attr = attr_of(0);

	attr.slice = 20007300ULL + (uint64_t)attr.nice;
	if (set(attr))
		return 3;
	execl("/proc/self/exe", argv[0], "forged", NULL);
	return 9;
}

static int renames(int seconds, char **names)
{
	time_t end = time(NULL) + seconds;
	long n = 0;

	while (time(NULL) < end) {
		for (int i = 0; i < 1000; i++)
			prctl(PR_SET_NAME, names[n++ % 2]);
		usleep(1000);
	}
	printf("%ld\n", n);
	return 0;
}

static void spin(long us)
{
	struct timespec now, began;

	clock_gettime(CLOCK_MONOTONIC, &began);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - began.tv_sec) * 1000000 + (now.tv_nsec - began.tv_nsec) / 1000 < us);
}

#define WORK_US 3000

static void name_and_work(const char *name, const char *end)
{
	char own[16];

	snprintf(own, sizeof(own), "%s%ld%s", name, syscall(SYS_gettid), end);
	prctl(PR_SET_NAME, own);
	spin(WORK_US);
}

static void *run_thread(void *name)
{
	name_and_work(name, "");
	return NULL;
}

static int threads(int n, char *name)
{
	pthread_t thread;

	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, NULL, run_thread, name) || pthread_join(thread, NULL))
			return 1;
	return 0;
}

/* Their pids have digits enough, though in a namespace of a few processes. */
static int processes(int n, const char *name)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid_size = 1};
	int status, started = 0;
	long pid;

	for (pid_t id = 20000; started < n && id < 30000; id++) {
		args.set_tid = (uintptr_t)&id;
		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (pid == 0) {
			name_and_work(name, "x");
			_exit(0);
		}
		if (pid < 0 && errno != EEXIST)
			return 1;
		started += pid > 0;
		if (pid > 0 && (waitpid((pid_t)pid, &status, 0) < 0 || status != 0))
			return 1;
	}
	return started != n;
}

#define READ_BYTES (64U << 20)

/* A read that is not tried by its submitter, but left to a worker. */
static void *submit_read(void *result)
{
	struct io_uring_params params = {0};
	int fd = (int)syscall(SYS_io_uring_setup, 1, &params), zero = open("/dev/zero", O_RDONLY);
	size_t size = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
	void *bytes =
	    mmap(NULL, READ_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct io_uring_sqe *entry;
	char *ring;

	if (fd < 0) {
		*(int *)result = 77;
		return NULL;
	}
	ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, IORING_OFF_SQ_RING);
	entry = mmap(NULL, params.sq_entries * sizeof(*entry), PROT_READ | PROT_WRITE, MAP_SHARED,
		     fd, IORING_OFF_SQES);
	if (zero < 0 || bytes == MAP_FAILED || ring == MAP_FAILED || entry == MAP_FAILED)
		return NULL;
	memset(entry, 0, sizeof(*entry));
	entry->opcode = IORING_OP_READ;
	entry->flags = IOSQE_ASYNC;
	entry->fd = zero;
	entry->addr = (uintptr_t)bytes;
	entry->len = READ_BYTES;
	((uint32_t *)(ring + params.sq_off.array))[0] = 0;
	__atomic_store_n((uint32_t *)(ring + params.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1)
		*(int *)result = 0;
	return NULL;
}

/* By a thread, which is not the process that the worker's name could be of. */
static int uring(void)
{
	pthread_t thread;
	int result = 1;

	if (pthread_create(&thread, NULL, submit_read, &result) || pthread_join(thread, NULL))
		return 1;
	return result;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "spin") == 0) {
		spin(atol(argv[3]));
		if (set_what(argv[2]))
			return 2;
		spin(atol(argv[4]));
		/* A service that is held, on a busy machine, puts it right only then. */
		for (int i = 0; i < 100 && !has(argv[2]); i++)
			usleep(20000);
		return !has(argv[2]);
	}
	if (argc == 5 && (strcmp(argv[1], "set") == 0 || strcmp(argv[1], "late") == 0)) {
		const int looks = strcmp(argv[1], "late") == 0 ? 100 : 0;

		usleep((useconds_t)atoi(argv[3]));
		if (set_what(argv[2]))
			return 2;
		usleep((useconds_t)atoi(argv[4]));
		/* As above. */
		for (int i = 0; i < looks && !has(argv[2]); i++)
			usleep(20000);
		return !has(argv[2]);
	}
	if (argc == 5 && strcmp(argv[1], "refused") == 0)
		return refused(atoi(argv[2]), atoi(argv[3]), strtoull(argv[4], NULL, 10));
	if (argc > 4 && strcmp(argv[1], "starts") == 0)
		return starts(atoi(argv[2]), atoi(argv[3]), argv + 4);
	if (argc == 5 && strcmp(argv[1], "renames") == 0)
		return renames(atoi(argv[2]), argv + 3);
	if (argc == 4 && strcmp(argv[1], "threads") == 0)
		return threads(atoi(argv[2]), argv[3]);
	if (argc == 4 && strcmp(argv[1], "processes") == 0)
		return processes(atoi(argv[2]), argv[3]);
	if (argc == 2 && strcmp(argv[1], "uring") == 0)
		return uring();
	if (argc == 2 && strcmp(argv[1], "forge") == 0)
		return forge(argv);
	if (argc == 2 && strcmp(argv[1], "forged") == 0) {
		usleep(20000);
		return attr_of(0).nice != 19;
	}
	return 2;
}
