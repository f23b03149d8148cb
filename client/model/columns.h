/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The columns of an answer of QueryColumns, packed or not. What is returned points into them, and
 * what keeps it (of GVariant, or made of them) is added to kept. NULL for a column that is not
 * there, is of another type, or has not count values.
 */

#include "rows.h"

/* A member of a row by its name, of this type, and where it goes. */
typedef struct {
	const char *name;
	const char *type;
	size_t offset;
} RowMember;

/* All that a field of an answer becomes as it is; texts, votes and pids are read apart. */
extern const RowMember row_members[];
extern const gsize row_members_count;

/* A row of which nothing is known. */
extern const Row rows_unknown;

/* A text for each row. */
const char *const *columns_texts(GVariant *columns, const char *name, gsize count, GPtrArray *kept);

/* A byte for each row. */
const guint8 *columns_booleans(GVariant *columns, const char *name, gsize count, GPtrArray *kept);

/* A number of this type for each row: u, t, x or d. */
const void *columns_numbers(GVariant *columns, const char *name, char type, gsize count,
			    GPtrArray *kept);

/* For each row where the number of its pids is, which follow; of packed columns only. */
const guint32 *const *columns_pids(GVariant *columns, gsize count, GPtrArray *kept);

/* The number of rows. */
gsize columns_count(GVariant *columns);

/* What kept is of. */
GPtrArray *columns_kept_new(void);

/* Appends the rows of an a{sv} of arrays, one value of each for a row. */
void columns_add(Rows *rows, GVariant *columns);
