/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Overrides by program and by unit, on the bus. */

#include "bus-fixture.h"

#include "ledger.h"

static void set(BusFixture *f, const char *what, const char *tier)
{
	g_variant_unref(bus_must(f, "SetOverrideFor",
				 g_variant_new("(@a{sv}s)", g_variant_new_parsed(what), tier)));
}

static void assert_list(BusFixture *f, const char *expected)
{
	g_autoptr(GVariant) reply = bus_must(f, "ListOverrides", NULL);
	g_autofree char *found = g_variant_print(reply, FALSE);

	g_assert_cmpstr(found, ==, expected);
}

#define ROW(kind, text, tier)                                                                      \
	"{'" kind "': <'" text "'>, 'tier': <'" tier "'>, 'source': <'administrator'>}"

static void test_they_are_set_listed_and_cleared(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) overrides = NULL;

	assert_list(f, "([],)");
	set(f, "{'program': <'train.py'>}", "batch");
	set(f, "{'unit': <'app-*.scope'>}", "lat-critical");
	set(f, "{'program': <'/srv/a\\\\xff'>}", "interactive");
	test_set_override(&f->engine, "make", PROCDB_TIER_BATCH);
	test_set_override(&f->engine, "cc1", PROCDB_TIER_BATCH);
	set(f, "{'program': <'train.py'>}", "lat-critical");
	overrides = bus_get(f, "Overrides");
	g_assert_cmpuint(g_variant_get_uint32(overrides), ==, 5);
	assert_list(
	    f,
	    "([" ROW("program", "train.py", "lat-critical") ", " ROW(
		"unit", "app-*.scope",
		"lat-critical") ", " ROW("program", "/srv/a\\\\xff",
					 "interactive") ", " ROW("name", "cc1",
								 "batch") ", " ROW("name", "make",
										   "batch") "],)");
	g_variant_unref(bus_must(f, "Reset", NULL));
	bus_fixture_restart(f);
	g_assert_cmpuint(procdb_engine_rules(f->engine.engine)->len, ==, 3);
}

static void test_one_that_is_cleared_is_gone(BusFixture *f, gconstpointer data)
{
	set(f, "{'unit': <'a.service'>}", "batch");
	bus_must_fail(f, "ClearOverrideFor", g_variant_new_parsed("({'program': <'a.service'>},)"),
		      OWN_ERROR("NoSuchProfile"));
	g_variant_unref(
	    bus_must(f, "ClearOverrideFor", g_variant_new_parsed("({'unit': <'a.service'>},)")));
	assert_list(f, "([],)");
	bus_fixture_restart(f);
	g_assert_cmpuint(procdb_engine_rules(f->engine.engine)->len, ==, 0);
}

static void test_what_no_task_can_have_is_refused(BusFixture *f, gconstpointer data)
{
	static const struct {
		const char *what, *error;
	} cases[] = {
	    {"@a{sv} {}", OWN_ERROR("InvalidFilter")},
	    {"{'name': <'cc1'>}", OWN_ERROR("InvalidFilter")},
	    {"{'program': <uint32 1>}", OWN_ERROR("InvalidFilter")},
	    {"{'program': <'a'>, 'unit': <'b'>}", OWN_ERROR("InvalidFilter")},
	    {"{'program': <''>}", OWN_ERROR("InvalidName")},
	    {"{'program': <'/usr/bin/'>}", OWN_ERROR("InvalidName")},
	    {"{'program': <'bin/train.py'>}", OWN_ERROR("InvalidName")},
	    {"{'program': <'nul\\\\x00'>}", OWN_ERROR("InvalidName")},
	    /* As in the name of a task. */
	    {"{'program': <'a\\\\xAB'>}", OWN_ERROR("InvalidName")},
	    {"{'program': <'a\\\\b'>}", OWN_ERROR("InvalidName")},
	    {"{'unit': <'a\342\200\250b'>}", OWN_ERROR("InvalidName")},
	    {"{'unit': <'system.slice/a.service'>}", OWN_ERROR("InvalidName")},
	};
	g_autofree char *path = g_strnfill(PROCDB_PATH_LEN, 'p');
	g_autofree char *unit = g_strnfill(PROCDB_UNIT_LEN, 'u');

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		bus_must_fail(
		    f, "SetOverrideFor",
		    g_variant_new("(@a{sv}s)", g_variant_new_parsed(cases[i].what), "batch"),
		    cases[i].error);
		bus_must_fail(f, "ClearOverrideFor",
			      g_variant_new("(@a{sv})", g_variant_new_parsed(cases[i].what)),
			      cases[i].error);
	}
	bus_must_fail(f, "SetOverrideFor",
		      g_variant_new_parsed("({'program': <%s>}, 'batch')", path),
		      OWN_ERROR("InvalidName"));
	bus_must_fail(f, "SetOverrideFor", g_variant_new_parsed("({'unit': <%s>}, 'batch')", unit),
		      OWN_ERROR("InvalidName"));
	bus_must_fail(f, "SetOverrideFor", g_variant_new_parsed("({'unit': <'a'>}, 'fast')"),
		      OWN_ERROR("InvalidTier"));
	bus_fixture_assert_untouched(f);
}

