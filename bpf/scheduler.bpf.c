// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * A sched_ext scheduler that obeys the predictions: the reference of how to use
 * ProcDb. Three queues, one for each tier, ordered by weighted virtual time. A
 * better tier goes first, but each of the others gets its turn in time. A task
 * starts in the tier that is predicted for its name, and moves as it is
 * measured.
 */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "scheduler-task.h"

char LICENSE[] SEC("license") = "GPL";

/* ---- queueing ---- */

/*
 * Ends the run of a task of a worse tier, so that its CPU looks at the queues:
 * the CPU of p if that will do, any that p may use otherwise. A CPU that serves
 * an overdue queue is left to it. FALSE when there is none.
 */
static __always_inline bool preempt_worse(struct task_struct *p, s32 own, u32 tier, u64 now)
{
	for (u32 i = 0; i < nr_cpus && i < 64; i++) {
		u32 cpu = ((u32)own + i) % nr_cpus;
		struct procdb_sched_cpu *c = cpu_of((s32)cpu);

		if (!c->running || c->running - 1 >= tier || now < c->turn_until)
			continue;
		if (!bpf_cpumask_test_cpu(cpu, p->cpus_ptr))
			continue;
		c->preempted++;
		scx_bpf_kick_cpu((s32)cpu, SCX_KICK_PREEMPT);
		return true;
	}
	return false;
}

/* A wake-up goes straight to an idle CPU; the kernel's choice knows caches and SMT. */
SEC("struct_ops/procdb_select_cpu")
s32 BPF_PROG(procdb_select_cpu, struct task_struct *p, s32 prev_cpu, u64 wake_flags)
{
	struct task_state *s = state_of(p);
	bool idle = false;
	s32 cpu = scx_bpf_select_cpu_dfl(p, prev_cpu, wake_flags, &idle);
	u32 tier;

	if (!idle || !s)
		return cpu;
	tier = tier_of(s);
	place(p, s, tier, true, bpf_ktime_get_ns());
	scx_insert(p, SCX_DSQ_LOCAL, slice_of(p, s, tier), 0);
	return cpu;
}

SEC("struct_ops/procdb_enqueue")
int BPF_PROG(procdb_enqueue, struct task_struct *p, u64 enq_flags)
{
	struct task_state *s = state_of(p);
	u64 now = bpf_ktime_get_ns(), vtime;
	s32 own = scx_bpf_task_cpu(p), idle;
	u32 tier;

	/* No memory for its state at init_task is an error there; this is for the verifier. */
	if (!s)
		return 0;
	tier = tier_of(s);
	s->queued_at = now;

	/*
	 * A kernel thread of one CPU works for that CPU (migration, ksoftirqd, its kworkers):
	 * others may be waiting for it, so it does not wait in line. When it runs on and on it
	 * queues like any other task.
	 */
	if (p->flags & PF_KTHREAD && p->nr_cpus_allowed == 1 && enq_flags & SCX_ENQ_WAKEUP) {
		place(p, s, tier, true, now);
		scx_insert(p, SCX_DSQ_LOCAL, slice_of(p, s, tier), enq_flags | SCX_ENQ_PREEMPT);
		return 0;
	}

	vtime = place(p, s, tier, enq_flags & SCX_ENQ_WAKEUP, now);
	scx_insert_vtime(p, tier, slice_of(p, s, tier), vtime, enq_flags);

	/* A CPU that went idle since select_cpu(), or was never asked for, takes it now. */
	idle = scx_bpf_pick_idle_cpu(p->cpus_ptr, 0);
	if (idle >= 0) {
		scx_bpf_kick_cpu(idle, SCX_KICK_IDLE);
		return 0;
	}
	if (enq_flags & SCX_ENQ_WAKEUP && tier > PROCDB_TIER_BATCH &&
	    preempt_worse(p, own, tier, now))
		return 0;
	/*
	 * A CPU that goes idle at this very moment has seen an empty queue and is
	 * not known as idle yet: without this the task could wait for ever.
	 */
	scx_bpf_kick_cpu(own, SCX_KICK_IDLE);
	return 0;
}

