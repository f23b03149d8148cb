#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# perf, and what watches sched_process_exit, miss nearly all CPU time of a child that just exits.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     at its exit a process has done all that it does: perf stat and getrusage(2) agree, and
#            a BPF program at sched_process_exit can read what the process cost.
# Behaviour: the memory is freed after both. Since Linux 6.16 the event comes before exit_mm(), so
#            that its programs find the memory, and perf lets go of the task before that, too
#            (kernel/exit.c, do_exit(); perf_event_exit_task() was moved in stable kernels as well,
#            as 6.1.142). A process that is forked from a large one (the snapshot of a database, a
#            worker, a subshell) and does little spends most of its time on giving back the page
#            tables: that is in no counter of perf, and not in the run time that the event sees.
#            wait4(2) has it. So perf stat disagrees with its own line "seconds sys", and a
#            sum over exits with the busy time of the machine. What wants it all looks at the
#            task's last sched_switch.
# Output:    (a child of a process with 300 MB that sleeps for 1 ms and exits; CPU time, the median of 9)
#            wait4:                         3.51 ms
#            its last sched_switch:         3.51 ms
#            sched_process_exit:            0.07 ms
#            task-clock, as of perf stat:   0.10 ms
#
# Fails unless the last two have less than half of the first, and the second has nine tenths of it.
# Needs root, libbpf-dev, gcc and clang.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/exit.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

typedef unsigned long long u64;

struct sched_entity {
	u64 sum_exec_runtime;
} CORE;

struct task_struct {
	int pid;
	struct sched_entity se;
} CORE;

struct {
	int (*type)[2]; /* BPF_MAP_TYPE_ARRAY */
	int (*max_entries)[3];
	int *key;
	u64 *value;
} values SEC(".maps");

static u64 *(*lookup)(void *map, const void *key) = (void *)1;

/* If it is the watched task, whose ID is in the first value. */
static void note(struct task_struct *task, int number)
{
	int first = 0;
	u64 *watched = lookup(&values, &first), *value = lookup(&values, &number);

	if (watched && value && (int)*watched == task->pid)
		*value = task->se.sum_exec_runtime;
}

SEC("tp_btf/sched_process_exit") int at_exit(u64 *context)
{
	note((struct task_struct *)context[0], 1);
	return 0;
}

SEC("tp_btf/sched_switch") int at_switch(u64 *context)
{
	note((struct task_struct *)context[1], 2);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/measure.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (300UL << 20)
#define CHILDREN 9

enum { WAIT4, SWITCH, EXIT, PERF, COUNTERS };

static double seen[COUNTERS][CHILDREN];

static double milliseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e3 + (double)time.tv_usec / 1e3;
}

static uint64_t value_of(int map, int number)
{
	uint64_t value;

	if (bpf_map_lookup_elem(map, &number, &value))
		exit(2);
	return value;
}

static void measure(int map, int child)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_TASK_CLOCK};
	int pipes[2], counter, first = 0, status;
	struct rusage used;
	uint64_t value;
	pid_t pid;
	char byte;

	if (pipe(pipes))
		exit(2);
	pid = fork();
	if (pid == 0) {
		if (read(pipes[0], &byte, 1) != 1)
			_exit(2);
		usleep(1000);
		_exit(0);
	}
	value = (uint64_t)pid;
	counter = (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0);
	if (counter < 0 || bpf_map_update_elem(map, &first, &value, 0) || write(pipes[1], "", 1) != 1)
		exit(2);
	if (wait4(pid, &status, 0, &used) != pid || status)
		exit(2);
	/* The last switch may come after the notice. */
	usleep(10000);
	if (read(counter, &value, sizeof(value)) != sizeof(value))
		exit(2);
	seen[PERF][child] = (double)value / 1e6;
	seen[EXIT][child] = (double)value_of(map, 1) / 1e6;
	seen[SWITCH][child] = (double)value_of(map, 2) / 1e6;
	seen[WAIT4][child] = milliseconds(used.ru_utime) + milliseconds(used.ru_stime);
	close(counter);
	close(pipes[0]);
	close(pipes[1]);
}

static int compare(const void *one, const void *other)
{
	const double *a = one, *b = other;

	return (*a > *b) - (*a < *b);
}

static double median(int counter)
{
	qsort(seen[counter], CHILDREN, sizeof(double), compare);
	return seen[counter][CHILDREN / 2];
}

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;
	double all, last, at_exit, perf;
	struct bpf_program *program;
	char *memory;

	if (!object || bpf_object__load(object))
		return 2;
	bpf_object__for_each_program(program, object)
		if (!bpf_program__attach(program))
			return 2;
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return 2;
	madvise(memory, BYTES, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < BYTES; i += 4096)
		memory[i] = 1;
	for (int child = 0; child < CHILDREN; child++)
		measure(bpf_object__find_map_fd_by_name(object, "values"), child);
	all = median(WAIT4);
	last = median(SWITCH);
	at_exit = median(EXIT);
	perf = median(PERF);
	printf("wait4:                       %6.2f ms\n", all);
	printf("its last sched_switch:       %6.2f ms\n", last);
	printf("sched_process_exit:          %6.2f ms\n", at_exit);
	printf("task-clock, as of perf stat: %6.2f ms\n", perf);
	return !(last > 0.9 * all && at_exit < all / 2 && perf < all / 2);
}
C
clang-14 -g -O2 -target bpf -c "$work/exit.bpf.c" -o "$work/exit.bpf.o"
gcc -o "$work/measure" "$work/measure.c" -lbpf
"$work/measure" "$work/exit.bpf.o"
