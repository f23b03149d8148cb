/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Where a task's program is: its executable and its cgroup. All of it is read by probes, which
 * cannot fault: the task may exit meanwhile, and bpf_d_path() would follow what it left.
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "classify.h"
#include "task-row.h"

#define PATH_DEPTH 40 /* directories and mounts; a deeper path is not known */
#define UNIT_DEPTH 6  /* cgroups: a unit may have some of its own below it */

/* A path is written from its end to its beginning: twice the room is the verifier's proof. */
struct path_scratch {
	char bytes[2 * PROCDB_PATH_LEN];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct path_scratch);
} path_scratches SEC(".maps");

/* Since 6.15; before, it was parent. */
struct kernfs_node___new {
	struct kernfs_node *__parent;
} __attribute__((preserve_access_index));

static __always_inline u8 kind_of(const struct task_struct *p)
{
	if (p->flags & PF_KTHREAD)
		return PROCDB_KIND_KERNEL;
	return p->pid == p->tgid ? PROCDB_KIND_PROCESS : PROCDB_KIND_THREAD;
}

/* On the way from an executable to the root; kernel addresses, which only probes follow. */
struct path_walk {
	u64 dentry;
	u64 mount;
	u32 at; /* where in the scratch the path begins, as far as it is known */
	u16 ended;
	u16 whole; /* the root was reached */
};

/* One directory up, or out of a mount. A function of its own, and global: see PROCDB_ONCE. */
PROCDB_ONCE int path_step(struct path_walk *walk, struct path_scratch *scratch)
{
	struct dentry *dentry, *parent;
	struct mount *mount, *above;
	u32 at, len;

	if (!walk || !scratch)
		return 0;
	at = walk->at;
	dentry = (void *)walk->dentry;
	mount = (void *)walk->mount;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
		above = BPF_CORE_READ(mount, mnt_parent);
		walk->whole = above == mount || !above;
		walk->ended = walk->whole;
		walk->dentry = (u64)BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = (u64)above;
		return 0;
	}
	len = BPF_CORE_READ(dentry, d_name.len);
	walk->dentry = (u64)parent;
	walk->ended = at >= PROCDB_PATH_LEN || len >= at;
	if (walk->ended)
		return 0;
	at = (at - len - 1) & (PROCDB_PATH_LEN - 1);
	len &= PROCDB_PATH_LEN - 1;
	bpf_probe_read_kernel(&scratch->bytes[at + 1], len, BPF_CORE_READ(dentry, d_name.name));
	scratch->bytes[at] = '/';
	walk->at = at;
	return 0;
}

/*
 * Writes the path of the executable of p to a zeroed path; nothing if there is none, or one that
 * does not fit: its end alone would look like the path of another program.
 */
static __noinline void path_of(struct task_struct *p, char *path)
{
	const u32 key = 0;
	struct path_scratch *scratch = bpf_map_lookup_elem(&path_scratches, &key);
	struct file *file = BPF_CORE_READ(p, mm, exe_file);
	struct path_walk walk = {.at = PROCDB_PATH_LEN - 1};

	if (!scratch || !file || !path)
		return;
	walk.dentry = (u64)BPF_CORE_READ(file, f_path.dentry);
	walk.mount =
	    (u64)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
	scratch->bytes[walk.at] = '\0';
	for (int i = 0; i < PATH_DEPTH && !walk.ended; i++)
		path_step(&walk, scratch);
	if (walk.whole)
		bpf_probe_read_kernel_str(path, PROCDB_PATH_LEN,
					  &scratch->bytes[walk.at & (PROCDB_PATH_LEN - 1)]);
}

/* Whether a name of this length, with its terminator, is that of a service or a scope. */
static __always_inline bool is_unit(const char *name, long size)
{
	char tail[8] = {};

	if (size < 9 || bpf_probe_read_kernel(tail, sizeof(tail), name + size - 9))
		return false;
	if (tail[2] == '.' && tail[3] == 's' && tail[4] == 'c' && tail[5] == 'o' &&
	    tail[6] == 'p' && tail[7] == 'e')
		return true;
	return tail[0] == '.' && tail[1] == 's' && tail[2] == 'e' && tail[3] == 'r' &&
	       tail[4] == 'v' && tail[5] == 'i' && tail[6] == 'c' && tail[7] == 'e';
}

static __always_inline struct kernfs_node *parent_of(struct kernfs_node *node)
{
	struct kernfs_node___new *newer = (void *)node;

	if (bpf_core_field_exists(newer->__parent))
		return BPF_CORE_READ(newer, __parent);
	return BPF_CORE_READ(node, parent);
}

/* Writes the name of the cgroup of p, or of the nearest one above that is a unit. */
static __noinline void unit_of(struct task_struct *p, char *unit)
{
	struct kernfs_node *own = BPF_CORE_READ(p, cgroups, dfl_cgrp, kn), *node = own;
	const char *name;
	long size;

	if (!unit)
		return;
	for (int i = 0; i < UNIT_DEPTH && node; i++) {
		name = BPF_CORE_READ(node, name);
		size = bpf_probe_read_kernel_str(unit, PROCDB_UNIT_LEN, name);
		if (size > 0 && size < PROCDB_UNIT_LEN && is_unit(name, size))
			return;
		node = parent_of(node);
	}
	if (bpf_probe_read_kernel_str(unit, PROCDB_UNIT_LEN, BPF_CORE_READ(own, name)) < 0)
		unit[0] = '\0';
}
