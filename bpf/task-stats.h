/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What the observer and the scheduler share: the maps of the ABI and those
 * beside them, what is known of one task, and when it is published. Each object
 * that includes this has its own copies of the maps; the pinned ones are handed
 * from one to the other.
 */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "classify.h"
#include "observing.h"
#include "predictions.bpf.h"
#include "programs.bpf.h"
#include "scores.bpf.h"
#include "share.h"
#include "threads.h"

/* Set before the programs are loaded. */
const volatile struct procdb_observing observing = PROCDB_OBSERVING_DEFAULTS;

#define NEVER (~0ULL)
#define NOT_PREDICTED PROCDB_TIERS

/* By share, the tier of a task is looked at no more often than this, ns: four times a second ... */
#define LOOK_NS (1ULL << 28)
/* ... and changed no more often than this, for no treatment may flap. */
#define CHANGE_NS 1000000000ULL
/* A prediction is judged by what the task did until then, ns, if it lives so long. */
#define JUDGE_NS 10000000000ULL
/* A life that ended says nothing anew if it was published later than this before, ns: 0.5 s. */
#define SAME_NS (1ULL << 29)
/* A task that goes by another name is looked up again no more often than this, ns. */
#define RENAME_NS 1000000000ULL
/* CPU time after which a task that executed nothing is looked up by its name, ns: 1 ms;
 * for a thread 34 ms, as long as one works that a person waits for. */
#define ADOPT_NS (1ULL << 20)
#define ADOPT_THREAD_NS PROCDB_SHARE_BRIEF_NS

struct task_stats {
	struct procdb_task task;
	struct procdb_life life; /* until the averages mature; by share only its start */
	struct procdb_share share;
	u64 publish_at;			 /* ns: not published before that */
	u64 published;			 /* ns: when it was, by share */
	u64 look_at;			 /* ns: by share, its tier is not looked at before that */
	u64 change_at;			 /* ns: nor changed before that */
	u64 looked_delay;		 /* ns that it waited for a CPU, at the last look */
	u64 told_run;			 /* ... when its crew learned of it */
	struct program_use counted;	 /* in its life, at the last look */
	u64 rename_at;			 /* ns: another name of it is not looked at before that */
	struct procdb_comm key;		 /* that its name is learned under, at the last look */
	struct procdb_comm name;	 /* that it was last looked up under */
	struct procdb_comm predicted_as; /* that its prediction was found under */
	bool matured;			 /* published since its exec */
	u8 predicted; /* enum procdb_tier that was found for it, or NOT_PREDICTED */
	bool always_critical;
	bool known;	/* by share, its tier is its own, not a guess */
	bool decided;	/* by share, its tier is an administrator's word */
	bool looked_up; /* a prediction was looked for under its present name */
	u8 delay_mask;	/* which of its wake-ups are counted: procdb_delay_mask() */
	bool ask : 1;	/* its present name is another one than at the last look, and predicts */
	/* By share: it was measured as latency critical in its life; ... */
	bool was_critical : 1;
	bool guest : 1;	  /* ... ran a virtual machine; */
	bool yields : 1;  /* ... gave its slice away again and again; */
	bool starved : 1; /* ... waited for a CPU for longer than it ran, up to the last look. */
};

/* Larger than the 512 of the reference: an LRU hash loses entries from three quarters on. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_class);
} task_class_observe SEC(".maps");

/* Names that are always latency critical; the service fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct procdb_comm);
	__type(value, u8);
} compositors SEC(".maps");

/* Read by the service through the mapped .bss. */
__u64 observed;	   /* entries added to the observe map */
__u64 overwritten; /* entries replaced before they were drained */
__u64 failed;	   /* updates that the map refused */
/* The kernel's own slice, ns: what a task has that no program gave another one. */
__u64 base_slice = 1ULL << 20;

#define SCHED_NORMAL 0 /* include/uapi/linux/sched.h */
#define SCHED_BATCH 3
#define SCHED_IDLE 5

/*
 * Notes the kernel's own slice, where p has it. What migrates tasks has that of a time when the
 * machine had one CPU, for it became a real-time task then.
 */
static __always_inline void note_base_slice(struct task_struct *p)
{
	if (p->policy == SCHED_NORMAL && bpf_core_field_exists(p->se.custom_slice) &&
	    !p->se.custom_slice && p->se.slice)
		base_slice = p->se.slice;
}

/* How long p has waited in queues that it left, in its life (struct sched_info). */
static __always_inline u64 waited(const struct task_struct *p)
{
	return bpf_core_field_exists(p->sched_info.run_delay) ? p->sched_info.run_delay : 0;
}

/*
 * A task about which nothing is known yet begins now under its present name.
 * All times that are passed for one task are of one clock.
 */
static __always_inline void stats_begin(struct task_stats *ts, struct task_struct *p, u64 now)
{
	comm_of(p, &ts->name);
	procdb_task_reset(&ts->task);
	procdb_life_begin(&ts->life, now, p->nvcsw);
	/*
	 * While its death can still tell all of a short life, the first eighth
	 * wake-up does not speak for it: compilers that get that far by then are
	 * those that wait for the disk.
	 */
	ts->publish_at = observing.from_exit ? ts->life.start + PROCDB_LIFE_WINDOW_NS : 0;
	procdb_share_begin(&ts->share);
	/* No sooner is there anything to see: what ends before is not looked at until then. */
	ts->look_at = now + ADOPT_NS;
	ts->change_at = 0;
	ts->looked_delay = waited(p);
	ts->was_critical = false;
	ts->yields = false;
	ts->guest = false;
	ts->delay_mask = 0;
	ts->told_run = 0;
	ts->counted = (struct program_use){.switches = p->nvcsw};
	ts->rename_at = 0;
	ts->published = 0;
	ts->known = false;
	ts->decided = false;
	ts->looked_up = false;
	ts->matured = false;
	ts->predicted = NOT_PREDICTED;
	ts->always_critical = bpf_map_lookup_elem(&compositors, &ts->name) != NULL;
}

