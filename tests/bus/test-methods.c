/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What the methods answer to callers that may call them. */

#include "bus-fixture.h"

#define ROWS "(a(ssdbu(uuu)ttttxs))"

static void assert_number(GVariant *dict, const char *key, guint64 expected)
{
	guint64 wide;
	guint32 narrow;

	if (g_variant_lookup(dict, key, "u", &narrow))
		g_assert_cmpuint(narrow, ==, expected);
	else if (g_variant_lookup(dict, key, "t", &wide))
		g_assert_cmpuint(wide, ==, expected);
	else
		g_error("%s is missing", key);
}

static void assert_string(GVariant *dict, const char *key, const char *expected)
{
	const char *value = NULL;

	g_variant_lookup(dict, key, "&s", &value);
	g_assert_cmpstr(value, ==, expected);
}

static void test_list(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = bus_must(f, "ListProfiles", NULL);
	g_autoptr(GVariant) rows = NULL;
	const char *name, *tier, *origin;
	double confidence;
	gboolean confident;
	guint observations, batch, interactive, critical;
	guint64 avg, dev, wf, csw;
	gint64 seen;

	g_assert_cmpstr(g_variant_get_type_string(reply), ==, ROWS);
	rows = g_variant_get_child_value(reply, 0);
	g_assert_cmpuint(g_variant_n_children(rows), ==, 2);
	g_variant_get_child(rows, 1, "(&s&sdbu(uuu)ttttx&s)", &name, &tier, &confidence, &confident,
			    &observations, &batch, &interactive, &critical, &avg, &dev, &wf, &csw,
			    &seen, &origin);
	g_assert_cmpstr(name, ==, "make");
	g_assert_cmpstr(tier, ==, "interactive");
	g_assert_cmpfloat_with_epsilon(confidence, 0.8, 1e-12);
	g_assert_true(confident);
	g_assert_cmpuint(observations, ==, 4);
	g_assert_cmpuint(batch, ==, 0);
	g_assert_cmpuint(interactive, ==, 4);
	g_assert_cmpuint(critical, ==, 0);
	g_assert_cmpuint(avg, ==, 1000000);
	g_assert_cmpuint(dev, ==, 0);
	g_assert_cmpuint(wf, ==, 1);
	g_assert_cmpuint(csw, ==, 1);
	g_assert_cmpint(seen, ==, test_clock_us());
	g_assert_cmpstr(origin, ==, "live");
}

static char *names_of(GVariant *reply)
{
	g_autoptr(GVariant) rows = g_variant_get_child_value(reply, 0);
	GString *names = g_string_new(NULL);

	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		const char *name;

		g_variant_get_child(row, 0, "&s", &name);
		g_string_append_printf(names, "%s%s", i ? " " : "", name);
	}
	return g_string_free(names, FALSE);
}

static void test_list_follows_every_change(BusFixture *f, gconstpointer data)
{
	G_GNUC_UNUSED g_autoptr(GVariant) first = bus_must(f, "ListProfiles", NULL);
	g_autoptr(GVariant) second = NULL, third = NULL, fourth = NULL;
	g_autofree char *names = NULL, *fewer = NULL;

	test_learn(&f->engine, "as", PROCDB_TIER_BATCH, 1);
	second = bus_must(f, "ListProfiles", NULL);
	names = names_of(second);
	g_assert_cmpstr(names, ==, "as cc1 make");
	g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", "as")));
	third = bus_must(f, "ListProfiles", NULL);
	fewer = names_of(third);
	g_assert_cmpstr(fewer, ==, "cc1 make");
	/* The last seen and the origin change when nothing is observed, too. */
	test_steps(&f->engine, 100);
	fourth = bus_must(f, "ListProfiles", NULL);
	g_assert_false(g_variant_equal(third, fourth));
}

static void test_names_of_any_bytes(BusFixture *f, gconstpointer data)
{
	static const char *const escaped[] = {
	    "\\x0a%n\\xff",
	    "a b",
	    "back\\\\slash",
	    "\303\251",
	};
	static const char *const raw[] = {"\n%n\xff", "a b", "back\\slash", "\303\251"};

	for (gsize i = 0; i < G_N_ELEMENTS(raw); i++) {
		g_autoptr(GVariant) profile = NULL, dict = NULL;

		test_learn(&f->engine, raw[i], PROCDB_TIER_BATCH, 3);
		profile = bus_must(f, "GetProfile", g_variant_new("(s)", escaped[i]));
		dict = g_variant_get_child_value(profile, 0);
		assert_string(dict, "name", escaped[i]);
		g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", escaped[i])));
		g_assert_null(test_find(&f->engine, raw[i]));
	}
}

