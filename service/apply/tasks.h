/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the layer asks of the kernel, so that tests can answer instead. */

#include "slice.h"

typedef struct {
	/*
	 * A handle that holds the very task that the event speaks of, or -1 when
	 * it is gone. Also for zombies.
	 */
	int (*hold)(gpointer data, const struct procdb_task_event *event);
	/* The same for whatever task has this pid now. */
	int (*hold_pid)(gpointer data, guint pid);
	/* Whether the held task still has its pid, so that no other task can have had it. */
	gboolean (*held)(gpointer data, int handle);
	void (*release)(gpointer data, int handle);

	/* 0, or a negative errno. */
	int (*get)(gpointer data, guint pid, ProcdbSchedAttr *attr);
	int (*set)(gpointer data, guint pid, const ProcdbSchedAttr *attr);

	/* Appends the pids (guint) of all threads of the machine. */
	void (*list)(gpointer data, GArray *pids);
	/* Whether a sched_ext scheduler runs the tasks of this machine. */
	gboolean (*sched_ext)(gpointer data);
	/* ns, monotonic */
	gint64 (*clock)(gpointer data);
} ProcdbTaskOps;

/* The running kernel; takes no data. */
extern const ProcdbTaskOps procdb_kernel_tasks;

/*
 * Gives the calling thread the shortest slice there is, so that it can act
 * beside the very tasks whose slices are still to be set. It stays with the
 * thread. FALSE when it has a policy or nice value of its own, or the kernel
 * cannot do it.
 */
gboolean procdb_tasks_hurry_self(void);
