/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* How long tasks wait, and trials, over the bus. */

#include "bus-fixture.h"

static void start(BusFixture *f, GDBusConnection *from)
{
	g_auto(BusCall) call = {0};

	bus_call_begin(f, &call, from, "StartTrial", g_variant_new("(u)", 60),
		       G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	g_assert_null(call.error);
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_RUNNING);
	g_assert_cmpuint(f->trial.seconds, ==, 60);
}

static void wait_until_ended(BusFixture *f)
{
	const gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;

	while (f->trial.state == PROCDB_TRIAL_RUNNING && g_get_monotonic_time() < deadline)
		g_main_context_iteration(NULL, FALSE);
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_ENDED);
}

static void test_a_trial_ends_with_its_caller(BusFixture *f, gconstpointer data)
{
	GDBusConnection *caller = bus_connect();

	start(f, caller);
	bus_close(caller);
	wait_until_ended(f);
	g_assert_cmpstr(f->trial.reason, ==, "the program that began it has ended");
	/* The next one is another caller's. */
	start(f, f->caller);
	bus_settle(f);
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_RUNNING);
}

static void test_a_caller_of_before_ends_no_later_trial(BusFixture *f, gconstpointer data)
{
	GDBusConnection *caller = bus_connect();

	start(f, caller);
	g_variant_unref(bus_must(f, "StopTrial", NULL));
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_ENDED);
	start(f, f->caller);
	bus_close(caller);
	bus_settle(f);
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_RUNNING);
}

static void test_a_trial_ends_with_the_connection_of_the_service(BusFixture *f, gconstpointer data)
{
	start(f, f->caller);
	procdb_object_unexport(f->object);
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_ENDED);
	g_assert_cmpstr(f->trial.reason, ==, "the connection to the bus is lost");
}

static void test_without_a_trial_stopping_is_no_error(BusFixture *f, gconstpointer data)
{
	g_variant_unref(bus_must(f, "StopTrial", NULL));
	g_assert_cmpint(f->trial.state, ==, PROCDB_TRIAL_NONE);
}

static void test_seconds_have_bounds(BusFixture *f, gconstpointer data)
{
	static const guint wrong[] = {0, 19, 601, G_MAXUINT};

	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		bus_must_fail(f, "StartTrial", g_variant_new("(u)", wrong[i]),
			      OWN_ERROR("LimitExceeded"));
	g_assert_cmpuint(f->trials, ==, 0);
}

static void test_what_cannot_begin_is_an_error(BusFixture *f, gconstpointer data)
{
	f->host_refuses = TRUE;
	bus_must_fail(f, "StartTrial", g_variant_new("(u)", 60), OWN_ERROR("NoBackend"));
	f->host_refuses = FALSE;
	start(f, f->caller);
}

static void test_a_trial_has_a_state_and_a_result(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) state = NULL, progress = NULL, reply = NULL, result = NULL;
	const char *verdict;
	guint64 with, without;
	double ratio;

	start(f, f->caller);
	state = bus_get(f, "TrialState");
	progress = bus_get(f, "TrialProgress");
	g_assert_cmpstr(g_variant_get_string(state, NULL), ==, "running");
	g_assert_cmpuint(g_variant_get_uint32(progress), ==, 10);
	f->trial.state = PROCDB_TRIAL_DONE;
	f->trial.comparison = (struct procdb_comparison){
	    .effect = PROCDB_EFFECT_HELPS,
	    .reason = "so it is",
	    .with = {1, 2, 3},
	    .without = {4, 5, 6},
	    .delay = {[PROCDB_P90] = {TRUE, .5, .4, .6}},
	};
	reply = bus_must(f, "GetTrial", NULL);
	result = g_variant_get_child_value(reply, 0);
	g_assert_true(g_variant_lookup(result, "verdict", "&s", &verdict));
	g_assert_cmpstr(verdict, ==, "helps");
	g_assert_true(g_variant_lookup(result, "p90_with", "t", &with));
	g_assert_true(g_variant_lookup(result, "p90_without", "t", &without));
	g_assert_cmpuint(with, ==, 2);
	g_assert_cmpuint(without, ==, 5);
	g_assert_true(g_variant_lookup(result, "p90_ratio_high", "d", &ratio));
	g_assert_cmpfloat(ratio, ==, .6);
	/* It is not known. */
	g_assert_false(g_variant_lookup(result, "batch_ratio", "d", &ratio));
}

static void test_a_trial_that_ended_early_has_no_verdict(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, result = NULL;
	const char *text;
	guint pairs;

	start(f, f->caller);
	g_variant_unref(bus_must(f, "StopTrial", NULL));
	f->trial.comparison.pairs = 3;
	reply = bus_must(f, "GetTrial", NULL);
	result = g_variant_get_child_value(reply, 0);
	g_assert_true(g_variant_lookup(result, "state", "&s", &text));
	g_assert_cmpstr(text, ==, "ended");
	g_assert_false(g_variant_lookup(result, "verdict", "&s", &text));
	g_assert_false(g_variant_lookup(result, "because", "&s", &text));
	g_assert_true(g_variant_lookup(result, "pairs", "u", &pairs));
	g_assert_cmpuint(pairs, ==, 3);
}

