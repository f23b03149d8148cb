/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "order.h"

/* How a column of order.h is shown. */
typedef struct {
	const char *title;
	gboolean right; /* aligned to the right */
	int width;	/* that holds all ordinary texts; the first column takes what is left */
} RowColumn;

extern const RowColumn row_columns[ROW_TEXTS];

/*
 * The texts of a row. applies: whether predictions are applied now. Free each with g_free().
 */
void row_texts(const Row *row, gint64 now_us, gboolean applies, char *texts[ROW_TEXTS]);

void row_texts_clear(char *texts[ROW_TEXTS]);
