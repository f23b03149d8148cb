/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* For how long a yes of the authority counts, and for what. */

#include "bus-fixture.h"

#define PROMPT G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
#define NO_PROMPT G_DBUS_CALL_FLAGS_NONE

/* How many questions a call costs. */
static guint cost_of(BusFixture *f, GDBusConnection *from, const char *method, GVariant *parameters)
{
	guint before = f->authority.checks;
	g_auto(BusCall) call = {0};

	bus_call_begin(f, &call, from, method, parameters, NO_PROMPT);
	bus_call_wait(&call);
	g_assert_null(call.error);
	return f->authority.checks - before;
}

static void test_a_yes_is_remembered(BusFixture *f, gconstpointer data)
{
	GDBusConnection *other = bus_connect();

	g_assert_cmpuint(cost_of(f, f->caller, "ListProfiles", NULL), ==, 1);
	g_assert_cmpuint(cost_of(f, f->caller, "ListProfiles", NULL), ==, 0);
	/* The same action by another method, another action, another caller. */
	g_assert_cmpuint(cost_of(f, f->caller, "Explain", g_variant_new("(s)", "cc1")), ==, 0);
	g_assert_cmpuint(cost_of(f, f->caller, "GetConfidence", g_variant_new("(s)", "cc1")), ==,
			 1);
	g_assert_cmpuint(cost_of(f, other, "ListProfiles", NULL), ==, 1);
	bus_close(other);
}

static void test_for_a_few_seconds(BusFixture *f, gconstpointer data)
{
	cost_of(f, f->caller, "ListProfiles", NULL);
	test_clock_advance(4 * G_USEC_PER_SEC);
	g_assert_cmpuint(cost_of(f, f->caller, "ListProfiles", NULL), ==, 0);
	test_clock_advance(1 * G_USEC_PER_SEC);
	g_assert_cmpuint(cost_of(f, f->caller, "ListProfiles", NULL), ==, 1);
}

static void test_until_something_changed(BusFixture *f, gconstpointer data)
{
	cost_of(f, f->caller, "ListProfiles", NULL);
	procdb_gate_changed(procdb_object_gate(f->object));
	f->authority.answer = FAKE_DENY;
	bus_must_fail(f, "ListProfiles", NULL, ACCESS_DENIED);
}

static void test_a_change_during_the_check(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) call = {0};

	f->authority.answer = FAKE_HOLD;
	bus_call_begin(f, &call, f->caller, "ListProfiles", NULL, NO_PROMPT);
	bus_wait_for(&f->authority.held->len, 1);
	procdb_gate_changed(procdb_object_gate(f->object));
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_call_wait(&call);
	g_assert_null(call.error);
	f->authority.answer = FAKE_ALLOW;
	g_assert_cmpuint(cost_of(f, f->caller, "ListProfiles", NULL), ==, 1);
}

static void test_not_when_it_may_end_any_time(BusFixture *f, gconstpointer data)
{
	f->authority.not_cacheable = TRUE;
	cost_of(f, f->caller, "ListProfiles", NULL);
	g_assert_cmpuint(cost_of(f, f->caller, "ListProfiles", NULL), ==, 1);
}

static void test_not_when_a_person_was_asked(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_ALLOW;
	for (guint i = 1; i <= 3; i++) {
		g_auto(BusCall) call = {0};

		bus_call_begin(f, &call, f->caller, "Save", NULL, PROMPT);
		bus_call_wait(&call);
		g_assert_null(call.error);
		g_assert_cmpuint(f->authority.prompts, ==, i);
	}
	bus_must_fail(f, "Save", NULL, INTERACTION_REQUIRED);
}

static void test_a_no_is_not_remembered(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_DENY;
	bus_must_fail(f, "Save", NULL, ACCESS_DENIED);
	f->authority.answer = FAKE_ALLOW;
	g_variant_unref(bus_must(f, "Save", NULL));
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/gate/cache/a-yes-is-remembered", test_a_yes_is_remembered);
	add("/gate/cache/for-a-few-seconds", test_for_a_few_seconds);
	add("/gate/cache/until-something-changed", test_until_something_changed);
	add("/gate/cache/a-change-during-the-check", test_a_change_during_the_check);
	add("/gate/cache/not-when-it-may-end-any-time", test_not_when_it_may_end_any_time);
	add("/gate/cache/not-when-a-person-was-asked", test_not_when_a_person_was_asked);
	add("/gate/cache/a-no-is-not-remembered", test_a_no_is_not_remembered);
	return bus_fixture_run_tests();
}
