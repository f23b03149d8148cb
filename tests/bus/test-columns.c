/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* QueryColumns: what GetProfile says, of many profiles at once and in few bytes. */

#include "bus-fixture.h"

#include <string.h>

/* The fields that most rows have. */
#define FIELDS                                                                                     \
	"['name', 'tier', 'confidence', 'confident', 'observations', 'avg_runtime_ns', "           \
	"'runtime_dev_ns', 'wakeup_freq', 'csw_rate', 'first_seen_us', 'last_seen_us', 'origin', " \
	"'predicted', 'prediction_source', 'held', 'kind', 'user', 'program', 'unit', "            \
	"'application', 'runs', "                                                                  \
	"'cpu_ns', 'cpu_share', 'wakeups_per_second', 'switches_per_second']"
/* The others. */
#define MORE_FIELDS                                                                                \
	"['votes_batch', 'votes_interactive', 'votes_lat_critical', 'taught_by', 'found', "        \
	"'missed', 'right', 'wrong', 'withdrawals', 'override', 'override_source', "               \
	"'predicted_tier', 'held_by', 'held_uid', 'held_reason', 'uid', 'script', 'scripts', "     \
	"'pids', 'cpu_known', 'waits_without', 'wait_p50_without', 'wait_p90_without', "           \
	"'wait_p99_without', 'waits_with', 'wait_p50_with', 'wait_p90_with', 'wait_p99_with']"

#define MANY 4096

static GVariant *question(const char *filter, const char *fields, guint limit)
{
	return g_variant_new("(@a{sv}@asu)", g_variant_new_parsed(filter),
			     g_variant_new_parsed(fields), limit);
}

/* The whole answer. */
static GVariant *ask(BusFixture *f, const char *filter, const char *fields, guint limit)
{
	GVariant *reply = bus_must(f, "QueryColumns", question(filter, fields, limit));

	g_assert_cmpstr(g_variant_get_type_string(reply), ==, "(a{sv}t)");
	return reply;
}

static GVariant *column_of(GVariant *reply, const char *name)
{
	g_autoptr(GVariant) columns = g_variant_get_child_value(reply, 0);

	return g_variant_lookup_value(columns, name, NULL);
}

static void assert_names(BusFixture *f, const char *filter, guint limit, const char *expected)
{
	g_autoptr(GVariant) reply = ask(f, filter, "['name']", limit);
	g_autoptr(GVariant) names = column_of(reply, "name");
	g_autofree const char **texts = g_variant_get_strv(names, NULL);
	g_autofree char *found = g_strjoinv(" ", (char **)texts);

	g_assert_cmpstr(found, ==, expected);
}

/* Of a field that GetProfile does not have. */
static void assert_unknown(const char *field, GVariant *value)
{
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
		g_assert_cmpstr(g_variant_get_string(value, NULL), ==, "");
	else if (g_variant_is_of_type(value, G_VARIANT_TYPE_DOUBLE))
		g_assert_cmpfloat(g_variant_get_double(value), <, 0);
	else if (g_variant_is_of_type(value, G_VARIANT_TYPE_INT64))
		g_assert_cmpint(g_variant_get_int64(value), ==, -1);
	else if (g_variant_is_of_type(value, G_VARIANT_TYPE("au")))
		g_assert_cmpuint(g_variant_n_children(value), ==, 0);
	else if (g_variant_is_of_type(value, G_VARIANT_TYPE_UINT32))
		g_assert_cmpuint(g_variant_get_uint32(value), ==, 0);
	else
		g_assert_cmpuint(g_variant_get_uint64(value), ==, 0);
}

/* What GetProfile says in another form. NULL for a field that it does not have. */
static GVariant *find_expected(GVariant *profile, const char *field)
{
	static const char *const votes[] = {"votes_batch", "votes_interactive",
					    "votes_lat_critical"};
	GVariant *found = g_variant_lookup_value(profile, field, NULL);

	if (g_str_equal(field, "cpu_known"))
		return g_variant_ref_sink(
		    g_variant_new_boolean(g_variant_lookup(profile, "cpu_ns", "t", NULL)));
	if (found && g_variant_is_of_type(found, G_VARIANT_TYPE_UINT32) &&
	    g_str_has_suffix(field, "uid")) {
		const gint64 uid = g_variant_get_uint32(found);

		g_variant_unref(found);
		return g_variant_ref_sink(g_variant_new_int64(uid));
	}
	for (guint i = 0; i < G_N_ELEMENTS(votes); i++) {
		g_autoptr(GVariant) all = g_variant_lookup_value(profile, "votes", NULL);

		if (g_str_equal(field, votes[i]))
			return g_variant_get_child_value(all, i);
	}
	return found;
}

