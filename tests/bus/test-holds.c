/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Overrides for a time, which end with the caller that holds them. */

#include "bus-fixture.h"

#include "holds.h"

static guint32 hold_on(BusFixture *f, GDBusConnection *from, const char *name, const char *tier)
{
	g_auto(BusCall) call = {0};
	guint32 cookie;

	bus_call_begin(f, &call, from, "Hold", g_variant_new("(sss)", name, tier, "a test"),
		       G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	g_assert_cmpstr(call.error, ==, NULL);
	g_variant_get(call.reply, "(u)", &cookie);
	return cookie;
}

static void release(BusFixture *f, guint32 cookie)
{
	g_variant_unref(bus_must(f, "ReleaseHold", g_variant_new("(u)", cookie)));
}

static void assert_predicts(BusFixture *f, const char *name, enum procdb_tier expected)
{
	enum procdb_tier tier = PROCDB_TIERS;

	g_assert_true(test_predicts(&f->engine, name, &tier));
	g_assert_cmpuint(tier, ==, expected);
}

static void test_it_is_in_force_until_it_is_released(BusFixture *f, gconstpointer data)
{
	guint32 cookie = hold_on(f, f->caller, "cc1", "lat-critical");

	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	release(f, cookie);
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
	bus_must_fail(f, "ReleaseHold", g_variant_new("(u)", cookie), OWN_ERROR("NoSuchHold"));
	test_check_consistent(&f->engine);
}

static void test_it_ends_with_its_caller(BusFixture *f, gconstpointer data)
{
	GDBusConnection *holder = bus_connect();

	hold_on(f, holder, "cc1", "lat-critical");
	hold_on(f, holder, "unknown", "batch");
	assert_predicts(f, "unknown", PROCDB_TIER_BATCH);
	bus_close(holder);
	for (guint i = 0; i < 1000 && test_find(&f->engine, "unknown"); i++)
		bus_settle(f);
	/* A name of which nothing else is known is gone with it. */
	g_assert_null(test_find(&f->engine, "unknown"));
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
	g_assert_false(test_predicts(&f->engine, "unknown", NULL));
	test_check_consistent(&f->engine);
}

static void test_of_several_the_last_counts(BusFixture *f, gconstpointer data)
{
	GDBusConnection *other = bus_connect();
	guint32 first = hold_on(f, f->caller, "cc1", "lat-critical");
	guint32 second = hold_on(f, f->caller, "cc1", "interactive");
	g_auto(BusCall) call = {0};

	g_assert_cmpuint(first, !=, second);
	assert_predicts(f, "cc1", PROCDB_TIER_INTERACTIVE);
	/* Another caller has no say in it. */
	bus_call_begin(f, &call, other, "ReleaseHold", g_variant_new("(u)", second),
		       G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	g_assert_cmpstr(call.error, ==, OWN_ERROR("NoSuchHold"));
	release(f, second);
	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	release(f, first);
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
	bus_close(other);
}

static void test_it_is_above_an_override_and_outlives_what_is_forgotten(BusFixture *f,
									gconstpointer data)
{
	guint32 cookie;

	test_set_override(&f->engine, "cc1", PROCDB_TIER_INTERACTIVE);
	cookie = hold_on(f, f->caller, "cc1", "lat-critical");
	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", "cc1")));
	test_steps(&f->engine, 1);
	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	g_variant_unref(bus_must(f, "Reset", NULL));
	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	g_variant_unref(bus_must(f, "LoadDatabase", NULL));
	test_steps(&f->engine, 1);
	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	test_check_consistent(&f->engine);
	release(f, cookie);
	g_assert_null(test_find(&f->engine, "cc1"));
}

static void test_it_is_in_no_file(BusFixture *f, gconstpointer data)
{
	hold_on(f, f->caller, "cc1", "lat-critical");
	hold_on(f, f->caller, "unknown", "lat-critical");
	g_variant_unref(bus_must(f, "Save", NULL));
	bus_fixture_restart(f);
	g_assert_null(test_find(&f->engine, "unknown"));
	g_assert_cmpuint(test_find(&f->engine, "cc1")->profile.override, ==, PROCDB_NO_OVERRIDE);
}

static void test_a_path_is_the_name_that_its_tasks_have(BusFixture *f, gconstpointer data)
{
	hold_on(f, f->caller, "/usr/bin/gnome-control-center", "batch");
	assert_predicts(f, "gnome-control-c", PROCDB_TIER_BATCH);
	bus_must_fail(f, "Hold", g_variant_new("(sss)", "/usr/bin/", "batch", ""),
		      OWN_ERROR("InvalidName"));
	bus_must_fail(f, "Hold", g_variant_new("(sss)", "sixteen-bytes-is", "batch", ""),
		      OWN_ERROR("InvalidName"));
	bus_must_fail(f, "Hold", g_variant_new("(sss)", "cc1", "fast", ""),
		      OWN_ERROR("InvalidTier"));
}

/* Whether one more is granted. */
static gboolean try_hold(BusFixture *f, const char *name)
{
	g_auto(BusCall) call = {0};

	bus_call(f, &call, "Hold", g_variant_new("(sss)", name, "batch", "a test"));
	return !call.error;
}

static void test_a_user_holds_a_bounded_number(BusFixture *f, gconstpointer data)
{
	gboolean granted = FALSE;
	g_autofree char *reason = g_strnfill(PROCDB_MAX_REASON + 1, 'x');
	GDBusConnection *other = bus_connect();

	for (guint i = 0; i < PROCDB_MAX_HOLDS_PER_USER; i++)
		hold_on(f, i % 2 ? f->caller : other, "cc1", "batch");
	bus_must_fail(f, "Hold", g_variant_new("(sss)", "cc1", "batch", ""),
		      OWN_ERROR("LimitExceeded"));
	bus_close(other);
	/* Those of one that left do not count, once the bus has told of it. */
	for (guint i = 0; i < 1000 && !granted; i++)
		granted = try_hold(f, "make");
	g_assert_true(granted);
	bus_must_fail(f, "Hold", g_variant_new("(sss)", "cc1", "batch", reason),
		      OWN_ERROR("LimitExceeded"));
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/holds/in-force-until-released", test_it_is_in_force_until_it_is_released);
	add("/holds/it-ends-with-its-caller", test_it_ends_with_its_caller);
	add("/holds/of-several-the-last-counts", test_of_several_the_last_counts);
	add("/holds/above-an-override",
	    test_it_is_above_an_override_and_outlives_what_is_forgotten);
	add("/holds/in-no-file", test_it_is_in_no_file);
	add("/holds/a-path-is-a-name", test_a_path_is_the_name_that_its_tasks_have);
	add("/holds/a-bounded-number", test_a_user_holds_a_bounded_number);
	return bus_fixture_run_tests();
}
