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

#include "task-row.h"

#define PATH_DEPTH 20 /* directories and mounts; of a deeper path the end is known */
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

/* Writes the path of the executable of p, "" if there is none, to a zeroed path. */
static __noinline void path_of(struct task_struct *p, char *path)
{
	const u32 key = 0;
	struct path_scratch *scratch = bpf_map_lookup_elem(&path_scratches, &key);
	struct file *file = BPF_CORE_READ(p, mm, exe_file);
	u32 at = PROCDB_PATH_LEN - 1, len;
	struct dentry *dentry, *parent;
	const unsigned char *name;
	struct vfsmount *within;
	struct mount *mount;

	if (!scratch || !file || !path)
		return;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	within = BPF_CORE_READ(file, f_path.mnt);
	mount = (void *)within - bpf_core_field_offset(struct mount, mnt);
	scratch->bytes[at] = '\0';
	for (int i = 0; i < PATH_DEPTH; i++) {
		parent = BPF_CORE_READ(dentry, d_parent);
		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root) || dentry == parent) {
			struct mount *above = BPF_CORE_READ(mount, mnt_parent);

			if (above == mount || !above)
				break;
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		len = BPF_CORE_READ(dentry, d_name.len);
		name = BPF_CORE_READ(dentry, d_name.name);
		if (len >= at || len >= PROCDB_PATH_LEN - 1)
			break;
		at -= len + 1;
		at &= PROCDB_PATH_LEN - 1;
		len &= PROCDB_PATH_LEN - 1;
		bpf_probe_read_kernel(&scratch->bytes[at + 1], len, name);
		scratch->bytes[at] = '/';
		dentry = parent;
	}
	bpf_probe_read_kernel_str(path, PROCDB_PATH_LEN,
				  &scratch->bytes[at & (PROCDB_PATH_LEN - 1)]);
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
