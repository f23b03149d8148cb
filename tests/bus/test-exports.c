/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* All that is known leaves the service and comes back: exports, imports, sums. */

#include "bus-fixture.h"

static GVariant *exported(BusFixture *f)
{
	g_autoptr(GVariant) reply = bus_must(f, "ExportProfiles", NULL);

	return g_variant_get_child_value(reply, 0);
}

static void import_profiles(BusFixture *f, GVariant *profiles, gboolean replace, gboolean merge)
{
	g_variant_unref(
	    bus_must(f, "ImportProfiles",
		     g_variant_new("(@a(" PROCDB_RECORD ")bb)", profiles, replace, merge)));
	test_steps(&f->engine, 1);
	test_check_consistent(&f->engine);
}

static void teach(BusFixture *f)
{
	struct procdb_profile *profile =
	    (struct procdb_profile *)&test_find(&f->engine, "cc1")->profile;

	profile->first_seen_us = 12345;
	profile->right = 7;
	profile->wrong = 2;
	profile->withdrawals = 1;
	profile->teachers = PROCDB_TAUGHT_BY_USERS;
	profile->owner = 1000;
}

/* Also when it was first seen, its scores and what taught it. */
static void test_all_that_is_known_travels(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) before = NULL, after = NULL;

	teach(f);
	before = exported(f);
	g_variant_unref(bus_must(f, "Reset", NULL));
	import_profiles(f, before, FALSE, FALSE);
	import_profiles(f, before, TRUE, FALSE);
	import_profiles(f, before, TRUE, TRUE);
	after = exported(f);
	g_assert_cmpuint(test_find(&f->engine, "cc1")->profile.owner, ==, 1000);
	g_assert_cmpint(test_find(&f->engine, "cc1")->profile.first_seen_us, ==, 12345);
	g_assert_cmpuint(g_variant_n_children(after), ==, g_variant_n_children(before));
}

static void test_merging_adds_up(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) profiles = NULL;
	const struct procdb_profile *after;
	struct procdb_profile before;

	teach(f);
	before = test_find(&f->engine, "cc1")->profile;
	profiles = exported(f);
	import_profiles(f, profiles, FALSE, TRUE);
	after = &test_find(&f->engine, "cc1")->profile;
	g_assert_cmpuint(after->observations, ==, 2 * before.observations);
	g_assert_cmpuint(after->tier_votes[0], ==, 2 * before.tier_votes[0]);
	g_assert_cmpuint(after->avg_runtime_ns, ==, before.avg_runtime_ns);
	g_assert_cmpuint(after->right, ==, 14);
	g_assert_cmpuint(after->withdrawals, ==, 2);
	g_assert_cmpint(after->first_seen_us, ==, 12345);
	g_assert_cmpint(after->seen_run_us, ==, before.seen_run_us);
	g_assert_cmpuint(after->owner, ==, 1000);
}

static GVariant *record_of(const char *name, const char *tier, const char *origin,
			   const char *taught_by, guint32 votes, guint32 observations)
{
	g_auto(GVariantBuilder) builder =
	    G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));

	g_variant_builder_add(&builder, "(" PROCDB_RECORD ")", name, tier, 0.0, FALSE, observations,
			      votes, 0, 0, (guint64)1, (guint64)1, (guint64)1, (guint64)1,
			      (gint64)1, origin, (gint64)1, (guint64)0, (guint64)0, 0, taught_by,
			      0);
	return g_variant_new("(@a(" PROCDB_RECORD ")bb)", g_variant_builder_end(&builder), FALSE,
			     TRUE);
}

static void test_a_record_that_does_not_hold_together(BusFixture *f, gconstpointer data)
{
	g_variant_unref(bus_must(f, "SetOverride", g_variant_new("(ss)", "cc1", "batch")));
	bus_must_fail(f, "ImportProfiles",
		      record_of("cc1", "interactive", "override", "root", 1, 1),
		      OWN_ERROR("InvalidProfile"));
	bus_must_fail(f, "ImportProfiles", record_of("cc1", "batch", "live", "me", 1, 1),
		      OWN_ERROR("InvalidProfile"));
	bus_must_fail(f, "ImportProfiles", record_of("cc1", "batch", "live", "root", 2, 1),
		      OWN_ERROR("InvalidProfile"));
	/* A counter that is full has missed some. */
	g_variant_unref(
	    bus_must(f, "ImportProfiles",
		     record_of("cc1", "batch", "override", "root", G_MAXUINT32, G_MAXUINT32)));
	g_assert_cmpuint(test_find(&f->engine, "cc1")->profile.observations, ==, G_MAXUINT32);
}

