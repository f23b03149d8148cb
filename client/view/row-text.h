/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "rows.h"

/* The columns of a row as people see them, in list and top. */
enum { ROW_TEXTS = 10 };

typedef struct {
	const char *title;
	const char *key; /* to sort by it */
	gboolean right;	 /* aligned to the right */
	int width;	 /* that holds all ordinary texts; the first column takes what is left */
} RowColumn;

extern const RowColumn row_columns[ROW_TEXTS];

/* The texts of a row. Free each with g_free(). */
void row_texts(const Row *row, gint64 now_us, char *texts[ROW_TEXTS]);

void row_texts_clear(char *texts[ROW_TEXTS]);
