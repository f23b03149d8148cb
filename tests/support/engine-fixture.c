/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "engine-fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#include "engine-state.h"
#include "remove-tree.h"

const ProcdbEngineSettings test_settings = {
    .rules = {.min_observations = 3, .min_confidence = 0.6, .max_profiles = 512, .stale_ticks = 60},
    .max_user_tier = PROCDB_TIER_LAT_CRITICAL,
    .protect_below_uid = 1,
    .retention_days = 30,
    .max_retained = 16384,
    .save_interval_s = 0,
};

const ProcdbEngineSettings test_reference_settings = {
    .rules = {.min_observations = 3, .min_confidence = 0.6, .max_profiles = 512, .stale_ticks = 60},
    .max_user_tier = PROCDB_TIER_LAT_CRITICAL,
    .protect_below_uid = 1,
    .retention_days = 0,
    .max_retained = 16384,
    .save_interval_s = 0,
};

static void copy(GArray *to, const GArray *from)
{
	g_array_set_size(to, 0);
	if (from->len > 0)
		g_array_append_vals(to, from->data, from->len);
}

static void on_profiles_changed(const GArray *changed, const GArray *removed, gpointer data)
{
	EngineFixture *f = data;

	f->told++;
	copy(f->changed, changed);
	copy(f->removed, removed);
}

static void on_stepped(gpointer data)
{
	((EngineFixture *)data)->stepped++;
}

static void start(EngineFixture *f, const ProcdbEngineSettings *settings, guint capacity)
{
	static const ProcdbEngineListener listener = {on_profiles_changed, on_stepped};
	g_autoptr(GError) error = NULL;

	f->backend = test_maps_new(capacity);
	f->engine = procdb_engine_new(settings, procdb_store_new(f->path), f->backend);
	procdb_engine_set_clock(f->engine, test_clock_us);
	procdb_engine_set_listener(f->engine, &listener, f);
	procdb_engine_load(f->engine, NULL, &error);
	g_assert_no_error(error);
	procdb_engine_step(f->engine);
}

void engine_fixture_set_up(EngineFixture *f, const ProcdbEngineSettings *settings, guint capacity)
{
	/* In memory where there is such a directory, so that syncing costs nothing. */
	const char *parent = g_access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir();

	*f = (EngineFixture){0};
	f->directory = g_build_filename(parent, "procdb-engine-XXXXXX", NULL);
	g_assert_nonnull(g_mkdtemp(f->directory));
	f->path = g_build_filename(f->directory, "state", "procdb.bin", NULL);
	f->changed = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	f->removed = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	start(f, settings, capacity);
}

void engine_fixture_restart(EngineFixture *f, guint capacity)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	procdb_engine_free(f->engine);
	start(f, &settings, capacity);
}

void engine_fixture_tear_down(EngineFixture *f)
{
	procdb_engine_free(f->engine);
	g_array_unref(f->changed);
	g_array_unref(f->removed);
	remove_tree(f->directory);
	g_free(f->directory);
	g_free(f->path);
}

void engine_fixture_block_saving(EngineFixture *f, gboolean blocked)
{
	g_autofree char *state = g_path_get_dirname(f->path);
	g_autofree char *aside = g_build_filename(f->directory, "aside", NULL);

	/* A file in place of the directory stops root too, which permissions do not. */
	if (blocked) {
		g_rename(state, aside);
		g_assert_true(g_file_set_contents(state, "", 0, NULL));
	} else {
		g_assert_cmpint(g_unlink(state), ==, 0);
		g_rename(aside, state);
	}
}

void engine_fixture_allow_warnings(void)
{
	g_log_set_always_fatal((GLogLevelFlags)(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL));
}

struct procdb_comm test_comm(const char *name)
{
	struct procdb_comm comm = {0};

	g_assert_cmpuint(strlen(name), <=, sizeof(comm));
	memcpy(comm.bytes, name, strlen(name));
	return comm;
}

struct procdb_class test_class(enum procdb_tier tier, guint64 avg_runtime)
{
	return (struct procdb_class){
	    .tier = (guint8)tier,
	    .avg_runtime = avg_runtime,
	    .wakeup_freq = 1,
	    .csw_rate = 1,
	};
}

void test_step(EngineFixture *f)
{
	procdb_engine_step(f->engine);
	while (f->engine->saves.running)
		g_main_context_iteration(NULL, TRUE);
}

