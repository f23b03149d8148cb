/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What a sched_ext program asks of the kernel, under one name for 6.12 to 7.x.
 * A weak kfunc that the kernel lacks is address 0, and the verifier drops the
 * branch that would call it.
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

extern s32 scx_bpf_create_dsq(u64 dsq_id, s32 node) __ksym;
extern s32 scx_bpf_select_cpu_dfl(struct task_struct *p, s32 prev_cpu, u64 wake_flags,
				  bool *is_idle) __ksym;
extern s32 scx_bpf_pick_idle_cpu(const struct cpumask *cpus_allowed, u64 flags) __ksym;
extern void scx_bpf_kick_cpu(s32 cpu, u64 flags) __ksym;
extern s32 scx_bpf_dsq_nr_queued(u64 dsq_id) __ksym;
extern s32 scx_bpf_task_cpu(const struct task_struct *p) __ksym;
extern u32 scx_bpf_reenqueue_local(void) __ksym;
extern bool bpf_cpumask_test_cpu(u32 cpu, const struct cpumask *cpumask) __ksym;
extern struct cgroup *bpf_cgroup_ancestor(struct cgroup *cgrp, int level) __ksym;
extern void bpf_cgroup_release(struct cgroup *cgrp) __ksym;

/* 6.13 renamed these (5209c03c8ed2, 5cbb302880f5); 6.18 dropped the old names. */
extern void scx_bpf_dsq_insert(struct task_struct *p, u64 dsq_id, u64 slice,
			       u64 enq_flags) __ksym __weak;
extern void scx_bpf_dispatch(struct task_struct *p, u64 dsq_id, u64 slice,
			     u64 enq_flags) __ksym __weak;
extern void scx_bpf_dsq_insert_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				     u64 enq_flags) __ksym __weak;
extern void scx_bpf_dispatch_vtime(struct task_struct *p, u64 dsq_id, u64 slice, u64 vtime,
				   u64 enq_flags) __ksym __weak;
extern bool scx_bpf_dsq_move_to_local(u64 dsq_id) __ksym __weak;
extern bool scx_bpf_consume(u64 dsq_id) __ksym __weak;

/* 6.19 wants these in place of writes to p->scx. */
extern bool scx_bpf_task_set_slice(struct task_struct *p, u64 slice) __ksym __weak;
extern bool scx_bpf_task_set_dsq_vtime(struct task_struct *p, u64 vtime) __ksym __weak;

struct bpf_iter_scx_dsq {
	u64 opaque[6];
} __attribute__((aligned(8)));
extern int bpf_iter_scx_dsq_new(struct bpf_iter_scx_dsq *it, u64 dsq_id, u64 flags) __ksym;
extern struct task_struct *bpf_iter_scx_dsq_next(struct bpf_iter_scx_dsq *it) __ksym;
extern void bpf_iter_scx_dsq_destroy(struct bpf_iter_scx_dsq *it) __ksym;

/* The compiler knows that a function has an address; libbpf knows better. */
#define scx_has(kfunc)                                                                             \
	({                                                                                         \
		_Pragma("clang diagnostic push")                                                   \
		    _Pragma("clang diagnostic ignored \"-Wpointer-bool-conversion\"") !!(kfunc);   \
		_Pragma("clang diagnostic pop")                                                    \
	})

/*
 * Flags whose values moved between kernels or are wider than the enumerations
 * of clang 14: a flavour ("___l") of the kernel's enumeration has its name and
 * takes the running kernel's value.
 */
enum scx_enq_flags___l {
	SCX_ENQ_WAKEUP___l = 1,
	SCX_ENQ_PREEMPT___l = 1,
};
enum scx_kick_flags___l {
	SCX_KICK_IDLE___l = 1,
	SCX_KICK_PREEMPT___l = 2,
};
enum scx_ent_flags___l {
	SCX_TASK_QUEUED___l = 1,
};
enum scx_dsq_id_flags___l {
	SCX_DSQ_LOCAL___l = 1,
};
#define SCX_ENQ_WAKEUP bpf_core_enum_value(enum scx_enq_flags___l, SCX_ENQ_WAKEUP___l)
#define SCX_ENQ_PREEMPT bpf_core_enum_value(enum scx_enq_flags___l, SCX_ENQ_PREEMPT___l)
#define SCX_KICK_IDLE bpf_core_enum_value(enum scx_kick_flags___l, SCX_KICK_IDLE___l)
#define SCX_KICK_PREEMPT bpf_core_enum_value(enum scx_kick_flags___l, SCX_KICK_PREEMPT___l)
#define SCX_TASK_QUEUED bpf_core_enum_value(enum scx_ent_flags___l, SCX_TASK_QUEUED___l)
#define SCX_DSQ_LOCAL bpf_core_enum_value(enum scx_dsq_id_flags___l, SCX_DSQ_LOCAL___l)

static __always_inline void scx_insert(struct task_struct *p, u64 dsq, u64 slice, u64 flags)
{
	if (scx_has(scx_bpf_dsq_insert))
		scx_bpf_dsq_insert(p, dsq, slice, flags);
	else
		scx_bpf_dispatch(p, dsq, slice, flags);
}

static __always_inline void scx_insert_vtime(struct task_struct *p, u64 dsq, u64 slice, u64 vtime,
					     u64 flags)
{
	if (scx_has(scx_bpf_dsq_insert_vtime))
		scx_bpf_dsq_insert_vtime(p, dsq, slice, vtime, flags);
	else
		scx_bpf_dispatch_vtime(p, dsq, slice, vtime, flags);
}

static __always_inline bool scx_move_to_local(u64 dsq)
{
	if (scx_has(scx_bpf_dsq_move_to_local))
		return scx_bpf_dsq_move_to_local(dsq);
	return scx_bpf_consume(dsq);
}

static __always_inline void scx_set_slice(struct task_struct *p, u64 slice)
{
	if (scx_has(scx_bpf_task_set_slice))
		scx_bpf_task_set_slice(p, slice);
	else
		p->scx.slice = slice;
}

static __always_inline void scx_set_vtime(struct task_struct *p, u64 vtime)
{
	if (scx_has(scx_bpf_task_set_dsq_vtime))
		scx_bpf_task_set_dsq_vtime(p, vtime);
	else
		p->scx.dsq_vtime = vtime;
}
