/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Saving: which records are written to the database, and when. */

#include "engine-state.h"
#include "log.h"

/* After a failed save, try again after this many seconds, doubling up to the second. */
#define RETRY_FIRST_S 5
#define RETRY_LAST_S 600

void procdb_engine_set_save_error(ProcdbEngine *engine, const char *message)
{
	g_free(engine->saves.last_error);
	engine->saves.last_error = g_strdup(message);
}

void procdb_engine_mark_saved(ProcdbEngine *engine)
{
	const char *taken = procdb_store_report(engine->store)->taken;

	engine->dirty = FALSE;
	engine->saves.failures = 0;
	engine->saves.due = 0;
	/* That the file is another service's is known before a save is tried. */
	procdb_engine_set_save_error(engine, taken ? taken : "");
}

GArray *procdb_engine_records(const ProcdbEngine *engine, guint *predicting)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	guint count = 0;

	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		const struct procdb_entry *entry = procdb_table_at(engine->table, i);
		struct procdb_record record = {
		    entry->comm,
		    entry->profile,
		    .hidden =
			!procdb_profile_is_confident(&entry->profile, &engine->settings.rules),
		};

		if (!procdb_engine_is_saved(engine, entry))
			continue;
		if (record.profile.declared)
			record.profile.override = PROCDB_NO_OVERRIDE;
		count += procdb_engine_is_lasting(engine, entry);
		g_array_append_val(records, record);
	}
	if (predicting)
		*predicting = count;
	return records;
}

/* The identities of all profiles that are saved; NULL for none. */
static GBytes *encode_identities(const ProcdbEngine *engine)
{
	GByteArray *writer = procdb_identities_begin();

	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		const struct procdb_entry *entry = procdb_table_at(engine->table, i);
		struct procdb_identity identity;

		if (procdb_engine_is_saved(engine, entry) &&
		    (procdb_engine_identity(engine, entry, &identity) || identity.runs > 0))
			procdb_identities_add(writer, &identity);
	}
	return procdb_identities_end(writer);
}

/* What a save writes: as procdb_engine_records(), and for the store what is beside them. */
static GArray *prepare(ProcdbEngine *engine, guint *predicting)
{
	procdb_engine_refresh_programs(engine);
	procdb_store_set_identities(engine->store, encode_identities(engine));
	procdb_store_set_rules(engine->store, procdb_rules_encode(engine->rules));
	return procdb_engine_records(engine, predicting);
}

static gint64 seconds_from_now(guint seconds)
{
	return g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
}

/* The outcome of a save: reason is NULL when it worked. */
static void take_outcome(ProcdbEngine *engine, const GError *reason)
{
	const char *path = procdb_store_path(engine->store);

	if (reason) {
		if (engine->saves.failures == 0)
			procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_SAVE, "Cannot save %s: %s",
				   path, reason->message);
		procdb_engine_set_save_error(engine, reason->message);
		engine->saves.due = seconds_from_now(
		    MIN(RETRY_FIRST_S << MIN(engine->saves.failures, 16), RETRY_LAST_S));
		engine->saves.failures++;
		engine->dirty = TRUE;
		return;
	}
	if (engine->saves.failures > 0)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_SAVE,
			   "Saved %s again after %u failures", path, engine->saves.failures);
	procdb_engine_set_save_error(engine, "");
	engine->saves.failures = 0;
	engine->saves.due = seconds_from_now(engine->settings.save_interval_s);
	engine->saves.last_us = engine->clock_us();
}

struct procdb_saving {
	ProcdbEngine *engine; /* NULL once that is gone */
	gboolean overtaken;   /* by a later save, whose outcome is the one that counts */
	gboolean forgetting;  /* engine->saves.forgetting when it began */
	GArray *savers;	      /* struct procdb_saver */
	guint saved;
};

/* Answers all requests that waited for this save, and frees the array. */
static void answer_savers(GArray *savers, guint saved, const GError *error)
{
	for (guint i = 0; i < savers->len; i++) {
		const struct procdb_saver *saver = &g_array_index(savers, struct procdb_saver, i);

		saver->func(saved, error, saver->user_data);
	}
	g_array_unref(savers);
}

