/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The tiers as words, and the tier that a vote elects: for the service, the client and tests. */

#include <stdbool.h>
#include <stdint.h>

#include "procdb-abi.h"

/* "batch", "interactive" and "lat-critical", in the order of enum procdb_tier; NULL at the end. */
extern const char *const procdb_tier_names[PROCDB_TIERS + 1];

/* The name of a tier; anything above LAT_CRITICAL counts as that. Static. */
const char *procdb_tier_name(enum procdb_tier tier);

/* Reads a tier's name into *tier; false, and *tier untouched, if it is none. */
bool procdb_tier_parse(const char *name, enum procdb_tier *tier);

/* The tier with most votes; of equals the highest, so LAT_CRITICAL without votes. */
enum procdb_tier procdb_tier_of_votes(const uint32_t votes[PROCDB_TIERS]);
