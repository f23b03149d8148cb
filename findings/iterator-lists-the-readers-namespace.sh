#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The same pinned BPF iterator lists other tasks for each reader, by IDs that mean nothing to it.
#
# Seen on:   Linux 6.18.44, x86-64; clang 14, bpftool 7.1.0 of Debian 12
# Guess:     a BPF program sees the whole kernel, so an iterator over tasks (iter/task) that the
#            host pins shows a container all tasks, or the IDs that hold in there.
# Behaviour: the kernel walks the IDs of the PID namespace of the process that opens the file
#            (kernel/bpf/task_iter.c, init_seq_pidns() and task_seq_get_next()). In a container it
#            finds only the container's own tasks, with no error and no sign that there are
#            others. But task->pid, which the program prints, is the ID of the host: none of these
#            is in /proc there, or it is another task's. An agent that was tested on the host and
#            is put into a container with the host's /sys/fs/bpf reports an idle machine.
#            A process of the host that opens it and hands in the descriptor gives it all.
# Output:    here: 124 tasks, ours among them
#            in a PID namespace: 3 tasks, none of them in /proc by that ID, ours is not among them
#            in a PID namespace, opened here: 127 tasks, ours among them
#
# Fails unless the file lists our task here and not there, and the open descriptor does. Needs root.
set -eu
PATH=$PATH:/usr/sbin

if [ "${1:-}" != "in a namespace of its own" ]; then
	exec unshare --mount --propagation private "$0" "in a namespace of its own"
fi
work=$(mktemp -d)
trap 'kill $ours; umount "$work/pins"; rm -rf "$work"' EXIT
sleep 60 &
ours=$!
mkdir "$work/pins"
mount -t bpf bpf "$work/pins"
cat >"$work/list.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

typedef unsigned long long u64;

struct seq_file;

struct task_struct {
	int pid, tgid;
} CORE;

struct bpf_iter_meta {
	struct seq_file *seq;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

static long (*seq_printf)(struct seq_file *file, const char *format, u64 size, const void *data,
			  u64 data_size) = (void *)126;

const char line[] = "%d\n";

SEC("iter/task") int list(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;
	u64 pid;

	if (task && task->pid == task->tgid) {
		pid = (u64)task->pid;
		seq_printf(context->meta->seq, line, sizeof(line), &pid, sizeof(pid));
	}
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
clang-14 -g -O2 -target bpf -c "$work/list.c" -o "$work/list.o"
bpftool iter pin "$work/list.o" "$work/pins/list"

# How many tasks a list has, and whether ours is one of them.
number() {
	wc -l <"$work/$1"
}
with_ours() {
	grep -qx "$ours" "$work/$1" && echo "ours among them" || echo "ours is not among them"
}
cat "$work/pins/list" >"$work/here"
echo "here: $(number here) tasks, $(with_ours here)"
# shellcheck disable=SC2016 # its own shell expands them
unshare --pid --fork --mount-proc sh -eu -c '
	sleep 60 &
	cat "$1/pins/list" >"$1/there"
	while read -r pid; do
		[ ! -e "/proc/$pid" ] || echo "$pid"
	done <"$1/there" >"$1/known"
	cat <&3 >"$1/handed"
' sh "$work" 3<"$work/pins/list"
known=$(number known)
echo "in a PID namespace: $(number there) tasks, ${known/#0/none} of them in /proc by that ID, $(with_ours there)"
echo "in a PID namespace, opened here: $(number handed) tasks, $(with_ours handed)"

[ "$(with_ours here), $(with_ours there)" = "ours among them, ours is not among them" ]
[ "$(with_ours handed)" = "ours among them" ]
