/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Asks the service to give a task the slice of its tier. BPF can see a task's
 * slice and not set it. A task that has the right slice costs nothing more
 * than looking.
 */

#include "events.h"
#include "ledger.bpf.h"
#include "task-stats.h"

_Static_assert(PROCDB_TIERS == 3, "the mask in request_slice()");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	/*
	 * For when the service cannot run: 3,000 events, or 350 programs while there are rules. The
	 * service has all of it in its memory, twice.
	 */
	__uint(max_entries, 256 * 1024);
} requests SEC(".maps");

struct procdb_wanted wanted;
__u64 requests_lost; /* the ring buffer was full */

/* The tier that a rule decided for p, which ends when it executes something; else this one. */
static __always_inline u8 decided_or(struct task_struct *p, u8 tier, bool executed)
{
	struct procdb_given *given = bpf_task_storage_get(&procdb_given, p, 0, 0);

	if (!given || !given->decision)
		return tier;
	if (!executed)
		return PROCDB_DECIDED_TIER(given->decision);
	given->decision = 0;
	return tier;
}

/*
 * Whether another program has made the task one that is left alone, so that our slice is to go. The
 * kernel takes none back from real-time and idle tasks.
 */
static __always_inline bool is_to_be_left_alone(const struct task_struct *p,
						const struct procdb_given *given)
{
	return p->policy == SCHED_BATCH ||
	       (p->policy == SCHED_NORMAL &&
		p->static_prio - 120 != (given->nice_given ? given->nice : 0));
}

/* Whether the slice of p is the one that this tier should have. */
static __always_inline bool slice_fits(struct task_struct *p, u8 tier, u64 runtime)
{
	struct procdb_given *given = given_of(p);
	bool custom = p->se.custom_slice, ours = given != NULL;
	u64 want;

	if (given && is_to_be_left_alone(p, given))
		return false;
	note_base_slice(p);
	/* A mask is a bound that the verifier believes. */
	want = procdb_slice_for(tier, wanted.slice[tier & 3], runtime, base_slice);
	if (!want)
		/* Not ours to put back. */
		return !ours;
	if (tier == PROCDB_TIER_LAT_CRITICAL)
		return ours && procdb_slice_is_near(p->se.slice, want);
	return custom && p->se.slice == want;
}

static __always_inline void describe_event(struct procdb_task_event *event, struct task_struct *p,
					   u8 tier, u64 runtime, u8 reason)
{
	event->when = bpf_ktime_get_ns();
	event->start_time = p->start_boottime;
	event->pidfs_ino = bpf_core_field_exists(p->thread_pid->ino) ? p->thread_pid->ino : 0;
	event->slice = p->se.slice;
	event->runtime = runtime;
	event->base = base_slice;
	__builtin_memcpy(event->comm.bytes, p->comm, sizeof(event->comm.bytes));
	event->pid = p->pid;
	event->tier = tier;
	event->reason = reason;
	event->custom_slice = p->se.custom_slice;
	event->decision = 0;
}

/* Only the first one after the service went to sleep wakes it: no storm. */
static __always_inline u64 wake_up(void)
{
	return wanted.armed && __sync_lock_test_and_set(&wanted.armed, 0) ? BPF_RB_FORCE_WAKEUP
									  : BPF_RB_NO_WAKEUP;
}

/*
 * tier: what the task should be treated as, or PROCDB_TIERS when that is not
 * known; runtime: of its average run in ns, 0 when that is not known.
 */
static __always_inline void request_slice(struct task_struct *p, u8 tier, u64 runtime, u8 reason)
{
	struct procdb_task_event *event;

	if (wanted.decided)
		tier = decided_or(p, tier, reason == PROCDB_TASK_EXECUTED);
	if (!wanted.on || p->flags & PF_KTHREAD || !bpf_core_field_exists(p->se.custom_slice))
		return;
	if (slice_fits(p, tier, runtime))
		return;
	event = bpf_ringbuf_reserve(&requests, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&requests_lost, 1);
		return;
	}
	describe_event(event, p, tier, runtime, reason);
	bpf_ringbuf_submit(event, wake_up());
}

/* Copies the arguments of the current task, which it may have changed; 0: they are not there. */
static __always_inline u32 args_of(struct task_struct *p, char *args)
{
	u64 begin = BPF_CORE_READ(p, mm, arg_start), end = BPF_CORE_READ(p, mm, arg_end);
	u64 len = procdb_elapsed(begin, end);

	if (len > PROCDB_ARGS_LEN - 1)
		len = PROCDB_ARGS_LEN - 1;
	/* clang would move the bound behind a copy; the verifier believes a mask. */
	asm volatile("" : "+r"(len));
	len &= PROCDB_ARGS_LEN - 1;
	return bpf_probe_read_user(args, (u32)len, (void *)begin) ? 0 : (u32)len;
}

/*
 * While there are rules, in place of request_slice(): the service has to look at what p executed,
 * whatever its slice is. What was decided for what it executed before is over.
 */
static __noinline void tell_execution(struct task_struct *p, u64 tier, u64 runtime, u64 reason)
{
	struct procdb_execution *told;

	if (reason == PROCDB_TASK_EXECUTED)
		(void)decided_or(p, 0, true);
	if (!wanted.on || p->flags & PF_KTHREAD || !bpf_core_field_exists(p->se.custom_slice))
		return;
	told = bpf_ringbuf_reserve(&requests, sizeof(*told), 0);
	if (!told) {
		__sync_fetch_and_add(&requests_lost, 1);
		return;
	}
	note_base_slice(p);
	told->pad = 0;
	describe_event(&told->event, p, (u8)tier, runtime, (u8)reason);
	told->path[0] = '\0';
	told->unit[0] = '\0';
	path_of(p, told->path);
	unit_of(p, told->unit);
	/* Only of the current task can they be read without waiting for anything. */
	told->args_len = reason == PROCDB_TASK_EXECUTED ? args_of(p, told->args) : 0;
	bpf_ringbuf_submit(told, wake_up());
}

/* Whether we gave a task a slice other than that of batch. */
static __always_inline bool has_better_slice(struct task_struct *p)
{
	return wanted.on && given_of(p) && p->se.slice != wanted.slice[PROCDB_TIER_BATCH];
}
