// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * The observer as the rules are written down: a program at every wake-up, and a
 * clock that is read each time. What bpf/observer.bpf.c sees with less has to
 * be the same (agree.py).
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "task-look.h"

char LICENSE[] SEC("license") = "GPL";

struct task_state {
	struct task_stats stats;
	u64 run_start; /* ns; 0 while not on a CPU, or when we missed its start */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct task_state);
} tasks SEC(".maps");

static __always_inline struct task_state *state_of(struct task_struct *p)
{
	struct task_state *s = bpf_task_storage_get(&tasks, p, 0, 0);

	if (s)
		return s;
	s = bpf_task_storage_get(&tasks, p, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (s)
		stats_begin(&s->stats, p, bpf_ktime_get_ns());
	return s;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns();
	struct task_state *s;

	if (prev->pid && (s = state_of(prev)) && s->run_start) {
		u64 run = now - s->run_start;

		s->run_start = 0;
		stats_stop(&s->stats, prev, run, now, !preempt && prev->__state,
			   prev->__state & TASK_DEAD);
	}
	if (next->pid && (s = state_of(next)))
		s->run_start = now;
	return 0;
}

static __always_inline int wakeup(struct task_struct *p)
{
	struct task_state *s = state_of(p);

	if (s)
		stats_wakeup(&s->stats, p, bpf_ktime_get_ns());
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

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p, int old_pid, struct linux_binprm *bprm)
{
	u64 now = bpf_ktime_get_ns();
	struct task_state *s = state_of(p);
	struct procdb_comm key;

	key_of(p, &key);
	stats_exec(s ? &s->stats : NULL, p, &key, now);
	if (s)
		s->run_start = now;
	return 0;
}
