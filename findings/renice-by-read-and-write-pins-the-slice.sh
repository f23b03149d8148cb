#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# sched_getattr(2), another nice value, sched_setattr(2): the task has left the system's slice.
#
# Seen on:   Linux 6.18.44, x86-64, 2 CPUs; clang 14, bpftool 7.1.0, Python 3.11
# Guess:     to read all attributes, change one and write all back changes that one.
# Behaviour: sched_runtime reads as the slice that is in force, be it the task's own or the
#            system's; written with a change, any value but 0 is a slice of the task's own
#            (kernel/sched/syscalls.c, get_params() and __setparam_fair()). From then on the
#            task, and what it starts, keeps that length when the base slice changes, by hand
#            or with the number of CPUs. setpriority(2) does not do that, nor does writing
#            back what did not change. No call tells the two apart: BPF reads the mark here.
# Output:    reniced by setpriority:    same slice, of its own: 0
#            written back as it was:    same slice, of its own: 0
#            written back with nice 1:  same slice, of its own: 1
#
# Fails if only the nice value changes. Needs root.
set -eu
PATH=$PATH:/usr/sbin

dir=$(mktemp -d)
mount -t bpf bpf "$dir"
scratch=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; umount "$dir"; rm -rf "$dir" "$scratch"' EXIT

cat >"$scratch/show.c" <<'END'
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))
typedef unsigned long long u64;
struct seq_file;
struct sched_entity { u64 slice; unsigned char custom_slice; } CORE;
struct task_struct { int pid; struct sched_entity se; } CORE;
struct bpf_iter_meta { struct seq_file *seq; } CORE;
struct bpf_iter__task { struct bpf_iter_meta *meta; struct task_struct *task; } CORE;
static long (*seq_printf)(struct seq_file *, const char *, int, const void *, int) = (void *)126;
const char line[] = "%d %llu %d\n";
char _license[] SEC("license") = "GPL";
SEC("iter/task") int show(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;

	if (task) {
		u64 values[] = {(u64)task->pid, task->se.slice, task->se.custom_slice};

		seq_printf(ctx->meta->seq, line, sizeof(line), values, sizeof(values));
	}
	return 0;
}
END
clang-14 -g -O2 -target bpf -c "$scratch/show.c" -o "$scratch/show.o"
bpftool iter pin "$scratch/show.o" "$dir/show"

# The slice in ns, and whether it is the task's own.
look() {
	awk -v pid="$1" '$1 == pid { print $2, $3 }' "$dir/show"
}
# pid, what is added to its nice value
write_back() {
	/usr/bin/python3 - "$1" "$2" <<'END'
import ctypes, platform, sys

get, put = {"x86_64": (315, 314), "aarch64": (275, 274)}[platform.machine()]
libc, attr, pid = ctypes.CDLL(None), ctypes.create_string_buffer(56), int(sys.argv[1])
assert libc.syscall(get, pid, attr, 56, 0) == 0
ctypes.c_int32.from_buffer(attr, 16).value += int(sys.argv[2])
assert libc.syscall(put, pid, attr, 0) == 0
END
}
seen=
# what is done to a task, as a command and in words
try() {
	local pid before after same=same
	sleep 60 &
	pid=$!
	pids+=("$pid")
	before=$(look "$pid")
	$1 "$pid" "${3:-}" >/dev/null
	after=$(look "$pid")
	[ "${before% *}" = "${after% *}" ] || same=another
	echo "$2 $same slice, of its own: ${after#* }"
	seen="$seen $same ${before#* }${after#* }"
}
try "renice -n 1 -p" "reniced by setpriority:   "
try write_back "written back as it was:   " 0
try write_back "written back with nice 1: " 1

[ "$seen" = " same 00 same 00 same 01" ]
