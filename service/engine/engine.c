/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "eviction.h"
#include "log.h"
#include "private.h"

#include <string.h>

/* At one observation every ten seconds, a program that changed wins within minutes. */
#define MAX_VOTES 64
/* How often remembered profiles are offered the room that others left in the init map. */
#define REFILL_TICKS 60

const ProcdbEngineSettings procdb_engine_default_settings = {
    .rules = {.min_observations = 3, .min_confidence = 0.6, .max_profiles = 512, .stale_ticks = 60},
    .max_user_tier = PROCDB_TIER_LAT_CRITICAL,
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
	engine->pending = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->retracting = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->changed = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->removed = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->seen = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	engine->scores = g_array_new(FALSE, FALSE, sizeof(struct procdb_named_score));
	engine->publishing = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	engine->classes = g_array_new(FALSE, FALSE, sizeof(struct procdb_class));
	engine->in_file = PROCDB_NOT_COUNTED;
	engine->waiting = g_array_new(FALSE, FALSE, sizeof(struct procdb_saver));
	engine->last_save_error = g_strdup("");
	engine->declared = procdb_declarations_new();
	engine->flood.names = g_hash_table_new(NULL, NULL);
	engine->flood.text = g_strdup("");
	engine->clock.run_us = g_get_monotonic_time;
	procdb_engine_begin_run(engine, 0);
	engine->clock_us = g_get_real_time;
	engine->clock.boot_us = procdb_engine_boot_us;
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
	g_array_unref(engine->pending);
	g_array_unref(engine->retracting);
	g_array_unref(engine->changed);
	g_array_unref(engine->removed);
	g_array_unref(engine->seen);
	g_array_unref(engine->scores);
	g_array_unref(engine->publishing);
	g_array_unref(engine->classes);
	g_hash_table_unref(engine->declared);
	g_hash_table_unref(engine->flood.names);
	g_free(engine->flood.text);
	g_free(engine->last_save_error);
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

void procdb_engine_note(ProcdbEngine *engine, struct procdb_entry *entry)
{
	if (entry->changed)
		return;
	entry->changed = true;
	g_array_append_val(engine->changed, entry->comm);
}

/* Leaves only the names that are in the table, or only those that are not. */
static void keep_names(ProcdbEngine *engine, GArray *names, gboolean present)
{
	guint kept = 0;

	for (guint i = 0; i < names->len; i++) {
		struct procdb_comm comm = g_array_index(names, struct procdb_comm, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &comm);

		if (entry)
			entry->changed = false;
		if (!entry == !present)
			g_array_index(names, struct procdb_comm, kept++) = comm;
	}
	g_array_set_size(names, kept);
}

void procdb_engine_tell(ProcdbEngine *engine)
{
	if (engine->changed->len == 0 && engine->removed->len == 0)
		return;
	/* A name may have gone and come since it was noted. */
	keep_names(engine, engine->changed, TRUE);
	keep_names(engine, engine->removed, FALSE);
	if (engine->listener && (engine->changed->len || engine->removed->len))
		engine->listener->profiles_changed(engine->changed, engine->removed,
						   engine->listener_data);
	g_array_set_size(engine->changed, 0);
	g_array_set_size(engine->removed, 0);
}

void procdb_engine_tell_now(ProcdbEngine *engine)
{
	if (engine->told)
		return;
	engine->told = TRUE;
	procdb_engine_tell(engine);
}

void procdb_engine_log_failure(gboolean *failed, const GError *error)
{
	if (error && !*failed)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_MAPS,
			   "%s; trying again every second", error->message);
	*failed = error != NULL;
}

void procdb_engine_drop(ProcdbEngine *engine, struct procdb_entry *entry)
{
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		engine->overrides--;
	if (entry->published) {
		if (engine->map_known)
			engine->published--;
		g_array_append_val(engine->retracting, entry->comm);
	}
	/* It is in the file. */
	engine->dirty |= procdb_engine_wants_prediction(engine, entry);
	g_array_append_val(engine->removed, entry->comm);
	procdb_table_remove(engine->table, entry);
}