static void test_there_is_a_bounded_number(BusFixture *f, gconstpointer data)
{
	for (guint i = 0; i < PROCDB_MAX_RULES; i++) {
		g_autofree char *name = g_strdup_printf("%u.py", i);

		g_variant_unref(
		    bus_must(f, "SetOverrideFor",
			     g_variant_new_parsed("({'program': <%s>}, 'batch')", name)));
	}
	bus_must_fail(f, "SetOverrideFor",
		      g_variant_new_parsed("({'program': <'more.py'>}, 'batch')"),
		      OWN_ERROR("LimitExceeded"));
}

static void test_a_task_says_what_decided_for_it(BusFixture *f, gconstpointer data)
{
	struct procdb_task_row *task = bus_fixture_add_task(f, 5, "python3");
	g_autoptr(GVariant) reply = NULL, rows = NULL, row = NULL;
	const char *tier = NULL, *by = NULL;

	task->decision = PROCDB_DECISION(PROCDB_TIER_BATCH, PROCDB_BY_PROGRAM);
	reply =
	    bus_must(f, "ListTasks", g_variant_new_parsed("({'pattern': <'python3'>}, uint32 0)"));
	rows = g_variant_get_child_value(reply, 0);
	row = g_variant_get_child_value(rows, 0);
	g_variant_lookup(row, "override", "&s", &tier);
	g_variant_lookup(row, "override_by", "&s", &by);
	g_assert_cmpstr(tier, ==, "batch");
	g_assert_cmpstr(by, ==, "program");
}

/* It would say what the path does, which is for its user and root. */
static void test_what_decided_is_not_told_of_others(BusFixture *f, gconstpointer data)
{
	struct procdb_task_row *task = bus_fixture_add_task(f, 5, "python3");
	g_autoptr(GVariant) reply = NULL, rows = NULL, row = NULL;

	f->authority.uid = 1002;
	task->uid = 1001;
	task->decision = PROCDB_DECISION(PROCDB_TIER_BATCH, PROCDB_BY_PROGRAM);
	reply =
	    bus_must(f, "ListTasks", g_variant_new_parsed("({'pattern': <'python3'>}, uint32 0)"));
	rows = g_variant_get_child_value(reply, 0);
	row = g_variant_get_child_value(rows, 0);
	g_assert_false(g_variant_lookup(row, "override", "s", NULL));
	g_assert_false(g_variant_lookup(row, "override_by", "s", NULL));
}

static void add(const char *path, void (*test)(BusFixture *f, gconstpointer data))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/overrides/set-listed-and-cleared", test_they_are_set_listed_and_cleared);
	add("/overrides/cleared", test_one_that_is_cleared_is_gone);
	add("/overrides/what-no-task-can-have", test_what_no_task_can_have_is_refused);
	add("/overrides/a-bounded-number", test_there_is_a_bounded_number);
	add("/overrides/what-decided-for-a-task", test_a_task_says_what_decided_for_it);
	add("/overrides/what-decided-is-not-told-of-others",
	    test_what_decided_is_not_told_of_others);
	return bus_fixture_run_tests();
}
