/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The profiles and the file that keeps them. */

#include "log.h"
#include "private.h"

/* After a failed save, try again after this many seconds, doubling up to the second. */
#define RETRY_FIRST_S 5
#define RETRY_LAST_S 600

/* When a profile was seen, in the time that the machine ran. */
static gint64 seen_run_us(const ProcdbEngine *engine, const struct procdb_profile *profile,
			  gint64 newest_us)
{
	const gint64 run_us = procdb_engine_run_us(engine);
	const gint64 ago_us = CLAMP(newest_us - profile->last_seen_us, 0, run_us - 1);

	/* Older files, and those of others, know only what the clock said. */
	return profile->seen_run_us > 0 ? MIN(profile->seen_run_us, run_us) : run_us - ago_us;
}

/* Where a profile that was not seen now belongs. */
static enum procdb_set set_of(const ProcdbEngine *engine, const struct procdb_entry *entry)
{
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		return PROCDB_SET_OVERRIDE;
	return engine->settings.max_candidates > 0 && !procdb_engine_wants_prediction(engine, entry)
		   ? PROCDB_SET_CANDIDATE
		   : PROCDB_SET_RETAINED;
}

static void replace_one(ProcdbEngine *engine, const struct procdb_record *stored, gint64 now,
			gint64 newest_us)
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
	/* Learned from users' tasks only, perhaps under a higher MaxUserTier: cap it again. */
	if (entry->profile.teachers == PROCDB_TAUGHT_BY_USERS)
		procdb_profile_cap(&entry->profile,
				   (enum procdb_tier)engine->settings.max_user_tier);
	/*
	 * Old files do not say when: as if just now, so that they are remembered.
	 * A last_seen in the future becomes now, unless our own clock is known to be behind.
	 */
	if ((entry->profile.last_seen_us == 0 && entry->profile.observations > 0) ||
	    (entry->profile.last_seen_us > now &&
	     !procdb_engine_clock_is_behind(engine, entry->profile.last_seen_us, now)))
		entry->profile.last_seen_us = now;
	entry->profile.seen_run_us = seen_run_us(engine, &entry->profile, newest_us);
	entry->published = true;
	procdb_table_aged(engine->table, entry);
	if (!procdb_engine_is_reference(engine))
		procdb_table_move(engine->table, entry, set_of(engine, entry));
	procdb_engine_queue(engine, entry);
	procdb_engine_note(engine, entry);
}

void procdb_engine_merge(ProcdbEngine *engine, const GArray *records, gint64 newest_us)
{
	gint64 now = engine->clock_us();

	/* What is published of these names is to be compared with the map. */
	engine->map_known = FALSE;
	for (guint i = 0; i < records->len; i++)
		replace_one(engine, &g_array_index(records, struct procdb_record, i), now,
			    newest_us);
}

/* What a file says last: of when its profiles were seen, and of how long the machine ran. */
static gint64 take_times(ProcdbEngine *engine, const GArray *records)
{
	gint64 newest_us = 0;
	gint64 run_us = procdb_table_size(engine->table) > 0 ? procdb_engine_run_us(engine) : 0;

	for (guint i = 0; i < records->len; i++) {
		const struct procdb_profile *profile =
		    &g_array_index(records, struct procdb_record, i).profile;

		newest_us = MAX(newest_us, profile->last_seen_us);
		run_us = MAX(run_us, profile->seen_run_us);
	}
	procdb_engine_begin_run(engine, run_us);
	return newest_us;
}

guint procdb_engine_replace(ProcdbEngine *engine, const GArray *records)
{
	const gint64 newest_us = take_times(engine, records);

	while (procdb_table_size(engine->table) > 0) {
		struct procdb_entry *entry = procdb_table_at(engine->table, 0);

		g_array_append_val(engine->removed, entry->comm);
		procdb_table_remove(engine->table, entry);
	}
	engine->overrides = 0;
	engine->in_file = PROCDB_NOT_COUNTED;
	engine->loaded = TRUE;
	procdb_engine_merge(engine, records, newest_us);
	procdb_engine_put_declared(engine);
	return (guint)procdb_table_size(engine->table);
}

static guint most_profiles(const ProcdbEngine *engine)
{
	/* The reference behaviour takes the best MaxProfiles of them at its first tick. */
	return procdb_engine_is_reference(engine)
		   ? PROCDB_PROFILES_LIMIT
		   : engine->settings.max_retained + engine->settings.max_candidates;
}

/* The records of the file; NULL for one that is there and cannot be read. */
static GArray *read_file(ProcdbEngine *engine, GError **error)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	const ProcdbStoreReport *report = procdb_store_report(engine->store);
	g_autoptr(GError) reason = NULL;
	/* What could not stay is not taken into memory. */
	const ProcdbLimit limit = {most_profiles(engine), PROCDB_MAX_OVERRIDES};
	ProcdbDiag diag = PROCDB_DIAG_NONE;

	procdb_store_set_limit(engine->store, &limit);
	if (!procdb_store_load(engine->store, records, &diag, &reason)) {
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
			    "Cannot read %s: %s", procdb_store_path(engine->store),
			    reason->message);
		return NULL;
	}
	if (report->message)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_LOADED, "%s", report->message);
	if (report->taken)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_SAVE, "Nothing is saved: %s",
			   report->taken);
	return g_steal_pointer(&records);
}

