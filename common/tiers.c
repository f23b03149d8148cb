/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "tiers.h"

#include <string.h>

const char *const procdb_tier_names[PROCDB_TIERS + 1] = {
    [PROCDB_TIER_BATCH] = "batch",
    [PROCDB_TIER_INTERACTIVE] = "interactive",
    [PROCDB_TIER_LAT_CRITICAL] = "lat-critical",
};

const char *procdb_tier_name(enum procdb_tier tier)
{
	return procdb_tier_names[tier < PROCDB_TIERS ? tier : PROCDB_TIER_LAT_CRITICAL];
}

bool procdb_tier_parse(const char *name, enum procdb_tier *tier)
{
	for (int i = 0; i < PROCDB_TIERS; i++) {
		if (strcmp(name, procdb_tier_names[i]) == 0) {
			*tier = (enum procdb_tier)i;
			return true;
		}
	}
	return false;
}

enum procdb_tier procdb_tier_of_votes(const uint32_t votes[PROCDB_TIERS])
{
	enum procdb_tier best = PROCDB_TIER_BATCH;

	for (int i = 1; i < PROCDB_TIERS; i++)
		if (votes[i] >= votes[best])
			best = (enum procdb_tier)i;
	return best;
}
