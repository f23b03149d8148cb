/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Profiles that take the place of those in the table: of a file, or of an import. */

#include "log.h"
#include "engine-state.h"

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
	if (procdb_entry_is_decided(entry))
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
	/* Perhaps learned under a higher MaxUserTier. */
	procdb_profile_cap_users(&entry->profile, (enum procdb_tier)engine->settings.max_user_tier);
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
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
}

void procdb_engine_merge(ProcdbEngine *engine, const GArray *records, gint64 newest_us)
{
	gint64 now = engine->clock_us();

	/* The published entries of these names are to be compared with the map. */
	engine->map.known = FALSE;
	for (guint i = 0; i < records->len; i++)
		replace_one(engine, &g_array_index(records, struct procdb_record, i), now,
			    newest_us);
}

/*
 * Takes the latest times of a file: when its profiles were last seen (returned), and how long the
 * machine ran.
 */
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
	engine->confident.count = 0;
	engine->saves.in_file = PROCDB_NOT_COUNTED;
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

static void take_problem(ProcdbEngine *engine, char *problem)
{
	g_free(engine->load_problem);
	engine->load_problem = problem;
}

/* The records of the file; NULL for one that is there and cannot be read. */
static GArray *read_file(ProcdbEngine *engine, GError **error)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	const ProcdbStoreReport *report = procdb_store_report(engine->store);
	g_autoptr(GError) reason = NULL;
	/*
	 * Profiles beyond the limits would be forgotten at once, so they are not read into memory.
	 */
	const ProcdbLimit limit = {most_profiles(engine), PROCDB_MAX_OVERRIDES};
	ProcdbDiag diag = PROCDB_DIAG_NONE;

	procdb_store_set_limit(engine->store, &limit);
	if (!procdb_store_load(engine->store, records, &diag, &reason)) {
		take_problem(engine,
			     g_strdup_printf("Cannot read %s: %s", procdb_store_path(engine->store),
					     reason->message));
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
				    engine->load_problem);
		return NULL;
	}
	take_problem(engine, g_strdup(report->message && report->source != PROCDB_SOURCE_IMPORT
					  ? report->message
					  : ""));
	if (report->message)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_LOADED, "%s", report->message);
	if (report->taken)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_SAVE, "Nothing is saved: %s",
			   report->taken);
	return g_steal_pointer(&records);
}

/* The profiles that were read have taken the place of those that were known. */
static void log_left_out(const ProcdbEngine *engine)
{
	const guint left_out = procdb_store_report(engine->store)->left_out;

	if (left_out > 0)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_FORGOTTEN,
			   "Left %u profile%s of %s out: no more than %u are remembered", left_out,
			   left_out == 1 ? "" : "s", procdb_store_path(engine->store),
			   most_profiles(engine));
}

gboolean procdb_engine_load(ProcdbEngine *engine, guint *loaded, GError **error)
{
	g_autoptr(GArray) records = read_file(engine, error);
	g_autoptr(GArray) none = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	const ProcdbStoreReport *report = procdb_store_report(engine->store);
	guint n = procdb_engine_replace(engine, records ? records : none);

	procdb_engine_replace_identities(engine, procdb_store_take_identities(engine->store));
	procdb_engine_replace_rules(engine, procdb_store_take_rules(engine->store));

	engine->dirty = FALSE;
	if (loaded)
		*loaded = n;
	if (!records)
		return FALSE;
	log_left_out(engine);
	/* Imported or rescued profiles are not in a good file of ours yet. */
	engine->dirty = report->source == PROCDB_SOURCE_IMPORT ||
			report->source == PROCDB_SOURCE_MERGED || report->left_out > 0 ||
			(report->quarantined && report->source != PROCDB_SOURCE_NONE &&
			 report->newest.ext != PROCDB_EXT_NEWER);
	if (!engine->dirty && report->source == PROCDB_SOURCE_NEWEST)
		procdb_engine_mark_saved(engine);
	else if (report->taken)
		procdb_engine_set_save_error(engine, report->taken);
	return TRUE;
}

gboolean procdb_engine_reload(ProcdbEngine *engine, guint *loaded, GError **error)
{
	g_autoptr(GArray) records = NULL;
	const ProcdbStoreReport *report = procdb_store_report(engine->store);

	/* The store would wait for the disk, which may hang. */
	if (engine->saves.running) {
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
			    "Cannot read %s: it is being written; try again later",
			    procdb_store_path(engine->store));
		return FALSE;
	}
	records = read_file(engine, error);
	if (!records)
		return FALSE;
	if (report->damaged ||
	    (report->source != PROCDB_SOURCE_NEWEST && report->source != PROCDB_SOURCE_MERGED)) {
		/* The profiles in memory are better than any older file, and not on the disk any
		 * more. */
		engine->dirty = engine->dirty || procdb_table_size(engine->table) > 0;
		if (report->damaged || report->quarantined) {
			g_autofree char *now =
			    report->quarantined
				? g_strdup_printf("; it is %s now", report->quarantined)
				: g_strdup("");

			take_problem(engine,
				     g_strdup_printf("%s is no valid database%s",
						     procdb_store_path(engine->store), now));
			g_set_error_literal(error, PROCDB_ENGINE_ERROR,
					    PROCDB_ENGINE_ERROR_LOAD_FAILED, engine->load_problem);
			return FALSE;
		}
		*loaded = 0;
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_LOADED,
			   "There is no file %s; the profiles in memory stay",
			   procdb_store_path(engine->store));
		return TRUE;
	}
	*loaded = procdb_engine_replace(engine, records);
	procdb_engine_replace_identities(engine, procdb_store_take_identities(engine->store));
	procdb_engine_replace_rules(engine, procdb_store_take_rules(engine->store));
	log_left_out(engine);
	procdb_engine_mark_saved(engine);
	engine->dirty = report->source == PROCDB_SOURCE_MERGED || report->left_out > 0;
	return TRUE;
}
