/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "merge.h"

#include <string.h>

#define AVERAGES 4

/* Sums are divided at the end only, so that the order cannot show. */
typedef struct {
	guint64 votes[PROCDB_TIERS];
	guint64 observations;
	unsigned __int128 sums[AVERAGES]; /* of averages times observations */
	gint64 last_seen_us;
	char *override; /* a tier, or NULL */
} Sum;

struct _Merge {
	GHashTable *sums; /* name -> Sum */
};

static void sum_free(gpointer data)
{
	Sum *sum = data;

	g_free(sum->override);
	g_free(sum);
}

Merge *merge_new(void)
{
	Merge *merge = g_new(Merge, 1);

	merge->sums = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, sum_free);
	return merge;
}

void merge_free(Merge *merge)
{
	g_hash_table_unref(merge->sums);
	g_free(merge);
}

static Sum *sum_of(Merge *merge, const char *name)
{
	Sum *sum = g_hash_table_lookup(merge->sums, name);

	if (!sum) {
		sum = g_new0(Sum, 1);
		g_hash_table_insert(merge->sums, g_strdup(name), sum);
	}
	return sum;
}

/* 2^32 observations of 2^64 each, from 2^32 files, fit into a sum. */
static void add(Sum *sum, const Row *row)
{
	const guint64 averages[AVERAGES] = {row->avg_runtime_ns, row->runtime_dev_ns,
					    row->wakeup_freq, row->csw_rate};

	for (gsize i = 0; i < PROCDB_TIERS; i++)
		sum->votes[i] += row->votes[i];
	for (gsize i = 0; i < AVERAGES; i++)
		sum->sums[i] += (unsigned __int128)averages[i] * row->observations;
	sum->observations += row->observations;
	sum->last_seen_us = MAX(sum->last_seen_us, row->last_seen_us);
}

gboolean merge_add(Merge *merge, const Rows *rows, GError **error)
{
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		Sum *sum = sum_of(merge, row->name);

		add(sum, row);
		if (!g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE))
			continue;
		if (sum->override && !g_str_equal(sum->override, row->tier)) {
			g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
				    "\"%s\" has an override to %s here and to %s elsewhere",
				    row->name, row->tier, sum->override);
			return FALSE;
		}
		g_free(sum->override);
		sum->override = g_strdup(row->tier);
	}
	return TRUE;
}

/* As many as a profile can hold, in the same proportion. */
static guint32 scaled(guint64 count, guint64 all)
{
	if (all <= G_MAXUINT32)
		return (guint32)count;
	return (guint32)((unsigned __int128)count * G_MAXUINT32 / all);
}

static guint64 average(const Sum *sum, gsize i)
{
	return sum->observations > 0 ? (guint64)(sum->sums[i] / sum->observations) : 0;
}

static void add_sum(GVariantBuilder *builder, const char *name, const Sum *sum)
{
	guint32 votes[PROCDB_TIERS];

	for (gsize i = 0; i < PROCDB_TIERS; i++)
		votes[i] = scaled(sum->votes[i], sum->observations);
	g_variant_builder_add(
	    builder, "(" PROCDB_ROW ")", name,
	    sum->override ? sum->override : procdb_tier_name(procdb_tier_of_votes(votes)), 0.0,
	    FALSE, scaled(sum->observations, sum->observations), votes[0], votes[1], votes[2],
	    average(sum, 0), average(sum, 1), average(sum, 2), average(sum, 3), sum->last_seen_us,
	    sum->override ? PROCDB_ORIGIN_OVERRIDE : PROCDB_ORIGIN_RETAINED);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

GVariant *merge_sum(const Merge *merge)
{
	g_auto(GVariantBuilder) builder =
	    G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(" PROCDB_ROW ")"));
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(merge->sums), compare_names);

	for (const GList *name = names; name; name = name->next)
		add_sum(&builder, name->data, g_hash_table_lookup(merge->sums, name->data));
	return g_variant_builder_end(&builder);
}