/* Returns how many of the fields of a profile GetProfile has, too. */
static guint assert_as_get_profile(BusFixture *f, GVariant *reply, gsize at, const char *name)
{
	g_autoptr(GVariant) answer = bus_must(f, "GetProfile", g_variant_new("(s)", name));
	g_autoptr(GVariant) profile = g_variant_get_child_value(answer, 0);
	g_autoptr(GVariant) columns = g_variant_get_child_value(reply, 0);
	GVariantIter iter;
	const char *field;
	GVariant *column;
	guint both = 0;

	g_variant_iter_init(&iter, columns);
	while (g_variant_iter_loop(&iter, "{&sv}", &field, &column)) {
		g_autoptr(GVariant) value = g_variant_get_child_value(column, at);
		g_autoptr(GVariant) expected = find_expected(profile, field);

		g_test_message("%s of %s", field, name);
		if (expected)
			g_assert_cmpvariant(value, expected);
		else
			assert_unknown(field, value);
		both += g_variant_lookup(profile, field, "*", NULL) ? 1 : 0;
	}
	return both;
}

/* With both answers, all that GetProfile has of a name is in a column. */
static void assert_all_as_get_profile(BusFixture *f, const char *filter, const char *const names[])
{
	g_autoptr(GVariant) most = ask(f, filter, FIELDS, 0);
	g_autoptr(GVariant) more = ask(f, filter, MORE_FIELDS, 0);

	for (guint i = 0; names[i]; i++) {
		g_autoptr(GVariant) answer =
		    bus_must(f, "GetProfile", g_variant_new("(s)", names[i]));
		g_autoptr(GVariant) profile = g_variant_get_child_value(answer, 0);
		const guint both = assert_as_get_profile(f, most, i, names[i]) +
				   assert_as_get_profile(f, more, i, names[i]);

		/* All but the votes, which are three columns. */
		g_assert_cmpuint(both + 1, ==, g_variant_n_children(profile));
	}
}

static void test_columns_say_what_profiles_say(BusFixture *f, gconstpointer data)
{
	struct procdb_program program = {
	    .cpu = 12345,
	    .alive = 2000000000,
	    .wakeups = 9,
	    .switches = 5,
	    .kind = PROCDB_KIND_PROCESS,
	    .path = "/usr/lib/gcc/cc1\n\xff",
	    .unit = "app-org.gnome.Builder-77.scope",
	    .waits = {[PROCDB_DELAY_PLAIN][3] = 70, [PROCDB_DELAY_APPLIED][9] = 5},
	};
	const char *const names[] = {"cc1", "make", "never seen", NULL};
	struct procdb_comm comm = test_comm("cc1");

	test_maps_count_program(f->engine.backend, &comm, &program);
	test_maps_score(f->engine.backend, &comm, (struct procdb_score){.found = 3, .missed = 4});
	test_learn(&f->engine, "never seen", PROCDB_TIER_LAT_CRITICAL, 1);
	g_variant_unref(bus_must(f, "Hold", g_variant_new("(sss)", "make", "batch", "in a hurry")));
	g_variant_unref(
	    bus_must(f, "SetOverride", g_variant_new("(ss)", "never seen", "interactive")));
	assert_all_as_get_profile(f, "@a{sv} {}", names);
}

