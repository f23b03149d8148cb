/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Calls of one connection: none is lost, none overtakes another, and no approval outlives its call.
 */

#include "bus-fixture.h"

#define ROWS "@a(ssdbu(uuu)ttttxs)"
#define MANY 1000
/* Of these at once: dbus-daemon lets a caller wait for 128 answers. */
#define UNDER_WAY 120
/* More than the 4 KiB from which on calls were once taken for large. */
#define LARGE_ROWS 60

static GVariant *rows_of(guint n)
{
	g_auto(GVariantBuilder) rows;

	g_variant_builder_init(&rows, G_VARIANT_TYPE("a(ssdbu(uuu)ttttxs)"));
	for (guint i = 0; i < n; i++) {
		g_autofree char *name = g_strdup_printf("row%u", i);

		g_variant_builder_add(&rows, "(ssdbu(uuu)ttttxs)", name, "batch", 1.0, TRUE, 10, 10,
				      0, 0, G_GUINT64_CONSTANT(1000), G_GUINT64_CONSTANT(0),
				      G_GUINT64_CONSTANT(1), G_GUINT64_CONSTANT(1),
				      G_GINT64_CONSTANT(0), "live");
	}
	return g_variant_builder_end(&rows);
}

static GVariant *import_of(guint n)
{
	return g_variant_new("(" ROWS "b)", rows_of(n), FALSE);
}

static guint profiles(BusFixture *f)
{
	return (guint)procdb_table_size(procdb_engine_table(f->engine.engine));
}

/* On a connection that is new, where the bus and polkit have yet to be asked. */
static void pipeline(BusFixture *f, const char *method, GVariant *parameters, const char *error)
{
	g_autoptr(GVariant) kept = parameters ? g_variant_ref_sink(parameters) : NULL;
	GDBusConnection *caller = bus_connect();
	g_autofree BusCall *calls = g_new0(BusCall, MANY);

	for (guint i = 0; i < MANY; i++) {
		if (i >= UNDER_WAY)
			bus_call_wait(&calls[i - UNDER_WAY]);
		bus_call_begin(f, &calls[i], caller, method, kept, G_DBUS_CALL_FLAGS_NONE);
	}
	for (guint i = 0; i < MANY; i++)
		bus_call_wait(&calls[i]);
	for (guint i = 0; i < MANY; i++) {
		g_assert_cmpstr(calls[i].error, ==, error);
		g_assert_cmpuint(calls[i].rank, ==, calls[0].rank + i);
		bus_call_clear(&calls[i]);
	}
	bus_close(caller);
}

static void test_a_pipeline_is_answered_in_order(BusFixture *f, gconstpointer data)
{
	pipeline(f, "GetConfidence", g_variant_new("(s)", "cc1"), NULL);
	/* Of each polkit is asked. */
	f->authority.not_cacheable = TRUE;
	pipeline(f, "GetConfidence", g_variant_new("(s)", "cc1"), NULL);
	f->authority.answer = FAKE_DENY;
	pipeline(f, "Reset", NULL, ACCESS_DENIED);
	bus_fixture_assert_untouched(f);
	f->authority.uid = 0;
	pipeline(f, "GetConfidence", g_variant_new("(s)", "cc1"), NULL);
}

static void assert_says_none(const BusCall *get)
{
	g_autoptr(GVariant) value = NULL;

	g_assert_nonnull(get->reply);
	g_variant_get(get->reply, "(v)", &value);
	g_assert_cmpuint(g_variant_get_uint32(value), ==, 0);
}