/* The owner that an observation names; 0 as well if it names none. */
static guint16 owner_of(const struct procdb_observation *o)
{
	guint32 uid;

	if (!(o->seen.pad[PROCDB_PAD_TEACHERS] & PROCDB_TAUGHT_BY_USERS))
		return 0;
	memcpy(&uid, &o->seen.pad[PROCDB_PAD_UID], sizeof(uid));
	return procdb_owner_of_uid(uid);
}

/* Sets the owner of a profile, whose observations decide what it is from now on. */
static void take_owner(const ProcdbEngine *engine, struct procdb_profile *profile, guint8 teachers,
		       guint16 owner)
{
	if (profile->observations == 0)
		profile->owner = owner;
	/* Until users have made it one that predicts, root's word counts more. */
	else if ((teachers & PROCDB_TAUGHT_BY_ROOT) &&
		 !procdb_profile_is_confident(profile, &engine->settings.rules))
		profile->owner = 0;
}

/* Whether a user would turn what root has taught: then the name is not what root's is. */
static gboolean is_usurping(const ProcdbEngine *engine, const struct procdb_profile *profile,
			    guint8 teachers, const struct procdb_class *seen)
{
	return !procdb_engine_is_reference(engine) && teachers == PROCDB_TAUGHT_BY_USERS &&
	       profile->observations > 0 && procdb_profile_is_roots(profile) &&
	       MIN(seen->tier, PROCDB_TIER_LAT_CRITICAL) != procdb_profile_dominant_tier(profile);
}

/* How far the runs of a task are from those of its name, ns: lives differ, too, not only runs. */
static guint64 distance(const struct procdb_profile *profile, const struct procdb_class *seen)
{
	if (profile->observations == 0)
		return 0;
	return profile->avg_runtime_ns > seen->avg_runtime
		   ? profile->avg_runtime_ns - seen->avg_runtime
		   : seen->avg_runtime - profile->avg_runtime_ns;
}

/*
 * Merges an observation. What only said that lives were short gives way to the first that
 * says more: one large file in a hundred small ones tells what a compiler is.
 */
static void vote(ProcdbEngine *engine, struct procdb_entry *entry, const struct procdb_class *seen)
{
	uint32_t *neutral = &entry->profile.tier_votes[PROCDB_TIER_INTERACTIVE];
	const uint32_t before = *neutral;

	/* In what others write the byte means nothing. */
	if (seen->pad[PROCDB_PAD_TEACHERS] && seen->pad[PROCDB_PAD_BRIEF] &&
	    !procdb_engine_is_reference(engine)) {
		procdb_profile_learn_brief(&entry->profile, seen, engine->tick);
		if (*neutral > before && entry->brief < G_MAXUINT32)
			entry->brief++;
		return;
	}
	*neutral -= MIN(*neutral, entry->brief);
	entry->brief = 0;
	procdb_profile_learn(&entry->profile, seen, engine->tick);
}

