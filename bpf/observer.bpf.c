// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * Measures every task from the scheduler's tracepoints, for every kernel with
 * BTF, and publishes what it found under the task's name once its averages
 * have matured.
 */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "classify.h"

char LICENSE[] SEC("license") = "GPL";

struct task_state {
	struct procdb_task task;
	u64 run_start; /* ns; 0 while not on a CPU, or when we missed its start */
	bool published; /* since the averages matured */
	bool always_critical;
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

/* Read by the service through the mapped .bss. */
__u64 observed; /* entries added to the observe map */
__u64 overwritten; /* entries replaced before they were drained */
__u64 failed; /* updates that the map refused */

static __always_inline void comm_of(struct task_struct *p, struct procdb_comm *comm)
{
	__builtin_memcpy(comm->bytes, p->comm, sizeof(comm->bytes));
}

static __always_inline void begin(struct task_state *s, struct task_struct *p)
{
	struct procdb_comm comm;

	comm_of(p, &comm);
	procdb_task_reset(&s->task);
	s->published = false;
	s->always_critical = bpf_map_lookup_elem(&compositors, &comm) != NULL;
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

static __always_inline void publish(struct task_struct *p, const struct procdb_task *t)
{
	struct procdb_class seen = {
		.tier = (u8)t->tier,
		.avg_runtime = t->avg_runtime,
		.runtime_dev = t->runtime_dev,
		.wakeup_freq = t->wakeup_freq,
		.csw_rate = t->csw_rate,
	};
	struct procdb_comm comm;

	comm_of(p, &comm);
	/* Counted after the update: a reader that sees the count finds the entry. */
	if (!bpf_map_update_elem(&task_class_observe, &comm, &seen, BPF_NOEXIST))
		__sync_fetch_and_add(&observed, 1);
	else if (!bpf_map_update_elem(&task_class_observe, &comm, &seen, BPF_ANY))
		__sync_fetch_and_add(&overwritten, 1);
	else
		__sync_fetch_and_add(&failed, 1);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	u64 now = bpf_ktime_get_ns();
	struct task_state *s;

	/* pid 0 is the idle task: one for each CPU, and nobody's behaviour. */
	if (prev->pid && (s = state_of(prev)) && s->run_start) {
		procdb_task_stop(&s->task, now - s->run_start);
		s->run_start = 0;
		if (s->task.age >= PROCDB_AGE_MATURE && !s->published) {
			s->published = true;
			publish(prev, &s->task);
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
		procdb_task_wakeup(&s->task, bpf_ktime_get_ns(), p->nvcsw,
				   p->flags & PF_WQ_WORKER, s->always_critical);
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

/* Another program, under another name, begins: what was measured is not its. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *p, int old_pid, struct linux_binprm *bprm)
{
	struct task_state *s = state_of(p);

	if (s)
		begin(s, p);
	return 0;
}