static void test_nothing_overtakes_a_large_call(BusFixture *f, gconstpointer data)
{
	f->authority.not_cacheable = TRUE;
	for (guint i = 0; i < 10; i++) {
		GDBusConnection *caller = bus_connect();
		g_auto(BusCall) import = {0}, reset = {0}, list = {0};

		bus_call_begin(f, &import, caller, "Import", import_of(LARGE_ROWS),
			       G_DBUS_CALL_FLAGS_NONE);
		bus_call_begin(f, &reset, caller, "Reset", NULL, G_DBUS_CALL_FLAGS_NONE);
		/* One that needs no authorization waits for its turn as well. */
		bus_call_begin_on(f, &list, caller, "org.freedesktop.DBus.Properties", "Get",
				  g_variant_new("(ss)", PROCDB_BUS_INTERFACE, "Profiles"),
				  G_DBUS_CALL_FLAGS_NONE);
		bus_call_wait(&import);
		bus_call_wait(&reset);
		bus_call_wait(&list);
		g_assert_null(import.error);
		g_assert_null(reset.error);
		g_assert_cmpuint(import.rank, <, reset.rank);
		/* Its answer need not wait for the disk, but it says what came before. */
		assert_says_none(&list);
		g_assert_cmpuint(profiles(f), ==, 0);
		bus_close(caller);
	}
}

static void test_calls_without_an_answer_are_done(BusFixture *f, gconstpointer data)
{
	enum { BURST = 200 };
	GDBusConnection *caller = bus_connect();
	ProcdbEngineStatus status;
	g_auto(BusCall) last = {0};

	for (guint i = 0; i < BURST; i++) {
		g_autofree char *name = g_strdup_printf("quiet%u", i);

		bus_send(f, caller, "SetOverride", g_variant_new("(ss)", name, "batch"));
	}
	bus_send(f, caller, "Import", import_of(LARGE_ROWS));
	bus_call_begin(f, &last, caller, "Save", NULL, G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&last);
	g_assert_null(last.error);
	procdb_engine_status(f->engine.engine, &status);
	g_assert_cmpuint(status.overrides, ==, BURST);
	g_assert_cmpuint(profiles(f), ==, 2 + BURST + LARGE_ROWS);
	bus_close(caller);
}

static void test_calls_without_an_answer_are_authorized(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) last = {0};

	f->authority.answer = FAKE_DENY;
	bus_send(f, f->caller, "Reset", NULL);
	bus_send(f, f->caller, "DeleteProfile", g_variant_new("(s)", "cc1"));
	bus_call(f, &last, "Save", NULL);
	g_assert_cmpstr(last.error, ==, ACCESS_DENIED);
	bus_fixture_assert_untouched(f);
}

static void on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
	*(GDBusMessage **)data = g_dbus_connection_send_message_with_reply_finish(
	    G_DBUS_CONNECTION(source), result, NULL);
}

/* The error of a call with this serial, or NULL; static. */
static const char *call_with_serial(BusFixture *f, guint32 serial, const char *path,
				    const char *method, GVariant *parameters)
{
	g_autoptr(GDBusMessage) message =
	    g_dbus_message_new_method_call(f->service_name, path, PROCDB_BUS_INTERFACE, method);
	g_autoptr(GDBusMessage) reply = NULL;

	if (parameters)
		g_dbus_message_set_body(message, parameters);
	g_dbus_message_set_serial(message, serial);
	g_dbus_connection_send_message_with_reply(f->caller, message,
						  G_DBUS_SEND_MESSAGE_FLAGS_PRESERVE_SERIAL, 60000,
						  NULL, NULL, on_reply, &reply);
	while (!reply)
		g_main_context_iteration(NULL, TRUE);
	return g_intern_string(g_dbus_message_get_error_name(reply));
}

