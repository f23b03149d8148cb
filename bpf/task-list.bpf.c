// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/* The tasks of the reader's pid namespace, with their slices and programs. */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "identity.bpf.h"
#include "ledger.bpf.h"
#include "task-look.h"

char LICENSE[] SEC("license") = "GPL";

/* The backend's, of which the beginning is the same in all; else one that stays empty. */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_stats);
} tasks SEC(".maps");

/* Too large for the stack; the service reads one list at a time. */
struct procdb_task_row row;

static __always_inline u8 measured_of(struct task_struct *p)
{
	struct task_stats *ts = bpf_task_storage_get(&tasks, p, 0, 0);

	return ts && ts->known && ts->task.tier < PROCDB_TIERS ? (u8)ts->task.tier : PROCDB_TIERS;
}

SEC("iter/task")
int procdb_list_tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *reader = (void *)bpf_get_current_task();
	u32 level = BPF_CORE_READ(reader, thread_pid, level);
	struct task_struct *p = ctx->task;
	struct procdb_given *given;

	if (!p)
		return 0;
	__builtin_memset(&row, 0, sizeof(row));
	row.pid = number_of(BPF_CORE_READ(p, thread_pid), level);
	row.tgid = number_of(BPF_CORE_READ(p, group_leader, thread_pid), level);
	/* It has exited. */
	if (!row.pid || !row.tgid)
		return 0;
	row.uid = BPF_CORE_READ(p, cred, uid.val);
	row.policy = p->policy;
	row.nice = (s32)(u32)p->static_prio - 120;
	row.kind = kind_of(p);
	row.cpu = p->se.sum_exec_runtime;
	row.slice = bpf_core_field_exists(p->se.custom_slice) ? p->se.slice : 0;
	row.measured = measured_of(p);
	row.set_by = !has_custom_slice(p) ? PROCDB_SLICE_OF_KERNEL
		     : given_of(p)	  ? PROCDB_SLICE_OURS
					  : PROCDB_SLICE_OTHERS;
	given = bpf_task_storage_get(&procdb_given, p, 0, 0);
	row.decision = given ? given->decision : 0;
	comm_of(p, &row.comm);
	key_of(p, &row.key);
	path_of(p, row.path);
	unit_of(p, row.unit);
	/* A full buffer makes the kernel call again. */
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}
