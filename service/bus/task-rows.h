/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What is known of running tasks, as named values. Results are as of rows.h. */

#include <systemd/sd-bus.h>

#include "filter.h"
#include "scripts.h"

/* Of a program, in the bytes of the kernel. */
typedef struct {
	guint8 kind;
	guint32 uid;
	const char *path; /* of PROCDB_PATH_LEN bytes, "" for unknown */
	const char *unit; /* of PROCDB_UNIT_LEN bytes, "" for unknown */
} ProcdbIdentity;

/* The name under which a task is learned; its own, where that has no numbers that count tasks. */
const struct procdb_comm *procdb_task_key(const struct procdb_task_row *task);

/*
 * The entry that says of a task how it starts: that of its name as it is, if an override or a hold
 * is of that, else the one under which it is learned (bpf/predictions.bpf.h). NULL if there is
 * none.
 */
const struct procdb_entry *procdb_task_entry(const ProcdbEngine *engine,
					     const struct procdb_task_row *task);

/*
 * The desktop application that the unit is of, escaped as a task name is; NULL for any other unit.
 * Free with g_free().
 */
char *procdb_identity_application(const ProcdbIdentity *identity);

/* Appends kind and user, and, if all is to be told, program, unit and application. */
int procdb_identity_append(sd_bus_message *message, const ProcdbIdentity *identity, gboolean all);

/* The most bytes of that, of one more as the application of a unit. */
gsize procdb_identity_size(const ProcdbIdentity *identity);

/*
 * The tasks (struct procdb_task_row) that pass, at most limit, 0 for all, in their order; tasks
 * must outlive them. *size: the bytes of their rows for a caller of this user, at most. NULL with
 * error set if an answer has no room for so many.
 */
GPtrArray *procdb_tasks_matching(const ProcdbEngine *engine, const GArray *tasks,
				 const ProcdbFilter *filter, guint limit, guint32 uid, gsize *size,
				 GError **error);

/* Appends the aa{sv} of these tasks, for a caller of this user. */
int procdb_tasks_append(sd_bus_message *message, const ProcdbEngine *engine,
			const GPtrArray *matching, guint32 uid, ProcdbScriptReader *reader);