/* The number that a method answers. */
static guint number_of(GVariant *reply)
{
	guint number;

	g_variant_get(reply, "(u)", &number);
	g_variant_unref(reply);
	return number;
}

static void test_a_prior_is_no_more_than_that(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) whole = NULL;
	g_autoptr(GVariant) rows = NULL;
	const struct procdb_profile *profile;

	/* It claims to be an override, and of root. */
	whole = g_variant_ref_sink(record_of("other", "batch", "override", "root", 500, 900));
	rows = g_variant_get_child_value(whole, 0);
	g_assert_cmpuint(number_of(bus_must(f, "ImportPrior", g_variant_new_tuple(&rows, 1))), ==,
			 1);
	profile = &test_find(&f->engine, "other")->profile;
	g_assert_cmpuint(profile->observations, ==, PROCDB_PRIOR_VOTES);
	g_assert_cmpuint(profile->override, ==, PROCDB_NO_OVERRIDE);
	g_assert_cmpuint(profile->teachers, ==, PROCDB_TAUGHT_BY_FARM);
	g_assert_cmpuint(number_of(bus_must(f, "ImportProfiles",
					    record_of("other", "batch", "live", "root", 1, 1))),
			 ==, 1);
	g_assert_cmpuint(profile->observations, ==, 1 + PROCDB_PRIOR_VOTES);
	/* More is known here by now. */
	g_assert_cmpuint(number_of(bus_must(f, "ImportPrior", g_variant_new_tuple(&rows, 1))), ==,
			 0);
	g_assert_cmpuint(number_of(bus_must(f, "ImportProfiles",
					    record_of("other", "batch", "live", "farm", 1, 1))),
			 ==, 0);
	g_assert_cmpuint(profile->observations, ==, 1 + PROCDB_PRIOR_VOTES);
	bus_must_fail(f, "ImportPrior", g_variant_new("(s)", "other"),
		      "org.freedesktop.DBus.Error.InvalidArgs");
}

static GVariant *program_row(const char *name, const char *program, const char *kind, guint64 runs)
{
	GVariantDict row;

	g_variant_dict_init(&row, NULL);
	if (name)
		g_variant_dict_insert(&row, "name", "s", name);
	g_variant_dict_insert(&row, "program", "s", program);
	g_variant_dict_insert(&row, "unit", "s", "app-gnome-org.gnome.Builder-77.scope");
	g_variant_dict_insert(&row, "kind", "s", kind);
	/* Of the system: any caller may know it. */
	g_variant_dict_insert(&row, "uid", "u", 999);
	g_variant_dict_insert(&row, "runs", "t", runs);
	g_variant_dict_insert(&row, "cpu_ns", "t", (guint64)5000);
	/* QueryProfiles has more than counts. */
	g_variant_dict_insert(&row, "pids", "@au",
			      g_variant_new_array(G_VARIANT_TYPE_UINT32, NULL, 0));
	return g_variant_dict_end(&row);
}

static GVariant *program_rows(GVariant *row, gboolean add)
{
	GVariant *rows = g_variant_new_array(G_VARIANT_TYPE_VARDICT, &row, 1);

	return g_variant_new("(@aa{sv}b)", rows, add);
}

/* Imports the program of a name; how many had a profile. */
static guint import_program(BusFixture *f, GVariant *row, gboolean add)
{
	return number_of(bus_must(f, "ImportPrograms", program_rows(row, add)));
}

static void assert_program(BusFixture *f, const char *name, const char *program, guint64 runs,
			   guint64 cpu)
{
	g_autoptr(GVariant) reply = bus_must(f, "GetProfile", g_variant_new("(s)", name));
	g_autoptr(GVariant) profile = g_variant_get_child_value(reply, 0);
	const char *text = "";
	guint64 found = 0;

	g_assert_true(g_variant_lookup(profile, "program", "&s", &text));
	g_assert_cmpstr(text, ==, program);
	g_assert_true(g_variant_lookup(profile, "runs", "t", &found));
	g_assert_cmpuint(found, ==, runs);
	g_assert_true(g_variant_lookup(profile, "cpu_ns", "t", &found));
	g_assert_cmpuint(found, ==, cpu);
}

/* A task of the name is listed. */
static void note(BusFixture *f, const char *name, const char *path)
{
	const struct procdb_identity seen = {.comm = test_comm(name),
					     .uid = 999,
					     .kind = PROCDB_KIND_THREAD,
					     .path = path,
					     .unit = ""};

	procdb_engine_note_identity(f->engine.engine, &seen);
}