gboolean procdb_engine_save(ProcdbEngine *engine, guint *saved, GError **error)
{
	/* Also what was deleted before, when the save at that time failed or is under way. */
	const gboolean forgetting = engine->saves.forgetting ||
				    (engine->saves.running && engine->saves.running->forgetting);
	gboolean (*function)(ProcdbStore *, const struct procdb_record *, guint, GError **) =
	    forgetting ? procdb_store_save_forgetting : procdb_store_save;
	guint predicting = 0;
	g_autoptr(GArray) records = prepare(engine, &predicting);
	g_autoptr(GError) reason = NULL;

	engine->dirty = engine->counted = FALSE;
	if (engine->saves.running)
		engine->saves.running->overtaken = TRUE;
	function(engine->store, (const struct procdb_record *)records->data, records->len, &reason);
	engine->saves.forgetting = forgetting && reason;
	take_outcome(engine, reason);
	engine->saves.in_file = predicting;
	if (reason)
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED,
			    "Cannot save %s: %s", procdb_store_path(engine->store),
			    reason->message);
	else if (saved)
		*saved = predicting;
	return !reason;
}

static void begin_requested(ProcdbEngine *engine);
static void begin_reading(ProcdbEngine *engine);

static GError *save_failed(const ProcdbEngine *engine, const GError *reason)
{
	return reason ? g_error_new(PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED,
				    "Cannot save %s: %s", procdb_store_path(engine->store),
				    reason->message)
		      : NULL;
}

static void on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autofree struct procdb_saving *saving = data;
	ProcdbEngine *engine = saving->engine;
	g_autoptr(GError) reason = NULL;
	g_autoptr(GError) error = NULL;

	procdb_store_save_finish(result, &reason);
	if (!engine)
		return;
	engine->saves.running = NULL;
	if (!saving->overtaken) {
		/* Deletions since this save began have set the flag themselves. */
		engine->saves.forgetting |= saving->forgetting && reason;
		take_outcome(engine, reason);
	}
	error = save_failed(engine, reason);
	engine->saves.in_file = saving->saved;
	answer_savers(saving->savers, saving->saved, error);
	begin_requested(engine);
	begin_reading(engine);
}

/* In a thread: a disk that takes its time must not keep the loop from ticking. */
static void begin_saving(ProcdbEngine *engine, GArray *savers)
{
	struct procdb_saving *saving = g_new0(struct procdb_saving, 1);
	/* First: it reads the counts once more, which are then in the file as well. */
	GArray *records = prepare(engine, &saving->saved);

	saving->engine = engine;
	saving->savers = savers;
	saving->forgetting = engine->saves.forgetting;
	engine->saves.forgetting = FALSE;
	engine->dirty = engine->counted = FALSE;
	engine->saves.running = saving;
	procdb_store_save_async(engine->store, records, saving->forgetting, on_saved, saving);
}

static gboolean on_next_save(gpointer data)
{
	ProcdbEngine *engine = data;

	engine->saves.next = 0;
	begin_requested(engine);
	return G_SOURCE_REMOVE;
}

/*
 * Begins the requested save once no save is under way and a second has passed since the last: any
 * user may request saves all the time, and would keep those that read the file waiting. A change of
 * an administrator waits for neither.
 */
static void begin_requested(ProcdbEngine *engine)
{
	const gint64 wait_us = engine->saves.requested_us + G_USEC_PER_SEC - g_get_monotonic_time();
	GArray *savers = engine->saves.waiting;

	if (savers->len == 0 || engine->saves.running ||
	    ((engine->saves.next || !g_queue_is_empty(&engine->saves.readers)) &&
	     !engine->saves.urgent))
		return;
	if (engine->saves.requested_us > 0 && wait_us > 0 && !engine->saves.urgent) {
		engine->saves.next =
		    g_timeout_add((guint)(wait_us / 1000) + 1, on_next_save, engine);
		return;
	}
	g_clear_handle_id(&engine->saves.next, g_source_remove);
	engine->saves.urgent = FALSE;
	engine->saves.requested_us = g_get_monotonic_time();
	engine->saves.waiting = g_array_new(FALSE, FALSE, sizeof(struct procdb_saver));
	begin_saving(engine, savers);
}

