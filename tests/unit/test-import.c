/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Profiles from elsewhere, beside what is known and in place of it. */

#include "engine-fixture.h"

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, 1024);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 5);
	test_learn(f, "make", PROCDB_TIER_BATCH, 5);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	test_check_consistent(f);
	test_steps(f, 1);
	test_check_consistent(f);
	engine_fixture_tear_down(f);
}

static void override(EngineFixture *f, const char *name, guint8 tier)
{
	const struct procdb_comm comm = test_comm(name);

	g_assert_true(test_override(f, &comm, tier, NULL));
}

static void add_record(GArray *records, const char *name, guint8 tier)
{
	struct procdb_record record = {.comm = test_comm(name)};
	const struct procdb_class seen = test_class(PROCDB_TIER_BATCH, 1000);

	procdb_profile_init(&record.profile);
	for (int i = 0; i < 7; i++)
		procdb_profile_learn(&record.profile, &seen, 0);
	record.profile.last_seen_us = test_clock_us();
	record.profile.override = tier;
	g_array_append_val(records, record);
}

/* A record of one name; its override may be PROCDB_NO_OVERRIDE. */
static void import(EngineFixture *f, const char *name, guint8 tier, gboolean replace)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	g_autoptr(GError) error = NULL;

	add_record(records, name, tier);
	test_import(f, records, replace, &error);
	g_assert_no_error(error);
	test_check_consistent(f);
}

static void assert_overrides(EngineFixture *f, guint n)
{
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine, &status);
	g_assert_cmpuint(status.overrides, ==, n);
}

/* What has come, and what it says now and after a restart. */
static void assert_imported(EngineFixture *f, const char *name, enum procdb_tier expected)
{
	enum procdb_tier tier;

	for (int i = 0; i < 2; i++) {
		g_assert_cmpuint(test_find(f, name)->profile.observations, ==, 7);
		g_assert_true(test_predicts(f, name, &tier));
		g_assert_cmpint(tier, ==, expected);
		if (i == 0) {
			engine_fixture_restart(f, 1024);
			test_steps(f, 1);
		}
	}
}

static void test_merging_leaves_other_names(EngineFixture *f, gconstpointer data)
{
	import(f, "cc1", PROCDB_NO_OVERRIDE, FALSE);
	g_assert_cmpuint(test_find(f, "make")->profile.observations, ==, 5);
	assert_imported(f, "cc1", PROCDB_TIER_BATCH);
}

