/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What the kernel tells of a running task (task-list.bpf.c), and of all tasks of a name since the
 * observer began (programs.bpf.h). Bytes of paths and names are those of any program: what
 * shows them escapes them.
 */

#include "delays.h"
#include "procdb-abi.h"

#define PROCDB_PATH_LEN 256 /* with the terminator; of a script a longer one is cut */
#define PROCDB_UNIT_LEN 128 /* of a cgroup's name, cut if it is longer */

#define PROCDB_MAX_TASKS 16384 /* of which a list tells; the newest are left out */

enum procdb_task_kind {
	PROCDB_KIND_UNKNOWN = 0,
	PROCDB_KIND_PROCESS = 1, /* a main thread */
	PROCDB_KIND_THREAD = 2,
	PROCDB_KIND_KERNEL = 3,
};

enum procdb_slice_origin {
	PROCDB_SLICE_OF_KERNEL = 0, /* the kernel's own */
	PROCDB_SLICE_OURS = 1,
	PROCDB_SLICE_OTHERS = 2, /* another program set it */
};

struct procdb_task_row {
	__u64 slice; /* ns, its EEVDF slice; 0 where the kernel has none */
	__u64 cpu;   /* ns on a CPU in its life */
	__u32 pid;   /* of the thread, in the pid namespace of the reader */
	__u32 tgid;  /* of its process, likewise */
	__u32 uid;
	__u32 policy; /* SCHED_* */
	__s32 nice;
	__u8 kind;     /* enum procdb_task_kind */
	__u8 measured; /* enum procdb_tier; PROCDB_TIERS: not known */
	__u8 set_by;   /* enum procdb_slice_origin */
	__u8 decision; /* of a rule, as in struct procdb_given; 0: none */
	struct procdb_comm comm;
	struct procdb_comm key;	    /* under which it is learned (names.h); "": the same */
	char path[PROCDB_PATH_LEN]; /* of its executable; "" for kernel threads, or not known */
	char unit[PROCDB_UNIT_LEN]; /* the nearest cgroup that is a systemd unit, else its own */
};

_Static_assert(sizeof(struct procdb_task_row) == 72 + PROCDB_PATH_LEN + PROCDB_UNIT_LEN,
	       "no padding that BPF would leave unset");

/* Of all tasks of a name. Totals since the observer began; the rest is that of the last one. */
struct procdb_program {
	__u64 cpu;   /* ns on a CPU */
	__u64 alive; /* ns that they lived, each counted */
	__u64 wakeups;
	__u64 switches; /* voluntary context switches */
	/* How long they waited for a CPU after a wake-up, as struct procdb_delays counts it. */
	__u32 waits[PROCDB_DELAY_SIDES][PROCDB_WAIT_OCTAVES];
	__u32 version; /* of what follows; odd while BPF writes it */
	__u32 uid;
	__u32 kind : 8;	   /* enum procdb_task_kind */
	__u32 cgroup : 24; /* of the id of the one that unit is of, the low bits; 0: none */
	char path[PROCDB_PATH_LEN];
	char unit[PROCDB_UNIT_LEN];
	__u32 version_again; /* the same, behind it */
};

/*
 * Whether all in a copy between its two versions is of one task. BPF marks both before it writes
 * and sets both afterwards, so copies are made without a lock, from either end.
 */
static inline int procdb_program_is_whole(const struct procdb_program *copy)
{
	return copy->version == copy->version_again && !(copy->version & 1);
}

_Static_assert(sizeof(struct procdb_program) == 48 + 4 * PROCDB_DELAY_SIDES * PROCDB_WAIT_OCTAVES +
						    PROCDB_PATH_LEN + PROCDB_UNIT_LEN,
	       "no padding that BPF would leave unset");
