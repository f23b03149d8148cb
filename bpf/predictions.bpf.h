/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What tasks start from, by name: the map of the ABI that the service fills. */

#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "threads.h"

/* Written by the service only, so memory is allocated for present entries only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_class);
} task_class_init SEC(".maps");

/*
 * What is predicted for p, or NULL: by the name that it is learned under, key, unless an override
 * or a hold is of its name as it is. What was learned of that does not count: of such a name only
 * others teach, such as a user that executes a program called as a thread of root's is. *name: of
 * the prediction, else the key.
 */
static __always_inline struct procdb_class *
prediction_of(struct task_struct *p, const struct procdb_comm *key, struct procdb_comm *name)
{
	struct procdb_class *prediction;

	comm_of(p, name);
	prediction = bpf_map_lookup_elem(&task_class_init, name);
	if (is_same_comm(name, key) || (prediction && prediction->pad[PROCDB_PAD_DECIDED]))
		return prediction;
	*name = *key;
	return bpf_map_lookup_elem(&task_class_init, name);
}
