/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The loop: what is learned, what leaves, what is remembered, which listeners are told. */

#include "engine-fixture.h"

#define DAY_US (G_GINT64_CONSTANT(24) * 60 * 60 * G_USEC_PER_SEC)

static void set_up(EngineFixture *f, gconstpointer settings)
{
	engine_fixture_set_up(f, settings, 512);
}

static void tear_down(EngineFixture *f, gconstpointer settings)
{
	engine_fixture_tear_down(f);
}

static void test_three_equal_observations_are_confident(EngineFixture *f, gconstpointer data)
{
	enum procdb_tier tier;

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 2);
	g_assert_false(test_predicts(f, "cc1", NULL));
	g_assert_cmpuint(procdb_engine_confident(f->engine), ==, 0);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_true(test_predicts(f, "cc1", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(procdb_engine_confident(f->engine), ==, 1);
	test_check_consistent(f);
}

static void test_a_step_is_a_tick(EngineFixture *f, gconstpointer data)
{
	guint64 tick = procdb_engine_get_tick(f->engine);

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	/* Seen in the tick that it was taken in, which then ended. */
	g_assert_cmpuint(test_find(f, "cc1")->profile.last_seen_tick, ==, tick);
	g_assert_cmpuint(procdb_engine_get_tick(f->engine), ==, tick + 1);
	procdb_engine_set_tick(f->engine, G_MAXUINT64);
	test_steps(f, 2);
	g_assert_cmpuint(procdb_engine_get_tick(f->engine), ==, G_MAXUINT64);
}

static void test_stale_after_sixty_ticks(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "idle", PROCDB_TIER_BATCH, 1);
	test_steps(f, 59);
	g_assert_nonnull(test_find(f, "idle"));
	test_steps(f, 1);
	/* It was not confident, so it is forgotten in either mode. */
	g_assert_null(test_find(f, "idle"));
	test_check_consistent(f);
}

