/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The ABI between BPF programs and the service: keys, values and pin paths of
 * the two maps that scx_pandemonium defined. Included by BPF and by C, so it
 * holds fixed-width types only.
 */

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#define PROCDB_PIN_DIR "/sys/fs/bpf/pandemonium"
/* LRU hash, BPF to service: what was observed of a name since the last drain. */
#define PROCDB_PIN_OBSERVE PROCDB_PIN_DIR "/task_class_observe"
/* Hash, service to BPF: the predictions that tasks start from. */
#define PROCDB_PIN_INIT PROCDB_PIN_DIR "/task_class_init"

/* TASK_COMM_LEN of the kernel (include/linux/sched.h). */
#define PROCDB_COMM_LEN 16

enum procdb_tier {
	PROCDB_TIER_BATCH = 0,
	PROCDB_TIER_INTERACTIVE = 1,
	PROCDB_TIER_LAT_CRITICAL = 2,
	PROCDB_TIERS = 3,
};

/* Key of both maps: a task's name, zero-padded, arbitrary bytes. */
struct procdb_comm {
	__u8 bytes[PROCDB_COMM_LEN];
};

/*
 * The first pad byte of an observation of ours says whose task it is of, root's or a
 * user's; 0, as in what others write, is unknown. No program reads it in the
 * init map.
 */
#define PROCDB_PAD_TEACHERS 0
/* The last one is 1 in a prediction of ours that an administrator decided: it holds for life. */
#define PROCDB_PAD_DECIDED 6
/* The sixth one is 1 in an observation of ours of a life that was too short to say what it was. */
#define PROCDB_PAD_BRIEF 5
#define PROCDB_TAUGHT_BY_ROOT 1
#define PROCDB_TAUGHT_BY_USERS 2
/* The user ID, in four of the other bytes. */
#define PROCDB_PAD_UID 1

/* Value of both maps, native endian. */
struct procdb_class {
	__u8 tier; /* enum procdb_tier; anything above counts as LAT_CRITICAL */
	__u8 pad[7];
	__u64 avg_runtime; /* ns */
	__u64 runtime_dev; /* ns */
	__u64 wakeup_freq; /* wake-ups per 100 ms */
	__u64 csw_rate;	   /* voluntary context switches per 100 ms */
};

/*
 * How predictions fared: value of the observer's own score map, not part of
 * what other schedulers know.
 */
struct procdb_score {
	__u32 found;  /* execs under this name, or changes to it, that found a prediction */
	__u32 missed; /* ... that found none */
	__u32 right;  /* predicted tasks that turned out to be of that tier */
	__u32 wrong;
	/* The same by tier: predicted (first), turned out to be (second). */
	__u32 outcomes[PROCDB_TIERS][PROCDB_TIERS];
};

_Static_assert(sizeof(struct procdb_comm) == 16, "map key is 16 bytes");
_Static_assert(sizeof(struct procdb_class) == 40, "map value is 40 bytes");
_Static_assert(__builtin_offsetof(struct procdb_class, tier) == 0, "ABI");
_Static_assert(__builtin_offsetof(struct procdb_class, pad) == 1, "ABI");
_Static_assert(__builtin_offsetof(struct procdb_class, avg_runtime) == 8, "ABI");
_Static_assert(__builtin_offsetof(struct procdb_class, runtime_dev) == 16, "ABI");
_Static_assert(__builtin_offsetof(struct procdb_class, wakeup_freq) == 24, "ABI");
_Static_assert(__builtin_offsetof(struct procdb_class, csw_rate) == 32, "ABI");