/* Whether prev, which could run on, comes before all in the queue of its tier that may use cpu. */
static __always_inline bool goes_on(s32 cpu, struct task_struct *prev, struct task_state *s,
				    u32 tier, u64 now)
{
	u64 vtime;

	if (!(prev->scx.flags & SCX_TASK_QUEUED) || tier_of(s) != tier || s->queue != tier)
		return false;
	vtime = prev->scx.dsq_vtime + charge(prev, s, now - s->run_start);
	vtime = bounded(vtime, tier, false, clock_now(tier, now));
	if ((s64)(vtime - first_in(tier, cpu, vtime + 1)) >= 0)
		return false;
	clock_follow(tier, vtime);
	return true;
}

/* Gives the CPU a task of this tier, if there is one for it. */
static __always_inline bool serve(s32 cpu, struct task_struct *prev, struct task_state *s, u32 tier,
				  u64 now)
{
	struct procdb_sched_cpu *c = cpu_of(cpu);

	/*
	 * Without this comparison prev would always give way to a waiting task, since it enters
	 * the queue only after this: with two tasks on a CPU the weights would have no effect.
	 */
	if (s && goes_on(cpu, prev, s, tier, now)) {
		scx_set_slice(prev, slice_of(prev, s, tier));
		c->served[tier] = now;
		return true;
	}
	if (scx_move_to_local(tier)) {
		c->served[tier] = now;
		return true;
	}
	return false;
}

/* The tier, worst first, that has waited too long on this CPU, + 1; 0 when none has. */
static __always_inline u32 overdue(struct procdb_sched_cpu *c, u64 now)
{
	if (now < c->turn_until)
		return c->turn;
	for (u32 tier = 0; tier < PROCDB_TIER_LAT_CRITICAL; tier++) {
		if (now - c->served[tier] < OVERDUE[tier])
			continue;
		c->turn = tier + 1;
		c->turn_until = now + TURN[tier];
		return c->turn;
	}
	return 0;
}

SEC("struct_ops/procdb_dispatch")
int BPF_PROG(procdb_dispatch, s32 cpu, struct task_struct *prev)
{
	struct procdb_sched_cpu *c = cpu_of(cpu);
	struct task_state *s = prev ? state_of(prev) : NULL;
	u64 now = bpf_ktime_get_ns();
	u32 turn;

	/* Both lower tiers may be overdue; one that has nothing for this CPU passes its turn. */
	for (int i = 0; i < PROCDB_TIER_LAT_CRITICAL; i++) {
		turn = overdue(c, now);
		if (!turn)
			break;
		if (turn <= PROCDB_TIER_LAT_CRITICAL && serve(cpu, prev, s, turn - 1, now))
			return 0;
		if (turn <= PROCDB_TIER_LAT_CRITICAL)
			c->served[turn - 1] = now;
		c->turn_until = 0;
	}
	if (serve(cpu, prev, s, PROCDB_TIER_LAT_CRITICAL, now) ||
	    serve(cpu, prev, s, PROCDB_TIER_INTERACTIVE, now))
		return 0;
	serve(cpu, prev, s, PROCDB_TIER_BATCH, now);
	return 0;
}

/* A real-time task took the CPU: what was sent there may run elsewhere. */
SEC("struct_ops/procdb_cpu_release")
int BPF_PROG(procdb_cpu_release, s32 cpu, struct scx_cpu_release_args *args)
{
	scx_bpf_reenqueue_local();
	return 0;
}

/* ---- measuring ---- */

SEC("struct_ops/procdb_runnable")
int BPF_PROG(procdb_runnable, struct task_struct *p, u64 enq_flags)
{
	struct task_state *s = state_of(p);

	if (!s)
		return 0;
	renamed(p, s);
	if (!s->weight) {
		s->weight = p->scx.weight;
		group_activate(s->group, s->weight);
	}
	/* Also called when a queued task changes its nice value, CPUs or cgroup. */
	if (!(enq_flags & SCX_ENQ_WAKEUP))
		return 0;
	s->burst = 0;
	s->demoted = false;
	stats_wakeup(&s->stats, p, bpf_ktime_get_ns());
	return 0;
}

