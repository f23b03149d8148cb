/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* sched_getattr(2), which glibc has no function for. */

#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

/* include/uapi/linux/sched/types.h, version 0; that header cannot be used beside glibc's. */
struct attr {
	uint32_t size;
	uint32_t policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t slice;
	uint64_t deadline;
	uint64_t period;
};

/* Those of a task, 0 for the caller; zeros if it has ended. */
static inline struct attr attr_of(pid_t pid)
{
	struct attr attr = {.size = sizeof(attr)};

	syscall(SYS_sched_getattr, pid, &attr, sizeof(attr), 0);
	return attr;
}
