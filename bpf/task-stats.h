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
	u64 looked_run;			 /* ns on a CPU in its life, at the last look */
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
	bool ask;	/* its present name is another one than at the last look, and predicts */
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

/* Notes the kernel's own slice, where p has it. */
static __always_inline void note_base_slice(struct task_struct *p)
{
	if (bpf_core_field_exists(p->se.custom_slice) && !p->se.custom_slice && p->se.slice)
		base_slice = p->se.slice;
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
	ts->look_at = 0;
	ts->change_at = 0;
	ts->looked_run = 0;
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
	u32 uid = p->cred->uid.val;

	/* Kernel threads are root's, root in a user namespace is a user. */
	seen->pad[PROCDB_PAD_TEACHERS] = uid == 0 ? PROCDB_TAUGHT_BY_ROOT : PROCDB_TAUGHT_BY_USERS;
	__builtin_memcpy(&seen->pad[PROCDB_PAD_UID], &uid, sizeof(uid));
	/*
	 * Counted after the update: a reader that sees the count finds the entry. One that is there
	 * is replaced, for readers take it whole.
	 */
	if (!bpf_map_lookup_elem(&task_class_observe, &comm) &&
	    !bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_NOEXIST))
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
	if (tier > observing.max_user_tier && was == observing.max_user_tier && p->cred->uid.val)
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

/* The tier, within bounds that no measurement may leave. */
static __always_inline u32 bounded_tier(const struct task_stats *ts, const struct task_struct *p,
					u32 tier)
{
	if (ts->always_critical)
		return PROCDB_TIER_LAT_CRITICAL;
	return tier == PROCDB_TIER_BATCH && p->flags & PF_WQ_WORKER ? PROCDB_TIER_INTERACTIVE
								    : tier;
}

/*
 * The tier that p speaks for as a life of its name. What is predicted of a name is given at
 * exec and inherited by threads: a main thread that sleeps while they burn CPUs (javac,
 * bundlers) has no word for them.
 */
static __always_inline u32 vote_of(const struct task_stats *ts, struct task_struct *p, u32 tier)
{
	struct pool *pool;

	if (tier != PROCDB_TIER_LAT_CRITICAL || p->pid != p->tgid || ts->always_critical)
		return tier;
	/* It outlives the threads. */
	pool = bpf_task_storage_get(&pools, p, 0, 0);
	return pool && pool->most >= PROCDB_HOST_DEMAND ? PROCDB_TIER_INTERACTIVE : tier;
}

/* Publishes what a task did in its life until now. */
static __always_inline void publish_share(struct task_stats *ts, struct task_struct *p, u64 now,
					  u64 run, u8 tier, bool brief)
{
	struct procdb_class seen = {.tier = tier, .pad = {[PROCDB_PAD_BRIEF] = brief}};

	if (is_nameless(p)) {
		if (brief)
			return;
		crew_learn(p, &ts->key, tier, procdb_elapsed(ts->told_run, run));
		ts->told_run = run;
		return;
	}
	procdb_share_class(&ts->share, procdb_elapsed(ts->life.start, now), &seen);
	ts->task.runtime_dev = seen.runtime_dev;
	ts->task.wakeup_freq = seen.wakeup_freq;
	ts->task.csw_rate = seen.csw_rate;
	publish(ts, p, &seen);
}

/*
 * A thread, or a child that executed nothing, works on and on: it is batch if its name says
 * so, until it is measured. A better tier is not inherited with a name. Whether it is.
 */
static __always_inline bool adopt(struct task_stats *ts, struct task_struct *p)
{
	struct procdb_class *prediction;
	struct procdb_comm comm;

	ts->looked_up = true;
	if (is_nameless(p)) {
		if (!crew_is_batch(p, &ts->key))
			return false;
		ts->task.tier = PROCDB_TIER_BATCH;
		/* As long as it takes: bursts are not known. */
		ts->task.avg_runtime = PROCDB_SHARE_BURST_MAX;
		return true;
	}
	comm_of(p, &ts->name);
	prediction = prediction_of(p, &ts->key, &comm);
	if (!prediction || prediction->tier != PROCDB_TIER_BATCH)
		return false;
	take_prediction(ts, prediction, &comm);
	ts->task.avg_runtime = prediction->avg_runtime;
	return true;
}