void test_learn(EngineFixture *f, const char *name, enum procdb_tier tier, guint n)
{
	struct procdb_comm comm = test_comm(name);
	struct procdb_class class = test_class(tier, 1000000);

	for (guint i = 0; i < n; i++) {
		test_maps_observe(f->backend, &comm, &class);
		test_step(f);
	}
}

void test_steps(EngineFixture *f, guint n)
{
	for (guint i = 0; i < n; i++)
		test_step(f);
}

typedef struct {
	gboolean told;
	GError *error;
} Kept;

static void on_kept(guint saved, const GError *error, gpointer data)
{
	Kept *kept = data;

	kept->told = TRUE;
	kept->error = error ? g_error_copy(error) : NULL;
}

/* FALSE when the change itself was refused, or is not in the file. */
static gboolean keep(EngineFixture *f, gboolean changed, GError **error)
{
	Kept kept = {0};

	if (!changed)
		return FALSE;
	procdb_engine_keep(f->engine, on_kept, &kept);
	while (!kept.told)
		g_main_context_iteration(NULL, TRUE);
	if (!kept.error)
		return TRUE;
	g_propagate_error(error, kept.error);
	return FALSE;
}

gboolean test_delete(EngineFixture *f, const struct procdb_comm *comms, guint n, guint *deleted,
		     GError **error)
{
	return keep(f, procdb_engine_delete(f->engine, comms, n, deleted, error), error);
}

gboolean test_reset_all(EngineFixture *f, guint *deleted, GError **error)
{
	guint count = procdb_engine_reset(f->engine);

	if (deleted)
		*deleted = count;
	return keep(f, TRUE, error);
}

gboolean test_override(EngineFixture *f, const struct procdb_comm *comm, guint8 tier,
		       GError **error)
{
	return keep(f, procdb_engine_override(f->engine, comm, tier, error), error);
}

gboolean test_import(EngineFixture *f, GArray *records, gboolean replace, GError **error)
{
	return keep(f, procdb_engine_import(f->engine, records, replace, FALSE, error), error);
}

const struct procdb_entry *test_find(EngineFixture *f, const char *name)
{
	struct procdb_comm comm = test_comm(name);

	return procdb_engine_find(f->engine, &comm, NULL);
}

gboolean test_predicts(EngineFixture *f, const char *name, enum procdb_tier *tier)
{
	struct procdb_comm comm = test_comm(name);
	struct procdb_class prediction;

	if (!procdb_engine_prediction(f->engine, &comm, &prediction))
		return FALSE;
	if (tier)
		*tier = (enum procdb_tier)prediction.tier;
	return TRUE;
}

gboolean test_names(const GArray *comms, const char *name)
{
	struct procdb_comm comm = test_comm(name);

	for (guint i = 0; i < comms->len; i++)
		if (memcmp(&g_array_index(comms, struct procdb_comm, i), &comm, sizeof(comm)) == 0)
			return TRUE;
	return FALSE;
}

/* Whether the entry should be predicted, by the settings alone. */
static gboolean wants(const ProcdbEngineSettings *settings, const struct procdb_entry *entry)
{
	return entry->profile.override != PROCDB_NO_OVERRIDE || entry->held ||
	       procdb_profile_confidence(&entry->profile, &settings->rules) >=
		   settings->rules.min_confidence;
}

static void check_entry(EngineFixture *f, const struct procdb_entry *entry)
{
	const ProcdbEngineSettings *settings = procdb_engine_settings(f->engine);
	const struct procdb_profile *profile = &entry->profile;
	struct procdb_profile decided = *profile;
	struct procdb_class found, expected;
	gboolean there = procdb_engine_prediction(f->engine, &entry->comm, &found);
	guint64 tick = procdb_engine_get_tick(f->engine);

	if (entry->held)
		decided.override = (uint8_t)(entry->held - 1);
	expected = procdb_profile_prediction(&decided);
	g_assert_cmpint(there, ==, entry->published);
	if (there && settings->retention_days > 0)
		g_assert_true(wants(settings, entry));
	/* What runs deviate by is not written for a little. */
	if (there && settings->retention_days > 0 &&
	    ABS((gint64)(found.runtime_dev - expected.runtime_dev)) <=
		(gint64)(MAX(found.runtime_dev, found.avg_runtime) / 8))
		expected.runtime_dev = found.runtime_dev;
	if (there && wants(settings, entry))
		g_assert_cmpmem(&found, sizeof(found), &expected, sizeof(expected));
	switch (entry->set) {
	case PROCDB_SET_LIVE:
		g_assert_cmpuint(tick, <=, profile->last_seen_tick + settings->rules.stale_ticks);
		break;
	case PROCDB_SET_OVERRIDE:
		g_assert_true(profile->override != PROCDB_NO_OVERRIDE || entry->held);
		break;
	case PROCDB_SET_PREDICTED:
		g_assert_true(there);
		break;
	default:
		g_assert_false(there);
		break;
	}
	if (entry->set == PROCDB_SET_PREDICTED || entry->set == PROCDB_SET_RETAINED) {
		g_assert_cmpuint(profile->override, ==, PROCDB_NO_OVERRIDE);
		g_assert_cmpuint(settings->retention_days, >, 0);
	}
	/* What should be predicted and is not waits for room. */
	if (wants(settings, entry) && !there && entry->set != PROCDB_SET_RETAINED)
		g_assert_true(entry->pending);
}

