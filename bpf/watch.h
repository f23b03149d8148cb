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

/* Which sources are on; set before the programs are loaded. */
const volatile bool from_maturity = true;
const volatile bool from_exit = true;
/* CPU time below which a life says nothing. */
const volatile __u64 exit_min_ns = 250000;
/* How long a task that goes on running is not published again; 0: never is. */
const volatile __u64 renew_ns = 10000000000ULL;
/* The best tier that the service learns from tasks of others than root. */
const volatile __u8 max_user_tier = PROCDB_TIER_LAT_CRITICAL;

#define NEVER (~0ULL)
#define NOT_PREDICTED PROCDB_TIERS

struct watch {
	struct procdb_task task;
	struct procdb_life life; /* until the averages mature */
	u64 publish_at;		 /* ns: not published before that */
	bool matured;		 /* published since its exec */
	u8 predicted;		 /* enum procdb_tier that its exec found, or NOT_PREDICTED */
	bool always_critical;
};

/*
 * An LRU hash loses entries long before it is full (an LRU of 512 from about
 * 384 on), so it is larger than the 512 of the reference.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_class);
} task_class_observe SEC(".maps");

/* Only the service writes it: no need to hold memory for what is not there. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_class);
} task_class_init SEC(".maps");

/* Names that are always latency critical; the service fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, struct procdb_comm);
	__type(value, u8);
} compositors SEC(".maps");

/* How predictions fared since the service last took it out, by name. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_score);
} scores SEC(".maps");

/* Read by the service through the mapped .bss. */
__u64 observed;	   /* entries added to the observe map */
__u64 overwritten; /* entries replaced before they were drained */
__u64 failed;	   /* updates that the map refused */
__u64 scored;	   /* changes to the score map */

static __always_inline void comm_of(struct task_struct *p, struct procdb_comm *comm)
{
	__builtin_memcpy(comm->bytes, p->comm, sizeof(comm->bytes));
}

/*
 * A task about which nothing is known yet begins now under its present name.
 * The times that a task's watch is told are all of one clock.
 */
static __always_inline void watch_begin(struct watch *w, struct task_struct *p, u64 now)
{
	struct procdb_comm comm;

	comm_of(p, &comm);
	procdb_task_reset(&w->task);
	procdb_life_begin(&w->life, now, p->nvcsw);
	/*
	 * While its death can still tell all of a short life, the first eighth
	 * wake-up does not speak for it: compilers that get that far by then are
	 * those that wait for the disk.
	 */
	w->publish_at = from_exit ? w->life.start + PROCDB_LIFE_WINDOW_NS : 0;
	w->matured = false;
	w->predicted = NOT_PREDICTED;
	w->always_critical = bpf_map_lookup_elem(&compositors, &comm) != NULL;
}

/* The score of a name, made when there is none; NULL when the map refuses. */
static __always_inline struct procdb_score *score_of(const struct procdb_comm *comm)
{
	static const struct procdb_score none;

	bpf_map_update_elem(&scores, comm, &none, BPF_NOEXIST);
	__sync_fetch_and_add(&scored, 1);
	return bpf_map_lookup_elem(&scores, comm);
}

/*
 * The same for one that has become another program: it is looked up and scored.
 * The prediction of its name, or NULL.
 */
static __always_inline struct procdb_class *watch_exec(struct watch *w, struct task_struct *p,
						       u64 now)
{
	struct procdb_class *prediction;
	struct procdb_score *score;
	struct procdb_comm comm;

	comm_of(p, &comm);
	prediction = bpf_map_lookup_elem(&task_class_init, &comm);
	score = score_of(&comm);
	if (score)
		__sync_fetch_and_add(prediction ? &score->found : &score->missed, 1);
	if (!w)
		return prediction;
	watch_begin(w, p, now);
	if (prediction)
		w->predicted =
		    prediction->tier < PROCDB_TIERS ? prediction->tier : PROCDB_TIER_LAT_CRITICAL;
	return prediction;
}

static __always_inline void publish(struct task_struct *p, struct procdb_class *seen)
{
	struct procdb_comm comm;
	u32 uid = p->cred->uid.val;

	/* Kernel threads are root's, root in a user namespace is a user. */
	seen->pad[PROCDB_PAD_TEACHERS] = uid == 0 ? PROCDB_TAUGHT_BY_ROOT : PROCDB_TAUGHT_BY_USERS;
	__builtin_memcpy(&seen->pad[PROCDB_PAD_UID], &uid, sizeof(uid));
	comm_of(p, &comm);
	/* Counted after the update: a reader that sees the count finds the entry. */
	if (!bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_NOEXIST))
		__sync_fetch_and_add(&observed, 1);
	else if (!bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_ANY))
		__sync_fetch_and_add(&overwritten, 1);
	else
		__sync_fetch_and_add(&failed, 1);
}

/*
 * The tier of a predicted task is known: once for each exec. A prediction that
 * says what this task could teach is right, even if the task is better.
 */
static __always_inline void judge(struct watch *w, struct task_struct *p, u8 tier)
{
	struct procdb_score *score;
	struct procdb_comm comm;

	if (w->predicted == NOT_PREDICTED)
		return;
	if (tier > max_user_tier && w->predicted == max_user_tier && p->cred->uid.val != 0)
		tier = max_user_tier;
	comm_of(p, &comm);
	score = score_of(&comm);
	if (score)
		__sync_fetch_and_add(w->predicted == tier ? &score->right : &score->wrong, 1);
	w->predicted = NOT_PREDICTED;
}

/* Rare: the averages have matured, or it is time to publish them again. */
static __noinline void publish_task(struct watch *w, struct task_struct *p, u64 now)
{
	struct procdb_class seen = {
	    .tier = (u8)w->task.tier,
	    .avg_runtime = w->task.avg_runtime,
	    .runtime_dev = w->task.runtime_dev,
	    .wakeup_freq = w->task.wakeup_freq,
	    .csw_rate = w->task.csw_rate,
	};

	if (w->matured || from_maturity)
		publish(p, &seen);
	w->matured = true;
	w->publish_at = renew_ns ? now + renew_ns : NEVER;
	judge(w, p, seen.tier);
}

/* A task that did not live to mature. */
static __noinline void publish_life(struct watch *w, struct task_struct *p, u64 now)
{
	struct procdb_class seen = {};

	if (!from_exit || (w->life.cpu < exit_min_ns && w->task.age < PROCDB_AGE_MATURE))
		return;
	procdb_life_class(&w->life, now, p->nvcsw, p->flags & PF_WQ_WORKER, w->always_critical,
			  &seen);
	publish(p, &seen);
	judge(w, p, seen.tier);
}

/*
 * A task stopped running at now, after run ns; dead: for good. TRUE when its
 * averages were published: it is what its tier says.
 */
static __always_inline bool watch_stop(struct watch *w, struct task_struct *p, u64 run, u64 now,
				       bool dead)
{
	procdb_task_stop(&w->task, run);
	if (!w->matured)
		procdb_life_run(&w->life, run);
	if (w->task.age >= PROCDB_AGE_MATURE && now >= w->publish_at) {
		publish_task(w, p, now);
		return true;
	}
	if (!w->matured && dead)
		publish_life(w, p, now);
	return false;
}

/* A task woke up. */
static __always_inline void watch_wakeup(struct watch *w, struct task_struct *p, u64 now)
{
	procdb_task_wakeup(&w->task, now, p->nvcsw, p->flags & PF_WQ_WORKER, w->always_critical);
}
