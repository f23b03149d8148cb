/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Requests of clients. */

#include "engine-state.h"
#include "escape.h"

#include <string.h>

const struct procdb_entry *procdb_engine_find(const ProcdbEngine *engine,
					      const struct procdb_comm *comm, GError **error)
{
	const struct procdb_entry *entry = procdb_table_find(engine->table, comm);

	if (!entry)
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE,
				    "There is no profile of this name");
	return entry;
}

guint procdb_engine_confident(ProcdbEngine *engine)
{
	procdb_engine_take_rules(engine);
	/* Others were judged when they were emitted. */
	for (guint i = 0; i < engine->changed->len; i++) {
		struct procdb_entry *entry = procdb_table_find(
		    engine->table, &g_array_index(engine->changed, struct procdb_comm, i));

		if (entry)
			procdb_engine_judge(engine, entry);
	}
	return engine->confident.count;
}

gboolean procdb_engine_prediction(ProcdbEngine *engine, const struct procdb_comm *comm,
				  struct procdb_class *prediction)
{
	return procdb_backend_lookup(engine->backend, comm, prediction);
}

guint procdb_engine_count_overrides(const ProcdbEngine *engine)
{
	return engine->overrides + engine->rules->len;
}

void procdb_engine_status(ProcdbEngine *engine, ProcdbEngineStatus *status)
{
	const char *state, *writer = procdb_engine_other_writer(engine, &state);

	*status = (ProcdbEngineStatus){
	    .observations = engine->observations,
	    .found = engine->predictions.found,
	    .missed = engine->predictions.missed,
	    .right = engine->predictions.right,
	    .wrong = engine->predictions.wrong,
	    .overrides = procdb_engine_count_overrides(engine),
	    .last_save_us = engine->saves.last_us,
	    .last_save_error = engine->saves.last_error,
	    .flood = engine->flood.text,
	    .database_path = procdb_store_path(engine->store),
	    .database_problem = engine->load_problem,
	    .dirty = engine->dirty || engine->saves.running,
	    .counted = engine->counted,
	};
	memcpy(status->outcomes, engine->predictions.outcomes, sizeof(status->outcomes));
	procdb_backend_status(engine->backend, &status->backend);
	if (writer && g_str_equal(status->backend.token, "active") && !*status->backend.reason) {
		status->backend.reason = writer;
		status->backend.state = state;
	}
}

/* Has the init map say at once what was requested. */
static void apply(ProcdbEngine *engine)
{
	/* Until the map is known, it is not known what fits. */
	if (!engine->map.known)
		procdb_engine_resync(engine);
	procdb_engine_retract_queued(engine);
	procdb_engine_flush(engine);
}

/* The file has to be written; with forget, older files must not keep the deleted profiles. */
static void mark_dirty(ProcdbEngine *engine, gboolean forget)
{
	engine->dirty = TRUE;
	engine->saves.forgetting |= forget;
	procdb_engine_emit_changes_now(engine);
}

gboolean procdb_engine_delete(ProcdbEngine *engine, const struct procdb_comm *comms, guint n,
			      guint *deleted, GError **error)
{
	guint count = 0;

	for (guint i = 0; i < n; i++)
		if (!procdb_engine_find(engine, &comms[i], error))
			return FALSE;
	for (guint i = 0; i < n; i++) {
		struct procdb_entry *entry = procdb_table_find(engine->table, &comms[i]);

		/* Not there any more: it was named twice. */
		if (!entry)
			continue;
		procdb_engine_remove(engine, entry);
		count++;
	}
	procdb_engine_put_declared(engine);
	procdb_engine_retract_queued(engine);
	if (count > 0)
		mark_dirty(engine, TRUE);
	if (deleted)
		*deleted = count;
	return TRUE;
}

/* Forgets everything that was learned, and returns of how many; overrides stay. */
static guint forget_learned(ProcdbEngine *engine)
{
	g_autofree struct procdb_entry **all = procdb_engine_entries(engine);
	const size_t n = procdb_table_size(engine->table);
	guint count = 0;

	for (size_t i = 0; i < n; i++) {
		struct procdb_entry *entry = all[i];
		uint8_t override = entry->profile.override;
		bool declared = entry->profile.declared;

		count += entry->profile.observations > 0;
		if (!procdb_entry_is_decided(entry)) {
			procdb_engine_remove(engine, entry);
			continue;
		}
		procdb_profile_init(&entry->profile);
		entry->profile.override = override;
		entry->profile.declared = declared;
		procdb_engine_forget_identity(engine, &entry->comm);
		entry->found = entry->missed = 0;
		procdb_table_aged(engine->table, entry);
		procdb_table_move(engine->table, entry, PROCDB_SET_OVERRIDE);
		procdb_engine_queue_prediction(engine, entry);
		procdb_engine_mark_changed(engine, entry);
	}
	return count;
}

guint procdb_engine_reset(ProcdbEngine *engine)
{
	guint count = forget_learned(engine);

	/* What was counted of names without a profile is forgotten, too. */
	g_hash_table_remove_all(engine->unseen);
	apply(engine);
	mark_dirty(engine, TRUE);
	return count;
}