static void learn(ProcdbEngine *engine, const struct procdb_observation *o, gint64 now)
{
	guint8 teachers =
	    o->seen.pad[PROCDB_PAD_TEACHERS] & (PROCDB_TAUGHT_BY_ROOT | PROCDB_TAUGHT_BY_USERS);
	struct procdb_class seen = o->seen;
	bool created;
	struct procdb_entry *entry = procdb_table_ensure(engine->table, &o->comm, &created);

	if (!entry) {
		g_warning_once("Out of memory: observations are lost");
		return;
	}
	if (created) {
		entry->published = !engine->map_known;
		entry->profile.first_seen_us = now;
		procdb_engine_count_new_name(engine, owner_of(o));
	} else if (!engine->dirty) {
		/* It is in the file, and may not be any more. */
		engine->dirty = procdb_engine_is_saved(engine, entry);
	}
	if (!(teachers & PROCDB_TAUGHT_BY_ROOT) && seen.tier > engine->settings.max_user_tier)
		seen.tier = (guint8)engine->settings.max_user_tier;
	if (is_usurping(engine, &entry->profile, teachers, &seen)) {
		entry->profile.last_seen_tick = engine->tick;
	} else {
		take_owner(engine, &entry->profile, teachers, owner_of(o));
		entry->profile.teachers |= teachers;
		if (!procdb_engine_is_reference(engine))
			seen.runtime_dev = MAX(seen.runtime_dev, distance(&entry->profile, &seen));
		vote(engine, entry, &seen);
	}
	if (!procdb_engine_is_reference(engine))
		procdb_profile_fade(&entry->profile, MAX_VOTES);
	if (!procdb_engine_clock_is_behind(engine, entry->profile.last_seen_us, now))
		entry->profile.last_seen_us = now;
	entry->profile.seen_run_us = procdb_engine_run_us(engine);
	if (entry->set == PROCDB_SET_LIVE)
		procdb_table_aged(engine->table, entry);
	else
		procdb_table_move(engine->table, entry, PROCDB_SET_LIVE);
	if (!engine->dirty)
		engine->dirty = procdb_engine_is_saved(engine, entry);
	engine->observations++;
	procdb_engine_queue(engine, entry);
	procdb_engine_note(engine, entry);
}

void procdb_engine_ingest(ProcdbEngine *engine)
{
	g_autoptr(GError) error = NULL;
	gint64 now = engine->clock_us();

	g_array_set_size(engine->seen, 0);
	engine->backend->ops->drain(engine->backend, engine->seen, &error);
	procdb_engine_log_failure(&engine->drain_failed, error);
	for (guint i = 0; i < engine->seen->len; i++)
		learn(engine, &g_array_index(engine->seen, struct procdb_observation, i), now);
}

static void score(ProcdbEngine *engine, const struct procdb_named_score *s)
{
	struct procdb_entry *entry = procdb_table_find(engine->table, &s->comm);

	engine->predictions.found += s->score.found;
	engine->predictions.missed += s->score.missed;
	engine->predictions.right += s->score.right;
	engine->predictions.wrong += s->score.wrong;
	for (guint i = 0; i < PROCDB_TIERS; i++)
		for (guint j = 0; j < PROCDB_TIERS; j++)
			engine->predictions.outcomes[i][j] += s->score.outcomes[i][j];
	if (!entry)
		return;
	entry->found += s->score.found;
	entry->missed += s->score.missed;
	if (s->score.right == 0 && s->score.wrong == 0)
		return;
	procdb_profile_score(&entry->profile, s->score.right, s->score.wrong);
	engine->dirty = TRUE;
	procdb_engine_note(engine, entry);
	/* What users run under its name does not take back what root has taught. */
	if (procdb_engine_is_reference(engine) || procdb_profile_is_roots(&entry->profile) ||
	    !procdb_profile_is_refuted(&entry->profile))
		return;
	procdb_profile_withdraw(&entry->profile);
	procdb_table_aged(engine->table, entry);
	/* It is not remembered any more, but tasks of this name have just run. */
	if (entry->set != PROCDB_SET_LIVE) {
		entry->profile.last_seen_tick = engine->tick;
		procdb_table_move(engine->table, entry, PROCDB_SET_LIVE);
	}
	procdb_engine_queue(engine, entry);
}

static void take_scores(ProcdbEngine *engine)
{
	g_autoptr(GError) error = NULL;

	if (!engine->backend->ops->scores)
		return;
	g_array_set_size(engine->scores, 0);
	engine->backend->ops->scores(engine->backend, engine->scores, &error);
	procdb_engine_log_failure(&engine->scores_failed, error);
	for (guint i = 0; i < engine->scores->len; i++)
		score(engine, &g_array_index(engine->scores, struct procdb_named_score, i));
}

