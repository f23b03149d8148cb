// SPDX-License-Identifier: GPL-2.0-only
// Copyright (C) 2026 The ProcDb developers

/*
 * Another sched_ext scheduler, as small as can be: it has the two maps of the
 * ABI in the sizes of the reference, fills the one when a task dies and looks
 * into the other when a task is enabled, as scx_pandemonium does. It knows
 * nothing of our programs.
 */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "procdb-abi.h"
#include "scx-kfuncs.h"

char LICENSE[] SEC("license") = "GPL";

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_class);
} task_class_observe SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_class);
} task_class_init SEC(".maps");

__u64 found; /* predictions, at enable */

#define SLICE 5000000ULL
#define QUEUE 7

SEC("struct_ops/external_enqueue")
int BPF_PROG(external_enqueue, struct task_struct *p, u64 enq_flags)
{
	scx_insert(p, QUEUE, SLICE, enq_flags);
	return 0;
}

SEC("struct_ops/external_dispatch")
int BPF_PROG(external_dispatch, s32 cpu, struct task_struct *prev)
{
	scx_move_to_local(QUEUE);
	return 0;
}

SEC("struct_ops/external_stopping")
int BPF_PROG(external_stopping, struct task_struct *p, bool runnable)
{
	struct procdb_class seen = {.tier = PROCDB_TIER_BATCH, .avg_runtime = 1000000};
	struct procdb_comm comm;

	if (runnable || !(p->__state & TASK_DEAD))
		return 0;
	bpf_probe_read_kernel(&comm, sizeof(comm), p->comm);
	bpf_map_update_elem(&task_class_observe, &comm, &seen, BPF_ANY);
	return 0;
}

SEC("struct_ops/external_enable")
int BPF_PROG(external_enable, struct task_struct *p)
{
	struct procdb_comm comm;

	bpf_probe_read_kernel(&comm, sizeof(comm), p->comm);
	if (bpf_map_lookup_elem(&task_class_init, &comm))
		__sync_fetch_and_add(&found, 1);
	return 0;
}

SEC("struct_ops/external_init")
s32 BPF_PROG(external_init)
{
	return scx_bpf_create_dsq(QUEUE, -1);
}

SEC(".struct_ops")
struct sched_ext_ops external_ops = {
    .enqueue = (void *)external_enqueue,
    .dispatch = (void *)external_dispatch,
    .stopping = (void *)external_stopping,
    .enable = (void *)external_enable,
    .init = (void *)external_init,
    .timeout_ms = 10000,
    .name = "vm_external",
};
