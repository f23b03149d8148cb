/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* From what older files say to what we know of a profile today, step by step. */

#include "codec.h"

/* Contents of a record: of entries of version 1 and 2, and of the extension as it grew. */
enum {
	PROCDB_SCHEMA_V1 = 1,
	PROCDB_SCHEMA_V2 = 2,
	PROCDB_SCHEMA_EXT_1 = 3, /* with votes, times, lasting scores, override, teachers */
	PROCDB_SCHEMA_EXT_2 = 4, /* with recent scores and withdrawals */
	PROCDB_SCHEMA_CURRENT = PROCDB_SCHEMA_EXT_2,
};

/* An entry as it was read. */
struct procdb_stored {
	guint schema;
	struct procdb_record record; /* fields that its schema lacks are not set */
	guint8 tier;		     /* not above LAT_CRITICAL */
	guint32 votes;		     /* all of them */
};

/* Brings an entry of any known schema to the current one. */
void procdb_migrate(struct procdb_stored *stored);
