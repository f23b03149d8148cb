/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What clients ask of the engine: delete, reset, override; and when the file is written. */

#include <string.h>

#include "engine-fixture.h"

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, 2048);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	engine_fixture_tear_down(f);
}

static gboolean is_dirty(EngineFixture *f)
{
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine, &status);
	return status.dirty;
}

/* Deletes names, separated by blanks; the code of the error, or -1. */
static int delete (EngineFixture *f, const char *names, guint *deleted)
{
	g_auto(GStrv) list = g_strsplit(names, " ", -1);
	g_autoptr(GArray) comms = g_array_new(FALSE, FALSE, sizeof(struct procdb_comm));
	g_autoptr(GError) error = NULL;

	for (guint i = 0; list[i]; i++) {
		struct procdb_comm comm = test_comm(list[i]);

		g_array_append_val(comms, comm);
	}
	if (test_delete(f, (const struct procdb_comm *)comms->data, comms->len, deleted, &error)) {
		g_assert_no_error(error);
		return -1;
	}
	g_assert_true(error->domain == PROCDB_ENGINE_ERROR);
	return error->code;
}

static int override(EngineFixture *f, const char *name, guint8 tier)
{
	struct procdb_comm comm = test_comm(name);
	g_autoptr(GError) error = NULL;

	if (test_override(f, &comm, tier, &error)) {
		g_assert_no_error(error);
		return -1;
	}
	g_assert_true(error->domain == PROCDB_ENGINE_ERROR);
	return error->code;
}

