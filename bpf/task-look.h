/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What becomes of a task's measurements: by share, a look at it a few times a second and at its
 * death decides its tier, and tells the service.
 */

#include "task-stats.h"

/*
 * Whether p runs a virtual machine: KVM asks to be told when its thread is preempted (kvm_main.c,
 * vcpu_load()). What that burns is the guest's, in which a person may type.
 */
static __always_inline bool runs_guest(const struct task_struct *p)
{
	return bpf_core_field_exists(p->preempt_notifiers) && p->preempt_notifiers.first;
}

/* The tier, within bounds that no measurement may leave. */
static __always_inline u32 bounded_tier(const struct task_stats *ts, const struct task_struct *p,
					u32 tier)
{
	if (ts->always_critical)
		return PROCDB_TIER_LAT_CRITICAL;
	if (tier == PROCDB_TIER_BATCH && (p->flags & PF_WQ_WORKER || ts->guest || ts->yields))
		return PROCDB_TIER_INTERACTIVE;
	return tier;
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
	struct pool *pool = pool_of(p, procdb_elapsed(ts->counted.cpu, life.run), now);
	bool begins = life.span < PROCDB_SHARE_BURNS_NS;
	u32 hints, tier, whole;

	note_base_slice(p);
	ts->look_at = now + LOOK_NS;
	ts->delay_mask = procdb_delay_mask(recent.wakeups, recent.span);
	/* Only within a call to KVM: seen once it is so for its life. */
	if (runs_guest(p))
		ts->guest = true;
	/* In the state, for the stack has no room on the way from sched_ext. */
	ts->starved =
	    procdb_elapsed(ts->looked_delay, waited(p)) > procdb_elapsed(ts->counted.cpu, life.run);
	ts->looked_delay = waited(p);
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
	/*
	 * What keeps to a schedule, as a game that makes up for late frames, does not sleep while
	 * it is late: that it gets too little of a CPU does not make it a burner.
	 */
	if (tier == PROCDB_TIER_BATCH && ts->task.tier != PROCDB_TIER_BATCH && ts->was_critical &&
	    ts->starved)
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
	if (ts->known && ts->task.tier == PROCDB_TIER_LAT_CRITICAL)
		ts->was_critical = true;
	/* Its treatment at its beginning says nothing of it. */
	if (now < ts->publish_at || (begins && ts->matured))
		return ask;
	/* Again and again what it is now; the first time what it has been. */
	if (ts->matured || observing.from_maturity)
		publish_share(ts, p, now, life.run,
			      (u8)(ts->matured ? vote_of(ts, p, tier) : whole), false);
	ts->matured = true;
	ts->published = now;
	/* At 1, 2, 4, 8 and 16 s of its life: few lives are enough to know a name. Then renewed. */
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