/* A task begins as what is predicted for its name, or for this one in its place, if anything is. */
static __always_inline void take_prediction(struct task_stats *ts,
					    const struct procdb_class *prediction,
					    const struct procdb_comm *name)
{
	ts->looked_up = true;
	if (!prediction)
		return;
	ts->predicted_as = *name;
	ts->predicted =
	    prediction->tier < PROCDB_TIERS ? prediction->tier : PROCDB_TIER_LAT_CRITICAL;
	if (observing.reference_rule)
		return;
	ts->task.tier = ts->predicted;
	ts->task.avg_runtime = prediction->avg_runtime;
	ts->decided = prediction->pad[PROCDB_PAD_DECIDED];
}

/*
 * The same for one that has become another program: it is looked up and scored.
 * key: of its name; the prediction of it, or NULL.
 */
static __always_inline struct procdb_class *stats_exec(struct task_stats *ts, struct task_struct *p,
						       const struct procdb_comm *key, u64 now)
{
	struct procdb_class *prediction;
	struct procdb_comm comm;

	prediction = prediction_of(p, key, &comm);
	count_look_up(&comm, prediction != NULL);
	if (!ts)
		return prediction;
	stats_begin(ts, p, now);
	take_prediction(ts, prediction, &comm);
	return prediction;
}

static __always_inline void publish(const struct task_stats *ts, struct task_struct *p,
				    struct procdb_class *seen)
{
	struct procdb_comm comm = ts->key;
	u32 uid = uid_of(p);
	const struct procdb_class *there = bpf_map_lookup_elem(&task_class_observe, &comm);

	/* Kernel threads are root's, root in a user namespace is a user. */
	seen->pad[PROCDB_PAD_TEACHERS] = uid == 0 ? PROCDB_TAUGHT_BY_ROOT : PROCDB_TAUGHT_BY_USERS;
	__builtin_memcpy(&seen->pad[PROCDB_PAD_UID], &uid, sizeof(uid));
	/* Of a second's lives the one that says something is told, not the last. */
	if (there && seen->pad[PROCDB_PAD_BRIEF] && !there->pad[PROCDB_PAD_BRIEF]) {
		__sync_fetch_and_add(&overwritten, 1);
		return;
	}
	/*
	 * Counted after the update: a reader that sees the count finds the entry. One that is there
	 * is replaced, for readers take it whole.
	 */
	if (!there && !bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_NOEXIST))
		__sync_fetch_and_add(&observed, 1);
	else if (!bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_ANY))
		__sync_fetch_and_add(&overwritten, 1);
	else
		__sync_fetch_and_add(&failed, 1);
}

/*
 * The tier of a predicted task is known: once for each prediction, which counts for the
 * name that it was found under, whatever the task is called by now. A prediction that
 * says what this task could teach is right, even if the task is better.
 */
static __always_inline void judge(struct task_stats *ts, struct task_struct *p, u64 tier)
{
	struct procdb_score *score;
	u64 was = ts->predicted;

	if (was == NOT_PREDICTED)
		return;
	if (tier > observing.max_user_tier && was == observing.max_user_tier && uid_of(p))
		tier = observing.max_user_tier;
	score = score_of(&ts->predicted_as);
	if (score) {
		__sync_fetch_and_add(was == tier ? &score->right : &score->wrong, 1);
		asm volatile("" : "+r"(was), "+r"(tier)); /* else clang 19 checks another copy */
		if (was < PROCDB_TIERS && tier < PROCDB_TIERS)
			__sync_fetch_and_add(&score->outcomes[was][tier], 1);
	}
	ts->predicted = NOT_PREDICTED;
}

/* Rare: the averages have matured, or it is time to publish them again. */
static __noinline void publish_task(struct task_stats *ts, struct task_struct *p, u64 now)
{
	struct procdb_class seen = {
	    .tier = (u8)ts->task.tier,
	    .avg_runtime = ts->task.avg_runtime,
	    .runtime_dev = ts->task.runtime_dev,
	    .wakeup_freq = ts->task.wakeup_freq,
	    .csw_rate = ts->task.csw_rate,
	};

	if (ts->matured || observing.from_maturity)
		publish(ts, p, &seen);
	ts->matured = true;
	ts->publish_at = observing.renew_ns ? now + observing.renew_ns : NEVER;
	judge(ts, p, seen.tier);
}

/* A task that did not live to mature. */
static __noinline void publish_life(struct task_stats *ts, struct task_struct *p, u64 now)
{
	struct procdb_class seen = {};

	if (!observing.from_exit ||
	    (ts->life.cpu < observing.exit_min_ns && ts->task.age < PROCDB_AGE_MATURE))
		return;
	procdb_life_class(&ts->life, now, p->nvcsw, p->flags & PF_WQ_WORKER, ts->always_critical,
			  &seen);
	publish(ts, p, &seen);
	judge(ts, p, seen.tier);
}
