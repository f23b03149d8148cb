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

#include "watch.h"

#include "request.bpf.h"

char LICENSE[] SEC("license") = "GPL";

struct task_state {
	struct watch watch;
	u64 run_start; /* ns; 0 while not on a CPU, or when we missed its start */
	bool forked;   /* a process, since its exec */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

/* The state of a task; made at first sight, which may be long after its fork. */
static __always_inline struct task_state *state_of(struct task_struct *p)
{
	struct task_state *s = bpf_task_storage_get(&tasks, p, 0, 0);

	if (s)
		return s;
	s = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (s)
		watch_begin(&s->watch, p);
	return s;
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
		if (watch_stop(&s->watch, prev, run, now, prev->__state & TASK_DEAD)) {
			u8 tier = (u8)s->watch.task.tier;

			request_slice(prev,
				      s->forked && tier != PROCDB_TIER_BATCH ? PROCDB_TIERS : tier,
				      PROCDB_TASK_MATURED);
		}
	}
	if (next->pid && (s = state_of(next)))
		s->run_start = now;
	return 0;
}

static __always_inline int wakeup(struct task_struct *p)
{
	struct task_state *s = state_of(p);

	if (s)
		watch_wakeup(&s->watch, p);
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

	watch_exec(s ? &s->watch : NULL, p);
	if (!s)
		return 0;
	s->forked = false;
	/* It is on the CPU: its first run begins with the exec. */
	s->run_start = s->watch.life.start;
	request_slice(p, s->watch.predicted, PROCDB_TASK_EXECUTED);
	return 0;
}
