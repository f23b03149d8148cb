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
 * The program that stands beside the name where that does not say it, as rows_title() has it; NULL
 * if none does. Free with g_free().
 */
char *row_program(const Row *row);

/* Which slices the service gives now. */
typedef enum {
	ROW_SLICES_NONE,
	ROW_SLICES_SHORT, /* none that is longer than the kernel's: groups of tasks compete */
	ROW_SLICES_ALL,
} RowSlices;

/* By its properties, a dictionary. */
RowSlices row_slices_of(GVariant *properties);

/* The text of a row in a column, below ROW_TEXTS. Free with g_free(). */
char *row_text(const Row *row, int column, gint64 now_us, RowSlices slices);

/* Those of all columns. Free with row_texts_clear(). */
void row_texts(const Row *row, gint64 now_us, RowSlices slices, char *texts[ROW_TEXTS]);

void row_texts_clear(char *texts[ROW_TEXTS]);
