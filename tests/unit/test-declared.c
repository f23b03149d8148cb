/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Overrides that files declare, beside those of an administrator on the bus. */

#include "engine-fixture.h"
#include "engine-state.h"

static void declare(EngineFixture *f, const char *name, enum procdb_tier tier)
{
	g_autoptr(GHashTable) declarations = procdb_declarations_new();
	struct procdb_comm comm = test_comm("x264");

	procdb_declarations_set(declarations, &comm, PROCDB_TIER_BATCH, "/usr/lib/x.conf");
	if (name) {
		comm = test_comm(name);
		procdb_declarations_set(declarations, &comm, tier, "/etc/x.conf");
	}
	procdb_engine_declare(f->engine, declarations);
	test_step(f);
}

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, 512);
	engine_fixture_allow_warnings();
	declare(f, "ffmpeg", PROCDB_TIER_BATCH);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	test_step(f);
	test_check_consistent(f);
	engine_fixture_tear_down(f);
}

static enum procdb_tier predicted(EngineFixture *f, const char *name)
{
	enum procdb_tier tier = PROCDB_TIERS;

	test_predicts(f, name, &tier);
	return tier;
}

static gboolean override(EngineFixture *f, const char *name, guint8 tier, GError **error)
{
	struct procdb_comm comm = test_comm(name);

	return test_override(f, &comm, tier, error);
}

static void test_what_is_declared_predicts(EngineFixture *f, gconstpointer data)
{
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
	g_assert_cmpint(predicted(f, "x264"), ==, PROCDB_TIER_BATCH);
	test_learn(f, "ffmpeg", PROCDB_TIER_LAT_CRITICAL, 5);
	test_steps(f, 100);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
	declare(f, "ffmpeg", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_INTERACTIVE);
}

/* What was learned underneath counts, and what only the file said is gone. */
static void test_it_goes_with_the_file(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "ffmpeg", PROCDB_TIER_LAT_CRITICAL, 5);
	declare(f, NULL, PROCDB_TIER_BATCH);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(f->engine->overrides, ==, 1);
	declare(f, "other", PROCDB_TIER_BATCH);
	declare(f, NULL, PROCDB_TIER_BATCH);
	g_assert_null(test_find(f, "other"));
}

static void test_it_is_not_in_the_database(EngineFixture *f, gconstpointer data)
{
	guint saved = 77;

	test_learn(f, "ffmpeg", PROCDB_TIER_LAT_CRITICAL, 5);
	g_assert_true(procdb_engine_save(f->engine, &saved, NULL));
	g_assert_cmpuint(saved, ==, 1);
	engine_fixture_restart(f, 512);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_null(test_find(f, "x264"));
	declare(f, "ffmpeg", PROCDB_TIER_BATCH);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
}

static void test_an_administrator_comes_first(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	g_assert_true(override(f, "ffmpeg", PROCDB_TIER_LAT_CRITICAL, NULL));
	g_assert_cmpuint(f->engine->overrides, ==, 2);
	declare(f, "ffmpeg", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_LAT_CRITICAL);
	engine_fixture_restart(f, 512);
	declare(f, "ffmpeg", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_LAT_CRITICAL);
	/* Cleared, the file's shows again, and that cannot be. */
	g_assert_true(override(f, "ffmpeg", PROCDB_NO_OVERRIDE, NULL));
	test_step(f);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_false(override(f, "ffmpeg", PROCDB_NO_OVERRIDE, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_DECLARED);
	g_assert_cmpuint(f->engine->overrides, ==, 2);
}

/* Neither a reset nor a delete, an import or a database that is read again takes it away. */
static void test_it_stays(EngineFixture *f, gconstpointer data)
{
	const struct procdb_comm comm = test_comm("ffmpeg");
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	struct procdb_record record = {.comm = comm};
	guint loaded;

	test_learn(f, "ffmpeg", PROCDB_TIER_LAT_CRITICAL, 5);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_true(procdb_engine_reload(f->engine, &loaded, NULL));
	test_step(f);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
	g_assert_true(test_reset_all(f, NULL, NULL));
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
	g_assert_true(test_delete(f, &comm, 1, NULL, NULL));
	test_step(f);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
	procdb_profile_init(&record.profile);
	record.profile.observations = record.profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = 5;
	g_array_append_val(records, record);
	g_assert_true(test_import(f, records, FALSE, NULL));
	test_step(f);
	g_assert_cmpint(predicted(f, "ffmpeg"), ==, PROCDB_TIER_BATCH);
	g_assert_true(test_find(f, "ffmpeg")->profile.declared);
	g_assert_cmpuint(f->engine->overrides, ==, 2);
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/declared/what-is-declared-predicts", test_what_is_declared_predicts);
	add("/declared/it-goes-with-the-file", test_it_goes_with_the_file);
	add("/declared/it-is-not-in-the-database", test_it_is_not_in_the_database);
	add("/declared/an-administrator-comes-first", test_an_administrator_comes_first);
	add("/declared/it-stays", test_it_stays);
	return g_test_run();
}
