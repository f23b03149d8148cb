/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* QueryProfiles: which rows it answers with, in which order, and what they say. */

#include "bus-fixture.h"

#include "rows.h"

#define MANY 16384

/* The rows that a filter, in GVariant's text, lets pass. */
static GVariant *query(BusFixture *f, const char *filter, guint limit, guint64 *serial)
{
	g_autoptr(GVariant) wanted = g_variant_ref_sink(
	    g_variant_new_parsed("(%@a{sv}, %u)", g_variant_new_parsed(filter), limit));
	g_autoptr(GVariant) reply = bus_must(f, "QueryProfiles", wanted);
	GVariant *rows;

	g_assert_cmpstr(g_variant_get_type_string(reply), ==, "(aa{sv}t)");
	g_variant_get(reply, "(@aa{sv}t)", &rows, serial);
	return rows;
}

static char *names(BusFixture *f, const char *filter, guint limit)
{
	guint64 serial;
	g_autoptr(GVariant) rows = query(f, filter, limit, &serial);
	GString *text = g_string_new(NULL);

	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		const char *name;

		g_assert_true(g_variant_lookup(row, "name", "&s", &name));
		g_string_append_printf(text, "%s%s", i ? " " : "", name);
	}
	return g_string_free(text, FALSE);
}

static void assert_names(BusFixture *f, const char *filter, guint limit, const char *expected)
{
	g_autofree char *found = names(f, filter, limit);

	g_assert_cmpstr(found, ==, expected);
}

static GVariant *row_of(BusFixture *f, const char *name)
{
	return bus_must(f, "GetProfile", g_variant_new("(s)", name));
}

static void assert_text(GVariant *reply, const char *key, const char *expected)
{
	g_autoptr(GVariant) row = g_variant_get_child_value(reply, 0);
	const char *value = NULL;

	g_variant_lookup(row, key, "&s", &value);
	g_assert_cmpstr(value, ==, expected);
}

/* A program of "cc1" as BPF counts it. */
static void count_cc1(BusFixture *f, guint64 cpu, guint32 uid)
{
	struct procdb_program program = {
	    .cpu = cpu,
	    .alive = 2000000000,
	    .wakeups = 9,
	    .switches = 5,
	    .waits = {[PROCDB_DELAY_APPLIED] = {[1] = 99, [4] = 1}},
	    .uid = uid,
	    .kind = PROCDB_KIND_PROCESS,
	    .path = "/usr/lib/gcc/cc1\n\xff",
	    .unit = "app-gnome-org.gnome.Builder-77.scope",
	};
	struct procdb_comm comm = test_comm("cc1");

	test_maps_count_program(f->engine.backend, &comm, &program);
}

static void test_filters(BusFixture *f, gconstpointer data)
{
	test_learn(&f->engine, "new", PROCDB_TIER_LAT_CRITICAL, 1);
	assert_names(f, "@a{sv} {}", 0, "cc1 make new");
	assert_names(f, "@a{sv} {}", 2, "cc1 make");
	assert_names(f, "{'pattern': <'?a*'>}", 0, "make");
	assert_names(f, "{'tier': <'batch'>}", 0, "cc1");
	assert_names(f, "{'confident': <false>}", 0, "new");
	assert_names(f, "{'applied': <true>, 'pattern': <'m*'>}", 0, "make");
	assert_names(f, "{'applied': <false>}", 0, "new");
	assert_names(f, "{'sort': <'name'>}", 1, "cc1");
}