static void test_get_profile(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = bus_must(f, "GetProfile", g_variant_new("(s)", "cc1"));
	g_autoptr(GVariant) dict = g_variant_get_child_value(reply, 0);
	double confidence = 0;

	assert_string(dict, "name", "cc1");
	assert_string(dict, "tier", "batch");
	assert_string(dict, "origin", "live");
	assert_number(dict, "observations", 3);
	assert_number(dict, "avg_runtime_ns", 1000000);
	g_assert_true(g_variant_lookup(dict, "confidence", "d", &confidence));
	g_assert_cmpfloat_with_epsilon(confidence, 0.75, 1e-12);
	g_assert_false(g_variant_lookup(dict, "override", "s", NULL));
	g_variant_unref(bus_must(f, "SetOverride", g_variant_new("(ss)", "cc1", "lat-critical")));
	g_clear_pointer(&reply, g_variant_unref);
	g_clear_pointer(&dict, g_variant_unref);
	reply = bus_must(f, "GetProfile", g_variant_new("(s)", "cc1"));
	dict = g_variant_get_child_value(reply, 0);
	assert_string(dict, "tier", "lat-critical");
	assert_string(dict, "override", "lat-critical");
	assert_string(dict, "origin", "override");
}

static void test_get_confidence(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) sure = bus_must(f, "GetConfidence", g_variant_new("(s)", "cc1"));
	g_autoptr(GVariant) unsure = NULL;
	double confidence;

	g_variant_get(sure, "(d)", &confidence);
	g_assert_cmpfloat_with_epsilon(confidence, 0.75, 1e-12);
	test_learn(&f->engine, "new", PROCDB_TIER_BATCH, 2);
	unsure = bus_must(f, "GetConfidence", g_variant_new("(s)", "new"));
	g_variant_get(unsure, "(d)", &confidence);
	g_assert_cmpfloat(confidence, ==, 0.0);
}

static void test_explain(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, dict = NULL;
	double missing = -1;

	test_learn(&f->engine, "new", PROCDB_TIER_BATCH, 1);
	reply = bus_must(f, "Explain", g_variant_new("(s)", "new"));
	dict = g_variant_get_child_value(reply, 0);
	assert_number(dict, "min_observations", 3);
	assert_number(dict, "missing_observations", 2);
	assert_string(dict, "prediction_source", "none");
	g_assert_true(g_variant_lookup(dict, "missing_confidence", "d", &missing));
	g_assert_cmpfloat(missing, ==, 0.6);
	g_assert_false(g_variant_lookup(dict, "in_kernel", "(stttt)", NULL));
	g_clear_pointer(&reply, g_variant_unref);
	g_clear_pointer(&dict, g_variant_unref);
	reply = bus_must(f, "Explain", g_variant_new("(s)", "cc1"));
	dict = g_variant_get_child_value(reply, 0);
	assert_string(dict, "prediction_source", "learned");
	assert_string(dict, "learned_tier", "batch");
	g_assert_true(
	    g_variant_lookup(dict, "in_kernel", "(&stttt)", NULL, NULL, NULL, NULL, NULL));
}

static void test_unknown_and_invalid_names(BusFixture *f, gconstpointer data)
{
	static const char *const invalid[] = {
	    "\\", "\\xFF", "\\n", "tab\t", "0123456789abcdefg", "\342\200\256",
	};

	for (GDBusMethodInfo **method = bus_methods(); *method; method++) {
		const char *method_name = (*method)->name;
		gboolean hold = g_str_equal(method_name, "Hold");
		gboolean with_tier = hold || g_str_equal(method_name, "SetOverride");

		if (!(*method)->in_args || !(*method)->in_args[0] ||
		    !g_str_equal((*method)->in_args[0]->name, "name"))
			continue;
		if (!with_tier)
			bus_must_fail(f, method_name, g_variant_new("(s)", "nobody"),
				      OWN_ERROR("NoSuchProfile"));
		for (gsize i = 0; i < G_N_ELEMENTS(invalid); i++)
			bus_must_fail(f, method_name,
				      hold	  ? g_variant_new("(sss)", invalid[i], "batch", "")
				      : with_tier ? g_variant_new("(ss)", invalid[i], "batch")
						  : g_variant_new("(s)", invalid[i]),
				      OWN_ERROR("InvalidName"));
	}
	bus_fixture_assert_untouched(f);
}

