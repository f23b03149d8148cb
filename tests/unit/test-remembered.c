/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * What is remembered of programs that run seldom, beside a user that runs thousands of
 * names, of what root taught, and over restarts with the machine off or its clock wrong.
 */

#include <string.h>

#include "engine-fixture.h"
#include "engine-state.h"

#define DAY_US (G_GINT64_CONSTANT(24) * 60 * 60 * G_USEC_PER_SEC)

static void set_up(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;

	settings.max_candidates = 4096;
	engine_fixture_set_up(f, &settings, 32768);
	engine_fixture_allow_warnings();
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	test_step(f);
	test_check_consistent(f);
	engine_fixture_tear_down(f);
}

static void observe(EngineFixture *f, const char *name, enum procdb_tier tier, guint32 uid)
{
	struct procdb_comm comm = test_comm(name);
	struct procdb_class seen = test_class(tier, 1000000);

	seen.pad[PROCDB_PAD_TEACHERS] = uid == 0 ? PROCDB_TAUGHT_BY_ROOT : PROCDB_TAUGHT_BY_USERS;
	memcpy(&seen.pad[PROCDB_PAD_UID], &uid, sizeof(uid));
	test_maps_observe(f->backend, &comm, &seen);
}

/* Time passes, with a tick each second as far as it matters. */
static void pass(EngineFixture *f, gint64 seconds)
{
	const gint64 ticks = MIN(seconds, 120);

	test_clock_advance((seconds - ticks) * G_USEC_PER_SEC);
	for (gint64 i = 0; i < ticks; i++) {
		test_clock_advance(G_USEC_PER_SEC);
		test_step(f);
	}
}

/* One run, again and again, with so many seconds in between. */
static void test_runs_seldom(EngineFixture *f, gconstpointer data)
{
	const gint64 gap_s = GPOINTER_TO_INT(data);

	for (guint i = 0; i < 3; i++) {
		g_assert_false(test_predicts(f, "nightly", NULL));
		observe(f, "nightly", PROCDB_TIER_BATCH, 1000);
		test_step(f);
		pass(f, gap_s);
	}
	g_assert_true(test_predicts(f, "nightly", NULL));
}

/* Over restarts too: a machine may be on for an hour a day. */
static void test_a_candidate_survives_a_restart(EngineFixture *f, gconstpointer data)
{
	for (guint i = 0; i < 3; i++) {
		observe(f, "nightly", PROCDB_TIER_BATCH, 1000);
		test_step(f);
		g_assert_true(f->engine->dirty);
		g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
		test_clock_advance(DAY_US);
		engine_fixture_restart(f, 512);
	}
	g_assert_true(test_predicts(f, "nightly", NULL));
	g_assert_cmpuint(test_find(f, "nightly")->profile.owner, ==, 1000);
}

static void test_candidates_are_forgotten_in_the_end(EngineFixture *f, gconstpointer data)
{
	observe(f, "once", PROCDB_TIER_BATCH, 1000);
	test_step(f);
	pass(f, 29 * 86400);
	g_assert_cmpint(test_find(f, "once")->set, ==, PROCDB_SET_CANDIDATE);
	pass(f, 2 * 86400);
	g_assert_null(test_find(f, "once"));
}

static void test_candidates_are_bounded(EngineFixture *f, gconstpointer data)
{
	for (guint i = 0; i < 6000; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);

		observe(f, name, PROCDB_TIER_BATCH, 1000);
		if (i % 100 == 0)
			pass(f, 1);
	}
	pass(f, 120);
	g_assert_cmpuint(procdb_table_count(procdb_engine_table(f->engine), PROCDB_SET_CANDIDATE),
			 <=, 4096);
}

static void learn_honest(EngineFixture *f, guint count, guint32 uid)
{
	for (guint minute = 0; minute < 10; minute++) {
		for (guint i = 0; i < count; i++) {
			g_autofree char *name = g_strdup_printf("honest%u", i);

			observe(f, name, PROCDB_TIER_BATCH, uid);
		}
		pass(f, 60);
	}
}

