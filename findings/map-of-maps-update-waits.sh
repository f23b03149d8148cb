#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# To put a map into a map of maps takes ten thousand times as long as to put a number into a map.
#
# Seen on:   Linux 6.18.44, x86-64, 2 CPUs; libbpf 1.1.2 of Debian 12
# Guess:     the value of an outer map (BPF_MAP_TYPE_HASH_OF_MAPS, BPF_MAP_TYPE_ARRAY_OF_MAPS) is a
#            pointer, so an update costs what any update does: less than a microsecond.
# Behaviour: after each update and each deletion from user space the system call waits until no BPF
#            program can use the old map any more, a grace period of RCU (kernel/bpf/syscall.c,
#            maybe_wait_bpf_programs()): here 10 to 16 ms, also for a key that was not there, and
#            also if no program uses the map. A service that gives each of 500 control groups its
#            own inner map sleeps for five seconds, and its event loop with it; no profile shows
#            that, as it is no CPU time. BPF_MAP_UPDATE_BATCH waits once for all of its keys.
# Output:    (50 keys)
#            hash, one by one:         0.02 ms
#            hash of maps, one by one: 530.36 ms
#            hash of maps, deleted:    564.00 ms
#            hash of maps, one batch:  16.02 ms
#
# Fails unless one by one the hash of maps takes more than a hundred times what the hash takes, and
# more than ten times what the batch takes. Needs root, libbpf-dev and gcc.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/update.c" <<'C'
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define KEYS 50

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static double update(int map, int value)
{
	double begin = now();

	for (int key = 0; key < KEYS; key++)
		if (bpf_map_update_elem(map, &key, &value, BPF_NOEXIST))
			exit(2);
	return now() - begin;
}

static double delete_all(int map)
{
	double begin = now();

	for (int key = 0; key < KEYS; key++)
		if (bpf_map_delete_elem(map, &key))
			exit(2);
	return now() - begin;
}

static double update_as_batch(int map, int value)
{
	LIBBPF_OPTS(bpf_map_batch_opts, options);
	int keys[KEYS], values[KEYS];
	unsigned int number = KEYS;
	double begin = now();

	for (int i = 0; i < KEYS; i++) {
		keys[i] = i;
		values[i] = value;
	}
	if (bpf_map_update_batch(map, keys, values, &number, &options) || number != KEYS)
		exit(2);
	return now() - begin;
}

int main(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int hash = bpf_map_create(BPF_MAP_TYPE_HASH, "hash", 4, 4, KEYS, NULL);
	int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "inner", 4, 4, 1, NULL);
	double plain, one_by_one, deleted, batch;
	int outer;

	options.inner_map_fd = (unsigned int)inner;
	outer = bpf_map_create(BPF_MAP_TYPE_HASH_OF_MAPS, "outer", 4, 4, KEYS, &options);
	if (hash < 0 || inner < 0 || outer < 0)
		return 2;
	plain = update(hash, 0);
	one_by_one = update(outer, inner);
	deleted = delete_all(outer);
	batch = update_as_batch(outer, inner);
	printf("hash, one by one:         %.2f ms\n", plain);
	printf("hash of maps, one by one: %.2f ms\n", one_by_one);
	printf("hash of maps, deleted:    %.2f ms\n", deleted);
	printf("hash of maps, one batch:  %.2f ms\n", batch);
	return !(one_by_one > 100 * plain && deleted > 100 * plain && one_by_one > 10 * batch);
}
C
gcc -o "$work/update" "$work/update.c" -lbpf
"$work/update"
