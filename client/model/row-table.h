/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Rows by name, for what shows them while they change, and asks only for those that did. */

#include "rows.h"

typedef struct RowTable RowTable;

RowTable *row_table_new(void);
void row_table_free(RowTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowTable, row_table_free)

guint row_table_size(const RowTable *table);

/*
 * Copies rows, without their members and columns: new ones, and in the place of older ones of the
 * same name.
 */
void row_table_take(RowTable *table, const Rows *rows);

/* Forgets all rows. */
void row_table_clear(RowTable *table);

/* Forgets the rows of these names; NULL is at their end. */
void row_table_drop(RowTable *table, const char *const *names);

/* What is not among rows uses no CPU time now, if its share was known. */
void row_table_rest(RowTable *table, const Rows *busy);

/* All rows. They point into the table, and are good until it changes. Free with rows_free(). */
Rows *row_table_rows(const RowTable *table);