static void test_delete_forgets_everywhere_at_once(EngineFixture *f, gconstpointer data)
{
	guint deleted = 0;

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_learn(f, "as", PROCDB_TIER_BATCH, 3);
	procdb_engine_save(f->engine, NULL, NULL);
	g_assert_cmpint(delete (f, "cc1", &deleted), ==, -1);
	g_assert_cmpuint(deleted, ==, 1);
	g_assert_null(test_find(f, "cc1"));
	g_assert_false(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
	/* As after kill -9. */
	engine_fixture_restart(f, 512);
	g_assert_null(test_find(f, "cc1"));
	g_assert_nonnull(test_find(f, "as"));
}

static void test_delete_is_all_or_nothing(EngineFixture *f, gconstpointer data)
{
	guint deleted = 7;

	test_learn(f, "a", PROCDB_TIER_BATCH, 3);
	test_learn(f, "b", PROCDB_TIER_BATCH, 3);
	g_assert_cmpint(delete (f, "a nobody b", &deleted), ==,
			PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE);
	g_assert_cmpuint(deleted, ==, 7);
	g_assert_nonnull(test_find(f, "a"));
	g_assert_true(test_predicts(f, "a", NULL));
	g_assert_cmpint(delete (f, "a b a", &deleted), ==, -1);
	g_assert_cmpuint(deleted, ==, 2);
	g_assert_cmpuint(procdb_table_size(procdb_engine_table(f->engine)), ==, 0);
	test_check_consistent(f);
}

static void test_delete_of_nothing(EngineFixture *f, gconstpointer data)
{
	guint deleted = 7;
	g_autoptr(GError) error = NULL;

	test_delete(f, NULL, 0, &deleted, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(deleted, ==, 0);
}

static void test_delete_takes_the_override_too(EngineFixture *f, gconstpointer data)
{
	override(f, "mine", PROCDB_TIER_BATCH);
	g_assert_cmpint(delete (f, "mine", NULL), ==, -1);
	g_assert_null(test_find(f, "mine"));
	test_check_consistent(f);
}

static void test_a_deleted_name_starts_anew(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	delete (f, "cc1", NULL);
	test_learn(f, "cc1", PROCDB_TIER_INTERACTIVE, 1);
	g_assert_cmpuint(test_find(f, "cc1")->profile.observations, ==, 1);
	g_assert_true(test_names(f->changed, "cc1"));
	test_check_consistent(f);
}

static void test_a_delete_is_told_at_once_but_once_a_tick(EngineFixture *f, gconstpointer data)
{
	guint told;

	test_learn(f, "a", PROCDB_TIER_BATCH, 3);
	test_learn(f, "b", PROCDB_TIER_BATCH, 3);
	told = f->told;
	delete (f, "a", NULL);
	g_assert_cmpuint(f->told, ==, told + 1);
	g_assert_true(test_names(f->removed, "a"));
	delete (f, "b", NULL);
	g_assert_cmpuint(f->told, ==, told + 1);
	test_steps(f, 1);
	g_assert_cmpuint(f->told, ==, told + 2);
	g_assert_true(test_names(f->removed, "b"));
	g_assert_false(test_names(f->removed, "a"));
}

static void test_deleted_and_back_within_a_tick_is_a_change(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("b");
	struct procdb_class class = test_class(PROCDB_TIER_BATCH, 1);

	test_learn(f, "a", PROCDB_TIER_BATCH, 3);
	test_learn(f, "b", PROCDB_TIER_BATCH, 3);
	delete (f, "a", NULL);
	delete (f, "b", NULL);
	test_maps_observe(f->backend, &comm, &class);
	test_steps(f, 1);
	g_assert_true(test_names(f->changed, "b"));
	g_assert_false(test_names(f->removed, "b"));
}

static void test_reset_keeps_overrides(EngineFixture *f, gconstpointer data)
{
	guint deleted = 0;
	g_autoptr(GError) error = NULL;
	enum procdb_tier tier;

	test_learn(f, "a", PROCDB_TIER_BATCH, 3);
	test_learn(f, "b", PROCDB_TIER_BATCH, 1);
	test_learn(f, "mine", PROCDB_TIER_BATCH, 3);
	override(f, "mine", PROCDB_TIER_LAT_CRITICAL);
	override(f, "unseen", PROCDB_TIER_INTERACTIVE);
	test_reset_all(f, &deleted, &error);
	g_assert_no_error(error);
	g_assert_cmpuint(deleted, ==, 3);
	g_assert_null(test_find(f, "a"));
	g_assert_null(test_find(f, "b"));
	g_assert_cmpuint(test_find(f, "mine")->profile.observations, ==, 0);
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_true(test_predicts(f, "unseen", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(test_maps_predictions(f->backend), ==, 2);
	test_check_consistent(f);
	test_steps(f, 100);
	g_assert_nonnull(test_find(f, "mine"));
	test_check_consistent(f);
}

static void test_learning_goes_on_under_an_override(EngineFixture *f, gconstpointer data)
{
	enum procdb_tier tier;

	override(f, "mine", PROCDB_TIER_LAT_CRITICAL);
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_LAT_CRITICAL);
	test_learn(f, "mine", PROCDB_TIER_BATCH, 3);
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpint(override(f, "mine", PROCDB_NO_OVERRIDE), ==, -1);
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_BATCH);
	test_check_consistent(f);
}

static void test_an_override_is_at_once_and_changeable(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;
	enum procdb_tier tier;

	override(f, "mine", PROCDB_TIER_BATCH);
	g_assert_true(test_names(f->changed, "mine"));
	g_assert_cmpint(override(f, "mine", PROCDB_TIER_LAT_CRITICAL), ==, -1);
	g_assert_true(test_predicts(f, "mine", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_LAT_CRITICAL);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpuint(status.overrides, ==, 1);
}

static gboolean is_decided(EngineFixture *f, const char *name)
{
	struct procdb_comm comm = test_comm(name);
	struct procdb_class class;

	g_assert_true(procdb_engine_prediction(f->engine, &comm, &class));
	return class.pad[PROCDB_PAD_DECIDED];
}

/* The kernel's side goes by it even when the task is measured to be something else. */
static void test_a_prediction_tells_an_override_from_what_is_learned(EngineFixture *f,
								     gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	g_assert_false(is_decided(f, "cc1"));
	override(f, "cc1", PROCDB_TIER_BATCH);
	override(f, "unseen", PROCDB_TIER_BATCH);
	g_assert_true(is_decided(f, "cc1"));
	g_assert_true(is_decided(f, "unseen"));
	override(f, "cc1", PROCDB_NO_OVERRIDE);
	g_assert_false(is_decided(f, "cc1"));
}

static void test_an_override_outlives_all(EngineFixture *f, gconstpointer data)
{
	override(f, "mine", PROCDB_TIER_BATCH);
	test_clock_advance(G_GINT64_CONSTANT(400) * 24 * 60 * 60 * G_USEC_PER_SEC);
	test_steps(f, 200);
	g_assert_true(test_predicts(f, "mine", NULL));
	test_check_consistent(f);
}

static void test_clearing_an_override(EngineFixture *f, gconstpointer data)
{
	g_assert_cmpint(override(f, "nobody", PROCDB_NO_OVERRIDE), ==,
			PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_cmpint(override(f, "cc1", PROCDB_NO_OVERRIDE), ==, -1);
	override(f, "unseen", PROCDB_TIER_BATCH);
	g_assert_cmpint(override(f, "unseen", PROCDB_NO_OVERRIDE), ==, -1);
	/* There is nothing else to know of it. */
	g_assert_null(test_find(f, "unseen"));
	g_assert_false(test_predicts(f, "unseen", NULL));
	test_check_consistent(f);
}

static void test_only_so_many_overrides(EngineFixture *f, gconstpointer data)
{
	for (guint i = 0; i < 1024; i++) {
		g_autofree char *name = g_strdup_printf("o%u", i);

		g_assert_cmpint(override(f, name, PROCDB_TIER_BATCH), ==, -1);
	}
	g_assert_cmpint(override(f, "more", PROCDB_TIER_BATCH), ==,
			PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED);
	g_assert_null(test_find(f, "more"));
	g_assert_cmpint(override(f, "o7", PROCDB_TIER_INTERACTIVE), ==, -1);
	g_assert_cmpint(override(f, "o8", PROCDB_NO_OVERRIDE), ==, -1);
	g_assert_cmpint(override(f, "more", PROCDB_TIER_BATCH), ==, -1);
	test_check_consistent(f);
}

static void test_requests_that_cannot_be_saved(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ProcdbEngineStatus status;

	engine_fixture_allow_warnings();
	test_learn(f, "a", PROCDB_TIER_BATCH, 3);
	test_learn(f, "b", PROCDB_TIER_BATCH, 3);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	engine_fixture_block_saving(f, TRUE);
	g_assert_cmpint(delete (f, "a", NULL), ==, PROCDB_ENGINE_ERROR_SAVE_FAILED);
	g_assert_null(test_find(f, "a"));
	g_assert_false(test_predicts(f, "a", NULL));
	/* The file still has it: so it must be written again, at the latest at stop. */
	g_assert_true(is_dirty(f));
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.last_save_error, !=, "");
	engine_fixture_block_saving(f, FALSE);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_false(is_dirty(f));

	engine_fixture_block_saving(f, TRUE);
	g_assert_cmpint(override(f, "mine", PROCDB_TIER_BATCH), ==,
			PROCDB_ENGINE_ERROR_SAVE_FAILED);
	g_assert_true(test_predicts(f, "mine", NULL));
	g_assert_true(is_dirty(f));
	engine_fixture_block_saving(f, FALSE);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));

	engine_fixture_block_saving(f, TRUE);
	g_assert_false(test_reset_all(f, NULL, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED);
	g_assert_true(is_dirty(f));
	engine_fixture_block_saving(f, FALSE);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.last_save_error, ==, "");
}

static void use_interval(EngineFixture *f, guint seconds)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	settings.save_interval_s = seconds;
	procdb_engine_configure(f->engine, &settings);
	test_steps(f, 1);
}

