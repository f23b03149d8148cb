/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What clients rely on: introspection, policy, properties and signals. */

#include <string.h>

#include "authorizer.h"
#include "bus-fixture.h"

#define INTERFACE "org.pandemonium.ProcDb1"
#define PROPERTIES "org.freedesktop.DBus.Properties"

static char *read_source(const char *path)
{
	g_autofree char *full = g_test_build_filename(G_TEST_DIST, path, NULL);
	g_autoptr(GError) error = NULL;
	char *text;

	g_file_get_contents(full, &text, NULL, &error);
	g_assert_no_error(error);
	return text;
}

static GDBusNodeInfo *node_of(const char *xml)
{
	g_autoptr(GError) error = NULL;
	GDBusNodeInfo *node = g_dbus_node_info_new_for_xml(xml, &error);

	g_assert_no_error(error);
	return node;
}

static char *print(GDBusInterfaceInfo *info)
{
	GString *text = g_string_new(NULL);

	g_dbus_interface_info_generate_xml(info, 0, text);
	return g_string_free(text, FALSE);
}

static void test_introspection_is_the_file(BusFixture *f, gconstpointer data)
{
	g_autofree char *xml = read_source("dbus/org.pandemonium.ProcDb1.xml");
	g_autoptr(GDBusNodeInfo) file = node_of(xml), bus = NULL;
	g_autofree char *expected = NULL, *found = NULL;
	g_auto(BusCall) call = {0};
	GDBusInterfaceInfo *ours;
	const char *answer;

	bus_call_begin_on(f, &call, f->caller, "org.freedesktop.DBus.Introspectable", "Introspect",
			  NULL, G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	g_assert_null(call.error);
	g_variant_get(call.reply, "(&s)", &answer);
	bus = node_of(answer);
	ours = g_dbus_node_info_lookup_interface(bus, INTERFACE);
	g_assert_nonnull(ours);
	expected = print(g_dbus_node_info_lookup_interface(file, INTERFACE));
	found = print(ours);
	g_assert_cmpstr(found, ==, expected);
}

static void on_element(GMarkupParseContext *context, const char *element, const char **names,
		       const char **values, gpointer data, GError **error)
{
	if (!g_str_equal(element, "action"))
		return;
	for (guint i = 0; names[i]; i++)
		if (g_str_equal(names[i], "id"))
			g_hash_table_add(data, g_strdup(values[i]));
}

static void test_policy_has_these_actions_and_no_other(BusFixture *f, gconstpointer data)
{
	static const GMarkupParser parser = {.start_element = on_element};
	g_autofree char *policy = read_source("polkit/org.pandemonium.procdb.policy");
	g_autoptr(GHashTable) declared =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autoptr(GHashTable) used = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GMarkupParseContext) context =
	    g_markup_parse_context_new(&parser, (GMarkupParseFlags)0, declared, NULL);
	g_autoptr(GError) error = NULL;
	GHashTableIter iter;
	gpointer action;

	g_markup_parse_context_parse(context, policy, (gssize)strlen(policy), &error);
	g_assert_no_error(error);
	for (GDBusMethodInfo **method = bus_methods(); *method; method++)
		g_hash_table_add(used, (gpointer)procdb_authorizer_action((*method)->name));
	/* Asked for when SetBackend means another scheduler. */
	g_hash_table_add(used, (gpointer) "org.pandemonium.procdb.replace-scheduler");
	g_hash_table_iter_init(&iter, declared);
	while (g_hash_table_iter_next(&iter, &action, NULL))
		if (!g_hash_table_contains(used, action))
			g_error("No method needs %s", (char *)action);
	g_hash_table_remove(used, "org.pandemonium.procdb.replace-scheduler");
	g_hash_table_iter_init(&iter, used);
	while (g_hash_table_iter_next(&iter, &action, NULL))
		if (!g_hash_table_contains(declared, action))
			g_error("The policy has no %s", (char *)action);
}

