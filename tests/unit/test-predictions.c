/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What the engine keeps in the init map: what gets in, what gives way. */

#include "engine-fixture.h"

static void set_up(EngineFixture *f, gconstpointer settings)
{
	engine_fixture_set_up(f, settings, 4);
}

static void tear_down(EngineFixture *f, gconstpointer settings)
{
	engine_fixture_tear_down(f);
}

/* One observation each, of a batch task that runs so long (ns). */
static void observe_names(EngineFixture *f, const char *prefix, guint n, guint64 avg_runtime)
{
	const struct procdb_class class = test_class(PROCDB_TIER_BATCH, avg_runtime);

	for (guint i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("%s%u", prefix, i);
		const struct procdb_comm comm = test_comm(name);

		test_maps_observe(f->backend, &comm, &class);
	}
}

static void test_withdrawn_with_its_confidence(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "make", PROCDB_TIER_BATCH, 8);
	g_assert_true(test_predicts(f, "make", NULL));
	test_learn(f, "make", PROCDB_TIER_INTERACTIVE, 2);
	/* 8 of 10 is just enough. */
	g_assert_true(test_predicts(f, "make", NULL));
	test_learn(f, "make", PROCDB_TIER_INTERACTIVE, 1);
	g_assert_false(test_predicts(f, "make", NULL));
	g_assert_nonnull(test_find(f, "make"));
	test_check_consistent(f);
}

static void test_the_reference_leaves_it(EngineFixture *f, gconstpointer data)
{
	enum procdb_tier tier;

	test_learn(f, "make", PROCDB_TIER_BATCH, 3);
	test_learn(f, "make", PROCDB_TIER_INTERACTIVE, 3);
	g_assert_true(test_predicts(f, "make", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_BATCH);
	test_check_consistent(f);
	test_steps(f, 61);
	g_assert_false(test_predicts(f, "make", NULL));
	test_check_consistent(f);
}

static void test_only_what_changed_is_written(EngineFixture *f, gconstpointer data)
{
	TestMapsCalls before, after;

	test_learn_names(f, "n", 3);
	before = test_maps_calls(f->backend);
	test_steps(f, 10);
	after = test_maps_calls(f->backend);
	g_assert_cmpuint(after.publishes, ==, before.publishes);
	g_assert_cmpuint(after.retracts, ==, before.retracts);
	/* One more vote, and the same prediction. */
	test_learn(f, "n1", PROCDB_TIER_BATCH, 1);
	g_assert_cmpuint(test_maps_calls(f->backend).published, ==, before.published);
	observe_names(f, "n", 2, 2000000);
	test_step(f);
	after = test_maps_calls(f->backend);
	g_assert_cmpuint(after.published, ==, before.published + 2);
	g_assert_cmpuint(after.retracted, ==, before.retracted);
}

/* As many names, learned to be batch tasks with runs of 1 ms, as a build has. */
#define MANY 100

/* In how many predictions a step differs after all of MANY ran for so long (ns). */
static guint written_after(EngineFixture *f, guint64 avg_runtime)
{
	guint before;

	engine_fixture_set_up(f, &test_settings, 2 * MANY);
	for (guint i = 0; i < 3; i++) {
		observe_names(f, "n", MANY, 1000000);
		test_step(f);
	}
	before = test_maps_calls(f->backend).published;
	observe_names(f, "n", MANY, avg_runtime);
	test_step(f);
	return test_maps_calls(f->backend).published - before;
}

static void test_what_changes_little_is_written_by_and_by(EngineFixture *f, gconstpointer data)
{
	EngineFixture own;
	guint written = written_after(&own, 1100000);

	g_assert_cmpuint(written, >, 0);
	g_assert_cmpuint(written, <, MANY / 2);
	test_steps(&own, 10);
	/* MANY when they were learned, and once since. */
	g_assert_cmpuint(test_maps_calls(own.backend).published, ==, 2 * MANY);
	for (guint i = 0; i < MANY; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);
		const struct procdb_entry *entry = test_find(&own, name);
		struct procdb_class class;

		g_assert_true(procdb_engine_prediction(own.engine, &entry->comm, &class));
		g_assert_cmpuint(class.avg_runtime, ==, entry->profile.avg_runtime_ns);
	}
	engine_fixture_tear_down(&own);
}

static void test_what_changes_much_is_written_at_once(EngineFixture *f, gconstpointer data)
{
	EngineFixture own;

	g_assert_cmpuint(written_after(&own, 4000000), ==, MANY);
	engine_fixture_tear_down(&own);
}

static void test_the_least_recently_seen_gives_way(EngineFixture *f, gconstpointer data)
{
	test_learn_names(f, "old", 4);
	test_steps(f, 100);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 4);
	test_learn(f, "new", PROCDB_TIER_BATCH, 3);
	g_assert_true(test_predicts(f, "new", NULL));
	g_assert_false(test_predicts(f, "old0", NULL));
	g_assert_cmpint(test_find(f, "old0")->set, ==, PROCDB_SET_RETAINED);
	g_assert_true(test_predicts(f, "old1", NULL));
	test_check_consistent(f);
}

