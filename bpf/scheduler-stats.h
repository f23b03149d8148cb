/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Counters of the scheduler for the service, in its mapped .bss. */

#include "procdb-abi.h"

#define PROCDB_SCHED_CPUS 1024 /* a power of two */
#define PROCDB_SCHED_REASON 128

/* Of one CPU, written by that CPU only; alone on its cache lines. */
struct procdb_sched_cpu {
	__u64 runs[PROCDB_TIERS];	  /* times that a task of this tier began to run */
	__u64 longest_wait[PROCDB_TIERS]; /* ns from queued to running */
	__u64 preempted;		  /* for a task of a better tier that woke up */
	__u64 demoted;			  /* tasks that ran on and on, until their next sleep */
	__u64 at_enable;		  /* predictions found for a new task's name */
	__u64 at_rename;		  /* predictions found after exec or prctl */
	__u64 unknown;			  /* names without a prediction */
	/* The scheduler's own state of the CPU. */
	__u32 running;		    /* tier + 1 of what runs; 0: idle, or another class */
	__u32 turn;		    /* tier + 1 of the overdue queue that is being served */
	__u64 turn_until;	    /* ns */
	__u64 served[PROCDB_TIERS]; /* ns: when one of the queue was last taken, or none waited */
} __attribute__((aligned(128)));

/* How the kernel ended the scheduler; kind is 0 while it has not. */
struct procdb_sched_exit {
	__s64 code;
	__u32 kind; /* enum scx_exit_kind */
	char reason[PROCDB_SCHED_REASON];
	char message[PROCDB_SCHED_REASON];
};
