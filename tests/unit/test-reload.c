/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What is known when the database is read again. */

#include <glib/gstdio.h>

#include "engine-fixture.h"
#include "engine-state.h"

/* Saved are cc1 and two overrides, only known is later. */
static void set_up(EngineFixture *f, gconstpointer data)
{
	const struct procdb_comm cc1 = test_comm("cc1"), mine = test_comm("mine");

	engine_fixture_set_up(f, &test_settings, 1024);
	engine_fixture_allow_warnings();
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	g_assert_true(test_override(f, &cc1, PROCDB_TIER_INTERACTIVE, NULL));
	g_assert_true(test_override(f, &mine, PROCDB_TIER_BATCH, NULL));
	test_learn(f, "later", PROCDB_TIER_BATCH, 5);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	test_steps(f, 1);
	test_check_consistent(f);
	engine_fixture_tear_down(f);
}

static guint reload(EngineFixture *f)
{
	g_autoptr(GError) error = NULL;
	guint loaded = 77;

	procdb_engine_reload(f->engine, &loaded, &error);
	g_assert_no_error(error);
	return loaded;
}

static void reload_must_fail(EngineFixture *f)
{
	g_autoptr(GError) error = NULL;
	guint loaded;

	g_assert_false(procdb_engine_reload(f->engine, &loaded, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED);
}

static void assert_all_known(EngineFixture *f)
{
	ProcdbEngineStatus status;
	enum procdb_tier tier;

	g_assert_cmpuint(test_find(f, "cc1")->profile.observations, ==, 5);
	g_assert_nonnull(test_find(f, "later"));
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_BATCH);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpuint(status.overrides, ==, 2);
}

/* All of it is in the file of the next start. */
static void assert_saved_in_time(EngineFixture *f)
{
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine, &status);
	g_assert_true(status.dirty);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	engine_fixture_restart(f, 1024);
	assert_all_known(f);
}

static void test_takes_what_the_file_says(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	g_assert_cmpuint(reload(f), ==, 2);
	g_assert_nonnull(test_find(f, "cc1"));
	g_assert_null(test_find(f, "later"));
	procdb_engine_status(f->engine, &status);
	g_assert_false(status.dirty);
}

/* Memory and disk are the same again: what failed before is of no matter any more. */
static void test_a_save_that_failed_is_over(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	engine_fixture_block_saving(f, TRUE);
	g_assert_false(procdb_engine_save(f->engine, NULL, NULL));
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.last_save_error, !=, "");
	g_assert_true(status.dirty);
	/* Not read, so not over. */
	reload_must_fail(f);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.last_save_error, !=, "");
	engine_fixture_block_saving(f, FALSE);
	if (data) {
		g_assert_true(procdb_engine_load(f->engine, NULL, NULL));
	} else {
		g_assert_cmpuint(reload(f), ==, 2);
	}
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.last_save_error, ==, "");
	g_assert_false(status.dirty);
	g_assert_cmpuint(f->engine->saves.failures, ==, 0);
}

/* What there is no room for is left out of memory, and what there is room for now is not. */
static void test_a_room_that_changes(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;
	ProcdbEngineStatus status;
	guint loaded;

	test_learn(f, "more", PROCDB_TIER_BATCH, 5);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	settings.max_retained = 1;
	procdb_engine_configure(f->engine, &settings);
	/* Two overrides, and two profiles without one. */
	g_assert_cmpuint(reload(f), ==, 3);
	procdb_engine_status(f->engine, &status);
	g_assert_true(status.dirty);
	g_assert_true(procdb_engine_load(f->engine, &loaded, NULL));
	g_assert_cmpuint(loaded, ==, 3);
	procdb_engine_configure(f->engine, &test_settings);
	g_assert_cmpuint(reload(f), ==, 4);
	assert_all_known(f);
	procdb_engine_status(f->engine, &status);
	g_assert_false(status.dirty);
}

static void test_a_file_that_cannot_be_read(EngineFixture *f, gconstpointer data)
{
	engine_fixture_block_saving(f, TRUE);
	reload_must_fail(f);
	engine_fixture_block_saving(f, FALSE);
	assert_all_known(f);
}

static void test_a_damaged_file(EngineFixture *f, gconstpointer data)
{
	g_assert_true(g_file_set_contents(f->path, "rubbish", -1, NULL));
	reload_must_fail(f);
	assert_all_known(f);
	assert_saved_in_time(f);
}

static void test_a_damaged_file_without_a_previous(EngineFixture *f, gconstpointer data)
{
	g_autofree char *previous = g_strconcat(f->path, ".prev", NULL);

	g_assert_cmpint(g_remove(previous), ==, 0);
	test_a_damaged_file(f, data);
}

/* It lost its end, in which the overrides are: what is in memory is better. */
static void test_a_file_that_lost_its_end(EngineFixture *f, gconstpointer data)
{
	g_autofree char *previous = g_strconcat(f->path, ".prev", NULL);
	g_autofree char *content = NULL;
	gsize len;

	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_cmpint(g_remove(previous), ==, 0);
	g_assert_true(g_file_get_contents(f->path, &content, &len, NULL));
	g_assert_true(g_file_set_contents(f->path, content, (gssize)len - 1, NULL));
	reload_must_fail(f);
	assert_all_known(f);
	assert_saved_in_time(f);
}

/* As if another program had written it: overrides stay, and are in the file again soon. */
static void test_a_file_without_an_extension(EngineFixture *f, gconstpointer data)
{
	g_autofree char *content = NULL;
	ProcdbEngineStatus status;
	gsize len;

	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_true(g_file_get_contents(f->path, &content, &len, NULL));
	/* The header, and the entries of cc1 and later. */
	g_assert_true(g_file_set_contents(f->path, content, 12 + 2 * 64, NULL));
	reload(f);
	assert_all_known(f);
	assert_saved_in_time(f);
	procdb_engine_status(f->engine, &status);
	g_assert_false(status.dirty);
}

