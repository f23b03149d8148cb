/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Of any number of records, as many as are wanted, in memory for little more than those. */

#include "codec.h"

typedef struct {
	GArray *records; /* of struct procdb_record; the caller's */
	guint first;	 /* what was in it before stays */
	ProcdbLimit limit;
	guint left_out;
} ProcdbSelection;

/* Selects into an array; no limit (NULL) takes all there are. */
void procdb_selection_init(ProcdbSelection *selection, GArray *records, const ProcdbLimit *limit);
/* Adds a record; of two of one name the later counts. */
void procdb_selection_add(ProcdbSelection *selection, const struct procdb_record *record);
/* Leaves no more than wanted, in the order that they came in; left_out counts the others. */
void procdb_selection_end(ProcdbSelection *selection);
