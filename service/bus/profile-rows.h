/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Profiles with all that is known of their programs, and the tasks that have their names now. */

#include <systemd/sd-bus.h>

#include "filter.h"
#include "holds.h"
#include "scripts.h"
#include "task-rows.h"

/* The most pids of a row. */
#define PROCDB_MAX_PIDS 64

/* What the tasks of a name run that are of an interpreter. */
typedef struct {
	const char *first; /* escaped; "" for none */
	guint number;	   /* of different ones, of the tasks that were looked at */
} ProcdbScripts;

/* For a caller, whose user decides what it is told of the tasks of others. */
typedef struct {
	ProcdbEngine *engine;
	const ProcdbHolds *holds;
	guint32 uid;
	const GArray *tasks;	    /* struct procdb_task_row; NULL: not known */
	GHashTable *by_name;	    /* struct procdb_comm -> GArray of guint: indexes in tasks */
	ProcdbScriptReader *reader; /* NULL: scripts are not asked for */
	GHashTable *scripts;	    /* struct procdb_comm -> ProcdbScripts, of those asked for */
} ProcdbView;

/*
 * Initializes a view; tasks must outlive it. only: the name of which alone rows are appended; NULL:
 * of any. Free with procdb_view_clear().
 */
void procdb_view_init(ProcdbView *view, ProcdbEngine *engine, const ProcdbHolds *holds, guint32 uid,
		      const GArray *tasks, const struct procdb_comm *only);
void procdb_view_clear(ProcdbView *view);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbView, procdb_view_clear)

/* Appends the a{sv} of an entry; a negative errno on failure. */
int procdb_view_append(const ProcdbView *view, sd_bus_message *message,
		       const struct procdb_entry *entry);
/* The bytes of a row but its path, unit, application and script: of nearly all rows fewer. */
#define PROCDB_ROW_MOST ((gsize)1560)
/* No answer has more rows. */
#define PROCDB_MAX_ROWS 20000

/*
 * Those that pass (const struct procdb_entry *), sorted, at most limit, 0 for all. NULL with error
 * set if that is more than PROCDB_MAX_ROWS.
 */
GPtrArray *procdb_view_matching(const ProcdbView *view, const ProcdbFilter *filter, guint limit,
				GError **error);

/*
 * Whether rows fit into one answer, whose texts are of the users. each: the bytes of one without
 * path, unit and application; texts: whether those are told, too. *size: the bytes of all, at most.
 * FALSE with error set if they do not fit.
 */
gboolean procdb_view_fits(const ProcdbView *view, const GPtrArray *entries, gsize each,
			  gboolean texts, gsize *size, GError **error);

/*
 * What is known of a name: of the last program that was started under it, else, as of programs
 * that are older than the service, of a task that has it now. FALSE if nothing is.
 */
gboolean procdb_view_identity(const ProcdbView *view, const struct procdb_entry *entry,
			      ProcdbIdentity *identity);

/*
 * The scripts of the tasks that have a name now and that the caller may know. What it points to is
 * the view's.
 */
const ProcdbScripts *procdb_view_scripts(const ProcdbView *view, const struct procdb_entry *entry);

/* The tasks that have a name now: writes their pids, and returns how many they are. */
guint procdb_view_pids(const ProcdbView *view, const struct procdb_entry *entry,
		       guint32 pids[PROCDB_MAX_PIDS]);

/* How often in a second of the lives of its tasks; negative if that is not known. */
double procdb_program_rate(const ProcdbProgram *program, guint64 count);
