/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The map of what was given; each object that includes this is handed the ledger's. */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "ledger.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct procdb_given);
} procdb_given SEC(".maps");

static __always_inline bool has_custom_slice(const struct task_struct *p)
{
	return bpf_core_field_exists(p->se.custom_slice) && p->se.custom_slice;
}

/* The record of p, if this slice is of it; else NULL. */
static __always_inline struct procdb_given *given_with(struct task_struct *p, u64 slice)
{
	struct procdb_given *given = bpf_task_storage_get(&procdb_given, p, 0, 0);

	return given && procdb_given_is(given, slice) ? given : NULL;
}

/* The record of p, if it has the slice that we gave; else NULL. */
static __always_inline struct procdb_given *given_of(struct task_struct *p)
{
	return has_custom_slice(p) ? given_with(p, p->se.slice) : NULL;
}

/* One, mapped by the service. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, u32);
	__type(value, struct procdb_guard);
} procdb_guards SEC(".maps");

static __always_inline struct procdb_guard *guard_here(void)
{
	const u32 first = 0;

	return bpf_map_lookup_elem(&procdb_guards, &first);
}

/* The guard if it is of p, else NULL. */
static __always_inline struct procdb_guard *guard_of(const struct task_struct *p)
{
	struct procdb_guard *guard = guard_here();

	return guard && guard->pid && guard->pid == (u32)p->pid ? guard : NULL;
}

/* Whether p is of the service. */
static __always_inline bool is_service(const struct task_struct *p)
{
	const struct procdb_guard *guard = guard_here();

	return guard && guard->service == (u32)p->tgid;
}

static __always_inline void note_change(struct procdb_guard *guard, s32 nice, u64 slice)
{
	guard->nice = nice;
	/* A nice value takes nothing back of a slice that was set just before it. */
	if (slice != PROCDB_GUARD_NO_SLICE || guard->changes == 0)
		guard->others = slice;
	__sync_fetch_and_add(&guard->changes, 1);
}

/* Looks whether another program has changed a task that the service is about to set. */
static __always_inline void look_for_change(const struct task_struct *p)
{
	struct procdb_guard *guard = guard_of(p);
	u32 prio;

	if (!guard || !guard->expected)
		return;
	prio = (u32)p->static_prio;
	if (has_custom_slice(p) && p->se.slice != guard->slice[0] && p->se.slice != guard->slice[1])
		note_change(guard, (s32)prio - 120, p->se.slice);
	else if (prio != guard->expected && prio != guard->set)
		note_change(guard, (s32)prio - 120, PROCDB_GUARD_NO_SLICE);
}