static void test_saved_when_something_changed(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	use_interval(f, 300);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	g_assert_true(is_dirty(f));
	test_clock_advance(299 * G_USEC_PER_SEC);
	test_steps(f, 1);
	g_assert_true(is_dirty(f));
	test_clock_advance(1 * G_USEC_PER_SEC);
	test_steps(f, 1);
	g_assert_false(is_dirty(f));
	procdb_engine_status(f->engine, &status);
	g_assert_cmpint(status.last_save_us, ==, test_clock_us());
	/* Nothing changed, nothing is written. */
	test_clock_advance(1000 * G_USEC_PER_SEC);
	test_steps(f, 1);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpint(status.last_save_us, <, test_clock_us());
	/* An observation of a confident one is a change. */
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpint(status.last_save_us, ==, test_clock_us());
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_true(is_dirty(f));
}

static void test_unsure_profiles_are_no_reason_to_save(EngineFixture *f, gconstpointer data)
{
	use_interval(f, 300);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 2);
	g_assert_false(is_dirty(f));
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_true(is_dirty(f));
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	/* It has to leave the file when it is not confident any more. */
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	test_learn(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 2);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	test_learn(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 1);
	g_assert_true(is_dirty(f));
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	engine_fixture_restart(f, 512);
	g_assert_null(test_find(f, "cc1"));
}