static void set_save_error(ProcdbEngine *engine, const char *message)
{
	g_free(engine->last_save_error);
	engine->last_save_error = g_strdup(message);
}

/* What was read has taken the place of what was known. */
static void log_left_out(const ProcdbEngine *engine)
{
	const guint left_out = procdb_store_report(engine->store)->left_out;

	if (left_out > 0)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_FORGOTTEN,
			   "Left %u profile%s of %s out: no more than %u are remembered", left_out,
			   left_out == 1 ? "" : "s", procdb_store_path(engine->store),
			   most_profiles(engine));
}

/* What is known is what the file says: nothing is left that a save has failed to write. */
static void note_in_file(ProcdbEngine *engine)
{
	const char *taken = procdb_store_report(engine->store)->taken;

	engine->dirty = FALSE;
	engine->save_failures = 0;
	engine->save_due = 0;
	/* That the file is another service's is known before a save is tried. */
	set_save_error(engine, taken ? taken : "");
}

gboolean procdb_engine_load(ProcdbEngine *engine, guint *loaded, GError **error)
{
	g_autoptr(GArray) records = read_file(engine, error);
	g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	const ProcdbStoreReport *report = procdb_store_report(engine->store);
	guint n = procdb_engine_replace(engine, records ? records : none);

	engine->dirty = FALSE;
	if (loaded)
		*loaded = n;
	if (!records)
		return FALSE;
	log_left_out(engine);
	/* What was imported, or saved from a damaged file, is not in a good file of ours yet. */
	engine->dirty = report->source == PROCDB_SOURCE_IMPORT ||
			report->source == PROCDB_SOURCE_MERGED || report->left_out > 0 ||
			(report->set_aside && report->source != PROCDB_SOURCE_NONE &&
			 report->newest.ext != PROCDB_EXT_NEWER);
	if (!engine->dirty && report->source == PROCDB_SOURCE_NEWEST)
		note_in_file(engine);
	else if (report->taken)
		set_save_error(engine, report->taken);
	return TRUE;
}

gboolean procdb_engine_reload(ProcdbEngine *engine, guint *loaded, GError **error)
{
	g_autoptr(GArray) records = read_file(engine, error);
	const ProcdbStoreReport *report = procdb_store_report(engine->store);

	if (!records)
		return FALSE;
	if (report->source != PROCDB_SOURCE_NEWEST && report->source != PROCDB_SOURCE_MERGED) {
		/* What is known is better than any older file, and not on the disk any more. */
		engine->dirty = engine->dirty || procdb_table_size(engine->table) > 0;
		if (report->set_aside) {
			g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
				    "%s is no valid database; it is %s now",
				    procdb_store_path(engine->store), report->set_aside);
			return FALSE;
		}
		*loaded = 0;
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_LOADED,
			   "There is no %s; what is known stays", procdb_store_path(engine->store));
		return TRUE;
	}
	*loaded = procdb_engine_replace(engine, records);
	log_left_out(engine);
	note_in_file(engine);
	engine->dirty = report->source == PROCDB_SOURCE_MERGED || report->left_out > 0;
	return TRUE;
}

GArray *procdb_engine_records(const ProcdbEngine *engine, guint *told)
{
	GArray *records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	guint predicting = 0;

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
		predicting += procdb_engine_wants_prediction(engine, entry);
		g_array_append_val(records, record);
	}
	if (told)
		*told = predicting;
	return records;
}

static gint64 seconds_from_now(guint seconds)
{
	return g_get_monotonic_time() + (gint64)seconds * G_USEC_PER_SEC;
}

/* The outcome of a save: reason is NULL when it worked. */
static void note_saved(ProcdbEngine *engine, const GError *reason)
{
	const char *path = procdb_store_path(engine->store);

	if (reason) {
		if (engine->save_failures == 0)
			procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_SAVE, "Cannot save %s: %s",
				   path, reason->message);
		set_save_error(engine, reason->message);
		engine->save_due = seconds_from_now(
		    MIN(RETRY_FIRST_S << MIN(engine->save_failures, 16), RETRY_LAST_S));
		engine->save_failures++;
		engine->dirty = TRUE;
		return;
	}
	if (engine->save_failures > 0)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_SAVE,
			   "Saved %s again after %u failures", path, engine->save_failures);
	set_save_error(engine, "");
	engine->save_failures = 0;
	engine->save_due = seconds_from_now(engine->settings.save_interval_s);
	engine->last_save_us = engine->clock_us();
}

struct procdb_saving {
	ProcdbEngine *engine; /* NULL once that is gone */
	gboolean overtaken;   /* by a later save, whose outcome is the one that counts */
	gboolean forgetting;  /* engine->forgetting when it began */
	GArray *savers;	      /* struct procdb_saver */
	guint saved;
};

