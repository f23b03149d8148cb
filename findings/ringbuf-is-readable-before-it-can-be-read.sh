#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# A BPF ring buffer polls as readable from the reserve on, and its reader gets nothing until the submit.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     poll(2) says POLLIN when there is a record to take; a reader that has taken all sleeps until one is
#            submitted. Records of other CPUs that are submitted meanwhile can be taken.
# Behaviour: POLLIN compares positions only (kernel/bpf/ringbuf.c, ringbuf_map_poll_kern()), and
#            bpf_ringbuf_reserve() moves the producer's. While a program is between reserve and submit, poll()
#            returns at once, again and again, and ring_buffer__consume() takes no record, nor any of those behind
#            it that are complete: a reader in a loop of both burns a CPU for as long, and is as late for all
#            others as the slowest writer. So: reserve late, fill in what is at hand, and do the work before; or
#            copy with bpf_ringbuf_output(). And a reader has to sleep a little when it was woken for nothing.
# Output:    one program holds what it reserved: poll says readable, the reader gets 0
#            another one has submitted since: poll says readable, the reader gets 0
#            the first one has submitted: poll says readable, the reader gets 2
#            then: poll says nothing, the reader gets 0
#
# Fails if a record is taken before those in front of it, or poll waits. Needs root, libbpf-dev, gcc and clang.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ring.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))

typedef unsigned long long u64;

struct {
	int (*type)[27]; /* BPF_MAP_TYPE_RINGBUF */
	int (*max_entries)[4096];
} ring SEC(".maps");

static void *(*reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*submit)(void *record, u64 flags) = (void *)132;
static long (*loop)(unsigned int times, void *function, void *context, u64 flags) = (void *)181;

volatile int holds, go_on;

static long wait(unsigned int index, void *context)
{
	return go_on != 0;
}

static long rounds(unsigned int index, void *context)
{
	loop(8 << 20, wait, 0, 0);
	return go_on != 0;
}

/* Holds it until it is told to go on, or for a few seconds. */
SEC("syscall") int slow(void *context)
{
	u64 *record = reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	holds = 1;
	loop(200, rounds, 0, 0);
	*record = 1;
	submit(record, 0);
	return 0;
}

SEC("syscall") int quick(void *context)
{
	u64 *record = reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	*record = 2;
	submit(record, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/read.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct bpf_object *object;
static struct ring_buffer *ring;
static struct pollfd poller = {.events = POLLIN};
static int records;

static int count(void *unused, void *data, size_t size)
{
	records++;
	return 0;
}

static void *run(void *name)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	if (bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(object, name)), &options) ||
	    options.retval)
		exit(2);
	return NULL;
}

/* Whether poll says readable, and the reader gets so many. */
static int look(const char *when, int readable, int expected)
{
	const int polled = poll(&poller, 1, 0);

	records = 0;
	if (ring_buffer__consume(ring) < 0)
		exit(2);
	printf("%s: poll says %s, the reader gets %d\n", when, polled ? "readable" : "nothing", records);
	return polled == readable && records == expected;
}

int main(int argc, char **argv)
{
	struct {
		volatile int holds, go_on;
	} *shared;
	pthread_t slow;
	int right;

	object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;
	if (!object || bpf_object__load(object))
		return 2;
	poller.fd = bpf_object__find_map_fd_by_name(object, "ring");
	ring = ring_buffer__new(poller.fd, count, NULL, NULL);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
		      bpf_map__fd(bpf_object__find_map_by_name(object, ".bss")), 0);
	if (!ring || shared == MAP_FAILED)
		return 2;
	pthread_create(&slow, NULL, run, "slow");
	while (!shared->holds)
		;
	right = look("one program holds what it reserved", 1, 0);
	run("quick");
	right = look("another one has submitted since", 1, 0) && right;
	shared->go_on = 1;
	pthread_join(slow, NULL);
	right = look("the first one has submitted", 1, 2) && right;
	right = look("then", 0, 0) && right;
	return !right;
}
C
clang-14 -g -O2 -target bpf -c "$work/ring.bpf.c" -o "$work/ring.bpf.o"
gcc -Wall -pthread -o "$work/read" "$work/read.c" -lbpf
"$work/read" "$work/ring.bpf.o"
