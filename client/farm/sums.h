/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the store knows of a name, and what prior follows from it. All of it is hostile. */

#include "rows.h"
#include "steps.h"

/* Of all machines that saw the name; scripts.c has the text of it. */
typedef struct {
	guint64 votes[PROCDB_TIERS]; /* each machine's no more than FARM_HOST_WEIGHT */
	guint64 hosts;
	guint64 runs;
	guint64 right;
	guint64 wrong;
	guint64 first_s;
	guint64 last_s;
	guint32 steps[PROCDB_AVERAGES][FARM_STEP_MAX + 1]; /* machines in each */
	guint64 in_steps[PROCDB_AVERAGES];		   /* machines in all of these */
} FarmSum;

/* Of one machine. */
typedef struct {
	guint64 votes[PROCDB_TIERS];
	guint64 runs;
	guint64 right;
	guint64 wrong;
	guint64 first_s;
	guint64 last_s;
	guint64 steps[PROCDB_AVERAGES];
} FarmPart;

/* Each reads a record; FALSE, and *sum or *part any value, if it is none. */
gboolean farm_sum_parse(const char *text, FarmSum *sum);
gboolean farm_part_parse(const char *text, FarmPart *part);

/* Whether a text is a name as the service writes them: nothing in it that a terminal obeys. */
gboolean farm_name_is_valid(const char *name);

/* What a prior needs. */
typedef struct {
	guint quorum;	/* machines that saw the name */
	gint64 since_s; /* not seen before that: forgotten */
	gint64 now_s;
} FarmDemands;

/* Whether a sum is enough for a prior, by demands; the tier of most votes has to have 4 of 5. */
gboolean farm_sum_is_prior(const FarmSum *sum, const FarmDemands *demands);

/* The prior as a record; name, and the other texts in it, are static or the caller's. */
Row farm_sum_to_row(const FarmSum *sum, const char *name, const FarmDemands *demands);

/* The votes of a machine as the farm counts them; exactly what the script does (scripts.c). */
void farm_part_share(const FarmPart *part, guint64 share[PROCDB_TIERS]);

/* The tier of most votes. */
enum procdb_tier farm_tier_of(const guint64 votes[PROCDB_TIERS]);
