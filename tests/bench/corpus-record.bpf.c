// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * What the kernel did with each thread of a workload: CPU time and wake-ups under
 * each treatment (corpus-record.h), sleep, waiting, wakers. The judge of what ProcDb
 * does, so it shares no rule with it: only the kernel's types.
 */

#include "vmlinux.h"

#include "corpus-record.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

#define SECOND 1000000000ull
#define NICE_0 120     /* include/linux/sched/prio.h, DEFAULT_PRIO */
#define SCHED_NORMAL 0 /* include/uapi/linux/sched.h */

/* The slice of tasks that have none of their own. */
__u64 default_slice;
/* When accounting ended; 0 before that. The loader sets it, then ends what still lives. */
__u64 over;
__u64 lost;   /* records that found no place */
__u64 living; /* followed threads that have not ended */

struct watched {
	struct corpus_life life;
	__u64 stopped; /* when it last left its CPU, or was born; 0 while it runs */
	__u64 woken;
	__u64 voluntary_before;
	__u8 asleep;
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct watched);
} watched SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 32 << 20);
} lives SEC(".maps");

enum context { IN_INTERRUPT, IN_SOFTIRQ, CONTEXTS };

/* How deep each CPU is in them. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CONTEXTS);
	__type(key, __u32);
	__type(value, __s32);
} depth SEC(".maps");

static __always_inline void enter(__u32 context)
{
	__s32 *n = bpf_map_lookup_elem(&depth, &context);

	if (n)
		*n += 1;
}

static __always_inline void leave(__u32 context)
{
	__s32 *n = bpf_map_lookup_elem(&depth, &context);

	/* The first thing seen of a CPU may be the end of an interrupt. */
	if (n && *n > 0)
		*n -= 1;
}

static __always_inline bool inside(__u32 context)
{
	__s32 *n = bpf_map_lookup_elem(&depth, &context);

	return n && *n > 0;
}

SEC("tp_btf/hrtimer_expire_entry")
int BPF_PROG(timer_begins)
{
	enter(IN_INTERRUPT);
	return 0;
}

SEC("tp_btf/hrtimer_expire_exit")
int BPF_PROG(timer_ends)
{
	leave(IN_INTERRUPT);
	return 0;
}

SEC("tp_btf/irq_handler_entry")
int BPF_PROG(interrupt_begins)
{
	enter(IN_INTERRUPT);
	return 0;
}

SEC("tp_btf/irq_handler_exit")
int BPF_PROG(interrupt_ends)
{
	leave(IN_INTERRUPT);
	return 0;
}

SEC("tp_btf/softirq_entry")
int BPF_PROG(softirq_begins)
{
	enter(IN_SOFTIRQ);
	return 0;
}

SEC("tp_btf/softirq_exit")
int BPF_PROG(softirq_ends)
{
	leave(IN_SOFTIRQ);
	return 0;
}

static __always_inline struct watched *find(struct task_struct *p)
{
	return bpf_task_storage_get(&watched, p, 0, 0);
}

/* Now, or the end of accounting. */
static __always_inline __u64 clock(void)
{
	return over ? over : bpf_ktime_get_ns();
}

static __always_inline bool has_own_slice(struct task_struct *p)
{
	/* Before 6.12 no task has one. */
	return bpf_core_field_exists(p->se.custom_slice) && p->se.custom_slice;
}

static __always_inline __u32 treatment(struct task_struct *p)
{
	__u64 slice = p->se.slice;

	if (p->policy != SCHED_NORMAL)
		return CORPUS_OTHER;
	if (!has_own_slice(p) || !default_slice)
		return CORPUS_DEFAULT;
	if (slice < default_slice)
		return CORPUS_SHORT;
	return slice > default_slice + default_slice / 4 ? CORPUS_LONG : CORPUS_DEFAULT;
}

static __always_inline void begin(struct watched *w, struct task_struct *p)
{
	struct task_struct *parent = p->real_parent;

	__builtin_memset(&w->life, 0, sizeof(w->life));
	w->life.born = clock();
	w->life.pid = (__u32)p->pid;
	w->life.tgid = (__u32)p->tgid;
	w->life.parent = (__u32)parent->tgid;
	__builtin_memcpy(w->life.comm, p->comm, sizeof(w->life.comm));
	w->voluntary_before = p->nvcsw;
}

