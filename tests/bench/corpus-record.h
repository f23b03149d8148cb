/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the recorder's programs hand to its loader: one record for each life of a thread, from fork
 * or exec to exec or exit. */

/* What the kernel gave a thread at a moment; the judge's own terms, read from the task itself. */
enum corpus_treatment {
	CORPUS_DEFAULT, /* the kernel's own slice, or one of up to 1.25 times it */
	CORPUS_LONG,	/* a slice of its own, longer than that */
	CORPUS_SHORT,	/* a slice of its own, shorter than the kernel's */
	CORPUS_OTHER,	/* another policy than SCHED_OTHER: real-time, batch, idle */
	CORPUS_TREATMENTS
};

enum corpus_waker {
	CORPUS_BY_INTERRUPT, /* timers among them */
	CORPUS_BY_SOFTIRQ,
	CORPUS_BY_KERNEL_THREAD,
	CORPUS_BY_OWN_PROCESS,
	CORPUS_BY_OTHER_PROCESS,
	CORPUS_WAKERS
};

/* Time in ns. */
struct corpus_life {
	__u64 born; /* fork or exec, CLOCK_MONOTONIC */
	__u64 ended;
	__u64 cpu_first[CORPUS_TREATMENTS]; /* within a second of born */
	__u64 cpu_later[CORPUS_TREATMENTS]; /* after it */
	__u64 wakes[CORPUS_TREATMENTS];
	__u64 wakers[CORPUS_WAKERS];
	__u64 slept;
	__u64 waited; /* runnable without a CPU */
	__u64 runs;
	__u64 voluntary; /* switches */
	__u64 slice;	 /* the last one seen */
	__u32 pid;
	__u32 tgid;
	__u32 parent;
	__u32 policy;
	__s32 nice;
	__u8 executed; /* the life began with an exec */
	__u8 padding[3];
	char comm[16];
};
