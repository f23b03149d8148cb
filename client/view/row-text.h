/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "rows.h"

/* The columns of a row as people see them, in list and top. */
enum {
	ROW_NAME,
	ROW_TIER,
	ROW_CONFIDENCE,
	ROW_CPU,
	ROW_SLICE,
	ROW_RUNTIME,
	ROW_LAST_SEEN,
	ROW_DEVIATION,
	ROW_OBSERVED,
	ROW_WAKEUPS,
	ROW_ORIGIN,
	ROW_TEXTS,
};

/* Their words for an option, in the same order. */
#define ROW_WORDS                                                                                  \
	"name", "tier", "confidence", "cpu", "slice", "runtime", "seen", "deviation", "observed",  \
	    "wakeups", "origin"

typedef struct {
	const char *title;
	const char *key; /* to sort by it; NULL: one cannot */
	gboolean right;	 /* aligned to the right */
	int width;	 /* that holds all ordinary texts; the first column takes what is left */
} RowColumn;

extern const RowColumn row_columns[ROW_TEXTS];

/*
 * The texts of a row. applies: whether predictions are applied now. Free each with g_free().
 */
void row_texts(const Row *row, gint64 now_us, gboolean applies, char *texts[ROW_TEXTS]);

void row_texts_clear(char *texts[ROW_TEXTS]);
