// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * Measures every task from the scheduler's tracepoints, for every kernel with
 * BTF, and publishes what it found under the task's name: once its averages
 * have matured, again at a bounded rate as long as it runs, and at its death
 * if it did not get that far. Counts how the predictions fared.
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "clock.h"
#include "crowd.bpf.h"
#include "delays.bpf.h"
#include "task-look.h"

#include "request.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct task_state {
	struct task_stats stats;
	u64 run_start; /* ns; 0 while not on a CPU, or when we missed its start */
	u64 waited;    /* ns that it had waited for a CPU, in its life, when it last stopped */
	bool awake;    /* it has not gone to sleep since it last ran */
	bool moved;    /* from queue to queue while it slept, since it last ran */
	u8 stops;      /* without going to sleep, up to YIELD_STOPS; */
	u8 fresh;      /* of these, with nearly all of its slice left */
	struct crowd_part part;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* The state of a task; made at first sight, which may be long after its fork. */
static __always_inline struct task_state *state_of(struct task_struct *p, u64 now)
{
	struct task_state *s = bpf_task_storage_get(&tasks, p, 0, 0);

	if (s)
		return s;
	s = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (s) {
		stats_begin(&s->stats, p, now);
		s->waited = waited(p);
		s->part.group = crowd_group(p);
	}
	return s;
}

/*
 * When p, which begins to run now, came into the queue: the kernel notes it
 * (kernel/sched/stats.h, sched_info_enqueue()).
 */
static __always_inline u64 queued_at(const struct task_struct *p, u64 now)
{
	u64 queued =
	    bpf_core_field_exists(p->sched_info.last_queued) ? p->sched_info.last_queued : 0;

	return queued && queued < now ? queued : now;
}

/* The tier that p is treated as: what a rule decided is above what was measured. */
static __always_inline u32 treated_as(struct task_struct *p, const struct task_state *s)
{
	const u8 tier = (u8)s->stats.task.tier;

	return wanted.decided ? decided_or(p, tier, false) : tier;
}

/*
 * Wake-ups are counted here, too, when the task gets a CPU: early enough for every reader of the
 * count, and a program at sched_wakeup would cost as much again. The task was woken up if it had
 * gone to sleep, or is new.
 */
static __always_inline void start(struct task_struct *p, u64 now)
{
	u64 queued = queued_at(p, now);
	struct task_state *s = state_of(p, queued);

	if (!s)
		return;
	s->run_start = now;
	if (!s->awake) {
		/* It may have waited in the queues of other CPUs before. */
		u64 woken = s->moved ? now : queued - (waited(p) - s->waited);
		u8 mask;

		stats_wakeup(&s->stats, p, woken);
		mask = procdb_delay_mask_now(s->stats.delay_mask, s->stats.share.interval);
		if (procdb_delay_counts(mask, woken, s->stats.share.window.wakeups) && !s->moved)
			delays_count(p, treated_as(p, s), procdb_elapsed(woken, now), mask + 1U,
				     s->stats.counted.waits.cells);
	}
	s->awake = true;
	if (s->stats.task.tier == PROCDB_TIER_BATCH)
		delays_batch_begins(now);
}

/* So many stops tell whether a task calls sched_yield(2) all the time. */
#define YIELD_STOPS 16

/*
 * A task that yields gives away what is left of its slice: its deadline is put off by all of it,
 * and since 6.18 it is charged for that as if it had run (kernel/sched/fair.c, yield_task_fair()).
 * A batch task, whose slice is several times as long, would lose several times as much. Its stops
 * have in common that a new slice has just begun, though it ran for a small part of one: what is
 * preempted is so now and then.
 */
