/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The life of the engine, its settings, and the step. */

#include "boot-clock.h"
#include "engine-state.h"
#include "log.h"

#include <string.h>

/* How often remembered profiles are offered the room that others left in the init map. */
#define REFILL_TICKS 60

const ProcdbEngineSettings procdb_engine_default_settings = {
    .rules = {.min_observations = 3, .min_confidence = 0.6, .max_profiles = 512, .stale_ticks = 60},
    .max_user_tier = PROCDB_TIER_LAT_CRITICAL,
    .protect_below_uid = 1,
    .retention_days = 30,
    .max_retained = 16384,
    .max_candidates = 4096,
    .save_interval_s = 300,
};

/* clang-format takes the hyphens of an unquoted macro argument for minus signs. */
/* clang-format off */
G_DEFINE_QUARK(procdb-engine-error, procdb_engine_error)
/* clang-format on */

/* The reference's rule of confidence goes with its memory. */
static void take_settings(ProcdbEngine *engine, const ProcdbEngineSettings *settings)
{
	engine->settings = *settings;
	engine->settings.rules.by_evidence = !procdb_engine_is_reference(engine);
}

ProcdbEngine *procdb_engine_new(const ProcdbEngineSettings *settings, ProcdbStore *store,
				ProcdbBackend *backend)
{
	ProcdbEngine *engine = g_new0(ProcdbEngine, 1);

	take_settings(engine, settings);
	engine->store = store;
	engine->backend = backend;
	engine->table = procdb_table_new();
	if (!engine->table)
		g_error("Out of memory");
	engine->map.pending = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->map.retracting = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->changed = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->removed = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->seen = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	engine->scores = g_array_new(FALSE, FALSE, sizeof(struct procdb_named_score));
	engine->map.publishing = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->map.classes = g_array_new(FALSE, FALSE, sizeof(struct procdb_class));
	engine->saves.in_file = PROCDB_NOT_COUNTED;
	engine->saves.waiting = g_array_new(FALSE, FALSE, sizeof(struct procdb_saver));
	engine->saves.last_error = g_strdup("");
	engine->load_problem = g_strdup("");
	engine->programs.began_us = g_get_monotonic_time();
	engine->declared = procdb_declarations_new();
	engine->held = procdb_declarations_new();
	engine->rules = procdb_rules_new();
	engine->unseen = g_hash_table_new_full(procdb_comm_hash, procdb_comm_equal, NULL, g_free);
	engine->programs.all =
	    g_hash_table_new_full(procdb_comm_hash, procdb_comm_equal, NULL, g_free);
	engine->programs.kept = procdb_identities_new();
	engine->flood.names = g_hash_table_new(NULL, NULL);
	engine->flood.text = g_strdup("");
	engine->clock.run_us = g_get_monotonic_time;
	procdb_engine_begin_run(engine, 0);
	engine->clock_us = g_get_real_time;
	engine->clock.boot_us = procdb_boot_us;
	return engine;
}

void procdb_engine_free(ProcdbEngine *engine)
{
	if (!engine)
		return;
	if (engine->timer)
		g_source_remove(engine->timer);
	procdb_engine_abandon_save(engine);
	procdb_backend_close(engine->backend);
	procdb_store_free(engine->store);
	procdb_table_free(engine->table);
	g_array_unref(engine->map.pending);
	g_array_unref(engine->map.retracting);
	g_array_unref(engine->changed);
	g_array_unref(engine->removed);
	g_array_unref(engine->seen);
	g_array_unref(engine->scores);
	g_array_unref(engine->map.publishing);
	g_array_unref(engine->map.classes);
	g_hash_table_unref(engine->declared);
	g_hash_table_unref(engine->held);
	g_ptr_array_unref(engine->rules);
	g_hash_table_unref(engine->programs.all);
	g_hash_table_unref(engine->programs.kept);
	g_hash_table_unref(engine->unseen);
	g_hash_table_unref(engine->flood.names);
	g_free(engine->flood.text);
	g_free(engine->saves.last_error);
	g_free(engine->load_problem);
	g_free(engine->last_backend);
	g_free(engine->last_state);
	g_free(engine);
}

void procdb_engine_set_listener(ProcdbEngine *engine, const ProcdbEngineListener *listener,
				gpointer user_data)
{
	engine->listener = listener;
	engine->listener_data = user_data;
}

