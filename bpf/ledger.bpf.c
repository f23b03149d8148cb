// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * Remembers which tasks have a slice that the service gave, follows it through forks,
 * and lists them, whatever /proc shows to the service.
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "events.h"
#include "ledger.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define SCHED_FLAG_KEEP_PARAMS 0x10 /* include/uapi/linux/sched.h */

/* Of an ancestor whose slice a task may have: a build has some between make and the compiler. */
#define GENERATIONS 8

__u64 unrecorded; /* children with a slice of ours that got no record: only the mark tells */
/* List also what only looks like ours: for what a service left that was killed. */
bool with_hints;

/*
 * A child inherits the slice, so it is on record from its first moment. Not at sched_process_fork:
 * threads that the kernel makes for a process (of io_uring and vhost, create_io_thread() in
 * kernel/fork.c) come without it, and all come through copy_process().
 */
SEC("tp_btf/task_newtask")
int BPF_PROG(procdb_inherit, struct task_struct *child, u64 clone_flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct procdb_given *given, copy;

	if (!has_custom_slice(child))
		return 0;
	/* The parent may have been given another one since the child was copied. */
	given = given_with(parent, child->se.slice);
	if (!given)
		return 0;
	copy = *given;
	copy.counted = 0;
	/* A better tier is not inherited: threads and children may do something else. */
	if (copy.decision && PROCDB_DECIDED_TIER(copy.decision) != PROCDB_TIER_BATCH)
		copy.decision = 0;
	/* The memory for it may be refused, and on a CPU that is in its storage already it is. */
	if (!bpf_task_storage_get(&procdb_given, child, &copy, BPF_LOCAL_STORAGE_GET_F_CREATE))
		__sync_fetch_and_add(&unrecorded, 1);
	return 0;
}

/*
 * The record that a task would have from its parents, had a service followed forks then: that of
 * the next ancestor that has the same slice from us, or of its process. NULL: there is none.
 */
static __always_inline struct procdb_given *inherited_by(struct task_struct *p)
{
	struct procdb_given *given = given_with(p->group_leader, p->se.slice);
	struct task_struct *ancestor = p;

	for (int i = 0; i < GENERATIONS && !given; i++) {
		ancestor = ancestor->real_parent;
		if (!ancestor)
			break;
		given = given_with(ancestor, p->se.slice);
	}
	return given;
}

SEC("iter/task")
int procdb_list(struct bpf_iter__task *ctx)
{
	struct procdb_given_task found = {};
	struct task_struct *p = ctx->task;
	struct procdb_given *given;

	if (!p || !has_custom_slice(p))
		return 0;
	given = given_of(p);
	if (!given && with_hints)
		given = inherited_by(p);
	if (given)
		found.given = *given;
	else if (with_hints && procdb_slice_is_marked(p->se.slice))
		found.hint = 1;
	else
		return 0;
	found.pid = p->pid;
	found.start_time = p->start_boottime;
	found.pidfs_ino = bpf_core_field_exists(p->thread_pid->ino) ? p->thread_pid->ino : 0;
	found.slice = p->se.slice;
	/* A full buffer makes the kernel call again. */
	bpf_seq_write(ctx->meta->seq, &found, sizeof(found));
	return 0;
}

/* On its way in, before the kernel takes the lock of the task's queue. Its callers were checked. */
SEC("fentry/set_user_nice")
int BPF_PROG(procdb_nice, struct task_struct *p, long nice)
{
	struct procdb_guard *guard = guard_of(p);

	if (guard)
		note_change(guard, (s32)nice, PROCDB_GUARD_NO_SLICE);
	return 0;
}

/* The guard, if another process than the service calls for the task that it is of. */
static __always_inline struct procdb_guard *guard_against_caller(const struct task_struct *p)
{
	struct procdb_guard *guard = guard_of(p);

	return guard && bpf_get_current_pid_tgid() >> 32 != guard->service ? guard : NULL;
}

SEC("fentry/__sched_setscheduler")
int BPF_PROG(procdb_setscheduler, struct task_struct *p)
{
	struct procdb_guard *guard = guard_against_caller(p);

	if (guard)
		__sync_fetch_and_add(&guard->entered, 1);
	return 0;
}

/* Whether the caller may do so is found out within: what was refused is no change. */
SEC("fexit/__sched_setscheduler")
int BPF_PROG(procdb_setscheduler_ends, struct task_struct *p, const struct sched_attr *attr,
	     bool user, bool pi, int ret)
{
	struct procdb_guard *guard = guard_against_caller(p);

	if (!guard)
		return 0;
	if (!ret && !(attr->sched_flags & SCHED_FLAG_KEEP_PARAMS))
		note_change(guard, attr->sched_nice, attr->sched_runtime);
	__sync_fetch_and_add(&guard->left, 1);
	return 0;
}

/*
 * Where functions cannot be traced. sched_setattr() takes a task that runs off its queue and
 * puts it back (kernel/sched/core.c, sched_change_begin()): ours has not written its values
 * yet, and holds the lock under which a task sets its own. One that does not run was seen
 * when it left the CPU.
 */
SEC("tp_btf/sched_update_nr_running_tp")
int BPF_PROG(procdb_queue, struct rq *rq, int change)
{
	const u32 first = 0;
	struct procdb_guard *guard = bpf_map_lookup_elem(&procdb_guards, &first);

	/* At each wake-up and sleep of any task: nearly always there is no guard. */
	if (guard && guard->pid)
		look_for_change(rq->curr);
	return 0;
}