static __always_inline void note_stop(struct task_state *s, const struct task_struct *p, u64 run)
{
	u64 slice;

	/*
	 * Before 6.6 there are no slices of tasks. Only where virtual time is time, and a long
	 * slice is there to be lost: a deadline may be from before it was taken back.
	 */
	if (!bpf_core_field_exists(p->se.deadline) || !has_custom_slice(p) ||
	    p->policy != SCHED_NORMAL || p->static_prio != 120)
		return;
	slice = p->se.slice;
	if (run < slice >> 2 &&
	    (s64)(p->se.deadline - p->se.vruntime) > (s64)(slice - (slice >> 4)))
		s->fresh++;
	if (++s->stops < YIELD_STOPS)
		return;
	if (s->fresh > YIELD_STOPS / 2)
		s->stats.yields = true;
	s->stops = 0;
	s->fresh = 0;
}

static __always_inline void stop(struct task_struct *p, u64 now, bool preempted)
{
	struct task_state *s = state_of(p, now);
	bool dead = p->__state & TASK_DEAD;
	u64 run, queued;

	if (!s)
		return;
	s->awake = preempted || !p->__state;
	queued = procdb_elapsed(s->waited, waited(p));
	s->waited = waited(p);
	s->moved = false;
	if (!s->run_start)
		return;
	run = procdb_elapsed(s->run_start, now);
	s->run_start = 0;
	/* What was measured to sleep nearly always is in the way of others for moments. */
	if (s->stats.task.tier != PROCDB_TIER_LAT_CRITICAL || s->stats.always_critical ||
	    s->stats.decided)
		crowd_count(p, &s->part, run + queued,
			    /* Bursts are of the other rule. */
			    observing.reference_rule ? PROCDB_DEMAND_BURST
						     : s->stats.share.burst + run,
			    dead);
	if (s->stats.task.tier == PROCDB_TIER_BATCH) {
		delays_batch_ends(run);
		if (s->awake)
			note_stop(s, p, run);
	}
	if (stats_stop(&s->stats, p, run, now, !s->awake, dead))
		request_slice(p, (u8)s->stats.task.tier, s->stats.task.avg_runtime,
			      PROCDB_TASK_MATURED);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	/* pid 0 is the idle task, one for each CPU: it is not measured. */
	u64 now = clock_of_switch(prev->pid ? prev : next);

	if (prev->pid) {
		look_for_change(prev);
		stop(prev, now, preempt);
	}
	if (next->pid)
		start(next, now);
	return 0;
}

/*
 * Since 6.12 a task that goes to sleep may stay in its queue for a while. Moved to
 * another one meanwhile, it is noted as if it began to wait there.
 */
SEC("tp_btf/sched_migrate_task")
int BPF_PROG(on_migrate, struct task_struct *p, int cpu)
{
	struct task_state *s;

	if (!bpf_core_field_exists(p->se.sched_delayed) || !p->se.sched_delayed)
		return 0;
	s = bpf_task_storage_get(&tasks, p, 0, 0);
	if (s)
		s->moved = true;
	return 0;
}

/*
 * A child inherits its parent's slice, and its own behaviour is not known yet. A short slice would
 * favour it: the service is asked to take it back. A long slice stays until the child executes a
 * program or is measured itself, a fraction of a second: children of a task that burns its CPU
 * mostly do the same.
 */
SEC("tp_btf/task_newtask")
int BPF_PROG(on_fork, struct task_struct *child, u64 clone_flags)
{
	if (has_better_slice(bpf_get_current_task_btf()))
		request_slice(child, PROCDB_TIERS, 0, PROCDB_TASK_FORKED);
	return 0;
}

/*
 * Another program, under another name, begins: what was measured is not its.
 * Here, and not at fork, its name is known, and with it its prediction.
 */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p, int old_pid, struct linux_binprm *bprm)
{
	u64 now = clock_read(p);
	struct task_state *s = state_of(p, now);
	bool was_batch = s && s->stats.task.tier == PROCDB_TIER_BATCH;
	struct pool *pool = bpf_task_storage_get(&pools, p, 0, 0);
	struct procdb_class *prediction;
	struct procdb_comm key;

	/* Of threads of another program, which have ended. */
	if (pool)
		*pool = (struct pool){};
	key_of(p, &key);
	prediction = stats_exec(s ? &s->stats : NULL, p, &key, now);
	look_for_change(p);
	describe_executed(p, &key, BPF_CORE_READ(bprm, filename));
	if (!s)
		return 0;
	/* It is on the CPU: its first run begins with the exec. */
	s->run_start = now;
	if (was_batch || s->stats.task.tier == PROCDB_TIER_BATCH)
		delays_batch_begins(s->stats.task.tier == PROCDB_TIER_BATCH ? now : 0);
	if (wanted.rules)
		tell_execution(p, s->stats.predicted, prediction ? prediction->avg_runtime : 0,
			       PROCDB_TASK_EXECUTED);
	else
		request_slice(p, s->stats.predicted, prediction ? prediction->avg_runtime : 0,
			      PROCDB_TASK_EXECUTED);
	return 0;
}

