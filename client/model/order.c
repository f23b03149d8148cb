/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "order.h"

#include <string.h>

/* Beyond so many rows places are not kept: the search for them is quadratic. */
#define CALM_ROWS 2048

struct Order {
	/* Negative, 0 or positive; NULL: by value. */
	int (*compare)(const Row *a, const Row *b);
	double (*value)(const Row *row);
	/* A row is clearly ahead if its value is greater by slack and by this share of the other.
	 */
	double slack;
	double share;
};

static int by_name(const Row *a, const Row *b)
{
	return strcmp(a->name, b->name);
}

static int by_tier(const Row *a, const Row *b)
{
	return rows_tier_rank(b->tier) - rows_tier_rank(a->tier);
}

/* Of the slice of new tasks: what is predicted for the shortest first, the kernel's own between. */
static int slice_rank(const Row *row)
{
	return rows_predicts(row) ? rows_tier_rank(row->held ? row->held : row->tier)
				  : PROCDB_TIER_INTERACTIVE;
}

static int by_slice(const Row *a, const Row *b)
{
	return slice_rank(b) - slice_rank(a);
}

static int by_origin(const Row *a, const Row *b)
{
	return strcmp(a->origin, b->origin);
}

static double confidence(const Row *row)
{
	return row->confidence;
}

static double observations(const Row *row)
{
	return row->observations;
}

static double runtime(const Row *row)
{
	return (double)row->avg_runtime_ns;
}

static double deviation(const Row *row)
{
	return (double)row->runtime_dev_ns;
}

/* As they are shown: per second, and only where that is not known in whole ones per 100 ms. */
static double wakeups(const Row *row)
{
	return row->wakeups_per_second >= 0 ? row->wakeups_per_second
					    : 10.0 * (double)row->wakeup_freq;
}

static double switches(const Row *row)
{
	return (double)row->csw_rate;
}

static double last_seen(const Row *row)
{
	return (double)row->last_seen_us;
}

static double cpu_share(const Row *row)
{
	return row->cpu_share;
}

static const char *const words[] = {
    [ROW_NAME] = "name",       [ROW_TIER] = "tier",	      [ROW_CONFIDENCE] = "confidence",
    [ROW_CPU] = "cpu",	       [ROW_SLICE] = "slice",	      [ROW_RUNTIME] = "runtime",
    [ROW_LAST_SEEN] = "seen",  [ROW_DEVIATION] = "deviation", [ROW_OBSERVED] = "observed",
    [ROW_WAKEUPS] = "wakeups", [ROW_ORIGIN] = "origin",	      [ROW_TEXTS] = NULL,
};
static const Order orders[ROW_ORDERS] = {
    [ROW_NAME] = {.compare = by_name},
    [ROW_TIER] = {.compare = by_tier},
    [ROW_CONFIDENCE] = {.value = confidence, .slack = 0.05},
    [ROW_CPU] = {.value = cpu_share, .slack = 0.01, .share = 0.25},
    [ROW_SLICE] = {.compare = by_slice},
    [ROW_RUNTIME] = {.value = runtime, .share = 0.25},
    [ROW_LAST_SEEN] = {.value = last_seen, .slack = 10.0 * G_USEC_PER_SEC},
    [ROW_DEVIATION] = {.value = deviation, .share = 0.25},
    [ROW_OBSERVED] = {.value = observations, .share = 0.25},
    [ROW_WAKEUPS] = {.value = wakeups, .share = 0.25},
    [ROW_ORIGIN] = {.compare = by_origin},
    [ROW_SWITCHES] = {.value = switches, .share = 0.25},
};
/* Members of the JSON that have another name than their column. */
static const struct {
	const char *member;
	int column;
} members[] = {
    {"cpu_share", ROW_CPU},
    {"avg_runtime_ns", ROW_RUNTIME},
    {"last_seen_us", ROW_LAST_SEEN},
    {"runtime_dev_ns", ROW_DEVIATION},
    {"observations", ROW_OBSERVED},
    {"wakeup_freq", ROW_WAKEUPS},
    {"wakeups_per_second", ROW_WAKEUPS},
    {"csw_rate", ROW_SWITCHES},
};