SEC("struct_ops/procdb_running")
int BPF_PROG(procdb_running, struct task_struct *p)
{
	struct task_state *s = state_of(p);
	struct procdb_sched_cpu *c = cpu_of(scx_bpf_task_cpu(p));
	u64 now = bpf_ktime_get_ns();
	u32 tier;

	if (!s)
		return 0;
	renamed(p, s);
	tier = tier_of(s);
	s->run_start = now;
	if (s->queue < PROCDB_TIERS)
		clock_follow(s->queue, p->scx.dsq_vtime);
	c->running = tier + 1;
	c->runs[tier]++;
	if (s->queued_at && now - s->queued_at > c->longest_wait[tier])
		c->longest_wait[tier] = now - s->queued_at;
	s->queued_at = 0;
	return 0;
}

SEC("struct_ops/procdb_stopping")
int BPF_PROG(procdb_stopping, struct task_struct *p, bool runnable)
{
	struct task_state *s = state_of(p);
	struct procdb_sched_cpu *c = cpu_of(scx_bpf_task_cpu(p));
	u64 now = bpf_ktime_get_ns(), run;

	c->running = 0;
	if (!s || !s->run_start)
		return 0;
	run = now - s->run_start;
	s->run_start = 0;
	scx_set_vtime(p, p->scx.dsq_vtime + charge(p, s, run));
	/* A run with an exec in it counts for the new name: what came before is the least of it. */
	renamed(p, s);
	s->burst += run;
	/* Dead and not runnable: the last time, exactly once for each task. */
	stats_stop(&s->stats, p, run, now, !runnable, !runnable && p->__state & TASK_DEAD);
	return 0;
}

SEC("struct_ops/procdb_quiescent")
int BPF_PROG(procdb_quiescent, struct task_struct *p, u64 deq_flags)
{
	struct task_state *s = state_of(p);

	if (!s)
		return 0;
	group_activate(s->group, -(s64)s->weight);
	s->weight = 0;
	s->queued_at = 0;
	return 0;
}

/* Ends a run early: for a new name, a task that runs on and on, or a better tier that waits. */
SEC("struct_ops/procdb_tick")
int BPF_PROG(procdb_tick, struct task_struct *p)
{
	struct task_state *s = state_of(p);
	struct procdb_sched_cpu *c = cpu_of(scx_bpf_task_cpu(p));
	u64 now = bpf_ktime_get_ns(), limit;
	bool end = false;
	u32 tier;

	if (!s || !s->run_start)
		return 0;
	if (renamed(p, s)) {
		scx_set_vtime(p, p->scx.dsq_vtime + charge(p, s, now - s->run_start));
		s->run_start = now;
		end = true;
	}

	/*
	 * Only a wake-up classifies, so a wrong prediction of a task that never
	 * sleeps would last for ever. Running on without a sleep is what batch is.
	 */
	tier = tier_of(s);
	limit = procdb_min(s->stats.task.avg_runtime << 2, BURST_MAX);
	if (limit < BURST_MIN[tier])
		limit = BURST_MIN[tier];
	if (tier > PROCDB_TIER_BATCH && !s->stats.always_critical &&
	    s->burst + (now - s->run_start) > limit) {
		s->demoted = true;
		c->demoted++;
		tier = PROCDB_TIER_BATCH;
		end = true;
	}
	c->running = tier + 1;
	if (now >= c->turn_until)
		for (u32 better = tier + 1; better < PROCDB_TIERS; better++)
			if (scx_bpf_dsq_nr_queued(better) > 0)
				end = true;
	if (end)
		scx_set_slice(p, 0);
	return 0;
}

/* ---- life of tasks, cgroups, CPUs and the scheduler ---- */

/* May sleep, and so get memory: enable() may not, and would fail now and then. */
SEC("struct_ops/procdb_init_task")
s32 BPF_PROG(procdb_init_task, struct task_struct *p, struct scx_init_task_args *args)
{
	struct task_state *s = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);

	if (!s)
		return -12; /* ENOMEM */
	s->group = group_id(args->cgroup);
	s->queue = PROCDB_TIERS;
	return 0;
}