static void test_never_saved_without_an_interval(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_clock_advance(G_GINT64_CONSTANT(1000000) * G_USEC_PER_SEC);
	test_steps(f, 10);
	g_assert_true(is_dirty(f));
	g_assert_false(g_file_test(f->path, G_FILE_TEST_EXISTS));
}

static void test_a_failed_save_is_tried_again_later_and_later(EngineFixture *f, gconstpointer data)
{
	engine_fixture_allow_warnings();
	for (guint failures = 1; failures <= 12; failures++) {
		guint delay = failures <= 7 ? 5u << (failures - 1) : 600;

		use_interval(f, 1);
		test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
		engine_fixture_block_saving(f, TRUE);
		/* Longer than any delay: each of these fails once. */
		for (guint i = 0; i < failures; i++) {
			test_clock_advance(601 * G_USEC_PER_SEC);
			test_steps(f, 1);
			g_assert_true(is_dirty(f));
		}
		engine_fixture_block_saving(f, FALSE);
		test_clock_advance((delay - 1) * G_USEC_PER_SEC);
		test_steps(f, 1);
		g_assert_true(is_dirty(f));
		test_clock_advance(1 * G_USEC_PER_SEC);
		test_steps(f, 1);
		g_assert_false(is_dirty(f));
	}
}

static void test_learning_goes_on_while_nothing_can_be_saved(EngineFixture *f, gconstpointer data)
{
	engine_fixture_allow_warnings();
	use_interval(f, 1);
	engine_fixture_block_saving(f, TRUE);
	for (guint i = 0; i < 5; i++) {
		test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
		test_clock_advance(601 * G_USEC_PER_SEC);
	}
	g_assert_true(test_predicts(f, "cc1", NULL));
	g_assert_cmpuint(test_find(f, "cc1")->profile.observations, ==, 15);
	test_check_consistent(f);
	engine_fixture_block_saving(f, FALSE);
}

static void test_a_file_that_cannot_be_read(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint loaded = 7;

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	engine_fixture_block_saving(f, TRUE);
	engine_fixture_allow_warnings();
	g_assert_false(procdb_engine_load(f->engine, &loaded, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED);
	test_steps(f, 1);
	test_check_consistent(f);
	engine_fixture_block_saving(f, FALSE);
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/requests/delete/forgets-everywhere-at-once", test_delete_forgets_everywhere_at_once);
	add("/requests/delete/is-all-or-nothing", test_delete_is_all_or_nothing);
	add("/requests/delete/of-nothing", test_delete_of_nothing);
	add("/requests/delete/takes-the-override-too", test_delete_takes_the_override_too);
	add("/requests/delete/starts-anew", test_a_deleted_name_starts_anew);
	add("/requests/delete/is-told-at-once-but-once-a-tick",
	    test_a_delete_is_told_at_once_but_once_a_tick);
	add("/requests/delete/and-back-within-a-tick-is-a-change",
	    test_deleted_and_back_within_a_tick_is_a_change);
	add("/requests/reset-keeps-overrides", test_reset_keeps_overrides);
	add("/requests/override/learning-goes-on", test_learning_goes_on_under_an_override);
	add("/requests/override/at-once-and-changeable",
	    test_an_override_is_at_once_and_changeable);
	add("/requests/override/told-from-what-is-learned",
	    test_a_prediction_tells_an_override_from_what_is_learned);
	add("/requests/override/outlives-all", test_an_override_outlives_all);
	add("/requests/override/cleared", test_clearing_an_override);
	add("/requests/override/only-so-many", test_only_so_many_overrides);
	add("/requests/cannot-be-saved", test_requests_that_cannot_be_saved);
	add("/requests/save/when-something-changed", test_saved_when_something_changed);
	add("/requests/save/not-for-unsure-profiles", test_unsure_profiles_are_no_reason_to_save);
	add("/requests/save/never-without-an-interval", test_never_saved_without_an_interval);
	add("/requests/save/tried-again-later-and-later",
	    test_a_failed_save_is_tried_again_later_and_later);
	add("/requests/save/learning-goes-on", test_learning_goes_on_while_nothing_can_be_saved);
	add("/requests/load/a-file-that-cannot-be-read", test_a_file_that_cannot_be_read);
	return g_test_run();
}
