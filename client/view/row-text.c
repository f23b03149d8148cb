/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "row-text.h"

#include "output.h"

const RowColumn row_columns[ROW_TEXTS] = {
    {"NAME", "name", FALSE, 16},
    {"TIER", "tier", FALSE, 12},
    {"CONF", "confidence", TRUE, 4},
    {"OBSERVED", "observations", TRUE, 8},
    {"RUNTIME", "avg_runtime_ns", TRUE, 9},
    {"±", "runtime_dev_ns", TRUE, 9},
    {"WAKEUPS", "wakeup_freq", TRUE, 7},
    {"SWITCHES", "csw_rate", TRUE, 8},
    {"LAST SEEN", "last_seen_us", TRUE, 11},
    {"ORIGIN", "origin", FALSE, 8},
};

void row_texts(const Row *row, gint64 now_us, char *texts[ROW_TEXTS])
{
	char *const filled[ROW_TEXTS] = {
	    g_strdup(row->name),
	    g_strdup(row->tier),
	    g_strdup_printf("%.2f", row->confidence),
	    g_strdup_printf("%u", row->observations),
	    out_duration_ns(row->avg_runtime_ns),
	    out_duration_ns(row->runtime_dev_ns),
	    g_strdup_printf("%" G_GUINT64_FORMAT, row->wakeup_freq),
	    g_strdup_printf("%" G_GUINT64_FORMAT, row->csw_rate),
	    out_ago(row->last_seen_us, now_us),
	    g_strdup(row->origin),
	};

	for (int i = 0; i < ROW_TEXTS; i++)
		texts[i] = filled[i];
}

void row_texts_clear(char *texts[ROW_TEXTS])
{
	for (int i = 0; i < ROW_TEXTS; i++)
		g_clear_pointer(&texts[i], g_free);
}
