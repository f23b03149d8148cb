#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A task that ends leaves the CPU in another scheduling group than it worked in.
#
# Seen on:   Linux 6.18.44 (autogroup), x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     task->sched_task_group at sched:sched_switch is the group that the time belongs to
#            which the task has just run: what sums up runs by it has the CPU time of each session.
# Behaviour: with autogroup a session is a group, and do_exit() takes the task out of it
#            (sched_autogroup_exit_task(), kernel/sched/autogroup.c) while it goes on to run: an
#            ending task must not keep the group alive. There is no switch in between, so the last
#            run, which of a short process is its whole life, is seen in the root group, with all
#            that ends on the machine. A build of short processes is two busy groups to what
#            counts so: its session, and the root. sched:sched_process_exit comes just before, and
#            still sees the session. Tasks in a control group with a CPU controller stay in it.
# Output:    (20 processes in sessions of their own, 20 ms of CPU each)
#            in the group of its session at sched_process_exit: 20 of 20
#            in it at the last sched_switch: 0 of 20; in that of kernel threads: 20 of 20
#
# Fails if one is in its session's group at the last switch, or none at its exit. Needs root,
# libbpf-dev, gcc and clang.
set -eu

case $(cat /proc/sys/kernel/sched_autogroup_enabled 2>/dev/null)$(grep -E '^[0-9]+:([^:]*,)?cpu(,[^:]*)?:' /proc/self/cgroup || grep '^0::' /proc/self/cgroup) in
1*:/) ;;
*)
	echo "Sessions are no groups here: no autogroup, or not in the root control group." >&2
	exit 1
	;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/groups.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

typedef unsigned long long u64;

struct task_group;
struct task_struct {
	unsigned int flags;
	int pid;
	struct task_group *sched_task_group;
} CORE;

struct {
	int (*type)[2]; /* BPF_MAP_TYPE_ARRAY */
	int (*max_entries)[5];
	int *key;
	u64 *value;
} values SEC(".maps");

static u64 *(*lookup)(void *map, const void *key) = (void *)1;

static void note(struct task_struct *task, int number)
{
	u64 *value = lookup(&values, &number);

	if (value)
		*value = (u64)task->sched_task_group;
}

/* Whether it is the watched task, whose ID is the first value. */
static int is_watched(struct task_struct *task)
{
	int first = 0;
	u64 *watched = lookup(&values, &first);

	return watched && *watched && (int)*watched == task->pid;
}

SEC("tp_btf/sched_process_exit") int at_exit(u64 *context)
{
	struct task_struct *task = (struct task_struct *)context[0];

	if (is_watched(task))
		note(task, 2);
	return 0;
}

/* The last one that is seen stays. The first run begins at the first switch to it. */
SEC("tp_btf/sched_switch") int at_switch(u64 *context)
{
	struct task_struct *prev = (struct task_struct *)context[1];
	struct task_struct *next = (struct task_struct *)context[2];

	if (is_watched(prev))
		note(prev, 3);
	if (is_watched(next))
		note(next, 1);
	if (prev->pid && prev->flags & 0x00200000) /* PF_KTHREAD */
		note(prev, 4);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/groups.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double cpu_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
	struct bpf_program *program;
	int at_exit = 0, at_last = 0, as_kernel = 0, map, number;

	if (!object || bpf_object__load(object))
		return 2;
	bpf_object__for_each_program(program, object)
		if (!bpf_program__attach(program))
			return 2;
	map = bpf_object__find_map_fd_by_name(object, "values");
	for (int i = 0; i < 20; i++) {
		uint64_t value[5] = {0};
		int go[2];
		char byte = 0;
		pid_t pid;

		if (pipe(go) || (pid = fork()) < 0)
			return 2;
		if (pid == 0) {
			setsid();
			if (read(go[0], &byte, 1) != 1)
				_exit(1);
			while (cpu_ms() < 20)
				;
			_exit(0);
		}
		usleep(20000);
		value[0] = (uint64_t)pid;
		for (number = 0; number < 4; number++)
			bpf_map_update_elem(map, &number, &value[number], BPF_ANY);
		if (write(go[1], &byte, 1) != 1)
			return 2;
		waitpid(pid, NULL, 0);
		/* It can be reaped before it has left the CPU. */
		usleep(50000);
		for (number = 0; number < 5; number++)
			bpf_map_lookup_elem(map, &number, &value[number]);
		at_exit += value[2] && value[2] == value[1];
		at_last += value[3] && value[3] == value[1];
		as_kernel += value[3] && value[3] == value[4];
		close(go[0]);
		close(go[1]);
	}
	printf("in the group of its session at sched_process_exit: %d of 20\n", at_exit);
	printf("in it at the last sched_switch: %d of 20; in that of kernel threads: %d of 20\n", at_last, as_kernel);
	return !(at_exit == 20 && at_last == 0);
}
C
clang -O2 -g -target bpf -c -o "$work/groups.bpf.o" "$work/groups.bpf.c"
gcc -O2 -o "$work/groups" "$work/groups.c" -lbpf
"$work/groups" "$work/groups.bpf.o"