static GVariant *many_names(guint n)
{
	g_auto(GVariantBuilder) names;

	g_variant_builder_init(&names, G_VARIANT_TYPE_STRING_ARRAY);
	g_variant_builder_add(&names, "s", "cc1");
	for (guint i = 1; i < n; i++)
		g_variant_builder_add(&names, "s", "make");
	return g_variant_new("(as)", &names);
}

/* Of several, the wrong one is named. */
static void must_fail_naming(BusFixture *f, const char *const *names, const char *error,
			     const char *message)
{
	g_auto(BusCall) call = {0};

	bus_call(f, &call, "DeleteProfiles", g_variant_new("(^as)", names));
	g_assert_cmpstr(call.error, ==, error);
	g_assert_cmpstr(call.message, ==, message);
}

static void test_delete_several(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL, none = NULL;
	const char *const with_unknown[] = {"cc1", "no\\x0abody", "make", NULL};
	const char *const with_invalid[] = {"cc1", "bad\\q", NULL};
	const char *const empty[] = {NULL};
	guint deleted;

	must_fail_naming(f, with_unknown, OWN_ERROR("NoSuchProfile"),
			 "'no\\x0abody': There is no profile of this name");
	must_fail_naming(f, with_invalid, OWN_ERROR("InvalidName"),
			 "'bad\\q': Not a valid task name: a backslash is written \\\\, and a byte "
			 "\\xNN with two lower-case hexadecimal digits");
	bus_must_fail(f, "DeleteProfiles", many_names(4097), OWN_ERROR("LimitExceeded"));
	bus_fixture_assert_untouched(f);
	none = bus_must(f, "DeleteProfiles", g_variant_new("(^as)", empty));
	g_variant_get(none, "(u)", &deleted);
	g_assert_cmpuint(deleted, ==, 0);
	reply = bus_must(f, "DeleteProfiles", many_names(4096));
	g_variant_get(reply, "(u)", &deleted);
	g_assert_cmpuint(deleted, ==, 2);
	g_assert_cmpuint(procdb_table_size(procdb_engine_table(f->engine.engine)), ==, 0);
}

/* Every error that is about a name has it in front. */
static void test_errors_say_the_name(BusFixture *f, gconstpointer data)
{
	static const char *const methods[] = {"GetProfile", "GetConfidence", "Explain",
					      "DeleteProfile", "ClearOverride"};

	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_auto(BusCall) unknown = {0}, invalid = {0};

		bus_call(f, &unknown, methods[i], g_variant_new("(s)", "nobody"));
		g_assert_true(g_str_has_prefix(unknown.message, "'nobody': "));
		bus_call(f, &invalid, methods[i], g_variant_new("(s)", "bad\\q"));
		g_assert_true(g_str_has_prefix(invalid.message, "'bad\\q': "));
	}
}

/* What a caller sends may be long, and what is not read is counted as errors usually are. */
static void test_errors_are_short(BusFixture *f, gconstpointer data)
{
	static const char *const methods[] = {"GetProfile", "GetConfidence", "Explain",
					      "DeleteProfile", "ClearOverride"};
	g_autofree char *text = g_strnfill(100000, 'x');
	g_auto(BusCall) tier = {0}, filter = {0}, property = {0};

	for (gsize i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_auto(BusCall) call = {0};

		bus_call(f, &call, methods[i], g_variant_new("(s)", text));
		g_assert_cmpuint(strlen(call.message), <, 300);
		g_assert_nonnull(strstr(call.message, "…': Not a valid task name"));
	}
	bus_call(f, &tier, "SetOverride", g_variant_new("(ss)", "cc1", text));
	g_assert_cmpstr(tier.error, ==, OWN_ERROR("InvalidTier"));
	g_assert_cmpuint(strlen(tier.message), <, 1000);
	bus_call(f, &filter, "QueryProfiles", g_variant_new_parsed("({%s: <1>}, uint32 0)", text));
	g_assert_cmpstr(filter.error, ==, OWN_ERROR("InvalidFilter"));
	g_assert_cmpuint(strlen(filter.message), <, 1000);
	for (gsize length = 600; length < 900; length++) {
		g_autofree char *some = g_strnfill(length, 'x');
		g_auto(BusCall) call = {0};

		bus_call(f, &call, "QueryProfiles",
			 g_variant_new_parsed("({%s: <1>}, uint32 0)", some));
		g_assert_cmpuint(strlen(call.message), <=, 800);
	}
	bus_call_begin_on(f, &property, f->caller, "org.freedesktop.DBus.Properties", "GetAll",
			  g_variant_new("(s)", text), G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&property);
	g_assert_cmpuint(strlen(property.message), <, 300);
}

