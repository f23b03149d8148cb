/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The a{sv} that says which rows QueryProfiles and ListTasks answer with. */

#include <systemd/sd-bus.h>

#include "engine.h"

/* The entries that a method takes. */
typedef enum {
	PROCDB_FILTER_PROFILES = 1,
	PROCDB_FILTER_TASKS = 2,
} ProcdbFilterOf;

typedef enum {
	PROCDB_SORT_NAME,
	PROCDB_SORT_CPU,
	PROCDB_SORT_LAST_SEEN,
} ProcdbSort;

/* An entry that is not given lets all pass. */
typedef struct {
	GPatternSpec *pattern;
	GPtrArray *titles; /* GPatternSpec; NULL: any */
	gsize title_bytes; /* of all of them */
	int tier;	   /* enum procdb_tier; PROCDB_TIERS: any */
	int confident;	   /* -1: either */
	int applied;	   /* -1: either */
	guint32 kinds;	   /* a bit for each enum procdb_task_kind; 0: any */
	guint32 users;	   /* a bit for each ProcdbUserClass; 0: any */
	guint64 changed_since;
	gboolean since; /* changed_since is given */
	struct procdb_comm after;
	gboolean is_after; /* after is given */
	gint64 pid;	   /* -1: any */
	gint64 uid;	   /* -1: any */
	ProcdbSort sort;
} ProcdbFilter;

/*
 * Reads the filter that is next in a call; free it with procdb_filter_clear(), also on failure.
 * Negative: the message is malformed. Else, with error set, an entry that is wrong is named.
 */
int procdb_filter_read(sd_bus_message *call, ProcdbFilterOf of, ProcdbFilter *filter,
		       GError **error);
void procdb_filter_clear(ProcdbFilter *filter);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbFilter, procdb_filter_clear)

/* Whether the name of a task passes. */
gboolean procdb_filter_takes_name(const ProcdbFilter *filter, const struct procdb_comm *comm);
/* Whether one of the titles is that of a text, which is escaped as a name is. */
gboolean procdb_filter_has_title(const ProcdbFilter *filter, const char *text);
/* Whether a kind passes; one that is not known does. */
gboolean procdb_filter_takes_kind(const ProcdbFilter *filter, guint8 kind);