static void test_reference_forgets_what_is_stale(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_steps(f, 60);
	g_assert_null(test_find(f, "cc1"));
	g_assert_false(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
}

static void test_the_surplus_leaves(EngineFixture *f, gconstpointer data)
{
	struct procdb_class class = test_class(PROCDB_TIER_BATCH, 1);

	test_learn(f, "old", PROCDB_TIER_BATCH, 1);
	test_learn(f, "older-but-busy", PROCDB_TIER_BATCH, 1);
	for (guint i = 0; i < 511; i++) {
		g_autofree char *name = g_strdup_printf("n%03u", i);
		struct procdb_comm comm = test_comm(name);

		test_maps_observe(f->backend, &comm, &class);
	}
	procdb_engine_step(f->engine);
	g_assert_null(test_find(f, "old"));
	g_assert_nonnull(test_find(f, "older-but-busy"));
	g_assert_nonnull(test_find(f, "n000"));
	g_assert_cmpuint(procdb_table_size(procdb_engine_table(f->engine)), ==, 512);
	test_check_consistent(f);
}

static void test_retained_with_its_prediction(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_steps(f, 100);
	g_assert_cmpint(test_find(f, "cc1")->set, ==, PROCDB_SET_PREDICTED);
	g_assert_true(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
}

static void test_comes_back_whole(EngineFixture *f, gconstpointer data)
{
	const struct procdb_entry *entry;

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	test_steps(f, 100);
	test_clock_advance(DAY_US);
	test_learn(f, "cc1", PROCDB_TIER_INTERACTIVE, 1);
	entry = test_find(f, "cc1");
	g_assert_cmpint(entry->set, ==, PROCDB_SET_LIVE);
	g_assert_cmpuint(entry->profile.observations, ==, 5);
	g_assert_cmpuint(entry->profile.tier_votes[PROCDB_TIER_BATCH], ==, 4);
	g_assert_cmpint(entry->profile.last_seen_us, ==, test_clock_us());
	g_assert_cmpint(entry->profile.first_seen_us, ==, test_clock_us() - DAY_US);
	test_check_consistent(f);
}

static void test_forgotten_after_the_retention(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_steps(f, 100);
	test_clock_advance(30 * DAY_US);
	test_steps(f, 1);
	g_assert_nonnull(test_find(f, "cc1"));
	test_clock_advance(1);
	test_steps(f, 1);
	g_assert_null(test_find(f, "cc1"));
	g_assert_false(test_predicts(f, "cc1", NULL));
	g_assert_true(test_names(f->removed, "cc1"));
	test_check_consistent(f);
}

static void test_a_clock_that_went_back_forgets_nothing(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_steps(f, 100);
	test_clock_advance(-20000 * DAY_US);
	test_steps(f, 100);
	g_assert_nonnull(test_find(f, "cc1"));
	test_clock_advance(20000 * DAY_US);
}

static void observe_as(EngineFixture *f, const char *name, guint8 teachers)
{
	struct procdb_comm comm = test_comm(name);
	struct procdb_class seen = test_class(PROCDB_TIER_LAT_CRITICAL, 50000);

	seen.pad[PROCDB_PAD_TEACHERS] = teachers;
	test_maps_observe(f->backend, &comm, &seen);
	test_step(f);
}

static void test_users_teach_no_better_tier_than_allowed(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);
	const struct procdb_profile *profile;

	settings.max_user_tier = PROCDB_TIER_INTERACTIVE;
	procdb_engine_configure(f->engine, &settings);
	observe_as(f, "cc1", PROCDB_TAUGHT_BY_USERS);
	observe_as(f, "cc1", 0);
	profile = &test_find(f, "cc1")->profile;
	g_assert_cmpuint(profile->tier_votes[PROCDB_TIER_INTERACTIVE], ==, 2);
	g_assert_cmpuint(profile->teachers, ==, PROCDB_TAUGHT_BY_USERS);
	observe_as(f, "cc1", PROCDB_TAUGHT_BY_ROOT);
	g_assert_cmpuint(profile->tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, 1);
	g_assert_cmpuint(profile->teachers, ==, PROCDB_TAUGHT_BY_USERS | PROCDB_TAUGHT_BY_ROOT);
}

static enum procdb_tier predicted(EngineFixture *f, const char *name)
{
	enum procdb_tier tier = PROCDB_TIERS;

	g_assert_true(test_predicts(f, name, &tier));
	return tier;
}

/* An admin that lowers what users may teach is rid of what they have taught without root. */
static void test_what_users_have_taught_is_capped(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	for (int i = 0; i < 3; i++) {
		observe_as(f, "theirs", PROCDB_TAUGHT_BY_USERS);
		observe_as(f, "shared", PROCDB_TAUGHT_BY_USERS);
		observe_as(f, "shared", PROCDB_TAUGHT_BY_ROOT);
		observe_as(f, "roots", PROCDB_TAUGHT_BY_ROOT);
	}
	g_assert_cmpint(predicted(f, "theirs"), ==, PROCDB_TIER_LAT_CRITICAL);
	settings.max_user_tier = PROCDB_TIER_BATCH;
	procdb_engine_configure(f->engine, &settings);
	test_step(f);
	g_assert_cmpint(predicted(f, "theirs"), ==, PROCDB_TIER_BATCH);
	g_assert_cmpint(predicted(f, "shared"), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpint(predicted(f, "roots"), ==, PROCDB_TIER_LAT_CRITICAL);
	/* Votes of users for more than they may teach fade under those that they give now. */
	for (int i = 0; i < 60; i++)
		observe_as(f, "shared", PROCDB_TAUGHT_BY_USERS);
	g_assert_cmpint(predicted(f, "shared"), ==, PROCDB_TIER_BATCH);
	for (int i = 0; i < 200; i++)
		observe_as(f, "shared", PROCDB_TAUGHT_BY_ROOT);
	g_assert_cmpint(predicted(f, "shared"), ==, PROCDB_TIER_LAT_CRITICAL);
	test_check_consistent(f);
}

static void score(EngineFixture *f, const char *name, guint32 right, guint32 wrong)
{
	struct procdb_comm comm = test_comm(name);

	test_maps_score(f->backend, &comm,
			(struct procdb_score){.found = 1, .right = right, .wrong = wrong});
	test_step(f);
}

static void test_wrong_again_and_again_is_withdrawn(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	score(f, "cc1", 0, 3);
	g_assert_true(test_predicts(f, "cc1", NULL));
	score(f, "cc1", 0, 1);
	g_assert_false(test_predicts(f, "cc1", NULL));
	g_assert_cmpuint(test_find(f, "cc1")->profile.withdrawals, ==, 1);
	g_assert_cmpuint(test_find(f, "cc1")->profile.wrong, ==, 4);
	test_learn(f, "cc1", PROCDB_TIER_INTERACTIVE, 3);
	g_assert_true(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
}

/* A program that runs for seconds is asked for at its start and seen later. */
static void test_starts_before_a_profile_count(EngineFixture *f, gconstpointer data)
{
	score(f, "burner", 0, 0);
	score(f, "burner", 0, 0);
	test_learn(f, "burner", PROCDB_TIER_BATCH, 1);
	g_assert_cmpuint(test_find(f, "burner")->found, ==, 2);
	score(f, "burner", 0, 0);
	g_assert_cmpuint(test_find(f, "burner")->found, ==, 3);
	for (guint i = 0; i < 5000; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);
		struct procdb_comm comm = test_comm(name);

		test_maps_score(f->backend, &comm, (struct procdb_score){.missed = 1});
		if (i % 100 == 0)
			test_step(f);
	}
	test_step(f);
	/* Memory is bounded: what was first asked for is forgotten. */
	test_learn(f, "n0", PROCDB_TIER_BATCH, 1);
	g_assert_cmpuint(test_find(f, "n0")->missed, ==, 0);
	test_learn(f, "n4999", PROCDB_TIER_BATCH, 1);
	g_assert_cmpuint(test_find(f, "n4999")->missed, ==, 1);
	test_check_consistent(f);
}

/* An admin's word against what tasks do: what is learned underneath stays. */
static void test_an_override_that_is_wrong_unlearns_nothing(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	g_assert_true(test_override(f, &comm, PROCDB_TIER_LAT_CRITICAL, NULL));
	for (guint i = 0; i < 10; i++)
		score(f, "cc1", 0, 10);
	g_assert_cmpuint(test_find(f, "cc1")->profile.wrong, ==, 100);
	g_assert_true(test_override(f, &comm, PROCDB_NO_OVERRIDE, NULL));
	score(f, "cc1", 0, 1);
	g_assert_cmpuint(test_find(f, "cc1")->profile.withdrawals, ==, 0);
	g_assert_true(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
}

static void test_what_is_remembered_can_be_refuted(EngineFixture *f, gconstpointer data)
{
	const struct procdb_entry *entry;

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	test_steps(f, 100);
	g_assert_cmpint(test_find(f, "cc1")->set, ==, PROCDB_SET_PREDICTED);
	score(f, "cc1", 0, 4);
	g_assert_false(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
	/* Such tasks have just run, and its story can be read as long as that of others. */
	entry = test_find(f, "cc1");
	g_assert_cmpint(entry->set, ==, PROCDB_SET_LIVE);
	g_assert_cmpuint(entry->profile.withdrawals, ==, 1);
	test_steps(f, 60);
	g_assert_null(test_find(f, "cc1"));
	test_check_consistent(f);
}

static void test_wrong_now_and_then_stays(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	for (guint i = 0; i < 100; i++)
		score(f, "cc1", 3, 1);
	g_assert_true(test_predicts(f, "cc1", NULL));
	g_assert_cmpuint(test_find(f, "cc1")->profile.right, ==, 300);
}

static void test_only_so_many_are_remembered(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;

	settings.max_retained = 2;
	procdb_engine_configure(f->engine, &settings);
	for (guint i = 0; i < 4; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);

		test_learn(f, name, PROCDB_TIER_BATCH, 3);
		test_clock_advance(G_USEC_PER_SEC);
	}
	test_steps(f, 100);
	g_assert_null(test_find(f, "n0"));
	g_assert_null(test_find(f, "n1"));
	g_assert_true(test_predicts(f, "n2", NULL));
	g_assert_true(test_predicts(f, "n3", NULL));
	test_check_consistent(f);
}

static void test_no_retention_forgets_at_once(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_steps(f, 100);
	procdb_engine_configure(f->engine, &test_reference_settings);
	test_steps(f, 1);
	g_assert_null(test_find(f, "cc1"));
	g_assert_false(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
}

static void test_the_listener_hears_of_changes_only(EngineFixture *f, gconstpointer data)
{
	guint told = f->told, stepped = f->stepped;

	test_steps(f, 3);
	g_assert_cmpuint(f->told, ==, told);
	g_assert_cmpuint(f->stepped, ==, stepped + 3);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_cmpuint(f->told, ==, told + 1);
	g_assert_cmpuint(f->changed->len, ==, 1);
	g_assert_true(test_names(f->changed, "cc1"));
	g_assert_cmpuint(f->removed->len, ==, 0);
	test_steps(f, 60);
	g_assert_cmpuint(f->told, ==, told + 2);
	g_assert_cmpuint(f->changed->len, ==, 0);
	g_assert_true(test_names(f->removed, "cc1"));
}

static void test_becoming_retained_is_a_change(EngineFixture *f, gconstpointer data)
{
	guint told;

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	told = f->told;
	test_steps(f, 100);
	g_assert_cmpuint(f->told, ==, told + 1);
	g_assert_true(test_names(f->changed, "cc1"));
}

static void test_observations_are_counted(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	test_learn(f, "a", PROCDB_TIER_BATCH, 3);
	test_learn(f, "b", PROCDB_TIER_BATCH, 2);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpuint(status.observations, ==, 5);
	g_assert_cmpuint(status.backend.errors, ==, 0);
}

static GLogWriterOutput count_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				   gpointer lines)
{
	++*(guint *)lines;
	return G_LOG_WRITER_HANDLED;
}

static void build_for_an_hour(EngineFixture *f)
{
	ProcdbEngineSettings settings = test_settings;

	settings.save_interval_s = 1;
	settings.max_retained = 1000;
	procdb_engine_configure(f->engine, &settings);
	for (guint second = 0; second < 3600; second++) {
		for (guint i = 0; i < 20; i++) {
			g_autofree char *name = g_strdup_printf("n%u", (second * 7 + i) % 3000);
			struct procdb_comm comm = test_comm(name);
			struct procdb_class class = test_class(
			    (enum procdb_tier)(second / 100 % PROCDB_TIERS), second * 1000);

			test_maps_observe(f->backend, &comm, &class);
			test_maps_score(f->backend, &comm,
					(struct procdb_score){.found = 1, .wrong = second % 3});
		}
		test_clock_advance(G_USEC_PER_SEC);
		test_step(f);
	}
}

/* Thousands of names that come, mature, are wrong, are withdrawn, gone and saved. */
static void test_an_hour_of_a_build_is_quiet(EngineFixture *f, gconstpointer data)
{
	guint lines = 0;

	if (g_test_subprocess()) {
		g_log_set_writer_func(count_line, &lines, NULL);
		build_for_an_hour(f);
		g_assert_cmpuint(procdb_table_size(procdb_engine_table(f->engine)), >, 500);
		g_assert_cmpuint(lines, <, 10);
		return;
	}
	g_test_trap_subprocess(NULL, 0, (GTestSubprocessFlags)0);
	g_test_trap_assert_passed();
}

static gboolean count_beat(gpointer beats)
{
	return ++*(guint *)beats > 0;
}

static void test_runs_by_itself_once_a_second(EngineFixture *f, gconstpointer data)
{
	gint64 began = g_get_monotonic_time();
	guint stepped = f->stepped, beats = 0, beat = g_timeout_add(20, count_beat, &beats);

	procdb_engine_start(f->engine);
	/* 3.3 s; one in which the machine stands still is a beat, and at most one step. */
	while (beats < 165)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(beat);
	g_assert_cmpuint(f->stepped, >=, stepped + 2);
	began = g_get_monotonic_time() - began;
	g_assert_cmpint(f->stepped, <=, stepped + 1 + began / G_USEC_PER_SEC);
}

static void add(const char *name, void (*test)(EngineFixture *, gconstpointer),
		const ProcdbEngineSettings *settings)
{
	g_autofree char *path = g_strdup_printf(
	    "/engine/%s/%s", settings->retention_days > 0 ? "retaining" : "reference", name);

	g_test_add(path, EngineFixture, settings, set_up, test, tear_down);
}

static void add_both(const char *name, void (*test)(EngineFixture *, gconstpointer))
{
	add(name, test, &test_settings);
	add(name, test, &test_reference_settings);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add_both("three-equal-observations-are-confident",
		 test_three_equal_observations_are_confident);
	add_both("a-step-is-a-tick", test_a_step_is_a_tick);
	add_both("stale-after-sixty-ticks", test_stale_after_sixty_ticks);
	add("forgets-what-is-stale", test_reference_forgets_what_is_stale,
	    &test_reference_settings);
	add_both("the-surplus-leaves", test_the_surplus_leaves);
	add("keeps-its-prediction", test_retained_with_its_prediction, &test_settings);
	add("comes-back-whole", test_comes_back_whole, &test_settings);
	add("forgotten-after-the-retention", test_forgotten_after_the_retention, &test_settings);
	add("a-clock-that-went-back-forgets-nothing", test_a_clock_that_went_back_forgets_nothing,
	    &test_settings);
	add("users-teach-no-better-tier-than-allowed", test_users_teach_no_better_tier_than_allowed,
	    &test_settings);
	add("what-users-have-taught-is-capped", test_what_users_have_taught_is_capped,
	    &test_settings);
	add("starts-before-a-profile-count", test_starts_before_a_profile_count, &test_settings);
	add("wrong-again-and-again-is-withdrawn", test_wrong_again_and_again_is_withdrawn,
	    &test_settings);
	add("what-is-remembered-can-be-refuted", test_what_is_remembered_can_be_refuted,
	    &test_settings);
	add("an-override-that-is-wrong-unlearns-nothing",
	    test_an_override_that_is_wrong_unlearns_nothing, &test_settings);
	add("wrong-now-and-then-stays", test_wrong_now_and_then_stays, &test_settings);
	add("only-so-many-are-remembered", test_only_so_many_are_remembered, &test_settings);
	add("no-retention-forgets-at-once", test_no_retention_forgets_at_once, &test_settings);
	add_both("the-listener-hears-of-changes-only", test_the_listener_hears_of_changes_only);
	add("becoming-retained-is-a-change", test_becoming_retained_is_a_change, &test_settings);
	add_both("observations-are-counted", test_observations_are_counted);
	add("an-hour-of-a-build-is-quiet", test_an_hour_of_a_build_is_quiet, &test_settings);
	add("runs-by-itself-once-a-second", test_runs_by_itself_once_a_second, &test_settings);
	return g_test_run();
}