static GDBusPropertyInfo **properties(void)
{
	return procdb_interface()->properties;
}

/* "true", "false", "const" or "invalidates". */
static const char *announced(const GDBusPropertyInfo *property)
{
	const char *value = g_dbus_annotation_info_lookup(
	    property->annotations, "org.freedesktop.DBus.Property.EmitsChangedSignal");

	return value ? value : "true";
}

static void test_no_property_can_be_set(BusFixture *f, gconstpointer data)
{
	f->authority.uid = 0;
	for (GDBusPropertyInfo **property = properties(); *property; property++) {
		g_autoptr(GVariant) before = bus_get(f, (*property)->name), after = NULL;
		g_auto(BusCall) call = {0};

		g_assert_cmpint((*property)->flags, ==, G_DBUS_PROPERTY_INFO_FLAGS_READABLE);
		bus_call_begin_on(f, &call, f->caller, PROPERTIES, "Set",
				  g_variant_new("(ssv)", INTERFACE, (*property)->name, before),
				  G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
		bus_call_wait(&call);
		g_assert_nonnull(call.error);
		g_assert_true(g_str_has_prefix(call.error, "org.freedesktop.DBus.Error."));
		after = bus_get(f, (*property)->name);
		if (!g_str_equal((*property)->name, "Tick"))
			g_assert_true(g_variant_equal(before, after));
	}
	bus_fixture_assert_untouched(f);
}

static void test_properties_tell_the_truth(BusFixture *f, gconstpointer data)
{
	static const struct {
		const char *name;
		const char *value;
	} expected[] = {
	    {"Backend", "'memory'"},	     {"BackendState", "'active'"},
	    {"BackendStatus", "'active'"},   {"BackendReason", "''"},
	    {"BackendInUse", "'memory'"},    {"ApiVersion", "uint32 4"},
	    {"Profiles", "uint32 2"},	     {"Confident", "uint32 2"},
	    {"Overrides", "uint32 0"},	     {"Observations", "uint64 7"},
	    {"MapErrors", "uint64 0"},	     {"LastSave", "int64 0"},
	    {"LastSaveError", "''"},	     {"Dirty", "true"},
	    {"MinObservations", "uint32 3"}, {"MinConfidence", "0.59999999999999998"},
	    {"MaxProfiles", "uint32 512"},   {"StaleTicks", "uint64 60"},
	    {"RetentionDays", "uint32 30"},  {"DatabaseProblem", "''"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(expected); i++) {
		g_autoptr(GVariant) value = bus_get(f, expected[i].name);
		g_autofree char *text = g_variant_print(value, TRUE);

		if (!g_str_equal(text, expected[i].value))
			g_error("%s is %s, not %s", expected[i].name, text, expected[i].value);
	}
	g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", "cc1")));
	{
		g_autoptr(GVariant) profiles = bus_get(f, "Profiles");

		g_assert_cmpuint(g_variant_get_uint32(profiles), ==, 1);
	}
	test_learn(&f->engine, "as", PROCDB_TIER_BATCH, 1);
	{
		g_autoptr(GVariant) profiles = bus_get(f, "Profiles");

		g_assert_cmpuint(g_variant_get_uint32(profiles), ==, 2);
	}
}

static void test_all_properties_at_once_are_fresh(BusFixture *f, gconstpointer data)
{
	g_autoptr(GVariant) dict = NULL;
	g_auto(BusCall) call = {0};
	guint profiles = 0, n = 0;

	test_learn(&f->engine, "as", PROCDB_TIER_BATCH, 1);
	bus_call_begin_on(f, &call, f->caller, PROPERTIES, "GetAll",
			  g_variant_new("(s)", INTERFACE), G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	g_assert_null(call.error);
	dict = g_variant_get_child_value(call.reply, 0);
	while (properties()[n])
		n++;
	g_assert_cmpuint(g_variant_n_children(dict), ==, n);
	g_assert_true(g_variant_lookup(dict, "Profiles", "u", &profiles));
	g_assert_cmpuint(profiles, ==, 3);
}

/* What PropertiesChanged said, by property. */
static void on_properties_changed(GDBusConnection *connection, const char *sender, const char *path,
				  const char *interface, const char *signal, GVariant *parameters,
				  gpointer data)
{
	g_autoptr(GVariantIter) values = NULL;
	const char *name;
	GVariant *value;

	g_variant_get(parameters, "(&sa{sv}as)", NULL, &values, NULL);
	while (g_variant_iter_next(values, "{&sv}", &name, &value))
		g_hash_table_replace(data, g_strdup(name), value);
}

static guint subscribe(BusFixture *f, const char *interface, const char *signal,
		       GDBusSignalCallback callback, gpointer data)
{
	return g_dbus_connection_signal_subscribe(f->caller, f->service_name, interface, signal,
						  PROCDB_BUS_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
						  callback, data, NULL);
}

static void test_announcements_are_annotated(BusFixture *f, gconstpointer data)
{
	g_autoptr(GHashTable) heard =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine.engine);
	guint id = subscribe(f, PROPERTIES, "PropertiesChanged", on_properties_changed, heard);

	bus_settle(f);
	/* Something happens to every property that can change. */
	g_variant_unref(bus_must(f, "SetOverride", g_variant_new("(ss)", "cc1", "batch")));
	g_variant_unref(bus_must(f, "Save", NULL));
	settings.rules = (struct procdb_rules){1, 0.5, 100, 30};
	settings.retention_days = 1;
	procdb_engine_configure(f->engine.engine, &settings);
	g_variant_unref(bus_must(f, "Reload", NULL));
	g_variant_unref(bus_must(f, "LoadDatabase", NULL));
	engine_fixture_allow_warnings();
	test_maps_fail_every(f->engine.backend, 1);
	test_learn(&f->engine, "new", PROCDB_TIER_BATCH, 3);
	test_maps_fail_every(f->engine.backend, 0);
	engine_fixture_block_saving(&f->engine, TRUE);
	bus_must_fail(f, "Save", NULL, OWN_ERROR("SaveFailed"));
	engine_fixture_block_saving(&f->engine, FALSE);
	/* What came in the same second is said with the next step. */
	test_steps(&f->engine, 1);
	bus_settle(f);
	for (GDBusPropertyInfo **property = properties(); *property; property++) {
		const char *name = (*property)->name;

		if (!g_str_equal(announced(*property), "true") &&
		    g_hash_table_contains(heard, name))
			g_error("%s is announced and annotated %s", name, announced(*property));
	}
	for (const char *const *name =
		 (const char *const[]){"Profiles", "Confident", "Overrides", "LastSave",
				       "LastSaveError", "MinObservations", "MinConfidence",
				       "MaxProfiles", "StaleTicks", "RetentionDays", NULL};
	     *name; name++)
		if (!g_hash_table_contains(heard, *name))
			g_error("%s changed unannounced", *name);
	g_dbus_connection_signal_unsubscribe(f->caller, id);
}

/* A connection that has a match for all signals of the service, and reads none. */
static sd_bus *deaf_follower(BusFixture *f)
{
	sd_bus *bus = NULL;

	g_assert_cmpint(sd_bus_new(&bus), >=, 0);
	g_assert_cmpint(sd_bus_set_address(bus, g_getenv("DBUS_SESSION_BUS_ADDRESS")), >=, 0);
	g_assert_cmpint(sd_bus_set_bus_client(bus, TRUE), >=, 0);
	g_assert_cmpint(sd_bus_start(bus), >=, 0);
	g_assert_cmpint(
	    sd_bus_add_match(bus, NULL, "type='signal',path='" PROCDB_BUS_PATH "'", NULL, NULL), >=,
	    0);
	return bus;
}

/* As days of PropertiesChanged are, in a minute. */
static void send_much(BusFixture *f)
{
	enum { SIGNALS = 240 };
	g_autofree char *text = g_strnfill((gsize)1 << 18, 'x');

	for (guint i = 0; i < SIGNALS; i++) {
		g_assert_cmpint(sd_bus_emit_signal(f->service, PROCDB_BUS_PATH, "org.example.Test",
						   "Much", "s", text),
				>=, 0);
		bus_settle(f);
	}
	test_clock_advance(61 * G_USEC_PER_SEC);
}

static void set_override(BusFixture *f, const char *name)
{
	g_variant_unref(bus_must(f, "SetOverride", g_variant_new("(ss)", name, "batch")));
	test_clock_advance(2 * G_USEC_PER_SEC);
	test_steps(&f->engine, 1);
	bus_settle(f);
}

/* At 127 MiB dbus-daemon would read nothing from the service any more, for any caller. */
static void test_what_a_follower_does_not_read_ends(BusFixture *f, gconstpointer data)
{
	g_autoptr(GHashTable) heard =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
	g_autoptr(GVariant) overrides = NULL;
	sd_bus *deaf = deaf_follower(f);
	guint id = subscribe(f, PROPERTIES, "PropertiesChanged", on_properties_changed, heard);

	set_override(f, "one");
	g_assert_nonnull(g_hash_table_lookup(heard, "Overrides"));
	send_much(f);
	/* The question goes out with this one. */
	set_override(f, "two");
	g_hash_table_remove_all(heard);
	set_override(f, "three");
	g_assert_null(g_hash_table_lookup(heard, "Overrides"));
	overrides = bus_get(f, "Overrides");
	g_assert_cmpuint(g_variant_get_uint32(overrides), ==, 3);
	/* It leaves, and what was kept back is told. */
	sd_bus_close_unref(deaf);
	test_clock_advance(61 * G_USEC_PER_SEC);
	set_override(f, "four");
	set_override(f, "five");
	g_assert_cmpuint(g_variant_get_uint32(g_hash_table_lookup(heard, "Overrides")), ==, 5);
	g_dbus_connection_signal_unsubscribe(f->caller, id);
}

static void test_idle_steps_announce_nothing(BusFixture *f, gconstpointer data)
{
	g_autoptr(GHashTable) heard =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_variant_unref);
	guint id;

	bus_settle(f);
	id = subscribe(f, PROPERTIES, "PropertiesChanged", on_properties_changed, heard);
	bus_settle(f);
	test_steps(&f->engine, 5);
	g_variant_unref(bus_get(f, "Tick"));
	bus_settle(f);
	g_assert_cmpuint(g_hash_table_size(heard), ==, 0);
	g_dbus_connection_signal_unsubscribe(f->caller, id);
}

typedef struct {
	guint n;
	guint64 serial;
	GStrv changed;
	GStrv removed;
	guint id;
} Changes;

static void on_profiles_changed(GDBusConnection *connection, const char *sender, const char *path,
				const char *interface, const char *signal, GVariant *parameters,
				gpointer data)
{
	Changes *changes = data;

	changes->n++;
	g_strfreev(changes->changed);
	g_strfreev(changes->removed);
	g_variant_get(parameters, "(t^as^as)", &changes->serial, &changes->changed,
		      &changes->removed);
}

static void listen_to(BusFixture *f, Changes *changes)
{
	*changes = (Changes){0};
	changes->id = subscribe(f, INTERFACE, "ProfilesChanged", on_profiles_changed, changes);
	bus_settle(f);
}

static void stop_listening(BusFixture *f, Changes *changes)
{
	g_dbus_connection_signal_unsubscribe(f->caller, changes->id);
	g_strfreev(changes->changed);
	g_strfreev(changes->removed);
}

static void test_changes_are_numbered(BusFixture *f, gconstpointer data)
{
	Changes changes;
	guint64 serial;

	listen_to(f, &changes);
	test_learn(&f->engine, "a\n", PROCDB_TIER_BATCH, 1);
	bus_settle(f);
	g_assert_cmpuint(changes.n, ==, 1);
	g_assert_cmpuint(g_strv_length(changes.changed), ==, 1);
	g_assert_cmpstr(changes.changed[0], ==, "a\\x0a");
	g_assert_cmpuint(g_strv_length(changes.removed), ==, 0);
	serial = changes.serial;
	/* Nothing changes, nothing is said. */
	test_steps(&f->engine, 5);
	bus_settle(f);
	g_assert_cmpuint(changes.n, ==, 1);
	test_learn(&f->engine, "cc1", PROCDB_TIER_BATCH, 1);
	bus_settle(f);
	g_assert_cmpuint(changes.serial, ==, serial + 1);
	stop_listening(f, &changes);
}

static void test_a_delete_is_heard_at_once(BusFixture *f, gconstpointer data)
{
	Changes changes;

	listen_to(f, &changes);
	g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", "cc1")));
	bus_settle(f);
	g_assert_cmpuint(changes.n, ==, 1);
	g_assert_cmpstr(changes.removed[0], ==, "cc1");
	g_assert_cmpuint(g_strv_length(changes.changed), ==, 0);
	/* At most once a tick. */
	g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", "make")));
	bus_settle(f);
	g_assert_cmpuint(changes.n, ==, 1);
	test_steps(&f->engine, 1);
	bus_settle(f);
	g_assert_cmpuint(changes.n, ==, 2);
	g_assert_cmpstr(changes.removed[0], ==, "make");
	stop_listening(f, &changes);
}

static void observe_many(BusFixture *f, guint n)
{
	struct procdb_class class = test_class(PROCDB_TIER_BATCH, 1);

	for (guint i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);
		struct procdb_comm comm = test_comm(name);

		test_maps_observe(f->engine.backend, &comm, &class);
	}
	test_steps(&f->engine, 1);
	bus_settle(f);
}

