/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Finds the user that creates more new task names than ordinary work does. */

#include "log.h"
#include "engine-state.h"

#define WINDOW_TICKS 60
/* A build of a large project brings some hundred names, and most of them only once. */
#define MANY_NAMES 1000

void procdb_engine_count_new_name(ProcdbEngine *engine, guint16 owner)
{
	GHashTable *names = engine->flood.names;
	gpointer key = GUINT_TO_POINTER(owner);

	g_hash_table_insert(
	    names, key, GUINT_TO_POINTER(GPOINTER_TO_UINT(g_hash_table_lookup(names, key)) + 1));
	engine->flood.changed = TRUE;
}

static char *describe(guint owner, guint names)
{
	if (owner == 0)
		return g_strdup_printf("root or an unknown user creates %u new "
				       "task names a minute",
				       names);
	if (owner >= 0xf000)
		return g_strdup_printf("users with an ID above 61439 create %u new task names a "
				       "minute",
				       names);
	return g_strdup_printf("user %u creates %u new task names a minute", owner, names);
}

/*
 * A flood is reported at once, and ends only after a minute without one, so that the report does
 * not flap.
 */
void procdb_engine_check_flood(ProcdbEngine *engine)
{
	guint most = 0, owner = 0;
	gpointer key, value;
	GHashTableIter iter;
	const gboolean was = *engine->flood.text != '\0';
	const gboolean ends = engine->tick % WINDOW_TICKS == 0;

	if (!ends && (was || !engine->flood.changed))
		return;
	engine->flood.changed = FALSE;
	g_hash_table_iter_init(&iter, engine->flood.names);
	while (g_hash_table_iter_next(&iter, &key, &value)) {
		if (GPOINTER_TO_UINT(value) <= most)
			continue;
		most = GPOINTER_TO_UINT(value);
		owner = GPOINTER_TO_UINT(key);
	}
	/* A quiet minute costs no allocation. */
	g_hash_table_iter_init(&iter, engine->flood.names);
	while (ends && g_hash_table_iter_next(&iter, &key, &value))
		g_hash_table_iter_replace(&iter, NULL);
	if (most >= MANY_NAMES || was) {
		g_free(engine->flood.text);
		engine->flood.text = most < MANY_NAMES ? g_strdup("") : describe(owner, most);
	}
	if (most >= MANY_NAMES && !was)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_FORGOTTEN,
			   "Too many new task names: %s; their profiles are forgotten first",
			   engine->flood.text);
	else if (most < MANY_NAMES && was)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_FORGOTTEN,
			   "The number of new task names is normal again");
}
