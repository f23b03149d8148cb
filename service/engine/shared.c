/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * An init map that another program writes as well: a scheduler that learns itself writes its
 * own predictions again and again, and removes what it forgets.
 */

#include "engine-state.h"
#include "log.h"

#include <string.h>

/* How often the map is compared with what was written to it: in one batch call. */
#define COMPARE_TICKS 5
/* How long after the last difference another program counts as one that writes. */
#define WRITER_TICKS 60

#define WRITES                                                                                     \
	"another program writes predictions to the same map, and takes observations out of it; "   \
	"run scx_pandemonium with --no-adaptive to leave both to this service"

static void note_writer(ProcdbEngine *engine)
{
	if (engine->map.others.writes_until <= engine->tick)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_BACKEND, "Backend: %s", WRITES);
	engine->map.others.writes_until = engine->tick + WRITER_TICKS;
}

/* The map says seen of an entry that predicts. Whether another program wrote that over ours. */
static gboolean take_written(ProcdbEngine *engine, struct procdb_entry *entry,
			     const struct procdb_class *seen)
{
	gboolean ours = entry->published;

	if (ours && memcmp(&entry->written, seen, sizeof(*seen)) == 0)
		return FALSE;
	/* An entry that waits for room and is there already needs none. */
	if (!ours) {
		procdb_engine_set_published(engine, entry, true);
		if (entry->set == PROCDB_SET_RETAINED)
			procdb_table_move(engine->table, entry, PROCDB_SET_PREDICTED);
	}
	/* Figures that another program measured do no harm until the next observation. */
	if (!ours || procdb_entry_is_decided(entry) || seen->tier != entry->written.tier)
		procdb_engine_queue_prediction(engine, entry);
	entry->written = *seen;
	return ours;
}

/* Reads the map. Adds its entries to found; TRUE when others wrote over ours. */
static gboolean compare(ProcdbEngine *engine, const GArray *entries, GHashTable *found)
{
	gboolean overwritten = FALSE;

	engine->map.others.entries = 0;
	for (guint i = 0; i < entries->len; i++) {
		const struct procdb_observation *o =
		    &g_array_index(entries, struct procdb_observation, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &o->comm);

		if (entry && procdb_engine_wants_prediction(engine, entry)) {
			overwritten |= take_written(engine, entry, &o->seen);
			g_hash_table_add(found, entry);
		} else if (procdb_engine_is_contradicted(engine, entry)) {
			g_array_append_val(engine->map.retracting, o->comm);
			overwritten = TRUE;
		} else if (!entry || !entry->published) {
			engine->map.others.entries++;
		}
	}
	return overwritten;
}

/* Entries that were in the map and are not found there any more are written again. */
static gboolean restore(ProcdbEngine *engine, GHashTable *found)
{
	g_autoptr(GPtrArray) lost = g_ptr_array_new();

	/* Moving one renumbers the others. */
	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		if (entry->published && procdb_engine_wants_prediction(engine, entry) &&
		    !g_hash_table_contains(found, entry))
			g_ptr_array_add(lost, entry);
	}
	for (guint i = 0; i < lost->len; i++) {
		struct procdb_entry *entry = lost->pdata[i];

		procdb_engine_set_published(engine, entry, false);
		if (entry->set == PROCDB_SET_PREDICTED)
			procdb_table_move(engine->table, entry, PROCDB_SET_RETAINED);
		procdb_engine_queue_prediction(engine, entry);
	}
	return lost->len > 0;
}

void procdb_engine_compare(ProcdbEngine *engine)
{
	g_autoptr(GArray) entries = NULL;
	g_autoptr(GHashTable) found = NULL;
	g_autoptr(GError) error = NULL;
	gboolean written;

	if (!engine->map.known || engine->tick % COMPARE_TICKS != 0 ||
	    !procdb_engine_is_shared(engine))
		return;
	entries = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	engine->map.known = procdb_backend_predictions(engine->backend, entries, &error);
	procdb_engine_log_failure(&engine->map.compare_failed, error);
	if (!engine->map.known)
		return;
	found = g_hash_table_new(NULL, NULL);
	written = compare(engine, entries, found);
	/* Of a map that is larger than is ever walked nothing can be said to be missing. */
	if (entries->len < PROCDB_WALK_MAX)
		written |= restore(engine, found);
	procdb_engine_retract_queued(engine);
	if (written)
		note_writer(engine);
}

const char *procdb_engine_other_writer(const ProcdbEngine *engine, const char **state)
{
	*state = "active: " WRITES;
	return engine->map.others.writes_until > engine->tick ? WRITES : NULL;
}