/* What was allowed once, of a call that went nowhere, is not there for another one later. */
static void test_no_approval_is_stored(BusFixture *f, gconstpointer data)
{
	static const char *const methods[] = {"Reload", "Reset", "Save"};

	f->authority.not_cacheable = TRUE;
	for (guint32 i = 0; i < G_N_ELEMENTS(methods); i++)
		g_assert_cmpstr(
		    call_with_serial(f, 100000 + i, "/nope", "Import", import_of(LARGE_ROWS)), ==,
		    "org.freedesktop.DBus.Error.UnknownObject");
	f->authority.answer = FAKE_DENY;
	for (guint32 i = 0; i < G_N_ELEMENTS(methods); i++) {
		g_assert_cmpstr(call_with_serial(f, 100000 + i, PROCDB_BUS_PATH, methods[i], NULL),
				==, ACCESS_DENIED);
		g_assert_cmpstr(call_with_serial(f, 100000 + i, PROCDB_BUS_PATH, "Import",
						 import_of(LARGE_ROWS)),
				==, ACCESS_DENIED);
	}
	bus_fixture_assert_untouched(f);
}

static void test_nothing_waits_for_a_prompt(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) prompted = {0}, other = {0};

	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_HOLD;
	bus_call_begin(f, &prompted, f->caller, "Reset", NULL,
		       G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION);
	bus_wait_for(&f->authority.prompts, 1);
	f->authority.answer = FAKE_ALLOW;
	bus_call(f, &other, "GetConfidence", g_variant_new("(s)", "cc1"));
	g_assert_null(other.error);
	g_assert_false(prompted.done);
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_call_wait(&prompted);
	g_assert_null(prompted.error);
	g_assert_cmpuint(profiles(f), ==, 0);
}

static void test_a_caller_that_leaves_is_not_obeyed(BusFixture *f, gconstpointer data)
{
	GDBusConnection *caller = bus_connect();

	f->authority.answer = FAKE_HOLD;
	for (guint i = 0; i < 20; i++)
		bus_send(f, caller, "Reset", NULL);
	bus_wait_for(&f->authority.held->len, 1);
	/* Where whose it is comes from the bus, it has been told by then to say who leaves. */
	bus_settle(f);
	bus_close(caller);
	bus_wait_for(&f->authority.held->len, 0);
	bus_settle(f);
	bus_fixture_assert_untouched(f);
}

static void test_what_waits_is_bounded(BusFixture *f, gconstpointer data)
{
	GDBusConnection *caller = bus_connect();
	BusCall calls[4] = {0};
	g_autofree char *long_name = g_strnfill(2 << 20, 'x');

	f->authority.answer = FAKE_HOLD;
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
		bus_call_begin(f, &calls[i], caller, "GetProfile", g_variant_new("(s)", long_name),
			       G_DBUS_CALL_FLAGS_NONE);
	bus_wait_for(&f->authority.held->len, 1);
	/* With the first one held two fit, and the others hear at once. */
	bus_call_wait(&calls[2]);
	bus_call_wait(&calls[3]);
	g_assert_false(calls[0].done);
	f->authority.answer = FAKE_ALLOW;
	fake_authority_release(&f->authority, FAKE_ALLOW);
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
		bus_call_wait(&calls[i]);
		g_assert_cmpstr(calls[i].error, ==,
				i < 2 ? OWN_ERROR("InvalidName") : OWN_ERROR("LimitExceeded"));
		bus_call_clear(&calls[i]);
	}
	bus_close(caller);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/line/a-pipeline-is-answered-in-order", test_a_pipeline_is_answered_in_order);
	add("/line/nothing-overtakes-a-large-call", test_nothing_overtakes_a_large_call);
	add("/line/calls-without-an-answer-are-done", test_calls_without_an_answer_are_done);
	add("/line/calls-without-an-answer-are-authorized",
	    test_calls_without_an_answer_are_authorized);
	add("/line/no-approval-is-stored", test_no_approval_is_stored);
	add("/line/nothing-waits-for-a-prompt", test_nothing_waits_for_a_prompt);
	add("/line/a-caller-that-leaves-is-not-obeyed", test_a_caller_that_leaves_is_not_obeyed);
	add("/line/what-waits-is-bounded", test_what_waits_is_bounded);
	return bus_fixture_run_tests();
}
