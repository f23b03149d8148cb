/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The changes of state that all files of the engine share: of entries, and calls of the listener.
 */

#include "engine-state.h"

#include "log.h"

struct procdb_entry **procdb_engine_entries(const ProcdbEngine *engine)
{
	const size_t n = procdb_table_size(engine->table);
	struct procdb_entry **all = g_new(struct procdb_entry *, n + 1);

	for (size_t i = 0; i < n; i++)
		all[i] = procdb_table_at(engine->table, i);
	return all;
}

void procdb_engine_mark_changed(ProcdbEngine *engine, struct procdb_entry *entry)
{
	entry->judged = false;
	if (entry->changed)
		return;
	entry->changed = true;
	g_array_append_val(engine->changed, entry->comm);
}

void procdb_engine_judge(ProcdbEngine *engine, struct procdb_entry *entry)
{
	bool confident;

	if (entry->judged)
		return;
	entry->judged = true;
	confident = procdb_profile_is_confident(&entry->profile, &engine->confident.rules);
	if (confident == entry->confident)
		return;
	entry->confident = confident;
	engine->confident.count += confident ? 1 : -1;
}

static gboolean is_same_rule(const struct procdb_rules *a, const struct procdb_rules *b)
{
	return a->min_observations == b->min_observations &&
	       a->min_confidence == b->min_confidence && a->by_evidence == b->by_evidence;
}

void procdb_engine_take_rules(ProcdbEngine *engine)
{
	if (is_same_rule(&engine->confident.rules, &engine->settings.rules))
		return;
	engine->confident.rules = engine->settings.rules;
	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		entry->judged = false;
		procdb_engine_judge(engine, entry);
	}
}

/* Leaves only the names that are in the table, which get the serial, or only those that are not. */
static void keep_names(ProcdbEngine *engine, GArray *names, gboolean present)
{
	guint kept = 0;

	for (guint i = 0; i < names->len; i++) {
		struct procdb_comm comm = g_array_index(names, struct procdb_comm, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &comm);

		if (entry) {
			entry->changed = false;
			entry->serial = engine->serial + 1;
			procdb_engine_judge(engine, entry);
		}
		if (!entry == !present)
			g_array_index(names, struct procdb_comm, kept++) = comm;
	}
	g_array_set_size(names, kept);
}

void procdb_engine_emit_changes(ProcdbEngine *engine)
{
	if (engine->changed->len == 0 && engine->removed->len == 0)
		return;
	/* Above all serials of earlier services, so that none of those is taken for one of ours. */
	if (engine->serial == 0)
		engine->serial = (guint64)g_get_real_time();
	/* A name may have gone and come since it was noted. */
	keep_names(engine, engine->changed, TRUE);
	keep_names(engine, engine->removed, FALSE);
	if (engine->changed->len || engine->removed->len)
		engine->serial++;
	if (engine->listener && (engine->changed->len || engine->removed->len))
		engine->listener->profiles_changed(engine->changed, engine->removed,
						   engine->listener_data);
	g_array_set_size(engine->changed, 0);
	g_array_set_size(engine->removed, 0);
}

void procdb_engine_emit_changes_now(ProcdbEngine *engine)
{
	if (engine->emitted)
		return;
	engine->emitted = TRUE;
	procdb_engine_emit_changes(engine);
}

void procdb_engine_log_failure(gboolean *failed, const GError *error)
{
	if (error && !*failed)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_MAPS,
			   "%s; trying again every second", error->message);
	*failed = error != NULL;
}

void procdb_engine_remove(ProcdbEngine *engine, struct procdb_entry *entry)
{
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		engine->overrides--;
	engine->confident.count -= entry->confident;
	if (entry->published) {
		if (engine->map.known)
			engine->map.published--;
		g_array_append_val(engine->map.retracting, entry->comm);
	}
	/* Its profile is in the file, which has to be written again. */
	engine->dirty |= procdb_engine_is_lasting(engine, entry);
	g_array_append_val(engine->removed, entry->comm);
	procdb_engine_forget_identity(engine, &entry->comm);
	procdb_table_remove(engine->table, entry);
}
