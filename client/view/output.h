/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <libsmartcols.h>

#include "ctl.h"
#include "figures.h"

/* Whether standard output may be coloured: a terminal, and NO_COLOR is not set. */
gboolean out_colour(const Ctl *ctl);

/*
 * On a terminal, and unless --no-pager or --json was given, sends what is
 * printed from here on through PANDEMONIUM_PAGER, PAGER or less.
 */
void out_open_pager(Ctl *ctl);

/* Waits until the pager has been quit, if there is one. */
void out_close_pager(Ctl *ctl);

typedef struct {
	const char *title;
	double width; /* as libsmartcols has it: a share of the line, or columns */
	int flags;    /* SCOLS_FL_* */
} OutColumn;

/*
 * A table as wide as the terminal. Columns end with one without a title. Free
 * with scols_unref_table().
 */
struct libscols_table *out_table_new(const Ctl *ctl, const OutColumn *columns);

/* Adds a row; the texts are copied. colours may be NULL, and so may each in it. */
void out_table_add(struct libscols_table *table, const char *const *texts,
		   const char *const *colours);

/* Prints and frees the table. */
void out_table_print(struct libscols_table *table);

/* The colour of a tier in a table, a name that libsmartcols knows, or NULL. */
const char *out_tier_colour(const char *tier);

/*
 * Writes a whole file: at once in the place of an earlier one, or of what a link leads to, with
 * this mode. A device or a pipe is written to, and *in_place set: what was written may have gone
 * to standard output. Another user's link is not followed where others can make one.
 */
gboolean out_write_file(const char *path, const char *content, int mode, gboolean *in_place,
			GError **error);
