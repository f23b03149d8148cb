/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What clients ask of the engine: the profiles, and the file that keeps them. */

#include "private.h"

#include <string.h>

/* Overrides that admins may set; each takes room in the init map. */
#define MAX_OVERRIDES 1024
/* After a failed save, try again after this many seconds, doubling up to the second. */
#define RETRY_FIRST_S 5
#define RETRY_LAST_S 600

const struct procdb_entry *procdb_engine_find(const ProcdbEngine *engine,
					      const struct procdb_comm *comm, GError **error)
{
	const struct procdb_entry *entry = procdb_table_find(engine->table, comm);

	if (!entry)
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE,
				    "Nothing is known of a task of this name");
	return entry;
}

guint procdb_engine_confident(const ProcdbEngine *engine)
{
	guint n = 0;

	for (size_t i = 0; i < procdb_table_size(engine->table); i++)
		n += procdb_profile_is_confident(&procdb_table_at(engine->table, i)->profile,
						 &engine->settings.rules);
	return n;
}

gboolean procdb_engine_prediction(ProcdbEngine *engine, const struct procdb_comm *comm,
				  struct procdb_class *prediction)
{
	return engine->maps->ops->lookup(engine->maps, comm, prediction);
}

void procdb_engine_status(ProcdbEngine *engine, ProcdbEngineStatus *status)
{
	*status = (ProcdbEngineStatus){
	    .observations = engine->observations,
	    .found = engine->predictions.found,
	    .missed = engine->predictions.missed,
	    .right = engine->predictions.right,
	    .wrong = engine->predictions.wrong,
	    .overrides = engine->overrides,
	    .last_save_us = engine->last_save_us,
	    .last_save_error = engine->last_save_error,
	    .database_path = procdb_store_path(engine->store),
	    .dirty = engine->dirty,
	};
	engine->maps->ops->status(engine->maps, &status->maps);
}

static void replace_one(ProcdbEngine *engine, const struct procdb_record *stored, gint64 now)
{
	struct procdb_record copy = *stored;
	const struct procdb_record *record = &copy;
	struct procdb_entry *entry = procdb_table_ensure(engine->table, &record->comm, NULL);

	if (procdb_engine_is_reference(engine))
		procdb_record_to_reference(&copy);
	if (!entry) {
		g_warning_once("Out of memory: not all profiles were loaded");
		return;
	}
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		engine->overrides--;
	entry->profile = record->profile;
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		engine->overrides++;
	/*
	 * Old files do not say when: as if just now, so that they are remembered.
	 * And nobody was seen in the future, whatever the clock was then.
	 */
	if (entry->profile.last_seen_us == 0 || entry->profile.last_seen_us > now)
		entry->profile.last_seen_us = now;
	entry->published = true;
	procdb_table_aged(engine->table, entry);
	if (!procdb_engine_is_reference(engine))
		procdb_table_move(engine->table, entry,
				  entry->profile.override != PROCDB_NO_OVERRIDE
				      ? PROCDB_SET_KEPT
				      : PROCDB_SET_RETAINED);
	procdb_engine_queue(engine, entry);
	procdb_engine_note(engine, entry);
}

guint procdb_engine_replace(ProcdbEngine *engine, const GArray *records)
{
	gint64 now = engine->clock_us();

	while (procdb_table_size(engine->table) > 0) {
		struct procdb_entry *entry = procdb_table_at(engine->table, 0);

		g_array_append_val(engine->removed, entry->comm);
		procdb_table_remove(engine->table, entry);
	}
	engine->overrides = 0;
	engine->map_known = FALSE;
	for (guint i = 0; i < records->len; i++)
		replace_one(engine, &g_array_index(records, struct procdb_record, i), now);
	return (guint)procdb_table_size(engine->table);
}

gboolean procdb_engine_load(ProcdbEngine *engine, guint *loaded, GError **error)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	g_autoptr(GError) reason = NULL;
	const ProcdbStoreReport *report = procdb_store_report(engine->store);
	ProcdbDiag diag = PROCDB_DIAG_NONE;
	gboolean ok = procdb_store_load(engine->store, records, &diag, &reason);
	guint n;

	if (!ok)
		g_array_set_size(records, 0);
	n = procdb_engine_replace(engine, records);
	engine->dirty = FALSE;
	if (loaded)
		*loaded = n;
	if (!ok) {
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
			    "Cannot read %s: %s", procdb_store_path(engine->store),
			    reason->message);
		return FALSE;
	}
	if (report->message)
		g_warning("%s", report->message);
	/* What was imported is not in a file of ours yet. */
	engine->dirty = report->source == PROCDB_SOURCE_IMPORT;
	return TRUE;
}

GArray *procdb_engine_records(const ProcdbEngine *engine)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));

	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		const struct procdb_entry *entry = procdb_table_at(engine->table, i);
		struct procdb_record record = {
		    entry->comm,
		    entry->profile,
		    .hidden =
			!procdb_profile_is_confident(&entry->profile, &engine->settings.rules),
		};

		if (procdb_engine_wants_prediction(engine, entry))
			g_array_append_val(records, record);
	}
	return records;
}

static void set_save_error(ProcdbEngine *engine, const char *message)
{
	g_free(engine->last_save_error);
	engine->last_save_error = g_strdup(message);
}

static gint64 seconds_from_now(guint seconds)
{
	return g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
}

