/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* ListTasks and GetProfileOfPid, and what names of units say. */

#include "bus-fixture.h"

#include "identity.h"

static GVariant *list(BusFixture *f, const char *filter, guint limit)
{
	g_autoptr(GVariant) reply =
	    bus_must(f, "ListTasks",
		     g_variant_new_parsed("(%@a{sv}, %u)", g_variant_new_parsed(filter), limit));

	return g_variant_get_child_value(reply, 0);
}

static void assert_tids(BusFixture *f, const char *filter, guint limit, const char *expected)
{
	g_autoptr(GVariant) rows = list(f, filter, limit);
	g_autoptr(GString) text = g_string_new(NULL);

	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		guint32 tid = 0;

		g_assert_true(g_variant_lookup(row, "tid", "u", &tid));
		g_string_append_printf(text, "%s%u", i ? " " : "", tid);
	}
	g_assert_cmpstr(text->str, ==, expected);
}

static void add_tasks(BusFixture *f)
{
	struct procdb_task_row *task = bus_fixture_add_task(f, 5, "kworker");

	task->kind = PROCDB_KIND_KERNEL;
	task = bus_fixture_add_task(f, 4712, "make");
	task->tgid = BUS_PID;
	task->kind = PROCDB_KIND_THREAD;
	task->uid = 1000;
	task->slice = 20007300;
	task->nice = -3;
	task->set_by = PROCDB_SLICE_OURS;
	task->measured = PROCDB_TIER_BATCH;
	g_strlcpy(task->path, "/home/bob/make", sizeof(task->path));
	/* No terminator: as a kernel that is not ours might have it. */
	memset(task->unit, 'u', sizeof(task->unit));
}

/* An answer of more than 32 MiB would end the connection of the service. */
static void test_a_list_is_no_larger_than_a_message(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) some = NULL;

	for (guint i = 0; i < 15000; i++) {
		struct procdb_task_row *task = bus_fixture_add_task(f, 10000 + i, "make");

		memset(task->path, 0xff, sizeof(task->path));
		memset(task->unit, 0xff, sizeof(task->unit));
		memcpy(task->unit, "app-", 4);
		memcpy(task->unit + sizeof(task->unit) - 8, "-1.scope", 8);
	}
	bus_must_fail(f, "ListTasks", g_variant_new_parsed("(@a{sv} {}, uint32 0)"),
		      OWN_ERROR("LimitExceeded"));
	some = list(f, "@a{sv} {}", 5000);
	g_assert_cmpuint(g_variant_n_children(some), ==, 5000);
}

/* The bytes of a list of all tasks that the caller was charged for, and those that it has. */
static void assert_charged(BusFixture *f)
{
	g_autoptr(GVariant) rows = list(f, "@a{sv} {}", 0);

	g_assert_cmpuint(f->last->unread, >=, g_variant_get_size(rows));
	g_assert_cmpuint(f->last->unread, <=, 2048 + 3 * g_variant_get_size(rows));
	g_assert_cmpuint(f->last->unsent, ==, 0);
}

/* Callers that do not read have no more than that, and those that do are not kept waiting for it.
 */
static void test_a_list_is_charged_as_what_it_is(BusFixture *f, gconstpointer data)
{
	f->authority.uid = 0;
	bus_fixture_note_callers(f);
	assert_charged(f);
}

static void test_a_long_list_is_charged_as_what_it_is(BusFixture *f, gconstpointer data)
{
	for (guint i = 0; i < 2000; i++) {
		struct procdb_task_row *task = bus_fixture_add_task(f, 10000 + i, "make");

		memset(task->path, 0xff, sizeof(task->path));
		memset(task->unit, 0xff, sizeof(task->unit));
	}
	test_a_list_is_charged_as_what_it_is(f, data);
}

static void test_filters(BusFixture *f, gconstpointer data)
{
	add_tasks(f);
	assert_tids(f, "@a{sv} {}", 0, "4711 5 4712");
	assert_tids(f, "@a{sv} {}", 2, "4711 5");
	assert_tids(f, "{'pattern': <'m*'>}", 0, "4712");
	assert_tids(f, "{'pid': <uint32 4711>}", 0, "4711 4712");
	assert_tids(f, "{'uid': <uint32 0>}", 0, "4711 5");
	assert_tids(f, "{'tier': <'interactive'>}", 0, "4712");
	assert_tids(f, "{'applied': <true>}", 0, "4712");
	assert_tids(f, "{'kinds': <['process', 'thread']>}", 0, "4711 4712");
	bus_must_fail(f, "ListTasks", g_variant_new_parsed("({'sort': <'cpu'>}, uint32 0)"),
		      OWN_ERROR("InvalidFilter"));
}

