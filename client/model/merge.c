/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "merge.h"

#include <string.h>

typedef struct {
	struct procdb_sum sum;
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

static struct procdb_share share_of(const Row *row)
{
	struct procdb_share share = {
	    .observations = row->observations,
	    .averages = {row->avg_runtime_ns, row->runtime_dev_ns, row->wakeup_freq, row->csw_rate},
	    .first_seen_us = row->first_seen_us,
	    .last_seen_us = row->last_seen_us,
	    .right = row->right,
	    .wrong = row->wrong,
	    .withdrawals = row->withdrawals,
	    .owner = (guint16)MIN(row->owner, G_MAXUINT16),
	};

	memcpy(share.votes, row->votes, sizeof(share.votes));
	(void)procdb_teachers_parse(row->taught_by ? row->taught_by : "", &share.teachers);
	return share;
}

gboolean merge_add(Merge *merge, const Rows *rows, GError **error)
{
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		const struct procdb_share share = share_of(row);
		Sum *sum = sum_of(merge, row->name);

		procdb_sum_add(&sum->sum, &share);
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

static void add_sum(Records *records, const char *name, const Sum *sum)
{
	const struct procdb_share share = procdb_sum_get(&sum->sum);
	Row row = {
	    .name = name,
	    .tier =
		sum->override ? sum->override : procdb_tier_name(procdb_tier_of_votes(share.votes)),
	    .observations = share.observations,
	    .avg_runtime_ns = share.averages[PROCDB_AVERAGE_RUNTIME],
	    .runtime_dev_ns = share.averages[PROCDB_AVERAGE_DEVIATION],
	    .wakeup_freq = share.averages[PROCDB_AVERAGE_WAKEUPS],
	    .csw_rate = share.averages[PROCDB_AVERAGE_SWITCHES],
	    .last_seen_us = share.last_seen_us,
	    .origin = sum->override ? PROCDB_ORIGIN_OVERRIDE : PROCDB_ORIGIN_RETAINED,
	    .first_seen_us = share.first_seen_us,
	    .right = share.right,
	    .wrong = share.wrong,
	    .withdrawals = share.withdrawals,
	    .taught_by = procdb_teachers_name(share.teachers),
	    .owner = share.owner,
	};

	memcpy(row.votes, share.votes, sizeof(row.votes));
	records_add(records, &row);
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(a, b);
}

GVariant *merge_sum(const Merge *merge)
{
	g_autoptr(Records) records = records_new();
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(merge->sums), compare_names);

	for (const GList *name = names; name; name = name->next)
		add_sum(records, name->data, g_hash_table_lookup(merge->sums, name->data));
	return records_end(records);
}