void test_check_consistent(EngineFixture *f)
{
	const struct procdb_table *table = procdb_engine_table(f->engine);
	const ProcdbEngineSettings *settings = procdb_engine_settings(f->engine);
	guint predicted = 0, overrides = 0, confident = 0;
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine, &status);
	for (size_t i = 0; i < procdb_table_size(table); i++) {
		const struct procdb_entry *entry = procdb_table_at(table, i);

		check_entry(f, entry);
		predicted += entry->published;
		overrides += entry->profile.override != PROCDB_NO_OVERRIDE;
		confident += procdb_profile_is_confident(&entry->profile, &settings->rules);
	}
	/* Each one was found in the map, so equal numbers mean that it holds nothing else. */
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, predicted);
	g_assert_cmpuint(status.overrides, ==, overrides);
	g_assert_cmpuint(procdb_engine_confident(f->engine), ==, confident);
	g_assert_cmpuint(procdb_table_count(table, PROCDB_SET_LIVE), <=,
			 settings->rules.max_profiles);
	g_assert_cmpuint(procdb_table_count(table, PROCDB_SET_PREDICTED) +
			     procdb_table_count(table, PROCDB_SET_RETAINED),
			 <=, settings->max_retained);
}

void test_check_settled(EngineFixture *f)
{
	const struct procdb_table *table = procdb_engine_table(f->engine);
	const ProcdbEngineSettings *settings = procdb_engine_settings(f->engine);
	gboolean learned = FALSE, waiting = FALSE, override_waiting = FALSE;
	ProcdbEngineStatus status;

	/* One for what changed since the last, one for what waited for the place that the first let
	 * go. */
	procdb_engine_flush(f->engine);
	procdb_engine_flush(f->engine);
	test_check_consistent(f);
	for (size_t i = 0; i < procdb_table_size(table); i++) {
		const struct procdb_entry *entry = procdb_table_at(table, i);
		gboolean overridden = entry->profile.override != PROCDB_NO_OVERRIDE;

		if (entry->published) {
			learned |= !overridden;
		} else if (wants(settings, entry) && entry->set != PROCDB_SET_RETAINED) {
			waiting = TRUE;
			override_waiting |= overridden;
		}
	}
	procdb_engine_status(f->engine, &status);
	if (waiting) {
		g_assert_cmpuint(test_maps_predictions(f->backend), ==,
				 status.backend.init_capacity);
		g_assert_cmpuint(procdb_table_count(table, PROCDB_SET_PREDICTED), ==, 0);
	}
	g_assert_false(override_waiting && learned);
}

void test_learn_names(EngineFixture *f, const char *prefix, guint n)
{
	for (guint i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("%s%u", prefix, i);

		test_learn(f, name, PROCDB_TIER_BATCH, 3);
		test_clock_advance(G_USEC_PER_SEC);
	}
}

void test_import_many(EngineFixture *f, guint count)
{
	g_autoptr(GArray) records = g_array_new(FALSE, TRUE, sizeof(struct procdb_record));

	for (guint i = 0; i < count; i++) {
		struct procdb_record record = {0};
		g_autofree char *name = g_strdup_printf("name-%05u", i);

		procdb_profile_init(&record.profile);
		record.comm = test_comm(name);
		record.profile.observations = 5;
		record.profile.tier_votes[i % PROCDB_TIERS] = 5;
		g_array_append_val(records, record);
	}
	g_assert_true(procdb_engine_import(f->engine, records, TRUE, FALSE, NULL));
}

void test_set_override(EngineFixture *f, const char *name, guint8 tier)
{
	struct procdb_comm comm = test_comm(name);
	g_autoptr(GError) error = NULL;

	test_override(f, &comm, tier, &error);
	g_assert_no_error(error);
}
