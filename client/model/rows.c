/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rows.h"

#include <string.h>

static gboolean next_row(GVariantIter *iter, Row *row)
{
	return g_variant_iter_next(iter, "(&s&sdbu(uuu)ttttx&s)", &row->name, &row->tier,
				   &row->confidence, &row->confident, &row->observations,
				   &row->votes[0], &row->votes[1], &row->votes[2],
				   &row->avg_runtime_ns, &row->runtime_dev_ns, &row->wakeup_freq,
				   &row->csw_rate, &row->last_seen_us, &row->origin);
}

static gboolean next_record(GVariantIter *iter, Row *row)
{
	return g_variant_iter_next(
	    iter, "(&s&sdbu(uuu)ttttx&sxttu&su)", &row->name, &row->tier, &row->confidence,
	    &row->confident, &row->observations, &row->votes[0], &row->votes[1], &row->votes[2],
	    &row->avg_runtime_ns, &row->runtime_dev_ns, &row->wakeup_freq, &row->csw_rate,
	    &row->last_seen_us, &row->origin, &row->first_seen_us, &row->right, &row->wrong,
	    &row->withdrawals, &row->taught_by, &row->owner);
}

void rows_build_record(GVariantBuilder *builder, const Row *row)
{
	g_variant_builder_add(builder, "(" PROCDB_RECORD ")", row->name, row->tier, row->confidence,
			      row->confident, row->observations, row->votes[0], row->votes[1],
			      row->votes[2], row->avg_runtime_ns, row->runtime_dev_ns,
			      row->wakeup_freq, row->csw_rate, row->last_seen_us, row->origin,
			      row->first_seen_us, row->right, row->wrong, row->withdrawals,
			      row->taught_by, row->owner);
}

Rows *rows_from_variant(GVariant *profiles)
{
	Rows *rows = g_new0(Rows, 1);
	GVariantIter iter;
	Row row = {0};

	rows->whole = g_variant_is_of_type(profiles, G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));
	rows->reply = g_variant_ref(profiles);
	rows->items =
	    g_array_sized_new(FALSE, FALSE, sizeof(Row), (guint)g_variant_n_children(profiles));
	g_variant_iter_init(&iter, profiles);
	while (rows->whole ? next_record(&iter, &row) : next_row(&iter, &row))
		g_array_append_val(rows->items, row);
	return rows;
}

Rows *rows_fetch(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) profiles = NULL;

	if (!procdb_dbus_proc_db1_call_list_profiles_sync(ctl->proxy, ctl->call_flags,
							  ctl->timeout_ms, &profiles, NULL, error))
		return NULL;
	return rows_from_variant(profiles);
}

Rows *rows_fetch_whole(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) profiles = NULL;

	if (!procdb_dbus_proc_db1_call_export_profiles_sync(
		ctl->proxy, ctl->call_flags, ctl->timeout_ms, &profiles, NULL, error))
		return NULL;
	return rows_from_variant(profiles);
}

void rows_free(Rows *rows)
{
	g_array_unref(rows->items);
	g_variant_unref(rows->reply);
	g_free(rows);
}

const char *const rows_origins[] = {PROCDB_ORIGIN_LIVE, PROCDB_ORIGIN_RETAINED,
				    PROCDB_ORIGIN_OVERRIDE, NULL};

int rows_tier_rank(const char *tier)
{
	enum procdb_tier rank;

	return tier && procdb_tier_parse(tier, &rank) ? (int)rank : -1;
}

#define DESCENDING(a, b) (((a) < (b)) - ((a) > (b)))

static int by_name(const Row *a, const Row *b)
{
	return strcmp(a->name, b->name);
}

static int by_tier(const Row *a, const Row *b)
{
	return DESCENDING(rows_tier_rank(a->tier), rows_tier_rank(b->tier));
}

static int by_confidence(const Row *a, const Row *b)
{
	return DESCENDING(a->confidence, b->confidence);
}

static int by_observations(const Row *a, const Row *b)
{
	return DESCENDING(a->observations, b->observations);
}

static int by_runtime(const Row *a, const Row *b)
{
	return DESCENDING(a->avg_runtime_ns, b->avg_runtime_ns);
}

static int by_deviation(const Row *a, const Row *b)
{
	return DESCENDING(a->runtime_dev_ns, b->runtime_dev_ns);
}

static int by_wakeups(const Row *a, const Row *b)
{
	return DESCENDING(a->wakeup_freq, b->wakeup_freq);
}

static int by_switches(const Row *a, const Row *b)
{
	return DESCENDING(a->csw_rate, b->csw_rate);
}

static int by_last_seen(const Row *a, const Row *b)
{
	return DESCENDING(a->last_seen_us, b->last_seen_us);
}

static int by_origin(const Row *a, const Row *b)
{
	return strcmp(a->origin, b->origin);
}

static const char *const sort_keys[] = {
    "name",	      "tier",		"confidence",  "observations",
    "avg_runtime_ns", "runtime_dev_ns", "wakeup_freq", "csw_rate",
    "last_seen_us",   "origin",		NULL,
};
static const RowsOrder sort_orders[] = {
    by_name,	  by_tier,    by_confidence, by_observations, by_runtime,
    by_deviation, by_wakeups, by_switches,   by_last_seen,    by_origin,
};
G_STATIC_ASSERT(G_N_ELEMENTS(sort_keys) == G_N_ELEMENTS(sort_orders) + 1);

const char *const *rows_sort_keys(void)
{
	return sort_keys;
}

RowsOrder rows_order(const char *key)
{
	for (size_t i = 0; sort_keys[i]; i++) {
		if (g_str_equal(key, sort_keys[i]))
			return sort_orders[i];
	}
	return NULL;
}

typedef struct {
	RowsOrder order;
	int sign;
} Sorting;

static int compare(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const Sorting *sorting = user_data;
	int order = sorting->order(a, b);

	return sorting->sign * (order != 0 ? order : by_name(a, b));
}

void rows_sort(Rows *rows, RowsOrder order, gboolean reverse)
{
	Sorting sorting = {.order = order, .sign = reverse ? -1 : 1};

	g_array_sort_with_data(rows->items, compare, &sorting);
}

void rows_keep(Rows *rows, gboolean (*wanted)(const Row *row, gpointer user_data),
	       gpointer user_data)
{
	guint kept = 0;

	for (guint i = 0; i < rows->items->len; i++) {
		if (wanted(rows_get(rows, i), user_data))
			g_array_index(rows->items, Row, kept++) = *rows_get(rows, i);
	}
	g_array_set_size(rows->items, kept);
}

gboolean rows_match(const char *pattern, const char *name)
{
	return g_pattern_match_simple(pattern, name);
}

gboolean rows_is_pattern(const char *text)
{
	return strpbrk(text, "*?") != NULL;
}
