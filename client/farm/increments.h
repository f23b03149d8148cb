/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What a machine has learned since its last push. Pure functions of what the service exports. */

#include "rows.h"
#include "steps.h"

/* What of a profile was pushed already: its counters then, without what the farm itself said. */
typedef struct {
	guint32 votes[PROCDB_TIERS];
	guint32 observations;
	guint64 right;
	guint64 wrong;
} FarmMark;

/* Of the averages: as in enum procdb_average. */
typedef struct {
	char *name;
	guint32 votes[PROCDB_TIERS];
	guint32 runs;
	guint64 right;
	guint64 wrong;
	gint64 first_s; /* since the epoch; 0: unknown */
	gint64 last_s;
	guint steps[PROCDB_AVERAGES];
} FarmIncrement;

/* An array of FarmIncrement that frees their names. */
GArray *farm_increments_new(void);

/* Marks by name. */
GHashTable *farm_marks_new(void);

/* The counters of a row that are this machine's own: without the votes of a prior. */
FarmMark farm_mark_of(const Row *row);

/*
 * What is new in rows since the marks, in the order of the rows; *now is what the marks are when
 * it was pushed. A name that was forgotten and learned anew begins at 0 again. Votes are halved
 * by the service now and then: what was seen since is then divided as the votes are now.
 * Overrides are left out of it: only what was learned counts.
 */
GArray *farm_increments(GHashTable *marks, const Rows *rows, GHashTable **now);

/* Runs in all of them. */
guint64 farm_increments_runs(const GArray *increments);