static void on_path_refused(GObject *source, GAsyncResult *result, gpointer data)
{
	GError **error = data;

	g_assert_null(g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, error));
}

/* Also the path of an object that does not exist; sd-bus drops calls with more than 64 KiB of it.
 */
static void test_a_long_path_is_not_repeated(BusFixture *f, gconstpointer data)
{
	g_autofree char *text = g_strnfill(60000, 'x');
	g_autofree char *path = g_strdup_printf("/%s", text);
	GError *error = NULL;

	g_dbus_connection_call(f->caller, f->service_name, path, "org.freedesktop.DBus.Properties",
			       "GetAll", g_variant_new("(s)", ""), NULL, G_DBUS_CALL_FLAGS_NONE,
			       60000, NULL, on_path_refused, &error);
	while (!error)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(strlen(error->message), <, 300);
	g_error_free(error);
}

static void test_reset(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL;
	guint deleted;

	g_variant_unref(bus_must(f, "SetOverride", g_variant_new("(ss)", "mine", "batch")));
	reply = bus_must(f, "Reset", NULL);
	g_variant_get(reply, "(u)", &deleted);
	g_assert_cmpuint(deleted, ==, 2);
	g_assert_cmpuint(procdb_table_size(procdb_engine_table(f->engine.engine)), ==, 1);
	g_assert_nonnull(test_find(&f->engine, "mine"));
}

static void test_save_and_load(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) saved = bus_must(f, "Save", NULL);
	g_autoptr(GVariant) loaded = NULL;
	guint n;

	g_variant_get(saved, "(u)", &n);
	g_assert_cmpuint(n, ==, 2);
	test_learn(&f->engine, "later", PROCDB_TIER_BATCH, 3);
	loaded = bus_must(f, "LoadDatabase", NULL);
	g_variant_get(loaded, "(u)", &n);
	g_assert_cmpuint(n, ==, 2);
	g_assert_cmpuint(f->reconfigured, ==, 0);
	g_assert_null(test_find(&f->engine, "later"));
}

/* What was answered as saved is still there when the load that came behind it is answered. */
static void test_a_load_waits_for_changes(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) first = {0}, second = {0}, load = {0};
	guint n;

	bus_call_begin(f, &first, f->caller, "SetOverride", g_variant_new("(ss)", "one", "batch"),
		       G_DBUS_CALL_FLAGS_NONE);
	bus_call_begin(f, &second, f->caller, "SetOverride", g_variant_new("(ss)", "two", "batch"),
		       G_DBUS_CALL_FLAGS_NONE);
	bus_call_begin(f, &load, f->caller, "LoadDatabase", NULL, G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&load);
	g_assert_null(load.error);
	g_assert_true(first.done && second.done);
	g_assert_null(first.error);
	g_assert_null(second.error);
	g_variant_get(load.reply, "(u)", &n);
	g_assert_cmpuint(n, ==, 4);
	g_assert_nonnull(test_find(&f->engine, "one"));
	g_assert_nonnull(test_find(&f->engine, "two"));
}

static void test_reload_keeps_what_was_learned(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) reply = NULL;
	guint n;

	g_variant_unref(bus_must(f, "Save", NULL));
	test_learn(&f->engine, "later", PROCDB_TIER_BATCH, 3);
	reply = bus_must(f, "Reload", NULL);
	g_variant_get(reply, "(u)", &n);
	g_assert_cmpuint(n, ==, 3);
	g_assert_cmpuint(f->reconfigured, ==, 1);
	g_assert_nonnull(test_find(&f->engine, "later"));
}