static guint honest(EngineFixture *f, guint count)
{
	guint known = 0;

	for (guint i = 0; i < count; i++) {
		g_autofree char *name = g_strdup_printf("honest%u", i);

		known += test_predicts(f, name, NULL);
	}
	return known;
}

/* 17,500 names, each three times in a row, as fast as 500 a second. */
static void flood(EngineFixture *f, guint32 uid)
{
	for (guint block = 0; block < 17500; block += 500) {
		for (guint life = 0; life < 3; life++) {
			for (guint i = block; i < block + 500; i++) {
				g_autofree char *name = g_strdup_printf("z%x", i);

				observe(f, name, PROCDB_TIER_BATCH, uid);
			}
			pass(f, 1);
		}
	}
}

static void test_a_flood(EngineFixture *f, gconstpointer data)
{
	const guint32 honest_uid = GPOINTER_TO_UINT(data);
	ProcdbEngineStatus status;

	learn_honest(f, 300, honest_uid);
	g_assert_cmpuint(honest(f, 300), ==, 300);
	flood(f, 2001);
	for (guint i = 0; i < 3; i++) {
		observe(f, "new", PROCDB_TIER_BATCH, honest_uid);
		flood(f, 2001);
	}
	procdb_engine_status(f->engine, &status);
	g_assert_nonnull(strstr(status.flood, "user 2001 creates"));
	g_assert_cmpuint(honest(f, 300), ==, 300);
	g_assert_true(test_predicts(f, "new", NULL));
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	pass(f, 180);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.flood, ==, "");
	engine_fixture_restart(f, 32768);
	g_assert_cmpuint(honest(f, 300), ==, 300);
}

/* Not only when the minute is over in which it began. */
static void test_a_flood_is_named_at_once(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	while (procdb_engine_get_tick(f->engine) % 60 != 1)
		pass(f, 1);
	for (guint i = 0; i < 1500; i++) {
		g_autofree char *name = g_strdup_printf("z%x", i);

		observe(f, name, PROCDB_TIER_BATCH, 2001);
		if (i % 500 == 499)
			pass(f, 1);
	}
	procdb_engine_status(f->engine, &status);
	g_assert_nonnull(strstr(status.flood, "user 2001 creates"));
	pass(f, 180);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.flood, ==, "");
}

static enum procdb_tier predicted(EngineFixture *f, const char *name)
{
	enum procdb_tier tier = PROCDB_TIERS;

	g_assert_true(test_predicts(f, name, &tier));
	return tier;
}

static void learn_as(EngineFixture *f, const char *name, enum procdb_tier tier, guint32 uid,
		     guint n)
{
	for (guint i = 0; i < n; i++) {
		observe(f, name, tier, uid);
		test_step(f);
	}
}

static void be_wrong(EngineFixture *f, const char *name, guint32 wrong)
{
	struct procdb_comm comm = test_comm(name);

	test_maps_score(f->backend, &comm, (struct procdb_score){.found = 1, .wrong = wrong});
	test_step(f);
}

static void test_users_do_not_turn_what_root_taught(EngineFixture *f, gconstpointer data)
{
	learn_as(f, "sshd-like", PROCDB_TIER_LAT_CRITICAL, 0, 4);
	learn_as(f, "sshd-like", PROCDB_TIER_BATCH, 2001, 100);
	be_wrong(f, "sshd-like", 100);
	g_assert_cmpint(predicted(f, "sshd-like"), ==, PROCDB_TIER_LAT_CRITICAL);
	/* Users that agree count, and root may change its ways. */
	learn_as(f, "sshd-like", PROCDB_TIER_LAT_CRITICAL, 1000, 2);
	g_assert_cmpuint(test_find(f, "sshd-like")->profile.observations, ==, 6);
	learn_as(f, "sshd-like", PROCDB_TIER_BATCH, 0, 100);
	g_assert_cmpint(predicted(f, "sshd-like"), ==, PROCDB_TIER_BATCH);
}