static void test_a_row_says_what_set_its_slice(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) rows = NULL, row = NULL;
	const char *set_by = NULL, *measured = NULL, *predicted = NULL, *unit = NULL;
	guint64 slice = 0;
	gint32 nice = 0;

	f->authority.uid = 0;
	add_tasks(f);
	rows = list(f, "{'pattern': <'make'>}", 0);
	row = g_variant_get_child_value(rows, 0);
	g_variant_lookup(row, "set_by", "&s", &set_by);
	g_variant_lookup(row, "measured", "&s", &measured);
	g_variant_lookup(row, "predicted", "&s", &predicted);
	g_variant_lookup(row, "unit", "&s", &unit);
	g_variant_lookup(row, "slice_ns", "t", &slice);
	g_variant_lookup(row, "nice", "i", &nice);
	g_assert_cmpstr(set_by, ==, "procdb");
	g_assert_cmpstr(measured, ==, "batch");
	g_assert_cmpstr(predicted, ==, "interactive");
	g_assert_cmpuint(strlen(unit), ==, PROCDB_UNIT_LEN);
	g_assert_cmpuint(slice, ==, 20007300);
	g_assert_cmpint(nice, ==, -3);
}

static void test_the_profile_of_a_pid(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, row = NULL;
	const char *name = NULL;

	bus_fixture_add_task(f, 6, "nothing-known");
	/* A name that counts tasks is learned under that of all of them. */
	bus_fixture_add_task(f, 8, "make-4711")->key = test_comm("make");
	reply = bus_must(f, "GetProfileOfPid", g_variant_new("(u)", BUS_PID));
	row = g_variant_get_child_value(reply, 0);
	g_variant_lookup(row, "name", "&s", &name);
	g_assert_cmpstr(name, ==, "cc1");
	bus_must_fail(f, "GetProfileOfPid", g_variant_new("(u)", 6), OWN_ERROR("NoSuchProfile"));
	g_clear_pointer(&reply, g_variant_unref);
	g_clear_pointer(&row, g_variant_unref);
	reply = bus_must(f, "GetProfileOfPid", g_variant_new("(u)", 8));
	row = g_variant_get_child_value(reply, 0);
	g_variant_lookup(row, "name", "&s", &name);
	g_assert_cmpstr(name, ==, "make");
	bus_must_fail(f, "GetProfileOfPid", g_variant_new("(u)", 7), OWN_ERROR("NoSuchTask"));
}

/* Each attempt may load a BPF program, which any caller could have the service do without end. */
static void test_a_failure_is_not_asked_for_again_at_once(BusFixture *f, gconstpointer data)
{
	f->host_refuses = TRUE;
	for (guint i = 0; i < 20; i++) {
		g_autoptr(GVariant) reply = bus_must(f, "GetProfile", g_variant_new("(s)", "cc1"));

		bus_must_fail(f, "ListTasks", g_variant_new_parsed("(@a{sv} {}, uint32 0)"),
			      OWN_ERROR("LoadFailed"));
	}
	g_assert_cmpuint(f->listed, ==, 1);
}

static void test_the_application_of_a_unit(BusFixture *f, gconstpointer data)
{
	static const char *const cases[][2] = {
	    {"app-gnome-firefox-4711.scope", "firefox"},
	    {"app-org.kde.dolphin-0a1b.scope", "org.kde.dolphin"},
	    {"app-gnome-gnome\\x2dterminal-1.scope", "gnome-terminal"},
	    {"app-gnome-org.gnome.Maps@12.service", "org.gnome.Maps"},
	    {"app-vim.service", "vim"},
	    {"app-.scope", NULL},
	    {"app-x.scope", NULL},
	    {"app--1.scope", NULL},
	    {"app-@1.service", NULL},
	    {"app-a\\x00b-1.scope", "a\\x00b"},
	    {"ssh.service", NULL},
	    {"app-", NULL},
	    {"", NULL},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		g_autofree char *application = procdb_application_of(cases[i][0]);

		g_assert_cmpstr(application, ==, cases[i][1]);
	}
}

static void test_classes_of_users(BusFixture *f, gconstpointer data)
{
	static const struct {
		guint32 uid;
		const char *name;
	} cases[] = {{0, "root"},     {1, "system"},	 {999, "system"},   {1000, "user"},
		     {60000, "user"}, {61184, "system"}, {65534, "system"}, {100000, "user"}};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpstr(procdb_user_class_name(procdb_user_class(cases[i].uid)), ==,
				cases[i].name);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/tasks/filters", test_filters);
	add("/tasks/a-list-is-no-larger-than-a-message", test_a_list_is_no_larger_than_a_message);
	add("/tasks/a-list-is-charged-as-what-it-is", test_a_list_is_charged_as_what_it_is);
	add("/tasks/a-long-list-is-charged-as-what-it-is",
	    test_a_long_list_is_charged_as_what_it_is);
	add("/tasks/a-row-says-what-set-its-slice", test_a_row_says_what_set_its_slice);
	add("/tasks/the-profile-of-a-pid", test_the_profile_of_a_pid);
	add("/tasks/a-failure-is-not-asked-for-again-at-once",
	    test_a_failure_is_not_asked_for_again_at_once);
	add("/tasks/the-application-of-a-unit", test_the_application_of_a_unit);
	add("/tasks/classes-of-users", test_classes_of_users);
	return bus_fixture_run_tests();
}