static __always_inline void emit(struct watched *w, struct task_struct *p)
{
	w->life.ended = clock();
	w->life.slice = p->se.slice;
	w->life.policy = p->policy;
	w->life.nice = p->static_prio - NICE_0;
	w->life.voluntary = p->nvcsw - w->voluntary_before;
	/* The loader looks by itself, so that no wake-up of it meets the workload. */
	if (bpf_ringbuf_output(&lives, &w->life, sizeof(w->life), BPF_RB_NO_WAKEUP))
		__sync_fetch_and_add(&lost, 1);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct *parent, struct task_struct *child)
{
	struct watched *w;

	if (!find(parent))
		return 0;
	w = bpf_task_storage_get(&watched, child, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!w) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	__sync_fetch_and_add(&living, 1);
	begin(w, child);
	w->stopped = w->life.born;
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed, struct task_struct *p)
{
	struct watched *w = find(p);

	if (!w)
		return 0;
	emit(w, p);
	begin(w, p);
	w->life.executed = 1;
	return 0;
}

/*
 * Where the kernel itself charges CPU time to a task (kernel/sched/fair.c,
 * update_curr_task()): at ticks, at switches, and before sched_setattr changes
 * anything. So each piece has one treatment.
 */
SEC("tp_btf/sched_stat_runtime")
int BPF_PROG(ran, struct task_struct *p, __u64 runtime)
{
	struct watched *w;
	__u32 how;

	if (p->policy == SCHED_NORMAL && !has_own_slice(p) && p->se.slice)
		default_slice = p->se.slice;
	w = find(p);
	if (!w || over)
		return 0;
	how = treatment(p);
	if (how >= CORPUS_TREATMENTS) /* for the verifier */
		return 0;
	if (bpf_ktime_get_ns() - w->life.born < SECOND)
		w->life.cpu_first[how] += runtime;
	else
		w->life.cpu_later[how] += runtime;
	return 0;
}

static __always_inline __u32 waker(struct task_struct *p)
{
	struct task_struct *current = bpf_get_current_task_btf();

	if (inside(IN_INTERRUPT))
		return CORPUS_BY_INTERRUPT;
	if (inside(IN_SOFTIRQ))
		return CORPUS_BY_SOFTIRQ;
	if (current->flags & PF_KTHREAD)
		return CORPUS_BY_KERNEL_THREAD;
	return current->tgid == p->tgid ? CORPUS_BY_OWN_PROCESS : CORPUS_BY_OTHER_PROCESS;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(woken, struct task_struct *p)
{
	struct watched *w = find(p);
	__u32 by, how;

	if (!w || !w->asleep || w->woken)
		return 0;
	w->woken = clock();
	if (over)
		return 0;
	by = waker(p);
	how = treatment(p);
	if (by >= CORPUS_WAKERS || how >= CORPUS_TREATMENTS) /* for the verifier */
		return 0;
	w->life.wakers[by]++;
	w->life.wakes[how]++;
	return 0;
}

static __always_inline void stops(struct watched *w, struct task_struct *p, bool preempted)
{
	__builtin_memcpy(w->life.comm, p->comm, sizeof(w->life.comm));
	if (p->__state & TASK_DEAD) {
		emit(w, p);
		__sync_fetch_and_sub(&living, 1);
		return;
	}
	w->asleep = !preempted && p->__state;
	w->woken = 0;
	w->stopped = clock();
}

static __always_inline void starts(struct watched *w)
{
	__u64 now = clock(), woken = w->woken ? w->woken : now;

	if (w->stopped && w->asleep && woken > w->stopped) {
		w->life.slept += woken - w->stopped;
		w->life.waited += now > woken ? now - woken : 0;
	} else if (w->stopped && now > w->stopped) {
		w->life.waited += now - w->stopped;
	}
	if (!over)
		w->life.runs++;
	w->stopped = 0;
	w->asleep = 0;
	w->woken = 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(switched, bool preempted, struct task_struct *prev, struct task_struct *next)
{
	struct watched *w = find(prev);

	if (w)
		stops(w, prev, preempted);
	w = find(next);
	if (w)
		starts(w);
	return 0;
}
