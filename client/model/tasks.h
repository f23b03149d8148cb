/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The tasks that the service lists. */

#include "json.h"

/* Words of set_by. */
#define TASK_SET_BY_KERNEL "kernel"
#define TASK_SET_BY_US "procdb"

/* One task of ListTasks; the strings belong to the Tasks. */
typedef struct {
	guint32 pid; /* of its process */
	guint32 tid;
	const char *name;
	const char *predicted; /* tiers; NULL: none */
	const char *measured;
	const char *decided;	/* the tier that an override of its program or unit says */
	const char *decided_by; /* program or unit */
	const char *program;	/* path; NULL: not known */
	const char *script;	/* that it runs, of an interpreter; NULL: none */
	const char *set_by;	/* whose the slice is: kernel, procdb or other */
	const char *given;	/* the tier whose slice it has of us; NULL: none, or not known */
	gboolean is_of_service;
	guint64 slice_ns; /* 0: it has none */
	guint64 cpu_ns;
	gint32 nice;
	guint32 policy;	   /* sched(7) */
	GVariant *members; /* all of them, an a{sv} */
} Task;

typedef struct {
	GVariant *reply;
	GArray *items; /* of Task */
} Tasks;

/* Every task; NULL and error if the service does not say. */
Tasks *tasks_fetch(Ctl *ctl, GError **error);

void tasks_free(Tasks *tasks);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tasks, tasks_free)

static inline const Task *tasks_get(const Tasks *tasks, guint index)
{
	return &g_array_index(tasks->items, Task, index);
}

/*
 * Name -> where its prediction comes from: hold, override or learned. NULL and error if the service
 * does not say. Free with g_hash_table_unref().
 */
GHashTable *tasks_sources(Ctl *ctl, GError **error);

/* Whether one of them has this name. */
gboolean tasks_have(const Tasks *tasks, const char *name);

/* The tier that a task is treated as, or would be: measured or predicted; NULL: none. */
const char *tasks_tier(const Task *task);

/* Why it has the slice and nice value that it has, in words. Free with g_free(). */
char *tasks_why(const Task *task, const GHashTable *sources);

/* An array of objects, each with all members and "why". */
JsonNode *tasks_json(const Tasks *tasks, const GHashTable *sources);
