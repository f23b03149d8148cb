#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# Records that a BPF program discards fill the ring buffer, and the real ones are lost.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     bpf_ringbuf_discard() gives back what bpf_ringbuf_reserve() took: a program may
#            reserve first, fill in, and discard what turns out not to matter, and the reader
#            does not notice.
# Behaviour: the room comes back only when the reader has gone past it: a discarded record is a
#            record with a mark (kernel/bpf/ringbuf.c, bpf_ringbuf_commit()). With a reader that
#            looks once a second, as BPF_RB_NO_WAKEUP is for, a filter that discards nearly
#            everything fills the buffer with nothing, and what it wants to tell is refused,
#            while the reader finds not one record. Without BPF_RB_NO_WAKEUP, a discard
#            wakes the reader as a submit does. So: filter before the reserve.
# Output:    (ring buffer of 4096 bytes, records of 8 bytes and their headers of 8)
#            submitted until it is full: 255, then the reader gets 255
#            discarded until it is full: 255, one submitted: refused, then the reader gets 0
#            one submitted after that: taken, then the reader gets 1
#            one discarded without BPF_RB_NO_WAKEUP: reader woken, gets 0
#
# Fails if discarded records leave room, or do not wake. Needs root, libbpf-dev, gcc and clang.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/ring.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define NO_WAKEUP 1

typedef unsigned long long u64;

struct {
	int (*type)[27]; /* BPF_MAP_TYPE_RINGBUF */
	int (*max_entries)[4096];
} ring SEC(".maps");

static void *(*reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*submit)(void *record, u64 flags) = (void *)132;
static void (*discard)(void *record, u64 flags) = (void *)133;

SEC("syscall") int submits(void *context)
{
	u64 *record = reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	*record = 1;
	submit(record, NO_WAKEUP);
	return 0;
}

SEC("syscall") int discards(void *context)
{
	u64 *record = reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	discard(record, NO_WAKEUP);
	return 0;
}

SEC("syscall") int discards_and_wakes(void *context)
{
	u64 *record = reserve(&ring, sizeof(*record), 0);

	if (!record)
		return 1;
	discard(record, 0);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/read.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

static struct bpf_object *object;
static struct ring_buffer *ring;
static int records;

static int count(void *unused, void *data, size_t size)
{
	records++;
	return 0;
}

/* What the reader gets. */
static int get(void)
{
	records = 0;
	if (ring_buffer__consume(ring) < 0)
		exit(2);
	return records;
}

/* Whether the program got its record. */
static int run(const char *name)
{
	LIBBPF_OPTS(bpf_test_run_opts, options);

	if (bpf_prog_test_run_opts(bpf_program__fd(bpf_object__find_program_by_name(object, name)), &options))
		exit(2);
	return options.retval == 0;
}

static int run_until_full(const char *name)
{
	int times = 0;

	while (times < 100000 && run(name))
		times++;
	return times;
}

int main(int argc, char **argv)
{
	int submitted, got, discarded, first, got_none, second, got_one, woken, got_last;
	struct pollfd poller = {.events = POLLIN};

	object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;
	if (!object || bpf_object__load(object))
		return 2;
	poller.fd = bpf_object__find_map_fd_by_name(object, "ring");
	ring = ring_buffer__new(poller.fd, count, NULL, NULL);
	if (!ring)
		return 2;
	poller.fd = ring_buffer__epoll_fd(ring);
	submitted = run_until_full("submits");
	got = get();
	printf("submitted until it is full: %d, then the reader gets %d\n", submitted, got);
	discarded = run_until_full("discards");
	first = run("submits");
	got_none = get();
	printf("discarded until it is full: %d, one submitted: %s, then the reader gets %d\n", discarded,
	       first ? "taken" : "refused", got_none);
	second = run("submits");
	got_one = get();
	printf("one submitted after that: %s, then the reader gets %d\n", second ? "taken" : "refused", got_one);
	run("discards_and_wakes");
	woken = poll(&poller, 1, 1000) == 1;
	got_last = get();
	printf("one discarded without BPF_RB_NO_WAKEUP: reader %s, gets %d\n", woken ? "woken" : "not woken",
	       got_last);
	return !(discarded == submitted && got == submitted && !first && !got_none && second && got_one == 1 &&
		 woken && !got_last);
}
C
clang-14 -g -O2 -target bpf -c "$work/ring.bpf.c" -o "$work/ring.bpf.o"
gcc -o "$work/read" "$work/read.c" -lbpf
"$work/read" "$work/ring.bpf.o"
