#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# What a BPF timer does is in no program's run time.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     run_time_ns and run_cnt of a BPF program (bpftool prog show, with the sysctl
#            kernel.bpf_stats_enabled or BPF_ENABLE_STATS) say what the program costs,
#            with all of its functions.
# Behaviour: they count what enters the program at its beginning. The callback of a bpf_timer is
#            a function of the program that the kernel calls directly, in a soft interrupt
#            (kernel/bpf/helpers.c, bpf_timer_cb()), and is not counted, neither as a run nor
#            in its time. A program that starts a timer once and works in the callback has one
#            run of microseconds, whatever it burns; a budget or a benchmark that reads
#            these fields finds that work moved from a hook into a timer costs nothing. The
#            callback has to read the clock itself.
# Output:    (one run that starts a timer of a millisecond, then a second)
#            by the kernel's statistics: 1 run, 0.007 ms
#            by the callback itself: 921 runs, 25.503 ms
#
# Fails if the statistics have more than the one run, or the time of the callback. Needs root,
# libbpf-dev, gcc and clang.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/timer.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define MILLISECOND 1000000

typedef unsigned int u32;
typedef unsigned long long u64;

struct bpf_timer {
	u64 opaque[2];
} __attribute__((aligned(8)));

struct state {
	struct bpf_timer timer;
	u64 runs, ns;
};

struct {
	int (*type)[2]; /* BPF_MAP_TYPE_ARRAY */
	int (*max_entries)[1];
	u32 *key;
	struct state *value;
} states SEC(".maps");

static void *(*lookup)(void *map, const void *key) = (void *)1;
static u64 (*now)(void) = (void *)5;
static long (*timer_init)(struct bpf_timer *timer, void *map, u64 clock) = (void *)169;
static long (*timer_set_callback)(struct bpf_timer *timer, void *callback) = (void *)170;
static long (*timer_start)(struct bpf_timer *timer, u64 ns, u64 flags) = (void *)171;
static long (*loop)(u32 times, void *callback, void *context, u64 flags) = (void *)181;

static long work(u32 number, void *context)
{
	now();
	return 0;
}

static int tick(void *map, u32 *key, struct state *state)
{
	u64 begin = now();

	loop(1000, work, 0, 0);
	timer_start(&state->timer, MILLISECOND, 0);
	state->runs++;
	state->ns += now() - begin;
	return 0;
}

SEC("tc") int begin(void *context)
{
	u32 key = 0;
	struct state *state = lookup(&states, &key);

	return !state || timer_init(&state->timer, &states, 1) || timer_set_callback(&state->timer, tick) ||
	       timer_start(&state->timer, MILLISECOND, 0);
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/count.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

struct state {
	uint64_t timer[2], runs, ns;
};

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info), first = 0;
	char packet[64] = "";
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = sizeof(packet));
	struct state state;
	int program, map;

	/* In force until this process ends. */
	if (!object || bpf_object__load(object) || bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		return 2;
	program = bpf_program__fd(bpf_object__find_program_by_name(object, "begin"));
	map = bpf_object__find_map_fd_by_name(object, "states");
	if (bpf_prog_test_run_opts(program, &options) || options.retval)
		return 2;
	sleep(1);
	if (bpf_obj_get_info_by_fd(program, &info, &size) || bpf_map_lookup_elem(map, &first, &state))
		return 2;
	printf("by the kernel's statistics: %llu run, %.3f ms\n", (unsigned long long)info.run_cnt,
	       (double)info.run_time_ns / 1e6);
	printf("by the callback itself: %llu runs, %.3f ms\n", (unsigned long long)state.runs,
	       (double)state.ns / 1e6);
	return !(info.run_cnt == 1 && state.runs > 100 && info.run_time_ns < state.ns / 10);
}
C
clang-14 -g -O2 -target bpf -c "$work/timer.bpf.c" -o "$work/timer.bpf.o"
gcc -o "$work/count" "$work/count.c" -lbpf
"$work/count" "$work/timer.bpf.o"