static void test_what_is_no_filter_is_named(BusFixture *f, gconstpointer data)
{
	static const char *const wrong[][2] = {
	    {"{'colour': <'red'>}", "colour"},	 {"{'pid': <uint32 1>}", "pid"},
	    {"{'tier': <'fast'>}", "fast"},	 {"{'tier': <uint32 1>}", "tier"},
	    {"{'kinds': <['robot']>}", "robot"}, {"{'users': <['alice']>}", "alice"},
	    {"{'sort': <'size'>}", "size"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
		g_auto(BusCall) call = {0};

		bus_call(
		    f, &call, "QueryProfiles",
		    g_variant_new_parsed("(%@a{sv}, uint32 0)", g_variant_new_parsed(wrong[i][0])));
		g_assert_cmpstr(call.error, ==, OWN_ERROR("InvalidFilter"));
		g_assert_nonnull(strstr(call.message, wrong[i][1]));
	}
}

static void test_changed_since(BusFixture *f, gconstpointer data)
{
	guint64 serial, later;
	g_autoptr(GVariant) all = query(f, "@a{sv} {}", 0, &serial);
	g_autofree char *since =
	    g_strdup_printf("{'changed_since': <uint64 %" G_GUINT64_FORMAT ">}", serial);
	g_autoptr(GVariant) none = query(f, since, 0, &later);

	g_assert_cmpuint(g_variant_n_children(none), ==, 0);
	g_assert_cmpuint(later, ==, serial);
	test_learn(&f->engine, "make", PROCDB_TIER_INTERACTIVE, 1);
	assert_names(f, since, 0, "make");
	/* A serial of the service before this one. */
	assert_names(f, "{'changed_since': <uint64 1000000>}", 0, "cc1 make");
	/* One that is not reached yet, as of a service whose clock was ahead. */
	assert_names(f, "{'changed_since': <uint64 0xffffffffffffffff>}", 0, "cc1 make");
}

/* However much the new service has told meanwhile. */
static void test_after_a_restart_all_count_as_changed(BusFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *since = NULL;
	guint64 before, serial;

	g_variant_unref(bus_must(f, "Save", NULL));
	g_variant_unref(query(f, "@a{sv} {}", 0, &before));
	since = g_strdup_printf("{'changed_since': <uint64 %" G_GUINT64_FORMAT ">}", before);
	assert_names(f, since, 0, "");
	bus_fixture_restart(f);
	procdb_object_export(f->object, f->service, &fake_authority, &f->authority, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < 20; i++) {
		g_autoptr(GVariant) rows = query(f, since, 0, &serial);

		g_assert_cmpuint(serial, >, before);
		g_assert_cmpuint(g_variant_n_children(rows), ==, 2);
		test_learn(&f->engine, "make", PROCDB_TIER_INTERACTIVE, 1);
	}
}

static void test_rows_say_what_is_known_of_the_program(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, row = NULL, pids = NULL;
	struct procdb_comm comm = test_comm("cc1");
	double wakeups = 0, switches = 0;
	guint64 cpu = 0, runs = 0, waits = 0, p50 = 0, p99 = 0;

	count_cc1(f, 12345, 0);
	test_maps_score(f->engine.backend, &comm, (struct procdb_score){.found = 3, .missed = 4});
	test_steps(&f->engine, 1);
	reply = row_of(f, "cc1");
	assert_text(reply, "kind", "process");
	assert_text(reply, "user", "root");
	assert_text(reply, "program", "/usr/lib/gcc/cc1\\x0a\\xff");
	assert_text(reply, "unit", "app-gnome-org.gnome.Builder-77.scope");
	assert_text(reply, "application", "org.gnome.Builder");
	assert_text(reply, "predicted_tier", "batch");
	assert_text(reply, "prediction_source", "learned");
	row = g_variant_get_child_value(reply, 0);
	g_variant_lookup(row, "cpu_ns", "t", &cpu);
	g_variant_lookup(row, "runs", "t", &runs);
	g_variant_lookup(row, "wakeups_per_second", "d", &wakeups);
	g_variant_lookup(row, "switches_per_second", "d", &switches);
	g_assert_cmpuint(cpu, ==, 12345);
	g_assert_cmpuint(runs, ==, 7);
	g_assert_cmpfloat_with_epsilon(wakeups, 4.5, 1e-9);
	g_assert_cmpfloat_with_epsilon(switches, 2.5, 1e-9);
	g_variant_lookup(row, "waits_with", "t", &waits);
	g_variant_lookup(row, "wait_p50_with", "t", &p50);
	g_variant_lookup(row, "wait_p99_with", "t", &p99);
	g_assert_cmpuint(waits, ==, 100);
	g_assert_cmpuint(p50, >, 4000);
	g_assert_cmpuint(p99, <=, 8192);
	g_assert_false(g_variant_lookup(row, "waits_without", "t", &waits));
	pids = g_variant_lookup_value(row, "pids", G_VARIANT_TYPE("au"));
	g_assert_cmpuint(g_variant_n_children(pids), ==, 1);
}

static void test_the_first_reading_has_a_share(BusFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");

	count_cc1(f, 1000, 0);
	procdb_engine_refresh_programs(f->engine.engine);
	g_assert_cmpfloat(procdb_engine_program(f->engine.engine, &comm)->cpu_share, >, 0);
}

static void test_totals_outlive_the_map(BusFixture *f, gconstpointer data)
{
	const ProcdbProgram *program;
	struct procdb_comm comm = test_comm("cc1");

	count_cc1(f, 1000, 0);
	procdb_engine_refresh_programs(f->engine.engine);
	g_usleep(G_USEC_PER_SEC);
	/* Its entry began anew. */
	count_cc1(f, 30, 0);
	procdb_engine_refresh_programs(f->engine.engine);
	program = procdb_engine_program(f->engine.engine, &comm);
	g_assert_cmpuint(program->cpu, ==, 1030);
	g_assert_cmpfloat(program->cpu_share, >, 0);
}

static void test_kinds_and_users(BusFixture *f, gconstpointer data)
{
	count_cc1(f, 1, 1000);
	assert_names(f, "{'kinds': <['kernel', 'thread']>}", 0, "make");
	assert_names(f, "{'kinds': <['process']>}", 0, "cc1 make");
	assert_names(f, "{'users': <['root', 'system']>}", 0, "make");
	assert_names(f, "{'users': <['user']>}", 0, "cc1 make");
	assert_names(f, "{'sort': <'cpu'>}", 1, "cc1");
}

static void test_paths_of_people_are_theirs(BusFixture *f, gconstpointer data)
{
	static const struct {
		guint32 reader, owner;
		gboolean told;
	} cases[] = {
	    {0, 1001, TRUE},  {1001, 1001, TRUE}, {1000, 1001, FALSE},
	    {1000, 33, TRUE}, {1000, 0, TRUE},	  {33, 1001, FALSE},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		BusFixture own;
		g_autoptr(GVariant) reply = NULL;

		bus_fixture_set_up(&own, NULL);
		own.authority.uid = cases[i].reader;
		count_cc1(&own, 1, cases[i].owner);
		reply = row_of(&own, "cc1");
		assert_text(reply, "kind", "process");
		assert_text(reply, "application", cases[i].told ? "org.gnome.Builder" : NULL);
		assert_text(reply, "program", cases[i].told ? "/usr/lib/gcc/cc1\\x0a\\xff" : NULL);
		bus_fixture_tear_down(&own, NULL);
	}
}

static void test_a_hold_shows(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, explained = NULL;

	g_variant_unref(
	    bus_must(f, "Hold", g_variant_new("(sss)", "make", "batch", "in\na hurry")));
	reply = row_of(f, "make");
	assert_text(reply, "held", "batch");
	assert_text(reply, "held_reason", "in\\x0aa hurry");
	assert_text(reply, "held_by", g_dbus_connection_get_unique_name(f->caller));
	assert_text(reply, "predicted_tier", "batch");
	assert_text(reply, "prediction_source", "hold");
	explained = bus_must(f, "Explain", g_variant_new("(s)", "make"));
	assert_text(explained, "prediction_source", "hold");
	assert_text(explained, "learned_tier", "interactive");
}

/* dbus-daemon would close our connection for an answer that is too large for it. */
static void test_an_answer_has_a_bound(BusFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;

	settings.max_retained = 30000;
	procdb_engine_configure(f->engine.engine, &settings);
	test_import_many(&f->engine, 20001);
	bus_must_fail(f, "QueryProfiles",
		      g_variant_new_parsed("({'pattern': <'name-*'>}, uint32 0)"),
		      OWN_ERROR("LimitExceeded"));
	assert_names(f, "{'pattern': <'name-*'>, 'sort': <'name'>}", 1, "name-00000");
	assert_names(f, "{'pattern': <'name-*'>, 'after': <'name-19999'>}", 0, "name-20000");
	bus_must_fail(f, "QueryProfiles",
		      g_variant_new_parsed("({'after': <'name-1'>, 'sort': <'cpu'>}, uint32 0)"),
		      OWN_ERROR("InvalidFilter"));
	procdb_engine_configure(f->engine.engine, &test_settings);
}

/* What is filtered out, or beyond the limit, is not written. */
static void test_many_profiles(BusFixture *f, gconstpointer data)
{
	g_autofree char *found = NULL;
	gint64 began;

	test_import_many(&f->engine, MANY);
	began = g_get_monotonic_time();
	found = names(f, "{'pattern': <'name-1638*'>, 'tier': <'batch'>}", 100);
	g_test_message("a filtered list of %d took %" G_GINT64_FORMAT " us, the client included",
		       MANY, g_get_monotonic_time() - began);
	g_assert_cmpstr(found, ==, "name-16380 name-16383");
	assert_names(f, "{'sort': <'last_seen'>}", 1, "name-00000");
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/query/filters", test_filters);
	add("/query/what-is-no-filter-is-named", test_what_is_no_filter_is_named);
	add("/query/an-answer-has-a-bound", test_an_answer_has_a_bound);
	add("/query/changed-since", test_changed_since);
	add("/query/after-a-restart-all-count-as-changed",
	    test_after_a_restart_all_count_as_changed);
	add("/query/rows-say-what-is-known", test_rows_say_what_is_known_of_the_program);
	add("/query/the-first-reading-has-a-share", test_the_first_reading_has_a_share);
	add("/query/totals-outlive-the-map", test_totals_outlive_the_map);
	add("/query/kinds-and-users", test_kinds_and_users);
	add("/query/paths-of-people-are-theirs", test_paths_of_people_are_theirs);
	add("/query/a-hold-shows", test_a_hold_shows);
	add("/query/many-profiles", test_many_profiles);
	return bus_fixture_run_tests();
}