SEC("struct_ops/procdb_enable")
int BPF_PROG(procdb_enable, struct task_struct *p)
{
	struct task_state *s = state_of(p);
	struct procdb_sched_cpu *c = cpu_of((s32)bpf_get_smp_processor_id());
	struct procdb_comm name;

	if (!s || bpf_probe_read_kernel(&s->comm, sizeof(s->comm), p->comm))
		return 0;
	stats_begin(&s->stats, p, bpf_ktime_get_ns());
	key_of(p, &s->stats.key);
	if (obey(s, prediction_of(p, &s->stats.key, &name)))
		c->at_enable++;
	return 0;
}

SEC("struct_ops/procdb_cgroup_init")
s32 BPF_PROG(procdb_cgroup_init, struct cgroup *cgrp, struct scx_cgroup_init_args *args)
{
	return group_add(cgrp, args->weight);
}

SEC("struct_ops/procdb_cgroup_exit")
int BPF_PROG(procdb_cgroup_exit, struct cgroup *cgrp)
{
	u64 id = group_id(cgrp);

	bpf_map_delete_elem(&groups, &id);
	return 0;
}

SEC("struct_ops/procdb_cgroup_set_weight")
int BPF_PROG(procdb_cgroup_set_weight, struct cgroup *cgrp, u32 weight)
{
	group_set_weight(group_id(cgrp), weight);
	return 0;
}

SEC("struct_ops/procdb_cgroup_move")
int BPF_PROG(procdb_cgroup_move, struct task_struct *p, struct cgroup *from, struct cgroup *to)
{
	struct task_state *s = state_of(p);

	if (!s)
		return 0;
	/* Not runnable at this moment: the kernel takes it off its queue and puts it back after. */
	group_activate(s->group, -(s64)s->weight);
	s->group = group_id(to);
	group_activate(s->group, s->weight);
	return 0;
}

SEC("struct_ops/procdb_init")
s32 BPF_PROG(procdb_init)
{
	s32 err = 0;

	for (u32 tier = 0; tier < PROCDB_TIERS && !err; tier++)
		err = scx_bpf_create_dsq(tier, -1);
	return err;
}

SEC("struct_ops/procdb_exit")
int BPF_PROG(procdb_exit, struct scx_exit_info *info)
{
	bpf_probe_read_kernel_str(ended.reason, sizeof(ended.reason), info->reason);
	bpf_probe_read_kernel_str(ended.message, sizeof(ended.message), info->msg);
	ended.code = info->exit_code;
	/* Last: it is what the service looks at. */
	__sync_fetch_and_add(&ended.kind, info->kind);
	return 0;
}

/*
 * No cpu_online() and cpu_offline(): without them the kernel ends the scheduler
 * when a CPU comes or goes, and the service starts it again. A CPU on its way
 * out is no place for BPF: it takes nothing from the queues any more, so what
 * waits there and may use no other CPU stops the hotplug, and a kick from it can
 * be lost, which the kernel then waits for at the end (seen on 6.16 and 7.3).
 *
 * ".struct_ops.link" would be skipped in silence by libbpf 1.1; the loader makes the link.
 */
SEC(".struct_ops")
struct sched_ext_ops procdb_ops = {
    .select_cpu = (void *)procdb_select_cpu,
    .enqueue = (void *)procdb_enqueue,
    .dispatch = (void *)procdb_dispatch,
    .tick = (void *)procdb_tick,
    .runnable = (void *)procdb_runnable,
    .running = (void *)procdb_running,
    .stopping = (void *)procdb_stopping,
    .quiescent = (void *)procdb_quiescent,
    .cpu_release = (void *)procdb_cpu_release,
    .init_task = (void *)procdb_init_task,
    .enable = (void *)procdb_enable,
    .cgroup_init = (void *)procdb_cgroup_init,
    .cgroup_exit = (void *)procdb_cgroup_exit,
    .cgroup_move = (void *)procdb_cgroup_move,
    .cgroup_set_weight = (void *)procdb_cgroup_set_weight,
    .init = (void *)procdb_init,
    .exit = (void *)procdb_exit,
    .timeout_ms = WATCHDOG_MS,
    .name = "procdb",
};