const char *const *order_words(void)
{
	return words;
}

int order_column(const char *word)
{
	for (int i = 0; words[i]; i++) {
		if (g_str_equal(word, words[i]))
			return i;
	}
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		if (g_str_equal(word, members[i].member))
			return members[i].column;
	}
	return -1;
}

const Order *order_of_column(int column)
{
	return &orders[column];
}

typedef struct {
	const Order *order;
	int sign;
} Sorting;

static int compare(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const Sorting *sorting = user_data;
	const Order *order = sorting->order;
	int result;

	if (order->compare) {
		result = order->compare(a, b);
	} else {
		const double x = order->value(a), y = order->value(b);

		result = (x < y) - (x > y);
	}
	return sorting->sign * (result != 0 ? result : by_name(a, b));
}

void order_sort(Rows *rows, const Order *order, gboolean reverse)
{
	Sorting sorting = {.order = order, .sign = reverse ? -1 : 1};

	g_array_sort_with_data(rows->items, compare, &sorting);
}

static gboolean is_clearly_ahead(const Row *a, const Row *b, const Sorting *sorting)
{
	const Order *order = sorting->order;
	const double x = order->value(sorting->sign > 0 ? a : b);
	const double y = order->value(sorting->sign > 0 ? b : a);

	return x - y > order->slack + order->share * ABS(y);
}

static guint place_of(GHashTable *places, const Row *row)
{
	return GPOINTER_TO_UINT(g_hash_table_lookup(places, row->name));
}

static int compare_places(gconstpointer a, gconstpointer b, gpointer user_data)
{
	const guint x = place_of(user_data, a), y = place_of(user_data, b);

	return (x > y) - (x < y);
}

/* Where a row goes among those before it: a new one where it belongs, others only if they must. */
static guint new_place(const Rows *rows, guint end, gboolean known, Sorting *sorting)
{
	const Row *row = rows_get(rows, end);

	for (guint i = 0; i < end; i++) {
		const Row *other = rows_get(rows, i);

		if (known ? is_clearly_ahead(row, other, sorting)
			  : compare(row, other, sorting) < 0)
			return i;
	}
	return end;
}

/* Rows that are known first, in their order, and then the others. */
static void restore_places(Rows *rows, GHashTable *places)
{
	g_autoptr(GArray) others = g_array_new(FALSE, FALSE, sizeof(Row));
	GArray *items = rows->items;
	guint known = 0;

	for (guint i = 0; i < items->len; i++) {
		const Row row = *rows_get(rows, i);

		if (place_of(places, &row) != 0)
			g_array_index(items, Row, known++) = row;
		else
			g_array_append_val(others, row);
	}
	g_array_set_size(items, known);
	g_array_sort_with_data(items, compare_places, places);
	g_array_append_vals(items, others->data, others->len);
}

static void keep_places(Rows *rows, Sorting *sorting, GHashTable *places)
{
	restore_places(rows, places);
	for (guint i = 1; i < rows->items->len; i++) {
		const Row row = *rows_get(rows, i);
		const guint to = new_place(rows, i, place_of(places, &row) != 0, sorting);

		if (to == i)
			continue;
		g_array_remove_index(rows->items, i);
		g_array_insert_val(rows->items, to, row);
	}
}

void order_sort_calmly(Rows *rows, const Order *order, gboolean reverse, GHashTable *places)
{
	Sorting sorting = {.order = order, .sign = reverse ? -1 : 1};

	if (order->compare || g_hash_table_size(places) == 0 || rows->items->len > CALM_ROWS)
		order_sort(rows, order, reverse);
	else
		keep_places(rows, &sorting, places);
	g_hash_table_remove_all(places);
	for (guint i = 0; i < rows->items->len; i++)
		g_hash_table_insert(places, g_strdup(rows_get(rows, i)->name),
				    GUINT_TO_POINTER(i + 1));
}

GHashTable *order_places_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}
