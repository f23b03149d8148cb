/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Overrides that files of the configuration declare. They are in the table like overrides that an
 * administrator set on the bus, which win; but they are not in the database, and they go with the
 * file. And holds, which are above both, and go with the caller that holds them.
 */

#include "engine-state.h"

static void declaration_free(gpointer data)
{
	ProcdbDeclaration *declaration = data;

	g_free(declaration->source);
	g_free(declaration);
}

GHashTable *procdb_declarations_new(void)
{
	return g_hash_table_new_full(procdb_comm_hash, procdb_comm_equal, NULL, declaration_free);
}

void procdb_declarations_set(GHashTable *declarations, const struct procdb_comm *comm,
			     enum procdb_tier tier, const char *source)
{
	ProcdbDeclaration *declaration = g_new(ProcdbDeclaration, 1);

	*declaration = (ProcdbDeclaration){*comm, tier, g_strdup(source)};
	/* The key is in the value. */
	g_hash_table_replace(declarations, &declaration->comm, declaration);
}

GHashTable *procdb_declarations_copy(GHashTable *declarations)
{
	GHashTable *copy = procdb_declarations_new();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, declarations);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		const ProcdbDeclaration *declaration = value;

		procdb_declarations_set(copy, &declaration->comm, declaration->tier,
					declaration->source);
	}
	return copy;
}

const ProcdbDeclaration *procdb_engine_declaration(const ProcdbEngine *engine,
						   const struct procdb_comm *comm)
{
	return g_hash_table_lookup(engine->declared, comm);
}

static void put(ProcdbEngine *engine, const ProcdbDeclaration *declaration)
{
	bool created;
	struct procdb_entry *entry =
	    procdb_table_ensure(engine->table, &declaration->comm, &created);

	if (!entry)
		return;
	if (created)
		entry->published = !engine->map.known;
	if (entry->profile.override != PROCDB_NO_OVERRIDE &&
	    (!entry->profile.declared || entry->profile.override == declaration->tier))
		return;
	if (entry->profile.override == PROCDB_NO_OVERRIDE)
		engine->overrides++;
	entry->profile.override = (uint8_t)declaration->tier;
	entry->profile.declared = true;
	if (created || entry->set != PROCDB_SET_LIVE)
		procdb_table_move(engine->table, entry, PROCDB_SET_OVERRIDE);
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
}

/* Takes back what no file declares any more. */
static void take_back(ProcdbEngine *engine)
{
	const size_t n = procdb_table_size(engine->table);
	g_autofree struct procdb_entry **all = procdb_engine_entries(engine);

	for (size_t i = 0; i < n; i++) {
		struct procdb_entry *entry = all[i];

		if (!entry->profile.declared || procdb_engine_declaration(engine, &entry->comm))
			continue;
		engine->overrides--;
		entry->profile.declared = false;
		entry->profile.override = PROCDB_NO_OVERRIDE;
		procdb_engine_queue_prediction(engine, entry);
		procdb_engine_mark_changed(engine, entry);
		if (entry->set != PROCDB_SET_LIVE)
			procdb_engine_file_in_set(engine, entry);
	}
}

static gboolean hold(ProcdbEngine *engine, const ProcdbDeclaration *declaration)
{
	bool created;
	struct procdb_entry *entry =
	    procdb_table_ensure(engine->table, &declaration->comm, &created);

	if (!entry)
		return FALSE;
	if (created)
		entry->published = !engine->map.known;
	if (entry->held == declaration->tier + 1)
		return TRUE;
	entry->held = (uint8_t)(declaration->tier + 1);
	if (created || entry->set != PROCDB_SET_LIVE)
		procdb_table_move(engine->table, entry, PROCDB_SET_OVERRIDE);
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
	return TRUE;
}

gboolean procdb_engine_put_held(ProcdbEngine *engine, const struct procdb_comm *comm,
				enum procdb_tier tier)
{
	procdb_declarations_set(engine->held, comm, tier, "");
	return hold(engine, g_hash_table_lookup(engine->held, comm));
}

void procdb_engine_take_held(ProcdbEngine *engine, const struct procdb_comm *comm)
{
	struct procdb_entry *entry = procdb_table_find(engine->table, comm);

	if (!g_hash_table_remove(engine->held, comm) || !entry)
		return;
	entry->held = 0;
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
	if (entry->set != PROCDB_SET_LIVE)
		procdb_engine_file_in_set(engine, entry);
}

void procdb_engine_put_declared(ProcdbEngine *engine)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->declared);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		put(engine, value);
	g_hash_table_iter_init(&iter, engine->held);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		(void)hold(engine, value);
}

void procdb_engine_declare(ProcdbEngine *engine, GHashTable *declarations)
{
	g_hash_table_unref(engine->declared);
	engine->declared = procdb_declarations_copy(declarations);
	take_back(engine);
	procdb_engine_put_declared(engine);
	/* The init map follows with the next step. */
}