/* Desktops start an application first, and move it to its unit then. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(on_attach, struct cgroup *to, const char *path, struct task_struct *p, bool group)
{
	struct task_state *s;

	if (!wanted.rules)
		return 0;
	s = bpf_task_storage_get(&tasks, p, 0, 0);
	tell_execution(p, s ? s->stats.task.tier : NOT_PREDICTED, s ? s->stats.task.avg_runtime : 0,
		       PROCDB_TASK_MOVED);
	return 0;
}

/*
 * Requests the slice of each task anew, when the service asks for it: events that it did not want
 * for a while would otherwise come again with a change of a task's tier, seconds later.
 */
SEC("iter/task")
int procdb_ask(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct task_state *s;

	if (!p)
		return 0;
	s = bpf_task_storage_get(&tasks, p, 0, 0);
	if (s)
		request_slice(p, (u8)s->stats.task.tier, s->stats.task.avg_runtime,
			      PROCDB_TASK_MATURED);
	/* It has not run yet, and inherited a slice that may be none of any tier any more. */
	else if (has_better_slice(p))
		request_slice(p, PROCDB_TIERS, 0, PROCDB_TASK_FORKED);
	return 0;
}

/* A task that slept so long does something else when it wakes up, ns: 0.27 s. */
#define LONG_SLEEP_NS (1ULL << 28)

__u32 batch_tasks; /* that procdb_rest has found: measured as such, or with the slice of batch */

/*
 * Takes the long slice from tasks that sleep. Their deadline is set when they wake up, for a key
 * perhaps, and nothing is measured until they stop. The service runs this once a second while there
 * are batch tasks, and also while it takes all slices back for a while: what a task is counted as
 * in a trial must not depend on whether it has a slice.
 */
SEC("iter/task")
int procdb_rest(struct bpf_iter__task *ctx)
{
	struct task_struct *p = ctx->task;
	struct procdb_given *given;
	struct task_state *s;
	u64 now = bpf_ktime_get_ns() - clock_ahead, slept_at;
	bool has;

	if (!p || p->flags & PF_KTHREAD)
		return 0;
	given = given_of(p);
	/* From real-time and idle tasks the kernel takes no slice back. */
	has =
	    given &&
	    (p->se.slice == wanted.slice[PROCDB_TIER_BATCH] ||
	     /* Groups compete, and it could not be taken back. */
	     (p->se.slice > base_slice && p->se.slice != wanted.slice[PROCDB_TIER_INTERACTIVE])) &&
	    (p->policy == SCHED_NORMAL || p->policy == SCHED_BATCH);
	s = bpf_task_storage_get(&tasks, p, 0, 0);
	if ((given && given->decision) || (s && s->stats.decided) ||
	    (!has && !(s && s->stats.task.tier == PROCDB_TIER_BATCH)))
		return 0;
	batch_tasks++;
	if (!s)
		return 0;
	slept_at = s->stats.share.slept_at;
	/* What waits in a queue was woken up, and slept until then. */
	if (!slept_at || !p->__state || procdb_elapsed(slept_at, now) < LONG_SLEEP_NS)
		return 0;
	s->stats.task.tier = PROCDB_TIER_INTERACTIVE;
	s->stats.change_at = now + CHANGE_NS;
	request_slice(p, PROCDB_TIER_INTERACTIVE, 0, PROCDB_TASK_MATURED);
	return 0;
}
