/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "history.h"

static struct procdb_minute_waits waits_of(const __u64 *waits)
{
	struct procdb_minute_waits found = {.count = procdb_waits_count(waits)};

	for (size_t p = 0; p < PROCDB_PERCENTILES; p++)
		found.at[p] = procdb_waits_percentile(waits, procdb_percentile_shares[p]);
	return found;
}

static void add_minute(struct procdb_history *history, int64_t end, const struct procdb_delays *had)
{
	struct procdb_minute *minute = &history->minutes[history->next];

	minute->end = end;
	for (size_t tier = 0; tier < PROCDB_TIERS; tier++)
		for (size_t side = 0; side < PROCDB_DELAY_SIDES; side++)
			minute->waits[tier][side] = waits_of(had->waits[tier][side]);
	history->next = (history->next + 1) % PROCDB_HISTORY_MINUTES;
	history->n += history->n < PROCDB_HISTORY_MINUTES;
}

void procdb_history_add(struct procdb_history *history, int64_t end,
			const struct procdb_delays *now)
{
	struct procdb_delays had;

	if (now && history->known && procdb_delays_since(&history->before, now, &had))
		add_minute(history, end, &had);
	history->known = now != NULL;
	if (now)
		history->before = *now;
}

const struct procdb_minute *procdb_history_get(const struct procdb_history *history, size_t i)
{
	if (i >= history->n)
		return NULL;
	return &history->minutes[(history->next + PROCDB_HISTORY_MINUTES - history->n + i) %
				 PROCDB_HISTORY_MINUTES];
}
