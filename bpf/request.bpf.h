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
	__uint(max_entries, 128 * 1024); /* 2,000 events, for when the service cannot run */
} requests SEC(".maps");

struct procdb_wanted wanted;
__u64 requests_lost; /* the ring buffer was full */

/*
 * tier: what the task should be treated as, or PROCDB_TIERS when that is not
 * known; runtime: of its average run in ns, 0 when that is not known.
 */
static __always_inline void request_slice(struct task_struct *p, u8 tier, u64 runtime, u8 reason)
{
	struct procdb_task_event *event;
	bool custom, ours, fits;
	u64 want;

	if (!wanted.on || p->flags & PF_KTHREAD || !bpf_core_field_exists(p->se.custom_slice))
		return;
	custom = p->se.custom_slice;
	ours = given_of(p) != NULL;
	if (!custom && p->se.slice)
		base_slice = p->se.slice;
	/* A mask is a bound that the verifier believes. */
	want = procdb_slice_for(tier, wanted.slice[tier & 3], runtime, base_slice);
	if (!want)
		/* Not ours to put back. */
		fits = !ours;
	else if (tier == PROCDB_TIER_LAT_CRITICAL)
		fits = ours && procdb_slice_is_near(p->se.slice, want);
	else
		fits = custom && p->se.slice == want;
	if (fits)
		return;

	event = bpf_ringbuf_reserve(&requests, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&requests_lost, 1);
		return;
	}
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
	event->custom_slice = custom;
	event->pad = 0;
	/* Only the first one after the service went to sleep wakes it: no storm. */
	bpf_ringbuf_submit(event, wanted.armed && __sync_lock_test_and_set(&wanted.armed, 0)
				      ? BPF_RB_FORCE_WAKEUP
				      : BPF_RB_NO_WAKEUP);
}

/* Whether we gave a task a slice other than that of batch. */
static __always_inline bool has_better_slice(struct task_struct *p)
{
	return wanted.on && given_of(p) && p->se.slice != wanted.slice[PROCDB_TIER_BATCH];
}
