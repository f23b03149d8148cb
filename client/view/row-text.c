/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "row-text.h"

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

/* What predicts nothing is a guess, and looks like one without colours as well. */
static char *tier(const Row *row)
{
	return g_strdup_printf("%s%s", rows_word(row), rows_predicts(row) ? "" : "?");
}

/* What a new task of the name gets; tasks that something else has set are left alone. */
static const char *slice(const Row *row, gboolean applies)
{
	const int rank = rows_tier_rank(row->held ? row->held : row->tier);

	if (!applies || !rows_predicts(row) || rows_is_kernel_thread(row))
		return "-";
	if (rank == PROCDB_TIER_BATCH)
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

void row_texts(const Row *row, gint64 now_us, gboolean applies, char *texts[ROW_TEXTS])
{
	char *const filled[ROW_TEXTS] = {
	    [ROW_NAME] = rows_title(row),
	    [ROW_TIER] = tier(row),
	    [ROW_CONFIDENCE] = g_strdup_printf("%.2f", row->confidence),
	    [ROW_CPU] = cpu(row),
	    [ROW_SLICE] = g_strdup(slice(row, applies)),
	    [ROW_RUNTIME] = out_duration_ns(row->avg_runtime_ns),
	    [ROW_DEVIATION] = out_duration_ns(row->runtime_dev_ns),
	    [ROW_LAST_SEEN] = out_ago(row->last_seen_us, now_us),
	    [ROW_OBSERVED] = out_number(row->observations),
	    [ROW_WAKEUPS] = wakeups(row),
	    [ROW_ORIGIN] = g_strdup(row->origin),
	};

	for (int i = 0; i < ROW_TEXTS; i++)
		texts[i] = filled[i];
}

void row_texts_clear(char *texts[ROW_TEXTS])
{
	for (int i = 0; i < ROW_TEXTS; i++)
		g_clear_pointer(&texts[i], g_free);
}