const ProcdbEngineSettings *procdb_engine_settings(const ProcdbEngine *engine)
{
	return &engine->settings;
}

guint64 procdb_engine_get_tick(const ProcdbEngine *engine)
{
	return engine->tick;
}

void procdb_engine_set_tick(ProcdbEngine *engine, guint64 tick)
{
	engine->tick = tick;
}

const struct procdb_table *procdb_engine_table(const ProcdbEngine *engine)
{
	return engine->table;
}

void procdb_engine_tick(ProcdbEngine *engine)
{
	if (engine->tick < G_MAXUINT64)
		engine->tick++;
	procdb_engine_check_clock(engine);
	procdb_engine_forget(engine);
	procdb_engine_check_flood(engine);
	procdb_engine_retract_queued(engine);
}

/* Logs when the backend's state changed. */
static void log_state(ProcdbEngine *engine)
{
	ProcdbBackendStatus status;

	procdb_backend_status(engine->backend, &status);
	if (g_strcmp0(engine->last_state, status.state) == 0 &&
	    g_strcmp0(engine->last_backend, status.backend) == 0)
		return;
	procdb_log(g_str_equal(status.token, "failed") ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_MESSAGE,
		   PROCDB_MESSAGE_BACKEND, "Backend %s %s", status.backend, status.state);
	g_free(engine->last_backend);
	g_free(engine->last_state);
	engine->last_backend = g_strdup(status.backend);
	engine->last_state = g_strdup(status.state);
}

/* Finds out whether the maps are still ours, and what they hold; makes up for what is missing. */
static void follow_backend(ProcdbEngine *engine)
{
	if (procdb_backend_refresh(engine->backend) || !engine->map.known)
		procdb_engine_resync(engine);
	else
		procdb_engine_compare(engine);
	log_state(engine);
	if (engine->tick % REFILL_TICKS == 0)
		procdb_engine_refill(engine);
}

static void report_step(ProcdbEngine *engine)
{
	procdb_engine_emit_changes(engine);
	engine->emitted = FALSE;
	if (engine->listener)
		engine->listener->stepped(engine->listener_data);
}

void procdb_engine_step(ProcdbEngine *engine)
{
	follow_backend(engine);
	procdb_engine_ingest(engine);
	procdb_engine_flush(engine);
	procdb_engine_tick(engine);
	procdb_engine_tick_programs(engine);
	procdb_engine_save_if_due(engine);
	report_step(engine);
}

static gboolean on_timer(gpointer data)
{
	procdb_engine_step(data);
	return G_SOURCE_CONTINUE;
}

/* Attaches, and publishes all there is. */
static void attach(ProcdbEngine *engine)
{
	procdb_backend_refresh(engine->backend);
	procdb_engine_resync(engine);
	log_state(engine);
	procdb_engine_flush(engine);
}

void procdb_engine_set_backend(ProcdbEngine *engine, ProcdbBackend *backend)
{
	/* The old ones first: two observers would pin at the same paths. */
	procdb_backend_close(engine->backend);
	engine->backend = backend;
	attach(engine);
}

void procdb_engine_start(ProcdbEngine *engine)
{
	attach(engine);
	procdb_engine_emit_changes(engine);
	/* On whole seconds of the monotonic clock: does not drift, as g_timeout_add() does. */
	engine->timer = g_timeout_add_seconds(1, on_timer, engine);
}

static void cap_user_votes(ProcdbEngine *engine)
{
	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		if (!procdb_profile_cap_users(&entry->profile,
					      (enum procdb_tier)engine->settings.max_user_tier))
			continue;
		engine->dirty = TRUE;
		procdb_engine_queue_prediction(engine, entry);
		procdb_engine_mark_changed(engine, entry);
	}
}

void procdb_engine_configure(ProcdbEngine *engine, const ProcdbEngineSettings *settings)
{
	guint best = engine->settings.max_user_tier;

	take_settings(engine, settings);
	/*
	 * An administrator may lower it because users abuse it: what they have taught until now is
	 * capped as well, as it is when the profiles are loaded under the lower one.
	 */
	if (settings->max_user_tier < best)
		cap_user_votes(engine);
	/* Any profile may have become confident, or ceased to be. */
	engine->map.known = FALSE;
}