/* The texts of a column that is packed. */
static char **unpack(GVariant *column)
{
	g_autoptr(GPtrArray) texts = g_ptr_array_new();
	gsize length;
	const char *at = g_variant_get_fixed_array(column, &length, 1);

	for (const char *end = at + length; at < end; at += strlen(at) + 1)
		g_ptr_array_add(texts, g_strdup(at));
	g_ptr_array_add(texts, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
}

static void assert_printed(GVariant *value, const char *expected)
{
	g_autofree char *text = g_variant_print(value, FALSE);

	g_assert_cmpstr(text, ==, expected);
}

static void test_packed_columns_say_the_same(BusFixture *f, gconstpointer data)
{
	const char *fields = "['packed', 'name', 'confident', 'pids', 'runs', 'program']";
	g_autoptr(GVariant) reply = ask(f, "@a{sv} {}", fields, 0);
	g_autoptr(GVariant) columns = g_variant_get_child_value(reply, 0);
	g_autoptr(GVariant) names = column_of(reply, "name");
	g_autoptr(GVariant) confident = column_of(reply, "confident");
	g_autoptr(GVariant) pids = column_of(reply, "pids");
	g_autoptr(GVariant) runs = column_of(reply, "runs");
	g_autoptr(GVariant) programs = column_of(reply, "program");
	g_auto(GStrv) texts = NULL;
	g_autofree char *all = NULL;

	g_assert_cmpuint(g_variant_n_children(columns), ==, 5);
	g_assert_cmpstr(g_variant_get_type_string(names), ==, "ay");
	texts = unpack(names);
	all = g_strjoinv(" ", texts);
	g_assert_cmpstr(all, ==, "cc1 make");
	assert_printed(confident, "[0x01, 0x01]");
	assert_printed(pids, "[1, 4711, 0]");
	assert_printed(programs, "[0x00, 0x00]");
	g_assert_cmpstr(g_variant_get_type_string(runs), ==, "at");
}

/* What a user runs tells where that user's programs are, and which. */
static void test_applications_of_people_are_theirs(BusFixture *f, gconstpointer data)
{
	static const struct {
		guint32 reader, owner;
		const char *expected;
	} cases[] = {
	    {0, 1001, "['org.gnome.Builder']"},
	    {1001, 1001, "['org.gnome.Builder']"},
	    {1000, 1001, "['']"},
	    {1000, 0, "['org.gnome.Builder']"},
	};

	for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
		const struct procdb_program program = {
		    .cpu = 1,
		    .uid = cases[i].owner,
		    .kind = PROCDB_KIND_PROCESS,
		    .path = "/usr/bin/cc1-of-them",
		    .unit = "app-gnome-org.gnome.Builder-77.scope",
		};
		const struct procdb_comm comm = test_comm("cc1");
		g_autoptr(GVariant) reply = NULL, applications = NULL;
		g_autofree char *text = NULL;
		BusFixture own;

		bus_fixture_set_up(&own, NULL);
		own.authority.uid = cases[i].reader;
		test_maps_count_program(own.engine.backend, &comm, &program);
		test_steps(&own.engine, 1);
		reply = ask(&own, "{'pattern': <'cc1'>}", "['application']", 0);
		applications = column_of(reply, "application");
		text = g_variant_print(applications, FALSE);
		g_assert_cmpstr(text, ==, cases[i].expected);
		/* Whether one is found would tell it as well. */
		assert_names(&own, "{'titles': <['unlikely', 'cc1-of-?*']>}", 0,
			     strchr(cases[i].expected, 'o') ? "cc1" : "");
		bus_fixture_tear_down(&own, NULL);
	}
}

static void test_fields_are_those_asked_for(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) two = ask(f, "@a{sv} {}", "['tier', 'name', 'tier']", 0);
	g_autoptr(GVariant) none = ask(f, "@a{sv} {}", "@as []", 0);
	g_autoptr(GVariant) tiers = column_of(two, "tier");
	g_autofree char *text = g_variant_print(tiers, FALSE);
	g_autoptr(GVariant) columns = g_variant_get_child_value(two, 0);
	g_autoptr(GVariant) nothing = g_variant_get_child_value(none, 0);

	g_assert_cmpuint(g_variant_n_children(columns), ==, 2);
	g_assert_cmpstr(text, ==, "['batch', 'interactive']");
	g_assert_cmpuint(g_variant_n_children(nothing), ==, 0);
}

/* Else such calls, which cost their caller nothing, would keep the service busy. */
static void test_without_an_answer_nothing_is_read(BusFixture *f, gconstpointer data)
{
	bus_send(f, f->caller, "QueryColumns",
		 g_variant_new_parsed("(@a{sv} {}, ['program'], uint32 0)"));
	bus_send(f, f->caller, "QueryProfiles", g_variant_new_parsed("(@a{sv} {}, uint32 0)"));
	bus_send(f, f->caller, "ListTasks", g_variant_new_parsed("(@a{sv} {}, uint32 0)"));
	bus_settle(f);
	g_assert_cmpuint(f->listed, ==, 0);
}

/* Tasks are listed for fields that need them. */
static void test_counts_alone_need_no_tasks(BusFixture *f, gconstpointer data)
{
	g_variant_unref(ask(f, "@a{sv} {}", "['name', 'tier', 'runs', 'cpu_ns']", 0));
	g_assert_cmpuint(f->listed, ==, 0);
	g_variant_unref(ask(f, "{'users': <['root']>}", "['name']", 0));
	g_assert_cmpuint(f->listed, ==, 1);
}

static void assert_refused(BusFixture *f, const char *filter, const char *fields, const char *word)
{
	g_auto(BusCall) call = {0};

	bus_call(f, &call, "QueryColumns", question(filter, fields, 0));
	g_assert_cmpstr(call.error, ==, OWN_ERROR("InvalidFilter"));
	g_assert_nonnull(strstr(call.message, word));
}