static gboolean clear_override(ProcdbEngine *engine, const struct procdb_comm *comm, GError **error)
{
	struct procdb_entry *entry = procdb_table_find(engine->table, comm);

	if (!procdb_engine_find(engine, comm, error))
		return FALSE;
	if (entry->profile.override == PROCDB_NO_OVERRIDE)
		return TRUE;
	if (entry->profile.declared) {
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_DECLARED,
			    "The file %s declares this override; remove it there and reload, or "
			    "set another one",
			    procdb_engine_declaration(engine, comm)->source);
		return FALSE;
	}
	engine->overrides--;
	entry->profile.override = PROCDB_NO_OVERRIDE;
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
	if (entry->set != PROCDB_SET_LIVE)
		procdb_engine_file_in_set(engine, entry);
	procdb_engine_put_declared(engine);
	return TRUE;
}

static gboolean set_override(ProcdbEngine *engine, const struct procdb_comm *comm, guint8 tier,
			     GError **error)
{
	struct procdb_entry *entry = procdb_table_find(engine->table, comm);
	bool created = false;

	if (engine->overrides >= PROCDB_MAX_OVERRIDES &&
	    (!entry || entry->profile.override == PROCDB_NO_OVERRIDE)) {
		g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
			    "There are %u overrides already; clear one first", engine->overrides);
		return FALSE;
	}
	entry = procdb_table_ensure(engine->table, comm, &created);
	if (!entry) {
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
				    "Out of memory");
		return FALSE;
	}
	if (created)
		entry->published = !engine->map.known;
	if (entry->profile.override == PROCDB_NO_OVERRIDE)
		engine->overrides++;
	entry->profile.override = tier;
	entry->profile.declared = false;
	if (created || entry->set != PROCDB_SET_LIVE)
		procdb_table_move(engine->table, entry, PROCDB_SET_OVERRIDE);
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
	return TRUE;
}

gboolean procdb_engine_override(ProcdbEngine *engine, const struct procdb_comm *comm, guint8 tier,
				GError **error)
{
	gboolean ok = tier == PROCDB_NO_OVERRIDE ? clear_override(engine, comm, error)
						 : set_override(engine, comm, tier, error);

	if (!ok)
		return FALSE;
	apply(engine);
	/* Cleared profiles do not come back from an older file either. */
	mark_dirty(engine, tier == PROCDB_NO_OVERRIDE);
	return TRUE;
}

/* After holds changed: in the init map at once, and clients are told. No file has them. */
static void apply_holds(ProcdbEngine *engine)
{
	apply(engine);
	procdb_engine_emit_changes_now(engine);
}

gboolean procdb_engine_hold(ProcdbEngine *engine, const struct procdb_comm *comm,
			    enum procdb_tier tier, GError **error)
{
	if (!procdb_engine_put_held(engine, comm, tier)) {
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
				    "Out of memory");
		return FALSE;
	}
	apply_holds(engine);
	return TRUE;
}

void procdb_engine_release(ProcdbEngine *engine, const struct procdb_comm *comm)
{
	procdb_engine_take_held(engine, comm);
	apply_holds(engine);
}

enum procdb_tier procdb_entry_tier(const struct procdb_entry *entry)
{
	return entry->held ? (enum procdb_tier)(entry->held - 1)
			   : procdb_profile_tier(&entry->profile);
}

guint64 procdb_engine_serial(const ProcdbEngine *engine)
{
	return engine->serial;
}

/* The override of a name that is on the bus, or PROCDB_NO_OVERRIDE. */
static guint8 override_of(const ProcdbEngine *engine, const struct procdb_comm *comm)
{
	const struct procdb_entry *entry = procdb_table_find(engine->table, comm);

	return entry && !entry->profile.declared ? entry->profile.override : PROCDB_NO_OVERRIDE;
}

/* As many as can be known at one time, so that all that can be exported can come back. */
static guint most_records(const ProcdbEngine *engine)
{
	return engine->settings.max_retained + engine->settings.max_candidates +
	       engine->settings.rules.max_profiles + PROCDB_MAX_OVERRIDES;
}

/* Adds what is known of the name to a record. */
static void add_known(const struct procdb_entry *entry, struct procdb_record *record)
{
	const struct procdb_share share = procdb_profile_share(&record->profile);
	struct procdb_share known;
	struct procdb_sum sum = {0};

	known = procdb_profile_share(&entry->profile);
	procdb_sum_add(&sum, &share);
	procdb_sum_add(&sum, &known);
	known = procdb_sum_get(&sum);
	/* The rest is of this machine: what happened lately, and when it was seen running. */
	record->profile.recent_right = entry->profile.recent_right;
	record->profile.recent_wrong = entry->profile.recent_wrong;
	procdb_profile_set_share(&record->profile, &known);
	if (known.last_seen_us == entry->profile.last_seen_us)
		record->profile.seen_run_us = entry->profile.seen_run_us;
}