static void protect_below(EngineFixture *f, guint uid)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	settings.protect_below_uid = uid;
	procdb_engine_configure(f->engine, &settings);
}

static void test_root_may_be_turned_where_that_is_asked_for(EngineFixture *f, gconstpointer data)
{
	protect_below(f, 0);
	learn_as(f, "sshd-like", PROCDB_TIER_LAT_CRITICAL, 0, 4);
	learn_as(f, "sshd-like", PROCDB_TIER_BATCH, 2001, 100);
	g_assert_cmpint(predicted(f, "sshd-like"), ==, PROCDB_TIER_BATCH);
}

/* Daemons run as users of the system's. */
static void test_users_do_not_turn_what_the_system_taught(EngineFixture *f, gconstpointer data)
{
	learn_as(f, "before", PROCDB_TIER_LAT_CRITICAL, 33, 4);
	learn_as(f, "before", PROCDB_TIER_BATCH, 2001, 100);
	g_assert_cmpint(predicted(f, "before"), ==, PROCDB_TIER_BATCH);
	protect_below(f, 1000);
	learn_as(f, "httpd", PROCDB_TIER_LAT_CRITICAL, 33, 4);
	learn_as(f, "httpd", PROCDB_TIER_BATCH, 2001, 100);
	be_wrong(f, "httpd", 100);
	g_assert_cmpint(predicted(f, "httpd"), ==, PROCDB_TIER_LAT_CRITICAL);
	learn_as(f, "httpd", PROCDB_TIER_LAT_CRITICAL, 2001, 1);
	g_assert_cmpuint(test_find(f, "httpd")->profile.observations, ==, 5);
	/* A user that was first, with one life, does not keep the system from it. */
	learn_as(f, "timed", PROCDB_TIER_BATCH, 2001, 1);
	learn_as(f, "timed", PROCDB_TIER_LAT_CRITICAL, 102, 5);
	learn_as(f, "timed", PROCDB_TIER_BATCH, 2001, 100);
	g_assert_cmpint(predicted(f, "timed"), ==, PROCDB_TIER_LAT_CRITICAL);
	/* The system itself may change its ways, and so may a user with what is its own. */
	learn_as(f, "httpd", PROCDB_TIER_BATCH, 33, 100);
	g_assert_cmpint(predicted(f, "httpd"), ==, PROCDB_TIER_BATCH);
	learn_as(f, "own", PROCDB_TIER_LAT_CRITICAL, 2001, 4);
	learn_as(f, "own", PROCDB_TIER_BATCH, 2002, 100);
	g_assert_cmpint(predicted(f, "own"), ==, PROCDB_TIER_BATCH);
}

/* One run as root under a name that users have made their own changes nothing for them. */
static void test_root_takes_over_only_what_does_not_predict_yet(EngineFixture *f,
								gconstpointer data)
{
	learn_as(f, "browser", PROCDB_TIER_INTERACTIVE, 1000, 5);
	learn_as(f, "browser", PROCDB_TIER_INTERACTIVE, 0, 1);
	g_assert_cmpuint(test_find(f, "browser")->profile.owner, ==, 1000);
	learn_as(f, "browser", PROCDB_TIER_BATCH, 1000, 30);
	g_assert_cmpint(predicted(f, "browser"), ==, PROCDB_TIER_BATCH);
	learn_as(f, "daemon", PROCDB_TIER_BATCH, 2001, 1);
	learn_as(f, "daemon", PROCDB_TIER_LAT_CRITICAL, 0, 5);
	learn_as(f, "daemon", PROCDB_TIER_BATCH, 2001, 100);
	g_assert_cmpint(predicted(f, "daemon"), ==, PROCDB_TIER_LAT_CRITICAL);
}