static void test_what_is_no_field_is_named(BusFixture *f, gconstpointer data)
{
	g_autoptr(GString) fields = g_string_new(NULL);

	assert_refused(f, "@a{sv} {}", "['name', 'colour']", "colour");
	assert_refused(f, "@a{sv} {}", "['votes']", "votes");
	assert_refused(f, "{'colour': <'red'>}", "['name']", "colour");
	/* Each of millions would be looked up. */
	for (guint i = 0; i < 65; i++)
		g_string_append(fields, i ? ", 'name'" : "['name'");
	g_string_append_c(fields, ']');
	assert_refused(f, "@a{sv} {}", fields->str, "More than 64");
	/* Each is tried on each of thousands of names. */
	assert_refused(f, "{'titles': <['1', '2', '3', '4', '5', '6', '7', '8', '9']>}", "['name']",
		       "At most 8 titles");
	g_string_printf(fields, "{'titles': <['%0128d', '%0129d']>}", 0, 0);
	assert_refused(f, fields->str, "['name']", "256 bytes");
}

static void test_filters_and_limits_are_those_of_rows(BusFixture *f, gconstpointer data)
{
	test_learn(&f->engine, "new", PROCDB_TIER_LAT_CRITICAL, 1);
	assert_names(f, "@a{sv} {}", 0, "cc1 make new");
	assert_names(f, "@a{sv} {}", 2, "cc1 make");
	assert_names(f, "{'confident': <true>}", 0, "cc1 make");
	assert_names(f, "{'pattern': <'nothing'>}", 0, "");
	assert_names(f, "{'titles': <['m*', 'n?w', 'nothing']>}", 0, "make new");
	assert_names(f, "{'titles': <['m*', 'n?w']>, 'pattern': <'*w'>}", 0, "new");
	assert_names(f, "{'titles': <@as []>}", 0, "cc1 make new");
}

static void test_a_list_goes_on_after_a_name(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) call = {0};

	test_learn(&f->engine, "make\xff", PROCDB_TIER_LAT_CRITICAL, 1);
	assert_names(f, "{'after': <'cc1'>}", 0, "make make\\xff");
	assert_names(f, "{'after': <'make'>}", 1, "make\\xff");
	assert_names(f, "{'after': <'make\\\\xff'>}", 0, "");
	/* A name that was there is gone. */
	assert_names(f, "{'after': <'d'>}", 1, "make");
	bus_call(f, &call, "QueryColumns", question("{'after': <'\\\\xzz'>}", "['name']", 0));
	g_assert_cmpstr(call.error, ==, OWN_ERROR("InvalidName"));
}

static void test_many_take_few_bytes(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) columns = NULL, rows = NULL;

	test_import_many(&f->engine, MANY);
	columns = ask(f, "@a{sv} {}", FIELDS, MANY);
	rows = bus_must(f, "QueryProfiles", g_variant_new("(a{sv}u)", NULL, MANY));
	g_test_message("%" G_GSIZE_FORMAT " bytes by columns, %" G_GSIZE_FORMAT " by rows",
		       g_variant_get_size(columns), g_variant_get_size(rows));
	g_assert_cmpuint(g_variant_get_size(columns), <, MANY * 200);
	g_assert_cmpuint(g_variant_get_size(columns) * 3, <, g_variant_get_size(rows));
}

static void test_an_answer_has_a_bound(BusFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;

	settings.max_retained = 30000;
	procdb_engine_configure(f->engine.engine, &settings);
	test_import_many(&f->engine, 20001);
	bus_must_fail(f, "QueryColumns", question("@a{sv} {}", "['name']", 0),
		      OWN_ERROR("LimitExceeded"));
	assert_names(f, "{'after': <'name-19999'>}", 0, "name-20000");
	procdb_engine_configure(f->engine.engine, &test_settings);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/columns/columns-say-what-profiles-say", test_columns_say_what_profiles_say);
	add("/columns/packed-columns-say-the-same", test_packed_columns_say_the_same);
	add("/columns/applications-of-people-are-theirs", test_applications_of_people_are_theirs);
	add("/columns/fields-are-those-asked-for", test_fields_are_those_asked_for);
	add("/columns/without-an-answer-nothing-is-read", test_without_an_answer_nothing_is_read);
	add("/columns/counts-alone-need-no-tasks", test_counts_alone_need_no_tasks);
	add("/columns/what-is-no-field-is-named", test_what_is_no_field_is_named);
	add("/columns/filters-and-limits-are-those-of-rows",
	    test_filters_and_limits_are_those_of_rows);
	add("/columns/a-list-goes-on-after-a-name", test_a_list_goes_on_after_a_name);
	add("/columns/many-take-few-bytes", test_many_take_few_bytes);
	add("/columns/an-answer-has-a-bound", test_an_answer_has_a_bound);
	return bus_fixture_run_tests();
}
