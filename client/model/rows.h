/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"
#include "sum.h"
#include "tiers.h"

/* One row of ListProfiles; the strings belong to the Rows. */
typedef struct {
	const char *name;
	const char *tier;
	double confidence;
	gboolean confident;
	guint32 observations;
	guint32 votes[PROCDB_TIERS];
	guint64 avg_runtime_ns;
	guint64 runtime_dev_ns;
	guint64 wakeup_freq;
	guint64 csw_rate;
	gint64 last_seen_us;
	const char *origin;
	/* Of a record; 0 in a row. */
	gint64 first_seen_us;
	guint64 right;
	guint64 wrong;
	guint32 withdrawals;
	const char *taught_by; /* NULL in a row */
	guint32 owner;
} Row;

typedef struct {
	GVariant *reply;
	GArray *items;	/* of Row */
	gboolean whole; /* they are records */
} Rows;

/* How rows are told apart by a sort key: negative, 0 or positive. */
typedef int (*RowsOrder)(const Row *a, const Row *b);

/* Every profile; NULL and error if the service does not say. */
Rows *rows_fetch(Ctl *ctl, GError **error);

/* The same with all that is known of each. */
Rows *rows_fetch_whole(Ctl *ctl, GError **error);

/* The rows of an array of PROCDB_ROW or PROCDB_RECORD. */
Rows *rows_from_variant(GVariant *profiles);

/* Appends a record to an array of them. */
void rows_build_record(GVariantBuilder *builder, const Row *row);

void rows_free(Rows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rows, rows_free)

static inline const Row *rows_get(const Rows *rows, guint index)
{
	return &g_array_index(rows->items, Row, index);
}

/* The names of the sort keys, with the JSON names' spelling; NULL at the end. */
const char *const *rows_sort_keys(void);

/*
 * The order of a sort key, or NULL if there is no such key. Names come up from
 * A, tiers from the most urgent, times from the newest, numbers from the greatest.
 */
RowsOrder rows_order(const char *key);

/* Sorts by an order, and rows that are equal in it by name. */
void rows_sort(Rows *rows, RowsOrder order, gboolean reverse);

/* Drops every row that wanted() says FALSE of. */
void rows_keep(Rows *rows, gboolean (*wanted)(const Row *row, gpointer user_data),
	       gpointer user_data);

/* Whether a name matches a pattern with * and ?. A backslash stands for itself. */
gboolean rows_match(const char *pattern, const char *name);

/* Whether rows_match() would take a text for more than a name. */
gboolean rows_is_pattern(const char *text);

/* The words for origins; NULL at the end. */
extern const char *const rows_origins[];

/* The index of a tier in procdb_tier_names, -1 for anything else, NULL as well. */
int rows_tier_rank(const char *tier);
