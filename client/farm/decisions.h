/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What machines have decided, as the store has it, and what they say together. All of it is
 * hostile. */

#include <glib.h>

/* As many as a service has (PROCDB_MAX_OVERRIDES). */
#define FARM_MAX_OVERRIDES 1024

/* What machines have decided: for each name that is one, its tier. */
typedef GHashTable FarmDecisions;

/*
 * What a record of the store says, "TIER NAME" a line. Lines that are none are left out, and so is
 * all above FARM_MAX_OVERRIDES. Free with g_hash_table_unref().
 */
FarmDecisions *farm_decisions_parse(const char *text);

/* What machines say of a name together. */
typedef enum {
	FARM_AGREED,
	FARM_TOO_FEW,
	FARM_DISAGREED,
} FarmVerdict;

typedef struct {
	const char *tier; /* static; of the first that said one */
	guint machines;
	FarmVerdict verdict;
} FarmDecision;

/*
 * By name what all machines but host say, an agreement of quorum machines or none: values are
 * FarmDecision. Free with g_hash_table_unref().
 */
GHashTable *farm_decisions_sum(GHashTable *machines, const char *host, guint quorum);
