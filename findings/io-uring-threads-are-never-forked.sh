#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The threads of io_uring have an exit, but no fork.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     each task that sched:sched_process_exit tells of was told of by sched:sched_process_fork
#            before, since every thread is made by clone(2): what counts both, or prepares storage
#            for a task at its fork, has seen them all.
# Behaviour: a worker of io_uring (iou-wrk-TID, iou-sqp-TID) is a thread of the process, in
#            /proc/PID/task with the others, with CPU time that is the process's. But the kernel
#            makes it by itself (create_io_thread() in kernel/fork.c), and sched_process_fork
#            is in kernel_clone(), which is not called. task:task_newtask and
#            sched:sched_wakeup_new see it, and its exit is as any other. Forks less exits come to
#            less than there are, and storage that is made at the fork is not there. Its name
#            has the ID of a thread in it, so it is another one in each process: statistics
#            by name get a new entry each time.
# Output:    (threads beside the first)
#            a thread of pthreads: newtask 1, fork 1, wakeup_new 1, exit 1
#            a worker of io_uring: newtask 1, fork 0, wakeup_new 1, exit 1, named iou-wrk-14027
#
# Fails if there is a fork for the worker, or no exit. Needs root, libbpf-dev, gcc and clang.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/events.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

typedef unsigned long long u64;

struct task_struct {
	int pid, tgid;
} CORE;

struct {
	int (*type)[2]; /* BPF_MAP_TYPE_ARRAY */
	int (*max_entries)[5];
	int *key;
	u64 *value;
} values SEC(".maps");

static u64 *(*lookup)(void *map, const void *key) = (void *)1;

/* If it is one of the watched process, whose ID is the first value, but not its first thread. */
static void count(struct task_struct *task, int number)
{
	int first = 0;
	u64 *watched = lookup(&values, &first), *value = lookup(&values, &number);

	if (watched && value && (int)*watched == task->tgid && task->pid != task->tgid)
		__sync_fetch_and_add(value, 1);
}

SEC("tp_btf/task_newtask") int newtask(u64 *context)
{
	count((struct task_struct *)context[0], 1);
	return 0;
}

SEC("tp_btf/sched_process_fork") int forked(u64 *context)
{
	count((struct task_struct *)context[1], 2);
	return 0;
}

SEC("tp_btf/sched_wakeup_new") int woken(u64 *context)
{
	count((struct task_struct *)context[0], 3);
	return 0;
}

SEC("tp_btf/sched_process_exit") int at_exit(u64 *context)
{
	count((struct task_struct *)context[0], 4);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/count.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROCESS, NEWTASK, FORK, WAKEUP_NEW, EXIT, VALUES };

static uint64_t values[VALUES];
/* Of the other thread, if it still lives; shared with the child. */
static char *name;

static void *nothing(void *unused)
{
	return unused;
}

static void with_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL))
		_exit(2);
}

static void note_name(void)
{
	DIR *directory = opendir("/proc/self/task");
	struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		char path[300];
		FILE *file;

		if (atoi(entry->d_name) == 0 || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		file = fopen(path, "r");
		if (!file || fscanf(file, "%31s", name) != 1)
			_exit(2);
	}
}

/* One operation that does nothing, to be done by a worker. */
static void with_a_worker(void)
{
	struct io_uring_params parameters = {0};
	int ring = (int)syscall(SYS_io_uring_setup, 1, &parameters);
	struct io_uring_sqe *entries;
	char *queue;

	if (ring < 0)
		_exit(2);
	queue = mmap(NULL, parameters.sq_off.array + sizeof(unsigned int), PROT_READ | PROT_WRITE, MAP_SHARED, ring,
		     IORING_OFF_SQ_RING);
	entries = mmap(NULL, sizeof(*entries), PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
	if (queue == MAP_FAILED || entries == MAP_FAILED)
		_exit(2);
	entries[0].opcode = IORING_OP_NOP;
	entries[0].flags = IOSQE_ASYNC;
	*(unsigned int *)(queue + parameters.sq_off.array) = 0;
	__atomic_store_n((unsigned int *)(queue + parameters.sq_off.tail), 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		_exit(2);
	note_name();
}

static void watch(int map, const char *what, void (*with)(void))
{
	int pipes[2], status, number;
	pid_t pid;
	char byte;

	if (pipe(pipes))
		exit(2);
	pid = fork();
	if (pid == 0) {
		if (read(pipes[0], &byte, 1) != 1)
			_exit(2);
		with();
		_exit(0);
	}
	memset(values, 0, sizeof(values));
	values[PROCESS] = (uint64_t)pid;
	for (number = 0; number < VALUES; number++)
		if (bpf_map_update_elem(map, &number, &values[number], 0))
			exit(2);
	if (write(pipes[1], "", 1) != 1 || waitpid(pid, &status, 0) != pid || status)
		exit(2);
	/* The last exit may come after the notice. */
	usleep(100000);
	for (number = 0; number < VALUES; number++)
		if (bpf_map_lookup_elem(map, &number, &values[number]))
			exit(2);
	printf("%s newtask %d, fork %d, wakeup_new %d, exit %d%s%s\n", what, (int)values[NEWTASK], (int)values[FORK],
	       (int)values[WAKEUP_NEW], (int)values[EXIT], *name ? ", named " : "", name);
	close(pipes[0]);
	close(pipes[1]);
}

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *program;
	int map, right;

	name = mmap(NULL, 32, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (name == MAP_FAILED || !object || bpf_object__load(object))
		return 2;
	bpf_object__for_each_program(program, object)
		if (!bpf_program__attach(program))
			return 2;
	map = bpf_object__find_map_fd_by_name(object, "values");
	watch(map, "a thread of pthreads:", with_a_thread);
	right = values[NEWTASK] == 1 && values[FORK] == 1 && values[EXIT] == 1;
	watch(map, "a worker of io_uring:", with_a_worker);
	return !(right && values[NEWTASK] && !values[FORK] && values[EXIT] == values[NEWTASK]);
}
C
clang-14 -g -O2 -target bpf -c "$work/events.bpf.c" -o "$work/events.bpf.o"
gcc -pthread -o "$work/count" "$work/count.c" -lbpf
"$work/count" "$work/events.bpf.o"