/* Tells all of them, and frees the array. */
static void tell_savers(GArray *savers, guint saved, const GError *error)
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
	const gboolean forgetting =
	    engine->forgetting || (engine->saving && engine->saving->forgetting);
	gboolean (*function)(ProcdbStore *, const struct procdb_record *, guint, GError **) =
	    forgetting ? procdb_store_save_forgetting : procdb_store_save;
	guint told = 0;
	g_autoptr(GArray) records = procdb_engine_records(engine, &told);
	g_autoptr(GError) reason = NULL;

	engine->dirty = FALSE;
	if (engine->saving)
		engine->saving->overtaken = TRUE;
	function(engine->store, (const struct procdb_record *)records->data, records->len, &reason);
	engine->forgetting = forgetting && reason;
	note_saved(engine, reason);
	engine->in_file = told;
	if (reason)
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED,
			    "Cannot save %s: %s", procdb_store_path(engine->store),
			    reason->message);
	else if (saved)
		*saved = told;
	return !reason;
}

static void begin_requested(ProcdbEngine *engine);

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
	engine->saving = NULL;
	if (!saving->overtaken) {
		/* What was deleted meanwhile is another matter. */
		engine->forgetting |= saving->forgetting && reason;
		note_saved(engine, reason);
	}
	error = save_failed(engine, reason);
	engine->in_file = saving->saved;
	tell_savers(saving->savers, saving->saved, error);
	begin_requested(engine);
}

/* In a thread: a disk that takes its time must not keep the loop from ticking. */
static void begin_saving(ProcdbEngine *engine, GArray *savers)
{
	struct procdb_saving *saving = g_new0(struct procdb_saving, 1);

	saving->engine = engine;
	saving->savers = savers;
	saving->forgetting = engine->forgetting;
	engine->forgetting = FALSE;
	engine->dirty = FALSE;
	engine->saving = saving;
	procdb_store_save_async(engine->store, procdb_engine_records(engine, &saving->saved),
				saving->forgetting, on_saved, saving);
}

static gboolean on_next_save(gpointer data)
{
	ProcdbEngine *engine = data;

	engine->next_save = 0;
	begin_requested(engine);
	return G_SOURCE_REMOVE;
}

/*
 * Begins the save that was asked for, once none is under way and a second has passed: anybody
 * may ask again and again. Of what was changed by an administrator, once none is under way.
 */
static void begin_requested(ProcdbEngine *engine)
{
	const gint64 wait_us = engine->requested_us + G_USEC_PER_SEC - g_get_monotonic_time();
	GArray *savers = engine->waiting;

	if (savers->len == 0 || engine->saving || (engine->next_save && !engine->urgent))
		return;
	if (engine->requested_us > 0 && wait_us > 0 && !engine->urgent) {
		engine->next_save =
		    g_timeout_add((guint)(wait_us / 1000) + 1, on_next_save, engine);
		return;
	}
	g_clear_handle_id(&engine->next_save, g_source_remove);
	engine->urgent = FALSE;
	engine->requested_us = g_get_monotonic_time();
	engine->waiting = g_array_new(FALSE, FALSE, sizeof(struct procdb_saver));
	begin_saving(engine, savers);
}

static guint count_predicting(const ProcdbEngine *engine)
{
	guint count = 0;

	for (size_t i = 0; i < procdb_table_size(engine->table); i++)
		count += procdb_engine_wants_prediction(engine, procdb_table_at(engine->table, i));
	return count;
}

void procdb_engine_request_save(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data)
{
	const struct procdb_saver saver = {func, user_data};

	if (engine->dirty || engine->forgetting || engine->save_failures > 0 ||
	    (!engine->saving && !procdb_store_is_current(engine->store))) {
		g_array_append_val(engine->waiting, saver);
		begin_requested(engine);
	} else if (engine->saving) {
		g_array_append_val(engine->saving->savers, saver);
	} else {
		/* Anybody may ask for it again and again. */
		if (engine->in_file == PROCDB_NOT_COUNTED)
			engine->in_file = count_predicting(engine);
		func(engine->in_file, NULL, user_data);
	}
}

void procdb_engine_keep(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data)
{
	engine->urgent |= engine->dirty || engine->forgetting;
	procdb_engine_request_save(engine, func, user_data);
}

void procdb_engine_abandon_save(ProcdbEngine *engine)
{
	g_autoptr(GError) error = g_error_new_literal(
	    PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED, "The service stops");

	g_clear_handle_id(&engine->next_save, g_source_remove);
	if (engine->saving) {
		engine->saving->engine = NULL;
		tell_savers(engine->saving->savers, 0, error);
	}
	engine->saving = NULL;
	tell_savers(engine->waiting, 0, error);
	engine->waiting = NULL;
}

void procdb_engine_save_if_due(ProcdbEngine *engine)
{
	if (!engine->dirty || engine->saving || engine->settings.save_interval_s == 0)
		return;
	/* The first change starts the interval. */
	if (engine->save_due == 0)
		engine->save_due = seconds_from_now(engine->settings.save_interval_s);
	if (g_get_monotonic_time() < engine->save_due)
		return;
	begin_saving(engine, g_array_new(FALSE, FALSE, sizeof(struct procdb_saver)));
}
