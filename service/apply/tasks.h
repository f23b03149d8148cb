/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the layer asks of the kernel, so that tests can answer instead. */

#include "given.h"
#include "slice.h"

typedef struct {
	/*
	 * A handle that holds the very task that has this pid, and these of the event that
	 * speaks of it, or -1 when it is gone. Also for zombies.
	 */
	int (*hold)(gpointer data, guint pid, guint64 start_time, guint64 pidfs_ino);
	/* Whether the held task still has its pid, so that no other task can have had it. */
	gboolean (*held)(gpointer data, int handle);
	void (*release)(gpointer data, int handle);

	/* 0, or a negative errno. set leaves the policy and the flags as they are. */
	int (*get)(gpointer data, guint pid, ProcdbSchedAttr *attr);
	int (*set)(gpointer data, guint pid, const ProcdbSchedAttr *attr);

	/* The record of what the held task was given; given.h. */
	void (*given)(gpointer data, int handle, struct procdb_given *given);
	gboolean (*give)(gpointer data, int handle, const struct procdb_given *given);
	/* Appends the tasks that have a slice of ours; FALSE when that cannot be told. */
	gboolean (*list)(gpointer data, GArray *tasks);
	/* The same for what a service left that did not stop cleanly. */
	void (*leftovers)(gpointer data, GArray *tasks);

	/* From now on changes of others to this task are noted, but for these values of it. */
	void (*guard)(gpointer data, guint pid);
	void (*expect)(gpointer data, const ProcdbSchedAttr *now, const ProcdbSchedAttr *next);
	/* How many there were; what the last of them left. */
	guint (*changes)(gpointer data, struct procdb_guard *last);

	/* Why no task may be changed, as a sentence; NULL when they may. */
	const char *(*refusal)(gpointer data);
	/* Once a tick. TRUE when the refusal changed. */
	gboolean (*refresh)(gpointer data);
	/* Whether a sched_ext scheduler runs the tasks of this machine. */
	gboolean (*sched_ext)(gpointer data);
	/* ns, monotonic */
	gint64 (*clock)(gpointer data);
} ProcdbTaskOps;

/* The running kernel; its data is the ProcdbLedger. */
extern const ProcdbTaskOps procdb_kernel_tasks;

/*
 * Gives the calling thread the shortest slice there is, so that it can act
 * beside the very tasks whose slices are still to be set. It stays with the
 * thread. FALSE when it has a policy or nice value of its own, or the kernel
 * cannot do it.
 */
gboolean procdb_tasks_hurry_self(void);
