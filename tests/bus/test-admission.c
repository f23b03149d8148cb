/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Large calls, which are authorized by their headers before they come. */

#include "bus-fixture.h"
#include "errors.h"

#define SERIAL 100000

typedef struct {
	guint answers;
	GError *denied; /* of the last one */
} Admission;

static void admission_clear(Admission *admission)
{
	g_clear_error(&admission->denied);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Admission, admission_clear)

static void on_admission(GDBusMethodInvocation *invocation, GError *denied, gpointer data)
{
	Admission *admission = data;

	g_assert_null(invocation);
	admission->answers++;
	g_clear_error(&admission->denied);
	admission->denied = denied;
}

static void admit(BusFixture *f, GDBusConnection *from, const char *method, Admission *admission)
{
	procdb_authorizer_admit(f->authorizer, g_dbus_connection_get_unique_name(from), SERIAL,
				method, FALSE, on_admission, admission);
}

/* An Import that may come, whatever else may from here on. */
static void admit_import(BusFixture *f)
{
	g_auto(Admission) admission = {0};

	f->authority.not_cacheable = TRUE;
	f->authority.answer = FAKE_ALLOW;
	admit(f, f->caller, "Import", &admission);
	bus_wait_for(&admission.answers, 1);
	g_assert_no_error(admission.denied);
	g_assert_cmpstr(f->authority.last_action, ==, "org.pandemonium.procdb.manage");
	f->authority.answer = FAKE_DENY;
}

static void on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
	GDBusMessage **reply = data;
	g_autoptr(GError) error = NULL;

	*reply = g_dbus_connection_send_message_with_reply_finish(G_DBUS_CONNECTION(source), result,
								  &error);
	g_assert_no_error(error);
}

/* The error of a call with that serial, or NULL; static. */
static const char *call(BusFixture *f, GDBusConnection *from, const char *method,
			GVariant *parameters)
{
	g_autoptr(GDBusMessage) message =
	    g_dbus_message_new_method_call(g_dbus_connection_get_unique_name(f->service),
					   PROCDB_BUS_PATH, "org.pandemonium.ProcDb1", method);
	g_autoptr(GDBusMessage) reply = NULL;

	g_dbus_message_set_body(message, parameters);
	g_dbus_message_set_serial(message, SERIAL);
	g_dbus_connection_send_message_with_reply(from, message,
						  G_DBUS_SEND_MESSAGE_FLAGS_PRESERVE_SERIAL, 60000,
						  NULL, NULL, on_reply, &reply);
	while (!reply)
		g_main_context_iteration(NULL, TRUE);
	return g_intern_string(g_dbus_message_get_error_name(reply));
}

static const char *call_import(BusFixture *f, GDBusConnection *from)
{
	return call(f, from, "Import", g_variant_new_parsed("(@a(ssdbu(uuu)ttttxs) [], false)"));
}

static void test_an_admitted_call_passes_once(BusFixture *f, gconstpointer data)
{
	admit_import(f);
	g_assert_cmpstr(call_import(f, f->caller), ==, NULL);
	g_assert_cmpuint(f->authority.checks, ==, 1);
	g_assert_cmpstr(call_import(f, f->caller), ==, ACCESS_DENIED);
}

static void test_no_other_action_passes(BusFixture *f, gconstpointer data)
{
	admit_import(f);
	g_assert_cmpstr(call(f, f->caller, "DeleteProfile", g_variant_new("(s)", "cc1")), ==,
			ACCESS_DENIED);
	bus_fixture_assert_untouched(f);
	g_assert_cmpstr(call_import(f, f->caller), ==, NULL);
}

static void test_nobody_else_passes(BusFixture *f, gconstpointer data)
{
	GDBusConnection *other = bus_connect();

	admit_import(f);
	g_assert_cmpstr(call_import(f, other), ==, ACCESS_DENIED);
	bus_close(other);
}

static void test_a_call_that_is_not_admitted(BusFixture *f, gconstpointer data)
{
	g_auto(Admission) admission = {0};

	f->authority.answer = FAKE_DENY;
	admit(f, f->caller, "Import", &admission);
	bus_wait_for(&admission.answers, 1);
	g_assert_error(admission.denied, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED);
	g_assert_cmpstr(call_import(f, f->caller), ==, ACCESS_DENIED);
	admit(f, f->caller, "NoSuchMethod", &admission);
	bus_wait_for(&admission.answers, 2);
	g_assert_error(admission.denied, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED);
}

/* While polkit takes its time with one of a user's, another one has to wait for that; root not. */
static void test_one_for_each_user(BusFixture *f, gconstpointer data)
{
	GDBusConnection *other = bus_connect(), *root = bus_connect();
	g_auto(Admission) first = {0}, second = {0}, roots = {0};

	f->authority.answer = FAKE_HOLD;
	admit(f, f->caller, "Import", &first);
	bus_wait_for(&f->authority.checks, 1);
	admit(f, other, "DeleteProfiles", &second);
	bus_wait_for(&second.answers, 1);
	g_assert_error(second.denied, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED);
	f->authority.uid = 0;
	admit(f, root, "Import", &roots);
	bus_wait_for(&roots.answers, 1);
	g_assert_no_error(roots.denied);
	g_assert_cmpuint(first.answers, ==, 0);
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_wait_for(&first.answers, 1);
	g_assert_no_error(first.denied);
	bus_close(root);
	bus_close(other);
}

static void test_a_caller_that_leaves(BusFixture *f, gconstpointer data)
{
	GDBusConnection *other = bus_connect();
	g_auto(Admission) admission = {0};

	f->authority.answer = FAKE_HOLD;
	admit(f, other, "Import", &admission);
	bus_wait_for(&f->authority.checks, 1);
	bus_close(other);
	bus_wait_for(&admission.answers, 1);
	g_assert_error(admission.denied, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/admission/an-admitted-call-passes-once", test_an_admitted_call_passes_once);
	add("/admission/no-other-action-passes", test_no_other_action_passes);
	add("/admission/nobody-else-passes", test_nobody_else_passes);
	add("/admission/a-call-that-is-not-admitted", test_a_call_that_is_not_admitted);
	add("/admission/one-for-each-user", test_one_for_each_user);
	add("/admission/a-caller-that-leaves", test_a_caller_that_leaves);
	return bus_fixture_run_tests();
}