void procdb_engine_tick(ProcdbEngine *engine)
{
	if (engine->tick < G_MAXUINT64)
		engine->tick++;
	procdb_engine_watch_clock(engine);
	procdb_engine_forget(engine);
	procdb_engine_watch_flood(engine);
	procdb_engine_retract_queued(engine);
}

/* Logs when the maps came, went or failed. */
static void log_state(ProcdbEngine *engine)
{
	ProcdbBackendStatus status;
	g_autofree char *state = NULL;

	engine->backend->ops->status(engine->backend, &status);
	if (engine->last_state && g_str_has_prefix(engine->last_state, status.backend) &&
	    strcmp(engine->last_state + strlen(status.backend) + 1, status.state) == 0)
		return;
	state = g_strdup_printf("%s %s", status.backend, status.state);
	if (g_str_equal(status.token, "failed"))
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_BACKEND, "Backend %s", state);
	else
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_BACKEND, "Backend %s", state);
	g_free(engine->last_state);
	engine->last_state = g_steal_pointer(&state);
}

void procdb_engine_step(ProcdbEngine *engine)
{
	if (engine->backend->ops->refresh(engine->backend) || !engine->map_known)
		procdb_engine_resync(engine);
	else
		procdb_engine_compare(engine);
	log_state(engine);
	if (engine->tick % REFILL_TICKS == 0)
		procdb_engine_refill(engine);
	procdb_engine_ingest(engine);
	take_scores(engine);
	procdb_engine_flush(engine);
	procdb_engine_tick(engine);
	procdb_engine_save_if_due(engine);
	procdb_engine_tell(engine);
	engine->told = FALSE;
	if (engine->listener)
		engine->listener->stepped(engine->listener_data);
}

static gboolean on_timer(gpointer data)
{
	procdb_engine_step(data);
	return G_SOURCE_CONTINUE;
}

/* Attaches, and publishes all there is. */
static void attach(ProcdbEngine *engine)
{
	engine->backend->ops->refresh(engine->backend);
	procdb_engine_resync(engine);
	log_state(engine);
	procdb_engine_flush(engine);
}

void procdb_engine_set_maps(ProcdbEngine *engine, ProcdbBackend *backend)
{
	/* The old ones first: two observers would pin at the same paths. */
	procdb_backend_close(engine->backend);
	engine->backend = backend;
	attach(engine);
}

void procdb_engine_start(ProcdbEngine *engine)
{
	attach(engine);
	procdb_engine_tell(engine);
	/* On whole seconds of the monotonic clock: does not drift, as g_timeout_add() does. */
	engine->timer = g_timeout_add_seconds(1, on_timer, engine);
}

struct procdb_entry **procdb_engine_entries(const ProcdbEngine *engine)
{
	const size_t n = procdb_table_size(engine->table);
	struct procdb_entry **all = g_new(struct procdb_entry *, n + 1);

	for (size_t i = 0; i < n; i++)
		all[i] = procdb_table_at(engine->table, i);
	return all;
}

static void cap_user_votes(ProcdbEngine *engine)
{
	for (size_t i = 0; i < procdb_table_size(engine->table); i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		if (!(entry->profile.teachers & PROCDB_TAUGHT_BY_USERS) ||
		    !procdb_profile_cap(&entry->profile,
					(enum procdb_tier)engine->settings.max_user_tier))
			continue;
		engine->dirty = TRUE;
		procdb_engine_queue(engine, entry);
		procdb_engine_note(engine, entry);
	}
}

void procdb_engine_configure(ProcdbEngine *engine, const ProcdbEngineSettings *settings)
{
	guint best = engine->settings.max_user_tier;

	take_settings(engine, settings);
	/*
	 * An admin who lowers it may have seen that it was used against them: what users
	 * have taught until now counts no more than what they teach from now on.
	 */
	if (settings->max_user_tier < best)
		cap_user_votes(engine);
	/* Any profile may have become confident, or ceased to be. */
	engine->map_known = FALSE;
}