static gboolean on_next_reader(gpointer data)
{
	ProcdbEngine *engine = data;
	g_autofree struct procdb_saver *reader =
	    engine->saves.running ? NULL : g_queue_pop_head(&engine->saves.readers);

	if (reader) {
		reader->func(0, NULL, reader->user_data);
		return G_SOURCE_CONTINUE;
	}
	engine->saves.next_reader = 0;
	begin_requested(engine);
	return G_SOURCE_REMOVE;
}

/* Begins to call those that wait for the file, unless a save is under way: its end does, too. */
static void begin_reading(ProcdbEngine *engine)
{
	if (!engine->saves.running && !engine->saves.next_reader &&
	    !g_queue_is_empty(&engine->saves.readers))
		engine->saves.next_reader = g_timeout_add(0, on_next_reader, engine);
}

void procdb_engine_when_saved(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data)
{
	const struct procdb_saver reader = {func, user_data};

	/* What was asked to be saved before is saved, and not given up for the file. */
	if (engine->saves.waiting->len > 0) {
		engine->saves.urgent = TRUE;
		begin_requested(engine);
	}
	if (!engine->saves.running && g_queue_is_empty(&engine->saves.readers))
		func(0, NULL, user_data);
	else
		g_queue_push_tail(&engine->saves.readers, g_memdup2(&reader, sizeof(reader)));
}

static guint count_predicting(const ProcdbEngine *engine)
{
	guint count = 0;

	for (size_t i = 0; i < procdb_table_size(engine->table); i++)
		count += procdb_engine_is_lasting(engine, procdb_table_at(engine->table, i));
	return count;
}

/* counts: whether starts and CPU time alone are written, too. */
static void request_save(ProcdbEngine *engine, gboolean counts, ProcdbEngineSaved func,
			 gpointer user_data)
{
	const struct procdb_saver saver = {func, user_data};

	if (engine->dirty || (counts && engine->counted) || engine->saves.forgetting ||
	    engine->saves.failures > 0 ||
	    (!engine->saves.running && !procdb_store_is_current(engine->store))) {
		g_array_append_val(engine->saves.waiting, saver);
		begin_requested(engine);
	} else if (engine->saves.running) {
		g_array_append_val(engine->saves.running->savers, saver);
	} else {
		/* Any user may request a save all the time: an answer without one costs no I/O. */
		if (engine->saves.in_file == PROCDB_NOT_COUNTED)
			engine->saves.in_file = count_predicting(engine);
		func(engine->saves.in_file, NULL, user_data);
	}
}

void procdb_engine_request_save(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data)
{
	request_save(engine, TRUE, func, user_data);
}

void procdb_engine_keep(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data)
{
	engine->saves.urgent |= engine->dirty || engine->saves.forgetting;
	request_save(engine, FALSE, func, user_data);
}

static void abandon_readers(ProcdbEngine *engine)
{
	g_autoptr(GError) error = g_error_new_literal(
	    PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED, "The service stops");
	struct procdb_saver *reader;

	g_clear_handle_id(&engine->saves.next_reader, g_source_remove);
	while ((reader = g_queue_pop_head(&engine->saves.readers))) {
		reader->func(0, error, reader->user_data);
		g_free(reader);
	}
}

void procdb_engine_abandon_save(ProcdbEngine *engine)
{
	g_autoptr(GError) error = g_error_new_literal(
	    PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED, "The service stops");

	g_clear_handle_id(&engine->saves.next, g_source_remove);
	if (engine->saves.running) {
		engine->saves.running->engine = NULL;
		answer_savers(engine->saves.running->savers, 0, error);
	}
	engine->saves.running = NULL;
	answer_savers(engine->saves.waiting, 0, error);
	engine->saves.waiting = NULL;
	abandon_readers(engine);
}

void procdb_engine_save_if_due(ProcdbEngine *engine)
{
	if (!engine->dirty || engine->saves.running || engine->settings.save_interval_s == 0)
		return;
	/* The first change starts the interval. */
	if (engine->saves.due == 0)
		engine->saves.due = seconds_from_now(engine->settings.save_interval_s);
	if (g_get_monotonic_time() < engine->saves.due)
		return;
	begin_saving(engine, g_array_new(FALSE, FALSE, sizeof(struct procdb_saver)));
}