static void test_too_many_changes_are_not_listed(BusFixture *f, gconstpointer data)
{
	Changes changes;
	guint64 serial;

	listen_to(f, &changes);
	observe_many(f, 256);
	g_assert_cmpuint(g_strv_length(changes.changed), ==, 256);
	serial = changes.serial;
	observe_many(f, 257);
	g_assert_cmpuint(changes.serial, ==, serial + 1);
	g_assert_cmpuint(g_strv_length(changes.changed), ==, 0);
	g_assert_cmpuint(g_strv_length(changes.removed), ==, 0);
	stop_listening(f, &changes);
}

static void test_a_name_never_breaks_a_signal(BusFixture *f, gconstpointer data)
{
	Changes changes;

	listen_to(f, &changes);
	test_learn(&f->engine, "\xff\xfe\n%n\\", PROCDB_TIER_BATCH, 1);
	bus_settle(f);
	g_assert_cmpstr(changes.changed[0], ==, "\\xff\\xfe\\x0a%n\\\\");
	stop_listening(f, &changes);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/contract/introspection-is-the-file", test_introspection_is_the_file);
	add("/contract/policy-has-these-actions-and-no-other",
	    test_policy_has_these_actions_and_no_other);
	add("/contract/no-property-can-be-set", test_no_property_can_be_set);
	add("/contract/properties-tell-the-truth", test_properties_tell_the_truth);
	add("/contract/all-properties-at-once-are-fresh", test_all_properties_at_once_are_fresh);
	add("/contract/announcements-are-annotated", test_announcements_are_annotated);
	add("/contract/deaf-follower", test_what_a_follower_does_not_read_ends);
	add("/contract/idle-steps-announce-nothing", test_idle_steps_announce_nothing);
	add("/contract/changes-are-numbered", test_changes_are_numbered);
	add("/contract/a-delete-is-heard-at-once", test_a_delete_is_heard_at_once);
	add("/contract/too-many-changes-are-not-listed", test_too_many_changes_are_not_listed);
	add("/contract/a-name-never-breaks-a-signal", test_a_name_never_breaks_a_signal);
	return bus_fixture_run_tests();
}
