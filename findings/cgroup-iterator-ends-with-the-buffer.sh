#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# How many control groups a BPF iterator shows depends on the reader's buffer.
#
# Seen on:   Linux 6.18.44, x86-64; libbpf 1.1.2, clang 14 of Debian 12
# Guess:     an iterator over control groups (iter/cgroup) is read like a file, in pieces of any
#            size, as that over tasks is.
# Behaviour: it holds the lock of all control groups for one read(2), and cannot go on where it was
#            after that (kernel/bpf/cgroup_iter.c, cgroup_iter_seq_start()). A read ends as soon as
#            the text fills the reader's buffer; the next one fails with EOPNOTSUPP, unless all
#            groups are done. So cat (131,072 bytes) shows all where a reader through stdio (4,096)
#            gets a part and an error, and "while read" in a shell, byte by byte, the first line.
#            No reader gets more than the kernel's own buffer of 32 KiB: what works on a
#            desktop is cut on a server with some hundred services, and only what looks at errno
#            finds out. Fewer bytes for each group go further.
# Output:    (lines of 100 bytes)
#            51 groups, read by 131072 bytes: 51, then the end
#            51 groups, read by 4096 bytes: 41, then Operation not supported
#            401 groups, read by 131072 bytes: 328, then Operation not supported
#            126 tasks, read by 4096 bytes: 126, then the end
#
# Fails unless the first and the last are complete and the others end with that error. Needs root, a
# mounted cgroup2, libbpf-dev, gcc and clang.
set -eu

work=$(mktemp -d)
group=$(findmnt -n -f -t cgroup2 -o TARGET)/finding-$$
end() {
	[ ! -d "$group" ] || find "$group" -depth -type d -exec rmdir {} +
	rm -rf "$work"
}
trap end EXIT
cat >"$work/list.bpf.c" <<'C'
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

typedef unsigned long long u64;

struct seq_file;

struct kernfs_node {
	u64 id;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
} CORE;

struct task_struct {
	int pid;
} CORE;

struct bpf_iter_meta {
	struct seq_file *seq;
} CORE;

struct bpf_iter__cgroup {
	struct bpf_iter_meta *meta;
	struct cgroup *cgroup;
} CORE;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} CORE;

static long (*seq_printf)(struct seq_file *file, const char *format, u64 size, const void *data,
			  u64 data_size) = (void *)126;

const char line[] = "%99llu\n";

static void show(struct seq_file *file, u64 number)
{
	seq_printf(file, line, sizeof(line), &number, sizeof(number));
}

SEC("iter/cgroup") int groups(struct bpf_iter__cgroup *context)
{
	struct cgroup *cgroup = context->cgroup;

	if (cgroup)
		show(context->meta->seq, cgroup->kn->id);
	return 0;
}

SEC("iter/task") int tasks(struct bpf_iter__task *context)
{
	struct task_struct *task = context->task;

	if (task)
		show(context->meta->seq, (u64)task->pid);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
C
cat >"$work/read.c" <<'C'
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE 100

/* The object, the program, how many bytes to read at a time, and for groups the first. */
int main(int argc, char **argv)
{
	static char buffer[1 << 20];
	struct bpf_object *object = argc > 3 ? bpf_object__open_file(argv[1], NULL) : NULL;
	union bpf_iter_link_info info = {.cgroup = {.order = BPF_CGROUP_ITER_DESCENDANTS_PRE}};
	LIBBPF_OPTS(bpf_iter_attach_opts, options, .link_info = &info, .link_info_len = sizeof(info));
	size_t at_a_time = argc > 3 ? strtoul(argv[3], NULL, 10) : 0, bytes = 0;
	struct bpf_link *link;
	ssize_t got;
	int file;

	if (!object || bpf_object__load(object) || at_a_time > sizeof(buffer))
		return 2;
	if (argc > 4)
		info.cgroup.cgroup_fd = (unsigned int)open(argv[4], O_RDONLY);
	link = bpf_program__attach_iter(bpf_object__find_program_by_name(object, argv[2]),
					argc > 4 ? &options : NULL);
	file = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	if (file < 0)
		return 2;
	while ((got = read(file, buffer, at_a_time)) > 0)
		bytes += (size_t)got;
	printf("%zu, then %s\n", bytes / LINE, got ? strerror(errno) : "the end");
	return 0;
}
C
clang-14 -g -O2 -target bpf -c "$work/list.bpf.c" -o "$work/list.bpf.o"
gcc -o "$work/read" "$work/read.c" -lbpf

mkdir "$group"
seen=
# Makes so many groups in all, and reads them by so many bytes.
groups() {
	local i got

	for ((i = $(find "$group" -type d | wc -l); i < $1; i++)); do
		mkdir "$group/$i"
	done
	got=$("$work/read" "$work/list.bpf.o" groups "$2" "$group")
	echo "$1 groups, read by $2 bytes: $got"
	seen="$seen$1 $got; "
}
groups 51 131072
groups 51 4096
groups 401 131072
tasks=$("$work/read" "$work/list.bpf.o" tasks 131072)
by_pieces=$("$work/read" "$work/list.bpf.o" tasks 4096)
echo "${tasks%,*} tasks, read by 4096 bytes: $by_pieces"

cut=", then Operation not supported; "
[[ $seen =~ ^"51 51, then the end; 51 "[1-4][0-9]"${cut}401 "[1-3][0-9][0-9]"$cut"$ ]]
[[ $by_pieces =~ ", then the end"$ ]]