/* Days off, or a clock that is days wrong, at the start. */
static void test_a_start_days_later_loses_nothing(EngineFixture *f, gconstpointer data)
{
	const gint64 days = GPOINTER_TO_INT(data);

	learn_honest(f, 100, 1000);
	observe(f, "once", PROCDB_TIER_BATCH, 1000);
	test_step(f);
	/* Twice, and the second time with something seen at the wrong time. */
	for (guint i = 0; i < 2; i++) {
		g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
		test_clock_advance(days * DAY_US);
		engine_fixture_restart(f, 512);
		g_assert_cmpuint(honest(f, 100), ==, 100);
		g_assert_nonnull(test_find(f, "once"));
		learn_as(f, "later", PROCDB_TIER_BATCH, 1000, 3);
	}
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	test_clock_advance(-2 * days * DAY_US);
	engine_fixture_restart(f, 512);
	g_assert_cmpuint(honest(f, 100), ==, 100);
	g_assert_true(test_predicts(f, "later", NULL));
	test_steps(f, 100);
	g_assert_cmpuint(honest(f, 100), ==, 100);
}

/* But what was not seen for so long while the machine ran is forgotten, restarts or not. */
static void test_days_of_running_add_up(EngineFixture *f, gconstpointer data)
{
	learn_as(f, "old", PROCDB_TIER_BATCH, 1000, 3);
	for (guint i = 0; i < 31; i++) {
		g_assert_nonnull(test_find(f, "old"));
		pass(f, 86400);
		learn_as(f, "daily", PROCDB_TIER_BATCH, 1000, 1);
		g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
		engine_fixture_restart(f, 512);
	}
	g_assert_null(test_find(f, "old"));
	g_assert_true(test_predicts(f, "daily", NULL));
}

static void add(const char *path, gconstpointer data, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, data, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/remembered/every-90-seconds", GINT_TO_POINTER(90), test_runs_seldom);
	add("/remembered/every-10-minutes", GINT_TO_POINTER(600), test_runs_seldom);
	add("/remembered/every-day", GINT_TO_POINTER(86400), test_runs_seldom);
	add("/remembered/a-candidate-survives-a-restart", NULL,
	    test_a_candidate_survives_a_restart);
	add("/remembered/candidates-are-forgotten-in-the-end", NULL,
	    test_candidates_are_forgotten_in_the_end);
	add("/remembered/candidates-are-bounded", NULL, test_candidates_are_bounded);
	add("/remembered/a-flood-beside-another-user", GUINT_TO_POINTER(1000), test_a_flood);
	add("/remembered/a-flood-beside-root", GUINT_TO_POINTER(0), test_a_flood);
	add("/remembered/a-flood-is-named-at-once", NULL, test_a_flood_is_named_at_once);
	add("/remembered/a-flood-of-the-same-user", GUINT_TO_POINTER(2001), test_a_flood);
	add("/remembered/users-do-not-turn-what-root-taught", NULL,
	    test_users_do_not_turn_what_root_taught);
	add("/remembered/root-may-be-turned-where-that-is-asked-for", NULL,
	    test_root_may_be_turned_where_that_is_asked_for);
	add("/remembered/users-do-not-turn-what-the-system-taught", NULL,
	    test_users_do_not_turn_what_the_system_taught);
	add("/remembered/root-takes-over-only-what-does-not-predict-yet", NULL,
	    test_root_takes_over_only_what_does_not_predict_yet);
	add("/remembered/42-days-off", GINT_TO_POINTER(42), test_a_start_days_later_loses_nothing);
	add("/remembered/400-days-ahead", GINT_TO_POINTER(400),
	    test_a_start_days_later_loses_nothing);
	add("/remembered/days-of-running-add-up", NULL, test_days_of_running_add_up);
	return g_test_run();
}
