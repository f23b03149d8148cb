/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Calls that passed the gate, and that sd-bus has no room for. */

#include <dlfcn.h>
#include <errno.h>

#include "bus-fixture.h"

#define PROMPT G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
#define NO_PROMPT G_DBUS_CALL_FLAGS_NONE

/* How many of the next calls are not taken. */
static guint full;

/* In place of sd-bus' own: as with a full queue. */
int sd_bus_enqueue_for_read(sd_bus *bus, sd_bus_message *message)
{
	int (*enqueue)(sd_bus *, sd_bus_message *) = NULL;

	if (full > 0) {
		full--;
		return -ENOBUFS;
	}
	*(void **)&enqueue = dlsym(RTLD_NEXT, "sd_bus_enqueue_for_read");
	g_assert_nonnull(enqueue);
	return enqueue(bus, message);
}

/* Sends the same call so many times on a connection, until all of them wait in its line. */
static void fill_line(BusFixture *f, GDBusConnection *connection, BusCall *calls, guint n,
		      const char *method, GVariant *parameters)
{
	f->authority.identifying = g_ptr_array_new();
	bus_fixture_note_callers(f);
	for (guint i = 0; i < n; i++)
		bus_call_begin(f, &calls[i], connection, method, parameters, NO_PROMPT);
	while (!f->last || f->last->line.length < n)
		g_main_context_iteration(NULL, TRUE);
}

/* The bus says whose connections they are: the calls in the line go on. */
static void identify(BusFixture *f)
{
	g_autoptr(GPtrArray) held = g_steal_pointer(&f->authority.identifying);

	for (guint i = 0; i < held->len; i++) {
		g_task_return_int(held->pdata[i], 1000);
		g_object_unref(held->pdata[i]);
	}
}

static void test_the_calls_behind_are_handled(BusFixture *f, gconstpointer data)
{
	GDBusConnection *connection = bus_connect();
	BusCall calls[5] = {0};

	fill_line(f, connection, calls, G_N_ELEMENTS(calls), "Save", NULL);
	full = GPOINTER_TO_UINT(data);
	identify(f);
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
		bus_call_wait(&calls[i]);
		g_assert_cmpstr(calls[i].error, ==,
				i < GPOINTER_TO_UINT(data) ? OWN_ERROR("LimitExceeded") : NULL);
		if (calls[i].error)
			g_assert_nonnull(strstr(calls[i].message, "try again"));
		bus_call_clear(&calls[i]);
	}
	g_assert_cmpuint(full, ==, 0);
	bus_close(connection);
}

/* Such a call left the line: the one that is in it goes on, and the line stays in order. */
static void test_a_call_that_waited_for_a_prompt(BusFixture *f, gconstpointer data)
{
	BusCall prompted = {0};
	g_auto(BusCall) other = {0};

	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_HOLD;
	bus_call_begin(f, &prompted, f->caller, "Save", NULL, PROMPT);
	bus_wait_for(&f->authority.held->len, 1);
	full = 1;
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_call_wait(&prompted);
	g_assert_cmpstr(prompted.error, ==, OWN_ERROR("LimitExceeded"));
	bus_call_clear(&prompted);
	f->authority.answer = FAKE_ALLOW;
	bus_call(f, &other, "Save", NULL);
	g_assert_null(other.error);
}

/* What is not answered is not charged either: the room for all answers of a caller would shrink. */
static void test_its_answer_is_not_charged(BusFixture *f, gconstpointer data)
{
	GDBusConnection *connection = bus_connect();
	g_autoptr(GVariant) parameters =
	    g_variant_ref_sink(g_variant_new_parsed("(@a{sv} {}, uint32 0)"));
	BusCall calls[32] = {0};

	fill_line(f, connection, calls, G_N_ELEMENTS(calls), "ListTasks", parameters);
	full = G_N_ELEMENTS(calls) - 1;
	identify(f);
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
		bus_call_wait(&calls[i]);
		g_assert_cmpint(calls[i].error == NULL, ==, i == G_N_ELEMENTS(calls) - 1);
		bus_call_clear(&calls[i]);
	}
	/* Each was estimated as a list of hundreds of tasks. */
	g_assert_cmpuint(f->last->unread, <, 65536);
	g_assert_cmpuint(f->last->unsent, ==, 0);
	bus_close(connection);
}

static void add(const char *path, guint refused, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, GUINT_TO_POINTER(refused), bus_fixture_set_up, test,
		   bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/gate/queue/the-calls-behind-are-handled/one", 1, test_the_calls_behind_are_handled);
	add("/gate/queue/the-calls-behind-are-handled/three", 3, test_the_calls_behind_are_handled);
	add("/gate/queue/a-call-that-waited-for-a-prompt", 0, test_a_call_that_waited_for_a_prompt);
	add("/gate/queue/its-answer-is-not-charged", 0, test_its_answer_is_not_charged);
	return bus_fixture_run_tests();
}