/* A prior takes the place of nothing that was seen here, be it that it was wrong. */
static gboolean is_outranked(const struct procdb_entry *entry, const struct procdb_record *record)
{
	return procdb_profile_is_prior(&record->profile) &&
	       record->profile.override == PROCDB_NO_OVERRIDE &&
	       (entry->profile.observations > 0 || entry->profile.withdrawals > 0) &&
	       !procdb_profile_is_prior(&entry->profile);
}

/* What a farm says in place of what it said; how it fared here stays. */
static void renew_prior(const struct procdb_entry *entry, struct procdb_record *record)
{
	record->profile.right = entry->profile.right;
	record->profile.wrong = entry->profile.wrong;
	record->profile.recent_right = entry->profile.recent_right;
	record->profile.recent_wrong = entry->profile.recent_wrong;
}

static gboolean refuse_override(const struct procdb_record *record, guint8 override, GError **error)
{
	const char *bytes = (const char *)record->comm.bytes;
	g_autofree char *name = escape_raw(bytes, strnlen(bytes, PROCDB_COMM_LEN));

	g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_CONTRADICTED,
		    "The profile of '%s' has an override to %s, and here is one to %s: clear one "
		    "of them",
		    name, procdb_tier_name((enum procdb_tier)record->profile.override),
		    procdb_tier_name((enum procdb_tier) override));
	return FALSE;
}

/* Ages count from there: an old backup would else be forgotten at once. */
static gint64 newest_of(const ProcdbEngine *engine, const GArray *records)
{
	gint64 newest_us = 0;

	for (guint i = 0; i < records->len; i++)
		newest_us =
		    MAX(newest_us,
			g_array_index(records, struct procdb_record, i).profile.last_seen_us);
	return MIN(newest_us, engine->clock_us());
}

/*
 * What others saw in the future was seen now: our own clock may be behind, but only what we saw
 * ourselves tells.
 */
static void bound_times(const ProcdbEngine *engine, GArray *records)
{
	gint64 latest_us = engine->clock_us();

	for (size_t i = 0; i < procdb_table_size(engine->table); i++)
		latest_us = MAX(latest_us, procdb_table_at(engine->table, i)->profile.last_seen_us);
	for (guint i = 0; i < records->len; i++) {
		struct procdb_profile *profile =
		    &g_array_index(records, struct procdb_record, i).profile;

		profile->last_seen_us = MIN(profile->last_seen_us, latest_us);
	}
}

/* A record without an override keeps that of its name; *overrides counts those that are added. */
static gboolean take_override(const ProcdbEngine *engine, struct procdb_record *record,
			      gboolean merge, guint *overrides, GError **error)
{
	const guint8 override = override_of(engine, &record->comm);

	if (record->profile.override == PROCDB_NO_OVERRIDE)
		record->profile.override = override;
	else if (override == PROCDB_NO_OVERRIDE)
		(*overrides)++;
	else if (merge && record->profile.override != override)
		return refuse_override(record, override, error);
	return TRUE;
}

/* Adds up what a record and the profile of its name say. */
static void add_up(const struct procdb_entry *entry, struct procdb_record *record)
{
	if (procdb_profile_is_prior(&record->profile) && procdb_profile_is_prior(&entry->profile))
		renew_prior(entry, record);
	else
		add_known(entry, record);
}

static gboolean refuse_number(const ProcdbEngine *engine, GError **error)
{
	g_set_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
		    "At most %u profiles and %u overrides can be remembered", most_records(engine),
		    PROCDB_MAX_OVERRIDES);
	return FALSE;
}

gboolean procdb_engine_import(ProcdbEngine *engine, GArray *records, gboolean replace,
			      gboolean merge, GError **error)
{
	guint overrides = engine->overrides;
	guint kept = 0;

	/* First: the work below is only bounded by their number. */
	if (records->len > most_records(engine))
		return refuse_number(engine, error);
	bound_times(engine, records);
	for (guint i = 0; i < records->len; i++) {
		struct procdb_record *record = &g_array_index(records, struct procdb_record, i);
		const struct procdb_entry *entry =
		    merge && !replace ? procdb_table_find(engine->table, &record->comm) : NULL;

		if (record->profile.teachers == PROCDB_TAUGHT_BY_FARM)
			procdb_profile_make_prior(&record->profile);
		if (entry && is_outranked(entry, record))
			continue;
		if (!take_override(engine, record, merge, &overrides, error))
			return FALSE;
		if (entry)
			add_up(entry, record);
		g_array_index(records, struct procdb_record, kept++) = *record;
	}
	g_array_set_size(records, kept);
	if (overrides > PROCDB_MAX_OVERRIDES)
		return refuse_number(engine, error);
	if (replace) {
		forget_learned(engine);
		procdb_engine_retract_queued(engine);
	}
	procdb_engine_merge(engine, records, newest_of(engine, records));
	procdb_engine_put_declared(engine);
	procdb_engine_resync(engine);
	procdb_engine_flush(engine);
	mark_dirty(engine, replace);
	return TRUE;
}
