/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The kernel calls of the apply layer, as a table, so that tests can replace the kernel. */

#include "task-ledger.h"
#include "slice.h"

typedef struct {
	/*
	 * A handle on the task that an event describes, so that its pid can be checked for reuse;
	 * -1 when that task is gone. A zombie has one, too.
	 */
	int (*open_task)(gpointer data, guint pid, guint64 start_time, guint64 pidfs_ino);
	/* Whether the task still has its pid: then no other task has had that pid meanwhile. */
	gboolean (*is_alive)(gpointer data, int handle);
	void (*close_task)(gpointer data, int handle);

	/* 0, or a negative errno. set_attr leaves the policy and the flags as they are. */
	int (*get_attr)(gpointer data, guint pid, ProcdbSchedAttr *attr);
	int (*set_attr)(gpointer data, guint pid, const ProcdbSchedAttr *attr);

	/* The record of what the service gave to the task (task-ledger.h). */
	void (*read_record)(gpointer data, int handle, struct procdb_given *given);
	gboolean (*write_record)(gpointer data, int handle, const struct procdb_given *given);
	/* Appends the tasks that have a slice of ours; FALSE when the kernel cannot list them. */
	gboolean (*list_given)(gpointer data, GArray *tasks);
	/* The same for a service before this one that did not stop cleanly. */
	void (*list_leftovers)(gpointer data, GArray *tasks);

	/* Counts from now on the changes that other programs make to this task; pid 0: to none. */
	void (*guard_task)(gpointer data, guint pid);
	/* The values that are no change: those that the task has, and those that it gets next. */
	void (*expect_values)(gpointer data, const ProcdbSchedAttr *now,
			      const ProcdbSchedAttr *next);
	/* The number of changes since guard_task(); *last is what the last of them left. */
	guint (*count_changes)(gpointer data, struct procdb_guard *last);

	/* The reason why no task may be changed, as a sentence; NULL when tasks may be. */
	const char *(*refusal)(gpointer data);
	/* Called once a tick. TRUE when the refusal changed. */
	gboolean (*refresh)(gpointer data);
	/* Whether a sched_ext scheduler runs the tasks of this machine. */
	gboolean (*sched_ext)(gpointer data);
	/* ns, monotonic */
	gint64 (*clock)(gpointer data);
} ProcdbTaskOps;

/* The running kernel. The ledger must outlive it. Free with procdb_kernel_tasks_free(). */
typedef struct _ProcdbKernelTasks ProcdbKernelTasks;
ProcdbKernelTasks *procdb_kernel_tasks_new(ProcdbLedger *ledger);
void procdb_kernel_tasks_free(ProcdbKernelTasks *tasks);

/* Its calls; their data is a ProcdbKernelTasks. */
extern const ProcdbTaskOps procdb_kernel_tasks;

/*
 * Gives the calling thread the shortest slice that the kernel takes: a busy machine delays it less
 * then, and new tasks get their slices sooner. The slice stays with the thread. FALSE when the
 * thread has a policy or nice value of its own, or the kernel refuses.
 */
gboolean procdb_tasks_shorten_own_slice(void);