static void assert_no_program(BusFixture *f, const char *name)
{
	g_autoptr(GVariant) reply = bus_must(f, "GetProfile", g_variant_new("(s)", name));
	g_autoptr(GVariant) profile = g_variant_get_child_value(reply, 0);

	g_assert_false(g_variant_lookup(profile, "uid", "u", NULL));
	g_assert_false(g_variant_lookup(profile, "user", "s", NULL));
	g_assert_false(g_variant_lookup(profile, "cpu_ns", "t", NULL));
}

static void test_what_programs_profiles_are_of_travels(BusFixture *f, gconstpointer data)
{
	struct procdb_entry *entry = (struct procdb_entry *)test_find(&f->engine, "cc1");

	g_assert_cmpuint(
	    import_program(f, program_row("cc1", "/usr/bin/a\\xffb", "process", 7), FALSE), ==, 1);
	assert_program(f, "cc1", "/usr/bin/a\\xffb", 7, 5000);
	/* What was started since stays counted, and not twice. */
	entry->found = 2;
	entry->missed = 1;
	g_assert_cmpuint(import_program(f, program_row("cc1", "/usr/bin/cc1", "thread", 7), FALSE),
			 ==, 1);
	assert_program(f, "cc1", "/usr/bin/cc1", 7, 5000);
	/* Of what an export may not tell, it has the counts. */
	g_assert_cmpuint(
	    import_program(f,
			   g_variant_new_parsed(
			       "{'name': <'cc1'>, 'runs': <uint64 7>, 'cpu_ns': <uint64 5000>}"),
			   FALSE),
	    ==, 1);
	assert_program(f, "cc1", "/usr/bin/cc1", 7, 5000);
	/* A task that calls itself so says nothing of what was executed. */
	note(f, "cc1", "/home/mallory/cc1");
	assert_program(f, "cc1", "/usr/bin/cc1", 7, 5000);
	/* A sum, in which what is known here stays. */
	g_assert_cmpuint(
	    import_program(f, program_row("cc1", "/elsewhere", "process", G_MAXUINT64), TRUE), ==,
	    1);
	assert_program(f, "cc1", "/usr/bin/cc1", G_MAXUINT64, 10000);
	/* What says nothing is no program of root. */
	g_variant_unref(bus_must(f, "SetOverride", g_variant_new("(ss)", "fresh", "batch")));
	g_assert_cmpuint(
	    import_program(f, g_variant_new_parsed("{'name': <'fresh'>, 'runs': <uint64 0>}"),
			   FALSE),
	    ==, 1);
	assert_no_program(f, "fresh");
	note(f, "fresh", "/usr/bin/fresh");
	assert_program(f, "fresh", "/usr/bin/fresh", 0, 0);
	g_assert_cmpuint(import_program(f, program_row("unknown", "/a", "process", 1), FALSE), ==,
			 0);
}

static void test_a_program_that_is_none_changes_nothing(BusFixture *f, gconstpointer data)
{
	g_autofree char *path = g_strnfill(256, 'p');
	struct {
		GVariant *row;
		const char *error;
	} wrong[] = {
	    {program_row(NULL, "/a", "process", 1), OWN_ERROR("InvalidProfile")},
	    {program_row("a name of 17 bytes", "/a", "process", 1), OWN_ERROR("InvalidName")},
	    {program_row("cc1", "/a", "fiber", 1), OWN_ERROR("InvalidProfile")},
	    {program_row("cc1", path, "process", 1), OWN_ERROR("InvalidProfile")},
	    {program_row("cc1", "/a\\x00b", "process", 1), OWN_ERROR("InvalidProfile")},
	    {program_row("cc1", "/a\\", "process", 1), OWN_ERROR("InvalidProfile")},
	    {g_variant_new_parsed("{'name': <'cc1'>, 'runs': <uint32 1>}"),
	     OWN_ERROR("InvalidProfile")},
	    {g_variant_new_parsed("{'name': <['cc1']>}"), OWN_ERROR("InvalidProfile")},
	};

	(void)import_program(f, program_row("cc1", "/usr/bin/cc1", "process", 7), FALSE);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++)
		bus_must_fail(f, "ImportPrograms", program_rows(wrong[i].row, FALSE),
			      wrong[i].error);
	assert_program(f, "cc1", "/usr/bin/cc1", 7, 5000);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/exports/all-that-is-known-travels", test_all_that_is_known_travels);
	add("/exports/merging-adds-up", test_merging_adds_up);
	add("/exports/a-record-that-does-not-hold-together",
	    test_a_record_that_does_not_hold_together);
	add("/exports/a-prior-is-no-more-than-that", test_a_prior_is_no_more_than_that);
	add("/exports/what-programs-profiles-are-of-travels",
	    test_what_programs_profiles_are_of_travels);
	add("/exports/a-program-that-is-none-changes-nothing",
	    test_a_program_that_is_none_changes_nothing);
	return bus_fixture_run_tests();
}
