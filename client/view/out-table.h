/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * A table. On a terminal libsmartcols fits it into the lines. Elsewhere nothing has to fit, columns
 * are padded and no more, and thousands of rows would cost libsmartcols eight times as much: it
 * measures each character in both of its passes.
 */

#include <stdio.h>

#include <libsmartcols.h>

#include "ctl.h"

typedef struct {
	const char *title;
	int flags; /* SCOLS_FL_RIGHT, SCOLS_FL_TRUNC and SCOLS_FL_WRAP; the last two on a terminal
		    */
} OutColumn;

typedef struct OutTable OutTable;

/* A table as wide as the terminal. Columns end with one without a title. */
OutTable *out_table_new(const Ctl *ctl, const OutColumn *columns);

void out_table_free(OutTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(OutTable, out_table_free)

/* Leaves the titles out; before the first row. */
void out_table_hide_titles(OutTable *table);

/*
 * Adds a row; the texts are copied, and escaped where a terminal must not see them. colours may be
 * NULL, and so may each in it: names that libsmartcols knows.
 */
void out_table_add(OutTable *table, const char *const *texts, const char *const *colours);

/* Prints the table to a stream, which is standard output on a terminal; nothing without rows. */
void out_table_print(OutTable *table, FILE *stream);
