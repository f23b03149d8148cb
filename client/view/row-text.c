/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "row-text.h"

#include <string.h>

#include "classify.h"
#include "output.h"

const RowColumn row_columns[ROW_TEXTS] = {
    [ROW_NAME] = {"NAME", FALSE, 20},	    [ROW_TIER] = {"TIER", FALSE, 13},
    [ROW_CONFIDENCE] = {"CONF", TRUE, 4},   [ROW_CPU] = {"CPU", TRUE, 6},
    [ROW_SLICE] = {"SLICE", FALSE, 7},	    [ROW_RUNTIME] = {"RUNTIME", TRUE, 9},
    [ROW_DEVIATION] = {"±", TRUE, 9},	    [ROW_LAST_SEEN] = {"LAST SEEN", TRUE, 11},
    [ROW_OBSERVED] = {"OBSERVED", TRUE, 8}, [ROW_WAKEUPS] = {"WAKEUPS", TRUE, 8},
    [ROW_ORIGIN] = {"ORIGIN", FALSE, 8},
};

char *row_program(const Row *row)
{
	g_autofree char *title = rows_title(row);
	const char *beside = title + strlen(row->name);

	return g_str_has_prefix(beside, " (") ? g_strndup(beside + 2, strlen(beside) - 3) : NULL;
}

/* What predicts nothing is a guess, and looks like one without colours as well. */
static char *tier(const Row *row)
{
	return g_strconcat(rows_word(row), rows_predicts(row) ? "" : "?", NULL);
}

RowSlices row_slices_of(GVariant *properties)
{
	g_autoptr(GVariant) counts = NULL;
	gboolean active = FALSE;
	guint64 held = 0;

	g_variant_lookup(properties, "ApplyActive", "b", &active);
	if (!active)
		return ROW_SLICES_NONE;
	counts = g_variant_lookup_value(properties, "ApplyStatistics", G_VARIANT_TYPE("a{st}"));
	if (counts)
		g_variant_lookup(counts, "held", "t", &held);
	return held > 0 ? ROW_SLICES_SHORT : ROW_SLICES_ALL;
}

/* What a new task of the name gets; tasks that something else has set are left alone. */
static const char *slice(const Row *row, RowSlices slices)
{
	const int rank = rows_tier_rank(row->held ? row->held : row->tier);

	if (slices == ROW_SLICES_NONE || !rows_predicts(row) || rows_is_kernel_thread(row))
		return "-";
	if (rank == PROCDB_TIER_BATCH && slices == ROW_SLICES_ALL)
		return "longer";
	return rank == PROCDB_TIER_LAT_CRITICAL ? "shorter" : "own";
}

static char *cpu(const Row *row)
{
	return row->cpu_share < 0 ? g_strdup("-") : g_strdup_printf("%.1f%%", 100 * row->cpu_share);
}

static char *wakeups(const Row *row)
{
	if (row->wakeups_per_second < 0)
		return out_rate(row->wakeup_freq, PROCDB_WAKEUP_FREQ_MAX);
	return out_true_rate(row->wakeups_per_second);
}

char *row_text(const Row *row, int column, gint64 now_us, RowSlices slices)
{
	switch (column) {
	case ROW_NAME:
		return rows_title(row);
	case ROW_TIER:
		return tier(row);
	case ROW_CONFIDENCE:
		return g_strdup_printf("%.2f", row->confidence);
	case ROW_CPU:
		return cpu(row);
	case ROW_SLICE:
		return g_strdup(slice(row, slices));
	case ROW_RUNTIME:
		return out_duration_ns(row->avg_runtime_ns);
	case ROW_DEVIATION:
		return out_duration_ns(row->runtime_dev_ns);
	case ROW_LAST_SEEN:
		return out_ago(row->last_seen_us, now_us);
	case ROW_OBSERVED:
		return out_number(row->observations);
	case ROW_WAKEUPS:
		return wakeups(row);
	default:
		return g_strdup(row->origin);
	}
}

void row_texts(const Row *row, gint64 now_us, RowSlices slices, char *texts[ROW_TEXTS])
{
	for (int i = 0; i < ROW_TEXTS; i++)
		texts[i] = row_text(row, i, now_us, slices);
}

void row_texts_clear(char *texts[ROW_TEXTS])
{
	for (int i = 0; i < ROW_TEXTS; i++)
		g_clear_pointer(&texts[i], g_free);
}