/*
 * A process that gave itself another name, as wine's loader does and servers do, is looked
 * up again, once a second at most: what it was predicted as it is no more. That a process is
 * in a tier already, by its own measure or by an administrator's word, counts more than what
 * is learned of its new name. Threads take names for other reasons: adopt(). Sets ts->ask if
 * it begins as something else now; what is replaced was in force for a moment, and is not
 * judged. A function of its own, and no result in a register: the verifier would follow all
 * that comes after once for each way through it.
 */
static __noinline void look_for_name(struct task_stats *ts, struct task_struct *p, u64 now,
				     bool dead)
{
	struct procdb_class *prediction;
	struct procdb_comm comm;
	const u64 *is = (const u64 *)comm.bytes, *was = (const u64 *)ts->name.bytes;

	/* In an exec it has the new name already, and is looked up when that has been done. */
	if (p->pid != p->tgid || now < ts->rename_at || is_executing(p))
		return;
	comm_of(p, &comm);
	if (is[0] == was[0] && is[1] == was[1])
		return;
	ts->name = comm;
	ts->rename_at = now + RENAME_NS;
	ts->always_critical = bpf_map_lookup_elem(&compositors, &ts->name) != NULL;
	if (dead)
		return;
	prediction = prediction_of(p, &ts->key, &comm);
	count_look_up(&comm, prediction != NULL);
	ts->looked_up = true;
	if (!prediction || ((ts->known || ts->decided) && !prediction->pad[PROCDB_PAD_DECIDED]))
		return;
	take_prediction(ts, prediction, &comm);
	ts->task.avg_runtime = prediction->avg_runtime;
	ts->ask = true;
}

/*
 * By share: the work of a stop that is due a few times a second and at a task's death. TRUE when
 * the task may need another slice.
 */