static void test_one_that_gave_way_returns_when_seen(EngineFixture *f, gconstpointer data)
{
	test_learn_names(f, "old", 4);
	test_steps(f, 100);
	test_learn(f, "new", PROCDB_TIER_BATCH, 3);
	test_learn(f, "old0", PROCDB_TIER_BATCH, 1);
	g_assert_true(test_predicts(f, "old0", NULL));
	g_assert_false(test_predicts(f, "old1", NULL));
	test_check_consistent(f);
}

static void test_live_ones_wait_for_room(EngineFixture *f, gconstpointer data)
{
	test_learn_names(f, "n", 5);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 4);
	g_assert_false(test_predicts(f, "n4", NULL));
	test_check_consistent(f);
	/* n0 loses its confidence, and its place. */
	test_learn(f, "n0", PROCDB_TIER_LAT_CRITICAL, 3);
	test_steps(f, 1);
	g_assert_false(test_predicts(f, "n0", NULL));
	g_assert_true(test_predicts(f, "n4", NULL));
	test_check_consistent(f);
}

static void test_a_full_map_of_the_reference(EngineFixture *f, gconstpointer data)
{
	test_learn_names(f, "n", 6);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 4);
	test_steps(f, 100);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 0);
	test_check_consistent(f);
}

static void replace_profiles(EngineFixture *f, const char *const *names, guint64 avg_runtime)
{
	g_autoptr(GArray) records = g_array_new(FALSE, TRUE, sizeof(struct procdb_record));

	for (; *names; names++) {
		struct procdb_record record = {.comm = test_comm(*names)};

		procdb_profile_init(&record.profile);
		record.profile.tier_votes[PROCDB_TIER_BATCH] = 5;
		record.profile.observations = 5;
		record.profile.avg_runtime_ns = avg_runtime;
		g_array_append_val(records, record);
	}
	procdb_engine_replace(f->engine, records);
	procdb_engine_flush(f->engine);
}

/* As the reference: what finds no room does not keep the map from saying the latest of others. */
static void test_a_full_map_says_the_latest(EngineFixture *f, gconstpointer data)
{
	static const char *const before[] = {"a", "b", "c", "d", NULL};
	static const char *const after[] = {"new", "b", "newer", "d", NULL};
	struct procdb_comm comm;
	struct procdb_class class;

	engine_fixture_allow_warnings();
	replace_profiles(f, before, 100);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 4);
	replace_profiles(f, after, 200);
	for (guint i = 1; i < 4; i += 2) {
		comm = test_comm(after[i]);
		g_assert_true(procdb_engine_prediction(f->engine, &comm, &class));
		g_assert_cmpuint(class.avg_runtime, ==, 200);
	}
	g_assert_false(test_predicts(f, "new", NULL));
	/* What no profile stands for any more goes, and there is room. */
	test_steps(f, 1);
	test_check_consistent(f);
	g_assert_true(test_predicts(f, "newer", NULL));
}

static void test_an_override_has_its_place_in_a_full_map(EngineFixture *f, gconstpointer data)
{
	enum procdb_tier tier;

	test_learn_names(f, "live", 4);
	test_set_override(f, "mine", PROCDB_TIER_LAT_CRITICAL);
	test_steps(f, 1);
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_false(test_predicts(f, "live0", NULL));
	g_assert_nonnull(test_find(f, "live0"));
	test_check_consistent(f);
	/* And the one that gave way has it back when there is room. */
	test_set_override(f, "mine", PROCDB_NO_OVERRIDE);
	test_steps(f, 1);
	g_assert_true(test_predicts(f, "live0", NULL));
	test_check_consistent(f);
}

static void test_replaced_maps_are_filled_again(EngineFixture *f, gconstpointer data)
{
	test_learn_names(f, "n", 3);
	test_maps_replace(f->backend);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 0);
	test_steps(f, 1);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 3);
	test_check_consistent(f);
}

static void test_other_maps_are_filled(EngineFixture *f, gconstpointer data)
{
	test_learn_names(f, "n", 3);
	f->backend = test_maps_new(2);
	procdb_engine_set_backend(f->engine, f->backend);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 2);
	test_steps(f, 1);
	test_check_consistent(f);
}

static void test_what_others_left_goes(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("stranger");
	struct procdb_class class = test_class(PROCDB_TIER_LAT_CRITICAL, 1);

	test_learn(f, "n0", PROCDB_TIER_BATCH, 3);
	test_maps_replace(f->backend);
	test_maps_plant(f->backend, &comm, &class);
	comm = test_comm("n0");
	test_maps_plant(f->backend, &comm, &class);
	test_steps(f, 1);
	g_assert_false(test_predicts(f, "stranger", NULL));
	g_assert_true(test_predicts(f, "n0", NULL));
	test_check_consistent(f);
}

