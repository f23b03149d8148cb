/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Counts how long tasks wait for a CPU. No other program runs on a CPU that switches: no atomics.
 */

#include "delays.h"
#include "ledger.bpf.h"
#include "task-stats.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct procdb_delays);
} delays SEC(".maps");

static __always_inline struct procdb_delays *delays_here(void)
{
	const u32 first = 0;

	return bpf_map_lookup_elem(&delays, &first);
}

/*
 * p, which is treated as tier, gets a CPU ns after it was woken up, as it does on weight occasions.
 * Tasks that no slice is ever given to, kernel threads and those of another policy, would only
 * blur the comparison. The service itself is woken up by what it gives slices to: hundreds of short
 * waits a second that would be there only while slices are given.
 * own: the histogram of p itself, whose name has it with the next look (count_use()). It is p's
 * alone, and p runs on one CPU.
 */
static __always_inline void delays_count(const struct task_struct *p, u32 tier, u64 ns, u32 weight,
					 u16 *own)
{
	u32 side = has_custom_slice(p), bucket = procdb_delay_bucket(ns);
	u32 at = (tier * PROCDB_DELAY_SIDES + side) * PROCDB_DELAY_BUCKETS + bucket;
	struct procdb_delays *here;
	u32 cell;

	if (p->flags & PF_KTHREAD || p->policy != SCHED_NORMAL || is_service(p))
		return;
	cell = side * PROCDB_WAIT_OCTAVES + procdb_wait_octave(bucket);
	/* A mask is a bound that the verifier believes; clang 19 knows it, and leaves it out. */
	asm volatile("" : "+r"(cell));
	own += cell & 31;
	if (*own <= 0xffff - PROCDB_DELAY_OF)
		*own += (u16)weight;
	here = delays_here();
	/* For the verifier. */
	if (here && at < sizeof(here->waits) / sizeof(u64))
		((u64 *)here->waits)[at] += weight;
}

/* A batch task begins to run, or ends its run of ns: also what one alone on a CPU gets counts. */
static __always_inline void delays_batch_begins(u64 now)
{
	struct procdb_delays *here = delays_here();

	if (here)
		here->batch_since = now;
}

static __always_inline void delays_batch_ends(u64 ns)
{
	struct procdb_delays *here = delays_here();

	if (!here)
		return;
	here->batch_run += ns;
	here->batch_since = 0;
}