static void test_merging_leaves_overrides(EngineFixture *f, gconstpointer data)
{
	override(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	import(f, "cc1", PROCDB_NO_OVERRIDE, FALSE);
	assert_overrides(f, 1);
	assert_imported(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
}

static void test_a_record_may_have_an_override(EngineFixture *f, gconstpointer data)
{
	override(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	import(f, "cc1", PROCDB_TIER_INTERACTIVE, FALSE);
	assert_overrides(f, 1);
	import(f, "make", PROCDB_TIER_INTERACTIVE, FALSE);
	assert_overrides(f, 2);
	assert_imported(f, "cc1", PROCDB_TIER_INTERACTIVE);
}

static void test_replacing_forgets_what_was_learned(EngineFixture *f, gconstpointer data)
{
	import(f, "cc1", PROCDB_NO_OVERRIDE, TRUE);
	g_assert_null(test_find(f, "make"));
	g_assert_false(test_predicts(f, "make", NULL));
	assert_imported(f, "cc1", PROCDB_TIER_BATCH);
	g_assert_null(test_find(f, "make"));
}

static void test_replacing_leaves_overrides(EngineFixture *f, gconstpointer data)
{
	enum procdb_tier tier;

	override(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	override(f, "make", PROCDB_TIER_INTERACTIVE);
	override(f, "unseen", PROCDB_TIER_BATCH);
	import(f, "cc1", PROCDB_NO_OVERRIDE, TRUE);
	assert_overrides(f, 3);
	g_assert_cmpuint(test_find(f, "make")->profile.observations, ==, 0);
	g_assert_true(test_predicts(f, "make", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_INTERACTIVE);
	assert_imported(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	g_assert_true(test_predicts(f, "unseen", NULL));
	assert_overrides(f, 3);
}

/* Those that are there count as well, once. */
static void test_only_so_many_overrides(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	g_autoptr(GError) error = NULL;

	override(f, "cc1", PROCDB_TIER_BATCH);
	add_record(records, "cc1", PROCDB_TIER_INTERACTIVE);
	for (guint i = 1; i < PROCDB_MAX_OVERRIDES; i++) {
		g_autofree char *name = g_strdup_printf("o%u", i);

		add_record(records, name, PROCDB_TIER_BATCH);
	}
	g_assert_true(test_import(f, records, TRUE, NULL));
	assert_overrides(f, PROCDB_MAX_OVERRIDES);
	g_array_set_size(records, 0);
	add_record(records, "one-more", PROCDB_TIER_BATCH);
	g_assert_false(test_import(f, records, TRUE, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED);
	assert_overrides(f, PROCDB_MAX_OVERRIDES);
	g_assert_nonnull(test_find(f, "o1"));
}

/* Nothing is done with a list that is too long, not even to find what else is wrong with it. */
static void test_the_number_is_checked_first(EngineFixture *f, gconstpointer data)
{
	const guint most = test_settings.max_retained + test_settings.max_candidates +
			   test_settings.rules.max_profiles + PROCDB_MAX_OVERRIDES;
	g_autoptr(GArray) records = g_array_new(FALSE, TRUE, sizeof(struct procdb_record));
	g_autoptr(GError) error = NULL;

	override(f, "cc1", PROCDB_TIER_BATCH);
	add_record(records, "cc1", PROCDB_TIER_LAT_CRITICAL);
	g_array_set_size(records, most + 1);
	g_assert_false(procdb_engine_import(f->engine, records, FALSE, TRUE, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED);
	assert_overrides(f, 1);
	g_clear_error(&error);
	g_array_set_size(records, 1);
	g_assert_false(procdb_engine_import(f->engine, records, FALSE, TRUE, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_CONTRADICTED);
}

/* What is left out is between what is taken, at the beginning and at the end. */
static void test_priors_of_known_names_are_left_out(EngineFixture *f, gconstpointer data)
{
	static const char *const names[] = {"cc1", "new1", "make", "other", "new2", "last"};
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));

	test_learn(f, "other", PROCDB_TIER_BATCH, 5);
	test_learn(f, "last", PROCDB_TIER_BATCH, 5);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		add_record(records, names[i], PROCDB_NO_OVERRIDE);
		procdb_profile_of_farm(&g_array_index(records, struct procdb_record, i).profile);
	}
	g_assert_true(procdb_engine_import(f->engine, records, FALSE, TRUE, NULL));
	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		const struct procdb_entry *entry = test_find(f, names[i]);

		g_assert_nonnull(entry);
		g_assert_cmpint(procdb_profile_is_prior(&entry->profile), ==,
				g_str_has_prefix(names[i], "new"));
	}
}

static void test_an_old_backup_is_remembered(EngineFixture *f, gconstpointer data)
{
	const gint64 day_us = G_GINT64_CONSTANT(24) * 60 * 60 * G_USEC_PER_SEC;
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	const gint64 seen_us = test_clock_us() - 400 * day_us;

	add_record(records, "newest", PROCDB_NO_OVERRIDE);
	add_record(records, "older", PROCDB_NO_OVERRIDE);
	add_record(records, "forgotten", PROCDB_NO_OVERRIDE);
	for (guint i = 0; i < records->len; i++)
		g_array_index(records, struct procdb_record, i).profile.last_seen_us =
		    seen_us - i * 20 * day_us;
	g_assert_true(test_import(f, records, FALSE, NULL));
	test_steps(f, 100);
	g_assert_cmpint(test_find(f, "newest")->profile.last_seen_us, ==, seen_us);
	g_assert_nonnull(test_find(f, "older"));
	g_assert_null(test_find(f, "forgotten"));
}

/* Also in the first hour, when our own clock may be behind: what others saw says nothing of it. */
static void test_the_future_of_others_is_now(EngineFixture *f, gconstpointer data)
{
	static const gint64 futures[] = {G_GINT64_CONSTANT(86400) * 366 * G_USEC_PER_SEC,
					 G_MAXINT64};
	const gint64 now = test_clock_us();

	for (guint i = 0; i < G_N_ELEMENTS(futures); i++) {
		g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));

		add_record(records, "cc1", PROCDB_NO_OVERRIDE);
		g_array_index(records, struct procdb_record, 0).profile.last_seen_us =
		    futures[i] == G_MAXINT64 ? G_MAXINT64 : now + futures[i];
		g_assert_true(test_import(f, records, FALSE, NULL));
		g_assert_cmpint(test_find(f, "cc1")->profile.last_seen_us, <=, test_clock_us());
		g_assert_cmpint(test_find(f, "cc1")->profile.last_seen_us, >=, now);
	}
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/import/merging-leaves-other-names", test_merging_leaves_other_names);
	add("/import/merging-leaves-overrides", test_merging_leaves_overrides);
	add("/import/a-record-may-have-an-override", test_a_record_may_have_an_override);
	add("/import/replacing-forgets-what-was-learned", test_replacing_forgets_what_was_learned);
	add("/import/replacing-leaves-overrides", test_replacing_leaves_overrides);
	add("/import/an-old-backup-is-remembered", test_an_old_backup_is_remembered);
	add("/import/the-future-of-others-is-now", test_the_future_of_others_is_now);
	add("/import/only-so-many-overrides", test_only_so_many_overrides);
	add("/import/the-number-is-checked-first", test_the_number_is_checked_first);
	add("/import/priors-of-known-names-are-left-out", test_priors_of_known_names_are_left_out);
	return g_test_run();
}
