/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * One task in the eyes of the scheduler: which tier it is in, how long it may
 * run, and where in the queue it stands.
 */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "cgroup-weight.h"
#include "scheduler-stats.h"
#include "scx-kfuncs.h"
#include "task-look.h"

#define MS 1000000ULL

/*
 * A task is watched for 30 s without running (the kernel's maximum) before the
 * kernel throws us out. What keeps every wait far below that: OVERDUE and TURN
 * give each tier a share of each CPU, ROUND_MS makes slices shorter as a queue
 * grows, and CLOCK_SLOWEST makes a queue's clock pass the task that is furthest
 * ahead of it, by LEAD_MS, in 8 s, whatever goes first until then.
 */
#define WATCHDOG_MS 30000
#define ROUND_MS 1000
#define LEAD_MS 400
#define CLOCK_SLOWEST 20 /* real time over virtual time */

/* A tier that has not run on a CPU for this long, though it waits, is overdue ... */
static const u64 OVERDUE[PROCDB_TIERS] = {100 * MS, 40 * MS, 0};
/* ... and goes before the others for so long: at least 1/6 of the CPU. */
static const u64 TURN[PROCDB_TIERS] = {20 * MS, 8 * MS, 0};

static const u64 SLICE_MIN[PROCDB_TIERS] = {2 * MS, 1 * MS, MS / 2};
static const u64 SLICE_MAX[PROCDB_TIERS] = {20 * MS, 8 * MS, 4 * MS};

/* CPU time without a sleep after which a task is batch until it sleeps. */
static const u64 BURST_MIN[PROCDB_TIERS] = {0, 40 * MS, 10 * MS};
#define BURST_MAX (100 * MS)

const volatile __u32 nr_cpus = 1;