/* With forget, the previous version of the file goes as well. */
static gboolean save(ProcdbEngine *engine, gboolean forget, guint *saved, GError **error)
{
	g_autoptr(GArray) records = procdb_engine_records(engine);
	g_autoptr(GError) reason = NULL;

	if (!(forget ? procdb_store_save_forgetting : procdb_store_save)(
		engine->store, (const struct procdb_record *)records->data, records->len,
		&reason)) {
		if (engine->save_failures == 0)
			g_warning("Cannot save %s: %s", procdb_store_path(engine->store),
				  reason->message);
		set_save_error(engine, reason->message);
		engine->save_due = seconds_from_now(
		    MIN(RETRY_FIRST_S << MIN(engine->save_failures, 16), RETRY_LAST_S));
		engine->save_failures++;
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED,
			    "Cannot save %s: %s", procdb_store_path(engine->store),
			    reason->message);
		return FALSE;
	}
	if (engine->save_failures > 0)
		g_message("Saved %s again after %u failures", procdb_store_path(engine->store),
			  engine->save_failures);
	set_save_error(engine, "");
	engine->save_failures = 0;
	engine->save_due = seconds_from_now(engine->settings.save_interval_s);
	engine->last_save_us = engine->clock_us();
	engine->dirty = FALSE;
	if (saved)
		*saved = records->len;
	return TRUE;
}

gboolean procdb_engine_save(ProcdbEngine *engine, guint *saved, GError **error)
{
	return save(engine, FALSE, saved, error);
}

void procdb_engine_save_if_due(ProcdbEngine *engine)
{
	if (!engine->dirty || engine->settings.save_interval_s == 0)
		return;
	/* The first change starts the interval. */
	if (engine->save_due == 0)
		engine->save_due = seconds_from_now(engine->settings.save_interval_s);
	if (g_get_monotonic_time() >= engine->save_due)
		procdb_engine_save(engine, NULL, NULL);
}

gboolean procdb_engine_delete(ProcdbEngine *engine, const struct procdb_comm *comms, guint n,
			      guint *deleted, GError **error)
{
	guint count = 0;
	gboolean ok;

	for (guint i = 0; i < n; i++)
		if (!procdb_engine_find(engine, &comms[i], error))
			return FALSE;
	for (guint i = 0; i < n; i++) {
		struct procdb_entry *entry = procdb_table_find(engine->table, &comms[i]);

		/* Not there any more: it was named twice. */
		if (!entry)
			continue;
		procdb_engine_drop(engine, entry);
		count++;
	}
	procdb_engine_retract_queued(engine);
	ok = n == 0 || save(engine, TRUE, NULL, error);
	procdb_engine_tell_now(engine);
	if (deleted)
		*deleted = count;
	return ok;
}

gboolean procdb_engine_reset(ProcdbEngine *engine, guint *deleted, GError **error)
{
	g_autofree struct procdb_entry **all =
	    g_new(struct procdb_entry *, procdb_table_size(engine->table) + 1);
	size_t n = procdb_table_size(engine->table);
	guint count = 0;
	gboolean ok;

	for (size_t i = 0; i < n; i++)
		all[i] = procdb_table_at(engine->table, i);
	for (size_t i = 0; i < n; i++) {
		struct procdb_entry *entry = all[i];
		uint8_t override = entry->profile.override;

		count += entry->profile.observations > 0;
		if (override == PROCDB_NO_OVERRIDE) {
			procdb_engine_drop(engine, entry);
			continue;
		}
		procdb_profile_init(&entry->profile);
		entry->profile.override = override;
		procdb_table_aged(engine->table, entry);
		procdb_table_move(engine->table, entry, PROCDB_SET_KEPT);
		procdb_engine_queue(engine, entry);
		procdb_engine_note(engine, entry);
	}
	procdb_engine_retract_queued(engine);
	procdb_engine_flush(engine);
	ok = save(engine, TRUE, NULL, error);
	procdb_engine_tell_now(engine);
	if (deleted)
		*deleted = count;
	return ok;
}

gboolean procdb_engine_override(ProcdbEngine *engine, const struct procdb_comm *comm, guint8 tier,
				GError **error)
{
	struct procdb_entry *entry = procdb_table_find(engine->table, comm);
	bool created = false;
	gboolean ok;

	if (tier == PROCDB_NO_OVERRIDE) {
		if (!procdb_engine_find(engine, comm, error))
			return FALSE;
		if (entry->profile.override == PROCDB_NO_OVERRIDE)
			return TRUE;
		engine->overrides--;
		entry->profile.override = PROCDB_NO_OVERRIDE;
		procdb_engine_queue(engine, entry);
		procdb_engine_note(engine, entry);
		if (entry->set != PROCDB_SET_LIVE)
			procdb_engine_settle(engine, entry);
	} else {
		if (engine->overrides >= MAX_OVERRIDES &&
		    (!entry || entry->profile.override == PROCDB_NO_OVERRIDE)) {
			g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
				    "There are %u overrides already; clear one first",
				    engine->overrides);
			return FALSE;
		}
		entry = procdb_table_ensure(engine->table, comm, &created);
		if (!entry) {
			g_set_error_literal(error, PROCDB_ENGINE_ERROR,
					    PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED, "Out of memory");
			return FALSE;
		}
		if (created)
			entry->published = !engine->map_known;
		if (entry->profile.override == PROCDB_NO_OVERRIDE)
			engine->overrides++;
		entry->profile.override = tier;
		if (created || entry->set != PROCDB_SET_LIVE)
			procdb_table_move(engine->table, entry, PROCDB_SET_KEPT);
		procdb_engine_queue(engine, entry);
		procdb_engine_note(engine, entry);
	}
	procdb_engine_retract_queued(engine);
	procdb_engine_flush(engine);
	ok = procdb_engine_save(engine, NULL, error);
	procdb_engine_tell_now(engine);
	return ok;
}