static void test_other_thresholds_count_at_the_next_step(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	test_learn(f, "few", PROCDB_TIER_BATCH, 3);
	test_learn(f, "many", PROCDB_TIER_BATCH, 9);
	settings.rules.min_observations = 5;
	procdb_engine_configure(f->engine, &settings);
	test_steps(f, 1);
	g_assert_false(test_predicts(f, "few", NULL));
	g_assert_true(test_predicts(f, "many", NULL));
	test_check_consistent(f);
	settings.rules.min_observations = 1;
	procdb_engine_configure(f->engine, &settings);
	test_steps(f, 1);
	g_assert_true(test_predicts(f, "few", NULL));
	test_check_consistent(f);
}

static void test_stricter_thresholds_with_retained_ones(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	test_learn_names(f, "old", 4);
	test_steps(f, 100);
	settings.rules.min_observations = 5;
	procdb_engine_configure(f->engine, &settings);
	test_steps(f, 1);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 0);
	test_check_consistent(f);
	test_learn_names(f, "new", 2);
	test_learn(f, "new0", PROCDB_TIER_BATCH, 2);
	test_steps(f, 1);
	g_assert_true(test_predicts(f, "new0", NULL));
	test_check_consistent(f);
}

static void test_a_reload_replaces_the_predictions(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint saved, loaded;

	test_learn_names(f, "n", 2);
	procdb_engine_save(f->engine, &saved, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(saved, ==, 2);
	test_learn_names(f, "later", 1);
	procdb_engine_load(f->engine, &loaded, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(loaded, ==, 2);
	test_steps(f, 1);
	g_assert_false(test_predicts(f, "later0", NULL));
	g_assert_true(test_predicts(f, "n0", NULL));
	test_check_consistent(f);
}

static void test_predictions_survive_a_restart(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	test_learn_names(f, "n", 3);
	procdb_engine_save(f->engine, NULL, &error);
	g_assert_no_error(error);
	engine_fixture_restart(f, 4);
	g_assert_true(test_predicts(f, "n0", NULL));
	g_assert_true(test_predicts(f, "n2", NULL));
	test_check_consistent(f);
	/* Fewer places: the most recently seen have them, as far as the file says. */
	engine_fixture_restart(f, 2);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 2);
	test_check_consistent(f);
}

static void test_room_that_appears_goes_to_what_is_remembered(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("new");
	EngineFixture own;

	engine_fixture_set_up(&own, data, 4);
	test_learn_names(&own, "old", 4);
	test_steps(&own, 100);
	test_learn(&own, "new", PROCDB_TIER_BATCH, 3);
	g_assert_false(test_predicts(&own, "old0", NULL));
	g_assert_true(test_delete(&own, &comm, 1, NULL, NULL));
	test_steps(&own, 60);
	g_assert_true(test_predicts(&own, "old0", NULL));
	test_check_consistent(&own);
	engine_fixture_tear_down(&own);
}

static void add(const char *name, void (*test)(EngineFixture *, gconstpointer),
		const ProcdbEngineSettings *settings)
{
	g_autofree char *path = g_strdup_printf(
	    "/predictions/%s/%s", settings->retention_days > 0 ? "retaining" : "reference", name);

	g_test_add(path, EngineFixture, settings, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	const ProcdbEngineSettings *retaining = &test_settings;
	const ProcdbEngineSettings *reference = &test_reference_settings;

	g_test_init(&argc, &argv, NULL);
	add("withdrawn-with-its-confidence", test_withdrawn_with_its_confidence, retaining);
	add("loss-of-confidence-leaves-it", test_the_reference_leaves_it, reference);
	add("only-what-changed-is-written", test_only_what_changed_is_written, retaining);
	add("what-changes-little-is-written-by-and-by",
	    test_what_changes_little_is_written_by_and_by, retaining);
	add("what-changes-much-is-written-at-once", test_what_changes_much_is_written_at_once,
	    retaining);
	add("the-least-recently-seen-gives-way", test_the_least_recently_seen_gives_way, retaining);
	add("one-that-gave-way-returns-when-seen", test_one_that_gave_way_returns_when_seen,
	    retaining);
	add("live-ones-wait-for-room", test_live_ones_wait_for_room, retaining);
	add("a-full-map", test_a_full_map_of_the_reference, reference);
	add("a-full-map-says-the-latest", test_a_full_map_says_the_latest, reference);
	add("an-override-has-its-place-in-a-full-map", test_an_override_has_its_place_in_a_full_map,
	    retaining);
	add("replaced-maps-are-filled-again", test_replaced_maps_are_filled_again, retaining);
	add("replaced-maps-are-filled-again", test_replaced_maps_are_filled_again, reference);
	add("other-maps-are-filled", test_other_maps_are_filled, retaining);
	add("what-others-left-goes", test_what_others_left_goes, retaining);
	add("other-thresholds-count-at-the-next-step", test_other_thresholds_count_at_the_next_step,
	    retaining);
	add("stricter-thresholds-with-retained-ones", test_stricter_thresholds_with_retained_ones,
	    retaining);
	add("a-reload-replaces-the-predictions", test_a_reload_replaces_the_predictions, retaining);
	add("predictions-survive-a-restart", test_predictions_survive_a_restart, retaining);
	add("room-that-appears-goes-to-what-is-remembered",
	    test_room_that_appears_goes_to_what_is_remembered, retaining);
	return g_test_run();
}
