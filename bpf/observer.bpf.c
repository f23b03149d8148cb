// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * Measures every task from the scheduler's tracepoints, for every kernel with
 * BTF, and publishes what it found under the task's name: once its averages
 * have matured, again at a bounded rate as long as it runs, and at its death
 * if it did not get that far. Counts how the predictions fared.
 */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#include "classify.h"
#include "request.bpf.h"

char LICENSE[] SEC("license") = "GPL";

/* Which sources are on; set before the programs are loaded. */
const volatile bool from_maturity = true;
const volatile bool from_exit = true;
/* CPU time below which a life says nothing. */
const volatile __u64 exit_min_ns = 250000;
/* How long a task that goes on running is not published again; 0: never is. */
const volatile __u64 renew_ns = 10000000000ULL;

#define NEVER (~0ULL)
#define NOT_PREDICTED PROCDB_TIERS

struct task_state {
	struct procdb_task task;
	struct procdb_life life; /* until the averages mature */
	u64 run_start;		 /* ns; 0 while not on a CPU, or when we missed its start */
	u64 publish_at;		 /* ns: not published before that */
	bool matured;		 /* published since its exec */
	u8 predicted;		 /* enum procdb_tier that its exec found, or NOT_PREDICTED */
	bool always_critical;
	bool forked; /* a process, since its exec */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

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

static __always_inline void begin(struct task_state *s, struct task_struct *p)
{
	struct procdb_comm comm;

	comm_of(p, &comm);
	procdb_task_reset(&s->task);
	procdb_life_begin(&s->life, bpf_ktime_get_ns(), p->nvcsw);
	/*
	 * While its death can still tell all of a short life, the first eighth
	 * wake-up does not speak for it: compilers that get that far by then are
	 * those that wait for the disk.
	 */
	s->publish_at = from_exit ? s->life.start + PROCDB_LIFE_WINDOW_NS : 0;
	s->matured = false;
	s->predicted = NOT_PREDICTED;
	s->forked = false;
	s->always_critical = bpf_map_lookup_elem(&compositors, &comm) != NULL;
}

/* The score of a name, made when there is none; NULL when the map refuses. */
static __always_inline struct procdb_score *score_of(const struct procdb_comm *comm)
{
	static const struct procdb_score none;

	bpf_map_update_elem(&scores, comm, &none, BPF_NOEXIST);
	__sync_fetch_and_add(&scored, 1);
	return bpf_map_lookup_elem(&scores, comm);
}

/* The state of a task; made at first sight, which may be long after its fork. */
static __always_inline struct task_state *state_of(struct task_struct *p)
{
	struct task_state *s = bpf_task_storage_get(&tasks, p, 0, 0);

	if (s)
		return s;
	s = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (s)
		begin(s, p);
	return s;
}

static __always_inline void publish(struct task_struct *p, const struct procdb_class *seen)
{
	struct procdb_comm comm;

	comm_of(p, &comm);
	/* Counted after the update: a reader that sees the count finds the entry. */
	if (!bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_NOEXIST))
		__sync_fetch_and_add(&observed, 1);
	else if (!bpf_map_update_elem(&task_class_observe, &comm, seen, BPF_ANY))
		__sync_fetch_and_add(&overwritten, 1);
	else
		__sync_fetch_and_add(&failed, 1);
}

/* The tier of a predicted task is known: once for each exec. */
static __always_inline void judge(struct task_state *s, struct task_struct *p, u8 tier)
{
	struct procdb_score *score;
	struct procdb_comm comm;

	if (s->predicted == NOT_PREDICTED)
		return;
	comm_of(p, &comm);
	score = score_of(&comm);
	if (score)
		__sync_fetch_and_add(s->predicted == tier ? &score->right : &score->wrong, 1);
	s->predicted = NOT_PREDICTED;
}