static void test_the_guard_has_a_state(BusFixture *f, gconstpointer data)
{
	static const char *const names[] = {
	    [PROCDB_GUARD_OFF] = "off",
	    [PROCDB_GUARD_WATCHING] = "watching",
	    [PROCDB_GUARD_LOOKING] = "looking",
	    [PROCDB_GUARD_PAUSED] = "paused",
	};

	for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autoptr(GVariant) state = NULL, retry = NULL;

		f->guard = (ProcdbGuardStatus){.state = (ProcdbGuardState)i, .retry_us = 1000 * i};
		procdb_object_guard_changed(f->object);
		state = bus_get(f, "GuardState");
		retry = bus_get(f, "GuardRetry");
		g_assert_cmpstr(g_variant_get_string(state, NULL), ==, names[i]);
		g_assert_cmpint(g_variant_get_int64(retry), ==, 1000 * i);
	}
}

static void test_before_the_first_trial_there_is_no_verdict(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = bus_must(f, "GetTrial", NULL);
	g_autoptr(GVariant) result = g_variant_get_child_value(reply, 0);
	const char *text;

	g_assert_true(g_variant_lookup(result, "state", "&s", &text));
	g_assert_cmpstr(text, ==, "none");
	g_assert_false(g_variant_lookup(result, "verdict", "&s", &text));
}

static void test_delays_are_listed_by_tier_and_side(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, rows = NULL, row = NULL, buckets = NULL;
	guint64 count, p90, end, in_bucket;
	gboolean applied;
	const char *tier;

	f->delays.waits[PROCDB_TIER_LAT_CRITICAL][PROCDB_DELAY_APPLIED][30] = 12;
	reply = bus_must(f, "GetDelays", NULL);
	rows = g_variant_get_child_value(reply, 0);
	g_assert_cmpuint(g_variant_n_children(rows), ==, PROCDB_TIERS * PROCDB_DELAY_SIDES);
	row = g_variant_get_child_value(rows, 5);
	g_assert_true(g_variant_lookup(row, "tier", "&s", &tier));
	g_assert_true(g_variant_lookup(row, "applied", "b", &applied));
	g_assert_true(g_variant_lookup(row, "count", "t", &count));
	g_assert_true(g_variant_lookup(row, "p90", "t", &p90));
	g_assert_cmpstr(tier, ==, "lat-critical");
	g_assert_true(applied);
	g_assert_cmpuint(count, ==, 12);
	g_assert_cmpuint(p90, >=, procdb_delay_from(30));
	g_assert_cmpuint(p90, <=, procdb_delay_from(31));
	buckets = g_variant_lookup_value(row, "buckets", G_VARIANT_TYPE("a(tt)"));
	g_assert_nonnull(buckets);
	g_assert_cmpuint(g_variant_n_children(buckets), ==, 1);
	g_variant_get_child(buckets, 0, "(tt)", &end, &in_bucket);
	g_assert_cmpuint(end, ==, procdb_delay_from(31));
	g_assert_cmpuint(in_bucket, ==, 12);
}

static void test_the_history_has_what_waited_in_each_minute(BusFixture *f, gconstpointer data)
{
	struct procdb_delays delays = {0};
	g_autoptr(GVariant) reply = NULL, rows = NULL;
	const char *tier;
	gint64 end;
	gboolean applied;
	guint64 count;

	for (gint64 i = 0; i < 3; i++) {
		procdb_history_add(&f->history, i, &delays);
		delays.waits[PROCDB_TIER_BATCH][PROCDB_DELAY_APPLIED][20] += 7;
	}
	reply = bus_must(f, "GetHistory", NULL);
	rows = g_variant_get_child_value(reply, 0);
	g_assert_cmpuint(g_variant_n_children(rows), ==, 2);
	g_variant_get_child(rows, 1, "(x&sbtttt)", &end, &tier, &applied, &count, NULL, NULL, NULL);
	g_assert_cmpint(end, ==, 2);
	g_assert_cmpstr(tier, ==, "batch");
	g_assert_true(applied);
	g_assert_cmpuint(count, ==, 7);
}

static void test_without_an_observer_no_delays_are_listed(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, rows = NULL;

	f->host_refuses = TRUE;
	reply = bus_must(f, "GetDelays", NULL);
	rows = g_variant_get_child_value(reply, 0);
	g_assert_cmpuint(g_variant_n_children(rows), ==, 0);
}

static void add(const char *path, void (*test)(BusFixture *f, gconstpointer data))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/trials/caller", test_a_trial_ends_with_its_caller);
	add("/trials/caller-of-before", test_a_caller_of_before_ends_no_later_trial);
	add("/trials/connection", test_a_trial_ends_with_the_connection_of_the_service);
	add("/trials/none", test_without_a_trial_stopping_is_no_error);
	add("/trials/bounds", test_seconds_have_bounds);
	add("/trials/refused", test_what_cannot_begin_is_an_error);
	add("/trials/result", test_a_trial_has_a_state_and_a_result);
	add("/trials/ended-early", test_a_trial_that_ended_early_has_no_verdict);
	add("/trials/no-result", test_before_the_first_trial_there_is_no_verdict);
	add("/guard/state", test_the_guard_has_a_state);
	add("/delays/rows", test_delays_are_listed_by_tier_and_side);
	add("/delays/history", test_the_history_has_what_waited_in_each_minute);
	add("/delays/no-observer", test_without_an_observer_no_delays_are_listed);
	return bus_fixture_run_tests();
}