static __noinline bool stats_look(struct task_stats *ts, struct task_struct *p, u64 now, bool dead)
{
	struct procdb_use recent = procdb_share_recent(&ts->share);
	struct procdb_use life = procdb_share_life(&ts->share);
	bool ask = false, old = now >= ts->life.start + JUDGE_NS;
	/*
	 * Whether a process waited for a thread that worked for a moment only is not known: no
	 * vote.
	 */
	bool brief =
	    procdb_use_is_brief(&life) || (p->pid != p->tgid && life.span < PROCDB_SHARE_KNOWN_NS);
	u32 rhythm =
	    procdb_share_rhythm(&ts->share, &recent, ts->known ? ts->task.tier : PROCDB_TIERS);
	struct pool *pool = pool_of(p, procdb_elapsed(ts->looked_run, life.run), now);
	bool begins = life.span < PROCDB_SHARE_BURNS_NS;
	u32 hints, tier, whole;

	note_base_slice(p);
	ts->look_at = now + LOOK_NS;
	ts->looked_run = life.run;
	count_use(&ts->counted, &life, p, &ts->key, procdb_elapsed(ts->life.start, now));
	ts->ask = false;
	look_for_name(ts, p, now, dead);
	ask = ts->ask;
	/*
	 * A task that has hardly begun may sleep because its work has not come yet, as a thread of
	 * a pool does: it gets no better tier until it was measured for a while.
	 */
	if (begins && ts->task.tier != PROCDB_TIER_LAT_CRITICAL)
		rhythm &= ~(u32)PROCDB_HINT_LIGHT;
	hints = rhythm | demand_hints(pool ? pool->most : 0, PROCDB_TIERS);
	whole = bounded_tier(ts, p, procdb_life_tier(&life, hints, base_slice));
	whole = vote_of(ts, p, whole);
	if ((dead || old) && !brief)
		judge(ts, p, (u8)whole);
	if (dead) {
		if (observing.from_exit && life.run >= observing.exit_min_ns &&
		    (!ts->matured || (observing.renew_ns && now - ts->published >= SAME_NS)))
			publish_share(ts, p, now, life.run, (u8)whole, brief);
		return false;
	}
	if (life.span < PROCDB_SHARE_KNOWN_NS) {
		/* No sooner can it be known. */
		ts->look_at = now + (ts->looked_up ? PROCDB_SHARE_KNOWN_NS - life.span : ADOPT_NS);
		if (!ts->looked_up && life.run >= (p->pid == p->tgid ? ADOPT_NS : ADOPT_THREAD_NS))
			ts->ask = adopt(ts, p);
		return ts->ask;
	}
	hints = rhythm | demand_hints(pool ? pool->demand : 0, ts->task.tier);
	tier = bounded_tier(
	    ts, p,
	    procdb_use_tier(&recent, ts->known && !ts->decided ? ts->task.tier : PROCDB_TIERS,
			    hints, base_slice));
	/*
	 * A program that starts works for a while, whatever it is: a person waits for an editor.
	 * A thread of one that has begun long ago is not its start.
	 */
	if (begins && tier != ts->task.tier && !ts->always_critical &&
	    (tier == PROCDB_TIER_LAT_CRITICAL || p->pid == p->tgid || !pool ||
	     procdb_elapsed(pool->begun, now) < PROCDB_SHARE_BURNS_NS))
		tier = PROCDB_TIER_INTERACTIVE;
	ts->task.avg_runtime = procdb_use_burst(&recent);
	if (ts->decided)
		ts->known = true;
	else if (!ts->known || (tier != ts->task.tier && now >= ts->change_at)) {
		ts->change_at = now + CHANGE_NS;
		ts->task.tier = tier;
		ts->known = true;
		ask = true;
	}
	/* Its treatment at its beginning says nothing of it. */
	if (now < ts->publish_at || (begins && ts->matured))
		return ask;
	/* Again and again what it is now; the first time what it has been. */
	if (ts->matured || observing.from_maturity)
		publish_share(ts, p, now, life.run,
			      (u8)(ts->matured ? vote_of(ts, p, tier) : whole), false);
	ts->matured = true;
	ts->published = now;
	/* At 1, 2, 4 and 8 s of its life: few lives are enough to know a name. Then renewed. */
	ts->publish_at = observing.renew_ns ? now + procdb_min(observing.renew_ns,
							       procdb_elapsed(ts->life.start, now))
					    : NEVER;
	return true;
}

/*
 * A task stopped running at now, after run ns; asleep: it waits for something; dead: for
 * good. TRUE when it is known what it is and its treatment has to be looked at: its
 * averages were published, or, by share, its tier changed.
 */
static __always_inline bool stats_stop(struct task_stats *ts, struct task_struct *p, u64 run,
				       u64 now, bool asleep, bool dead)
{
	if (!observing.reference_rule) {
		procdb_share_stop(&ts->share, run, now, asleep);
		if (now < ts->look_at && !dead)
			return false;
		/* Here, where Linux 6.1 still has stack for it. */
		key_of(p, &ts->key);
		return stats_look(ts, p, now, dead);
	}
	procdb_task_stop(&ts->task, run);
	if (!ts->matured)
		procdb_life_run(&ts->life, run);
	if (ts->task.age >= PROCDB_AGE_MATURE && now >= ts->publish_at) {
		key_of(p, &ts->key);
		publish_task(ts, p, now);
		return true;
	}
	if (!ts->matured && dead) {
		key_of(p, &ts->key);
		publish_life(ts, p, now);
	}
	return false;
}

/* A task woke up. */
static __always_inline void stats_wakeup(struct task_stats *ts, struct task_struct *p, u64 now)
{
	if (!observing.reference_rule)
		procdb_share_wakeup(&ts->share, now);
	else
		procdb_task_wakeup(&ts->task, now, p->nvcsw, p->flags & PF_WQ_WORKER,
				   ts->always_critical);
}