static void test_no_file(EngineFixture *f, gconstpointer data)
{
	g_autofree char *previous = g_strconcat(f->path, ".prev", NULL);

	g_assert_cmpint(g_remove(previous), ==, 0);
	g_assert_cmpint(g_remove(f->path), ==, 0);
	g_assert_cmpuint(reload(f), ==, 0);
	assert_all_known(f);
	assert_saved_in_time(f);
}

static void test_nothing_known_and_no_file(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	g_assert_true(test_reset_all(f, NULL, NULL));
	g_assert_cmpint(g_remove(f->path), ==, 0);
	engine_fixture_restart(f, 1024);
	g_assert_cmpuint(reload(f), ==, 0);
	procdb_engine_status(f->engine, &status);
	g_assert_false(status.dirty);
}

/* Lets tasks of these teachers, those of users or of root or both, say that a name is lat-critical.
 */
static void teach(EngineFixture *f, const char *name, guint8 teachers)
{
	const struct procdb_comm comm = test_comm(name);
	struct procdb_class seen = test_class(PROCDB_TIER_LAT_CRITICAL, 50000);

	for (guint one = PROCDB_TAUGHT_BY_ROOT; one <= PROCDB_TAUGHT_BY_USERS; one <<= 1) {
		seen.pad[PROCDB_PAD_TEACHERS] = (guint8)one;
		for (guint i = 0; (teachers & one) && i < 3; i++) {
			test_maps_observe(f->backend, &comm, &seen);
			test_step(f);
		}
	}
}

static void teach_farm(EngineFixture *f, const char *name)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	struct procdb_record record = {.comm = test_comm(name)};

	procdb_profile_init(&record.profile);
	record.profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = 3;
	record.profile.observations = 3;
	record.profile.teachers = PROCDB_TAUGHT_BY_FARM;
	g_array_append_val(records, record);
	g_assert_true(test_import(f, records, FALSE, NULL));
}

static void lower(EngineFixture *f, enum procdb_tier best)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	settings.max_user_tier = best;
	procdb_engine_configure(f->engine, &settings);
	test_step(f);
}

static enum procdb_tier predicted(EngineFixture *f, const char *name)
{
	enum procdb_tier tier = PROCDB_TIERS;

	g_assert_true(test_predicts(f, name, &tier));
	return tier;
}

static const struct {
	const char *name;
	guint8 teachers;
	gboolean farm;
	enum procdb_tier then; /* when users may teach batch at best */
} taught[] = {
    {"users", PROCDB_TAUGHT_BY_USERS, FALSE, PROCDB_TIER_BATCH},
    {"farm", 0, TRUE, PROCDB_TIER_BATCH},
    {"users-and-farm", PROCDB_TAUGHT_BY_USERS, TRUE, PROCDB_TIER_BATCH},
    {"root", PROCDB_TAUGHT_BY_ROOT, FALSE, PROCDB_TIER_LAT_CRITICAL},
    {"root-and-users", PROCDB_TAUGHT_BY_ROOT | PROCDB_TAUGHT_BY_USERS, FALSE,
     PROCDB_TIER_LAT_CRITICAL},
    {"root-and-farm", PROCDB_TAUGHT_BY_ROOT, TRUE, PROCDB_TIER_LAT_CRITICAL},
};

static void assert_capped(EngineFixture *f)
{
	for (guint i = 0; i < G_N_ELEMENTS(taught); i++)
		g_assert_cmpint(predicted(f, taught[i].name), ==, taught[i].then);
}

/* Whether the service runs when MaxUserTier= is lowered, or starts later, is all the same. */
static void test_a_lower_tier_of_users_holds_at_once_and_later(EngineFixture *f, gconstpointer data)
{
	for (guint i = 0; i < G_N_ELEMENTS(taught); i++) {
		if (taught[i].farm)
			teach_farm(f, taught[i].name);
		teach(f, taught[i].name, taught[i].teachers);
		g_assert_cmpint(predicted(f, taught[i].name), ==, PROCDB_TIER_LAT_CRITICAL);
	}
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	lower(f, PROCDB_TIER_BATCH);
	assert_capped(f);
	/* What is saved has the votes of before. */
	engine_fixture_restart(f, 1024);
	assert_capped(f);
	g_assert_true(procdb_engine_load(f->engine, NULL, NULL));
	test_step(f);
	assert_capped(f);
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/reload/takes-what-the-file-says", test_takes_what_the_file_says);
	add("/reload/a-save-that-failed-is-over", test_a_save_that_failed_is_over);
	g_test_add("/reload/a-load-ends-a-failure", EngineFixture, "load", set_up,
		   test_a_save_that_failed_is_over, tear_down);
	add("/reload/a-room-that-changes", test_a_room_that_changes);
	add("/reload/a-file-that-cannot-be-read", test_a_file_that_cannot_be_read);
	add("/reload/a-damaged-file", test_a_damaged_file);
	add("/reload/a-damaged-file-without-a-previous", test_a_damaged_file_without_a_previous);
	add("/reload/a-file-that-lost-its-end", test_a_file_that_lost_its_end);
	add("/reload/a-file-without-an-extension", test_a_file_without_an_extension);
	add("/reload/no-file", test_no_file);
	add("/reload/nothing-known-and-no-file", test_nothing_known_and_no_file);
	add("/reload/a-lower-tier-of-users-holds-at-once-and-later",
	    test_a_lower_tier_of_users_holds_at_once_and_later);
	return g_test_run();
}