struct task_state {
	struct task_stats stats;
	struct procdb_comm comm; /* the name that stats belongs to */
	u64 group;		 /* id of its cgroup, see group_id() */
	u64 run_start;		 /* ns; 0 while not on a CPU */
	u64 queued_at;		 /* ns; 0 while not queued */
	u64 burst;		 /* ns of CPU since its last sleep */
	u32 weight;		 /* counted in its group; 0 while not runnable */
	u32 queue;		 /* the tier that its virtual time belongs to */
	bool demoted;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* Read by the service through the mapped .bss. */
struct procdb_sched_cpu cpus[PROCDB_SCHED_CPUS];
struct procdb_sched_exit ended;

/* The virtual time of each tier's queue. */
static struct tier_clock {
	u64 vtime;
	u64 moved; /* ns: when it last moved of itself */
} clocks[PROCDB_TIERS];

static __always_inline struct task_state *state_of(struct task_struct *p)
{
	return bpf_task_storage_get(&tasks, p, 0, 0);
}

static __always_inline struct procdb_sched_cpu *cpu_of(s32 cpu)
{
	/* The mask is the verifier's proof; the loader refuses machines with more CPUs. */
	return &cpus[(u32)cpu & (PROCDB_SCHED_CPUS - 1)];
}

static __always_inline u32 tier_of(const struct task_state *s)
{
	u32 tier = s->demoted ? PROCDB_TIER_BATCH : s->stats.task.tier;

	return tier < PROCDB_TIERS ? tier : PROCDB_TIER_LAT_CRITICAL;
}

/* A task begins in the tier that is predicted for its name, if there is one. */
static __always_inline bool obey(struct task_state *s, const struct procdb_class *prediction)
{
	struct procdb_task *t = &s->stats.task;

	s->demoted = false;
	s->burst = 0;
	if (prediction) {
		t->tier = procdb_min(prediction->tier, PROCDB_TIER_LAT_CRITICAL);
		t->avg_runtime = prediction->avg_runtime;
		t->runtime_dev = prediction->runtime_dev;
		t->wakeup_freq = prediction->wakeup_freq;
		t->csw_rate = prediction->csw_rate;
	}
	if (s->stats.always_critical)
		t->tier = PROCDB_TIER_LAT_CRITICAL;
	return prediction != NULL;
}

/*
 * Looks whether p goes under another name now, by exec or by prctl, and begins
 * anew if so. At fork a task has its parent's name and prediction; this is what
 * ends that. Compared in each callback, because tracepoints lose events on 7.x
 * while our own programs run, and the callbacks are there anyway.
 */
static __always_inline bool renamed(struct task_struct *p, struct task_state *s)
{
	struct procdb_sched_cpu *c = cpu_of((s32)bpf_get_smp_processor_id());
	struct procdb_comm comm, key;
	const u64 *now = (const u64 *)comm.bytes, *then = (const u64 *)s->comm.bytes;

	if (bpf_probe_read_kernel(&comm, sizeof(comm), p->comm))
		return false;
	if (now[0] == then[0] && now[1] == then[1])
		return false;
	s->comm = comm;
	key_of(p, &key);
	if (obey(s, stats_exec(&s->stats, p, &key, bpf_ktime_get_ns())))
		c->at_rename++;
	else
		c->unknown++;
	return true;
}

/* The weight that p competes with, << WEIGHT_SHIFT. */
static __always_inline u64 weight_of(struct task_struct *p, const struct task_state *s)
{
	return group_effective(s->group, p->scx.weight);
}

/*
 * A little more than the task is expected to need, less as the queue grows. A
 * small weight gets small slices: after a long one it would have to wait for long.
 */
static __always_inline u64 slice_of(struct task_struct *p, const struct task_state *s, u32 tier)
{
	u64 slice = SLICE_MAX[PROCDB_TIER_BATCH];
	u64 queued = (u64)scx_bpf_dsq_nr_queued(tier) + 1, weight = weight_of(p, s);

	if (tier == PROCDB_TIER_LAT_CRITICAL)
		slice = s->stats.task.avg_runtime + (s->stats.task.avg_runtime >> 1);
	else if (tier == PROCDB_TIER_INTERACTIVE)
		slice = s->stats.task.avg_runtime << 1;
	slice = procdb_min(slice, procdb_min(SLICE_MAX[tier], ROUND_MS * MS / queued));
	if (weight < WEIGHT_UNIT << WEIGHT_SHIFT)
		slice = slice * weight / (WEIGHT_UNIT << WEIGHT_SHIFT);
	return slice < SLICE_MIN[tier] ? SLICE_MIN[tier] : slice;
}

/* Virtual time that ns of CPU cost this task: more for a small weight. */
static __always_inline u64 charge(struct task_struct *p, const struct task_state *s, u64 ns)
{
	return ns * ((u64)WEIGHT_UNIT << WEIGHT_SHIFT) / weight_of(p, s);
}

/* The least virtual time in the queue of a tier, of those that may use cpu; else none. */
static __always_inline u64 first_in(u32 tier, s32 cpu, u64 none)
{
	struct bpf_iter_scx_dsq it;
	struct task_struct *p;
	u64 vtime = none;

	if (!bpf_iter_scx_dsq_new(&it, tier, 0))
		for (int i = 0; i < 16 && (p = bpf_iter_scx_dsq_next(&it)); i++)
			if (cpu < 0 || bpf_cpumask_test_cpu((u32)cpu, p->cpus_ptr)) {
				vtime = p->scx.dsq_vtime;
				break;
			}
	bpf_iter_scx_dsq_destroy(&it);
	return vtime;
}

/*
 * A task of this virtual time runs. The clock follows the task that is furthest behind, running or
 * not: else a task that has a CPU for itself would set the clock for tasks that share another CPU.
 */
static __always_inline void clock_follow(u32 tier, u64 vtime)
{
	u64 first = first_in(tier, -1, vtime);

	if ((s64)(first - vtime) < 0)
		vtime = first;
	if ((s64)(vtime - clocks[tier].vtime) > 0)
		clocks[tier].vtime = vtime;
}

/* The clock of a tier, which also moves of itself. */
static __always_inline u64 clock_now(u32 tier, u64 now)
{
	struct tier_clock *clock = &clocks[tier];
	u64 passed = now - clock->moved;

	/* CPUs that do this at once move it twice: no harm. */
	if ((s64)passed > (s64)MS) {
		clock->moved = now;
		clock->vtime += passed / CLOCK_SLOWEST;
	}
	return clock->vtime;
}

/*
 * No further behind the clock of its tier than one slice, nor further ahead than a task may be. A
 * task that slept may save up two slices more: it goes before those that never sleep also where
 * they are so many that the clock has left them all behind.
 */
static __always_inline u64 bounded(u64 vtime, u32 tier, bool woken, u64 clock)
{
	u64 least = clock - SLICE_MAX[tier] * (woken ? 3 : 1), most = clock + LEAD_MS * MS;

	if ((s64)(vtime - least) < 0)
		return least;
	return (s64)(vtime - most) > 0 ? most : vtime;
}

/* The virtual time at which p enters the queue of its tier. */
static __always_inline u64 place(struct task_struct *p, struct task_state *s, u32 tier, bool woken,
				 u64 now)
{
	u64 clock = clock_now(tier, now), vtime = p->scx.dsq_vtime;

	/* The clocks of the tiers are not comparable: start level with the others. */
	if (s->queue != tier) {
		s->queue = tier;
		vtime = clock;
	}
	vtime = bounded(vtime, tier, woken, clock);
	scx_set_vtime(p, vtime);
	return vtime;
}
