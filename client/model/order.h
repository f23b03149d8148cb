/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The order of rows. */

#include "rows.h"

/* A column to sort by. */
typedef struct Order Order;

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
	/* Not shown, but one can sort by it. */
	ROW_SWITCHES = ROW_TEXTS,
	ROW_ORDERS,
};

/* Their words for an option, in the same order; NULL at the end. */
const char *const *order_words(void);

/* The column of a word, or of the JSON member that it shows; -1 if there is none. */
int order_column(const char *word);

/*
 * The order by a column. Names come up from A, tiers from the most urgent, slices from the
 * shortest, times from the newest, numbers from the greatest.
 */
const Order *order_of_column(int column);

/* Sorts by an order, and rows that are equal in it by name. */
void order_sort(Rows *rows, const Order *order, gboolean reverse);

/*
 * The same for a table that a person reads while it changes: rows of which neither is clearly
 * ahead keep the places that they had. places has the place of each name, copied, and is brought
 * up to date; begin with an empty one, made by order_places_new(), and empty it when the order is
 * another one.
 */
void order_sort_calmly(Rows *rows, const Order *order, gboolean reverse, GHashTable *places);

/* Free with g_hash_table_unref(). */
GHashTable *order_places_new(void);