static void test_a_reload_that_fails_changes_nothing(BusFixture *f, gconstpointer data)
{
	f->host_refuses = TRUE;
	bus_must_fail(f, "Reload", NULL, OWN_ERROR("LoadFailed"));
	g_assert_nonnull(test_find(&f->engine, "cc1"));
	g_assert_nonnull(test_find(&f->engine, "make"));
}

static void test_what_cannot_be_saved(BusFixture *f, gconstpointer data)
{
	engine_fixture_allow_warnings();
	engine_fixture_block_saving(&f->engine, TRUE);
	bus_must_fail(f, "Save", NULL, OWN_ERROR("SaveFailed"));
	bus_must_fail(f, "DeleteProfile", g_variant_new("(s)", "cc1"), OWN_ERROR("SaveFailed"));
	engine_fixture_block_saving(&f->engine, FALSE);
	g_variant_unref(bus_must(f, "Save", NULL));
}

static void test_overrides(BusFixture *f, gconstpointer data)
{
	enum procdb_tier tier;

	bus_must_fail(f, "SetOverride", g_variant_new("(ss)", "cc1", "Batch"),
		      OWN_ERROR("InvalidTier"));
	bus_must_fail(f, "SetOverride", g_variant_new("(ss)", "cc1", ""), OWN_ERROR("InvalidTier"));
	/* Which the kernel cuts. */
	bus_must_fail(f, "SetOverride", g_variant_new("(ss)", "telegram-desktop", "batch"),
		      OWN_ERROR("InvalidName"));
	bus_fixture_assert_untouched(f);
	g_variant_unref(
	    bus_must(f, "SetOverride", g_variant_new("(ss)", "unseen", "lat-critical")));
	g_assert_true(test_predicts(&f->engine, "unseen", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_variant_unref(bus_must(f, "ClearOverride", g_variant_new("(s)", "unseen")));
	g_assert_null(test_find(&f->engine, "unseen"));
	bus_must_fail(f, "ClearOverride", g_variant_new("(s)", "unseen"),
		      OWN_ERROR("NoSuchProfile"));
}

static void test_set_backend(BusFixture *f, gconstpointer data)
{
	g_variant_unref(bus_must(f, "SetBackend", g_variant_new("(s)", "pinned")));
	g_assert_cmpstr(f->backend, ==, "pinned");
}

static void test_export_and_import(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) rows = bus_must(f, "ListProfiles", NULL);
	g_autoptr(GVariant) array = g_variant_get_child_value(rows, 0);
	g_autoptr(GVariant) again = NULL;
	g_autofree char *before = names_of(rows), *after = NULL;

	g_variant_unref(bus_must(f, "Reset", NULL));
	g_variant_unref(
	    bus_must(f, "Import", g_variant_new("(@a(ssdbu(uuu)ttttxs)b)", array, FALSE)));
	again = bus_must(f, "ListProfiles", NULL);
	after = names_of(again);
	g_assert_cmpstr(after, ==, before);
	test_steps(&f->engine, 1);
	test_check_consistent(&f->engine);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/methods/list", test_list);
	add("/methods/list-follows-every-change", test_list_follows_every_change);
	add("/methods/names-of-any-bytes", test_names_of_any_bytes);
	add("/methods/get-profile", test_get_profile);
	add("/methods/get-confidence", test_get_confidence);
	add("/methods/explain", test_explain);
	add("/methods/unknown-and-invalid-names", test_unknown_and_invalid_names);
	add("/methods/delete-several", test_delete_several);
	add("/methods/errors-are-short", test_errors_are_short);
	add("/methods/a-long-path-is-not-repeated", test_a_long_path_is_not_repeated);
	add("/methods/errors-say-the-name", test_errors_say_the_name);
	add("/methods/reset", test_reset);
	add("/methods/save-and-load", test_save_and_load);
	add("/methods/a-load-waits-for-changes", test_a_load_waits_for_changes);
	add("/methods/reload-keeps-what-was-learned", test_reload_keeps_what_was_learned);
	add("/methods/a-reload-that-fails-changes-nothing",
	    test_a_reload_that_fails_changes_nothing);
	add("/methods/what-cannot-be-saved", test_what_cannot_be_saved);
	add("/methods/overrides", test_overrides);
	add("/methods/set-backend", test_set_backend);
	add("/methods/export-and-import", test_export_and_import);
	return bus_fixture_run_tests();
}
