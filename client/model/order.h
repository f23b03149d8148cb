/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The order of rows. */

#include "rows.h"

/* A column to sort by. */
typedef struct Order Order;

/* The names of the columns to sort by, with the JSON names' spelling; NULL at the end. */
const char *const *order_keys(void);

/*
 * The order by a column, or NULL if there is no such column. Names come up from A, tiers from
 * the most urgent, times from the newest, numbers from the greatest.
 */
const Order *order_find(const char *key);

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
