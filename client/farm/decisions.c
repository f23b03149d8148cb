/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "decisions.h"

#include <string.h>

#include "sums.h"

/* The longest line that is read: a tier, a space, 15 bytes of a name, each of them escaped. */
#define MAX_LINE 80

FarmDecisions *farm_decisions_parse(const char *text)
{
	GHashTable *decisions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	const char *end;

	for (; *text && g_hash_table_size(decisions) < FARM_MAX_OVERRIDES;
	     text = *end ? end + 1 : end) {
		g_autofree char *line = NULL;
		enum procdb_tier tier;
		char *name;

		end = strchrnul(text, '\n');
		if (end - text > MAX_LINE)
			continue;
		line = g_strndup(text, (gsize)(end - text));
		name = strchr(line, ' ');
		if (!name)
			continue;
		*name++ = '\0';
		if (farm_name_is_valid(name) && procdb_tier_parse(line, &tier))
			g_hash_table_insert(decisions, g_strdup(name),
					    (gpointer)procdb_tier_name(tier));
	}
	return decisions;
}

static void count(GHashTable *sum, FarmDecisions *decisions, guint quorum)
{
	GHashTableIter iter;
	gpointer name, tier;

	g_hash_table_iter_init(&iter, decisions);
	while (g_hash_table_iter_next(&iter, &name, &tier)) {
		FarmDecision *decision = g_hash_table_lookup(sum, name);

		if (!decision) {
			decision = g_new0(FarmDecision, 1);
			decision->tier = tier;
			decision->verdict = FARM_TOO_FEW;
			g_hash_table_insert(sum, g_strdup(name), decision);
		}
		decision->machines++;
		if (!g_str_equal(decision->tier, tier))
			decision->verdict = FARM_DISAGREED;
		else if (decision->verdict == FARM_TOO_FEW && decision->machines >= quorum)
			decision->verdict = FARM_AGREED;
	}
}

GHashTable *farm_decisions_sum(GHashTable *machines, const char *host, guint quorum)
{
	GHashTable *sum = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	GHashTableIter iter;
	gpointer machine, decisions;

	g_hash_table_iter_init(&iter, machines);
	while (g_hash_table_iter_next(&iter, &machine, &decisions))
		if (!g_str_equal(machine, host))
			count(sum, decisions, quorum);
	return sum;
}