/* Rare: the averages have matured, or it is time to publish them again. */
static __noinline void publish_task(struct task_state *s, struct task_struct *p, u64 now)
{
	struct procdb_class seen = {
	    .tier = (u8)s->task.tier,
	    .avg_runtime = s->task.avg_runtime,
	    .runtime_dev = s->task.runtime_dev,
	    .wakeup_freq = s->task.wakeup_freq,
	    .csw_rate = s->task.csw_rate,
	};

	if (s->matured || from_maturity)
		publish(p, &seen);
	s->matured = true;
	s->publish_at = renew_ns ? now + renew_ns : NEVER;
	judge(s, p, seen.tier);
	request_slice(p, s->forked && seen.tier != PROCDB_TIER_BATCH ? PROCDB_TIERS : seen.tier,
		      PROCDB_TASK_MATURED);
}

/* A task that did not live to mature. */
static __noinline void publish_life(struct task_state *s, struct task_struct *p, u64 now)
{
	struct procdb_class seen = {};

	if (!from_exit || (s->life.cpu < exit_min_ns && s->task.age < PROCDB_AGE_MATURE))
		return;
	procdb_life_class(&s->life, now, p->nvcsw, p->flags & PF_WQ_WORKER, s->always_critical,
			  &seen);
	publish(p, &seen);
	judge(s, p, seen.tier);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns();
	struct task_state *s;

	/* pid 0 is the idle task: one for each CPU, and nobody's behaviour. */
	if (prev->pid && (s = state_of(prev)) && s->run_start) {
		u64 run = now - s->run_start;

		s->run_start = 0;
		procdb_task_stop(&s->task, run);
		if (!s->matured)
			procdb_life_run(&s->life, run);
		if (s->task.age >= PROCDB_AGE_MATURE && now >= s->publish_at)
			publish_task(s, prev, now);
		else if (!s->matured && prev->__state & TASK_DEAD)
			publish_life(s, prev, now);
	}
	if (next->pid && (s = state_of(next)))
		s->run_start = now;
	return 0;
}

static __always_inline int wakeup(struct task_struct *p)
{
	struct task_state *s = state_of(p);

	if (s)
		procdb_task_wakeup(&s->task, bpf_ktime_get_ns(), p->nvcsw, p->flags & PF_WQ_WORKER,
				   s->always_critical);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(on_wakeup, struct task_struct *p)
{
	return wakeup(p);
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(on_wakeup_new, struct task_struct *p)
{
	return wakeup(p);
}

/*
 * A child inherits its parent's slice until it executes something, for what
 * becomes of it is not known before. That may not make it better than others:
 * a process that starts processes gets no slice but batch.
 */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(on_fork, struct task_struct *parent, struct task_struct *child)
{
	struct task_state *s;

	if (child->pid != child->tgid)
		return 0;
	s = bpf_task_storage_get(&tasks, parent, 0, 0);
	if (s)
		s->forked = true;
	if (has_better_slice(parent)) {
		request_slice(parent, PROCDB_TIERS, PROCDB_TASK_FORKED);
		request_slice(child, PROCDB_TIERS, PROCDB_TASK_FORKED);
	}
	return 0;
}

/*
 * Another program, under another name, begins: what was measured is not its.
 * Here, and not at fork, its name is known, and with it its prediction.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p, int old_pid, struct linux_binprm *bprm)
{
	struct task_state *s = state_of(p);
	struct procdb_class *prediction;
	struct procdb_score *score;
	struct procdb_comm comm;

	comm_of(p, &comm);
	prediction = bpf_map_lookup_elem(&task_class_init, &comm);
	score = score_of(&comm);
	if (score)
		__sync_fetch_and_add(prediction ? &score->found : &score->missed, 1);
	if (!s)
		return 0;
	begin(s, p);
	/* It is on the CPU: its first run begins with the exec. */
	s->run_start = s->life.start;
	if (prediction)
		s->predicted =
		    prediction->tier < PROCDB_TIERS ? prediction->tier : PROCDB_TIER_LAT_CRITICAL;
	request_slice(p, s->predicted, PROCDB_TASK_EXECUTED);
	return 0;
}
