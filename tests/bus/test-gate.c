/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Which callers get through: every method, every kind of answer, callers that leave. */

#include <string.h>

#include "authorizer.h"
#include "bus-fixture.h"

#define PROMPT G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
#define NO_PROMPT G_DBUS_CALL_FLAGS_NONE

/* Calls every method; each has to fail with this error. */
static void all_fail(BusFixture *f, GDBusCallFlags flags, const char *error)
{
	for (GDBusMethodInfo **method = bus_methods(); *method; method++) {
		g_auto(BusCall) call = {0};

		bus_call_begin(f, &call, f->caller, (*method)->name,
			       bus_sensible_parameters(*method), flags);
		bus_call_wait(&call);
		g_assert_cmpstr(call.error, ==, error);
		g_assert_cmpstr(call.message, !=, "");
	}
	bus_fixture_assert_untouched(f);
}

static void test_every_method_has_an_action(BusFixture *f, gconstpointer data)
{
	for (GDBusMethodInfo **method = bus_methods(); *method; method++) {
		g_auto(BusCall) call = {0};
		guint checks = f->authority.checks;
		const char *action = procdb_authorizer_action((*method)->name);

		g_assert_nonnull(action);
		f->authority.answer = FAKE_DENY;
		bus_call(f, &call, (*method)->name, bus_sensible_parameters(*method));
		/* That very action was asked for, about that very caller. */
		g_assert_cmpuint(f->authority.checks, ==, checks + 1);
		g_assert_cmpstr(f->authority.last_action, ==, action);
		g_assert_cmpstr(f->authority.last_sender, ==,
				g_dbus_connection_get_unique_name(f->caller));
	}
	g_assert_null(procdb_authorizer_action("NoSuchMethod"));
	g_assert_null(procdb_authorizer_action(""));
	g_assert_null(procdb_authorizer_action("listprofiles"));
}

static gboolean no_actions;

const char *__real_procdb_authorizer_action_of_call(sd_bus_message *call);
const char *__wrap_procdb_authorizer_action_of_call(sd_bus_message *call);

/* The linker puts it in front of the one that reads the contract. */
const char *__wrap_procdb_authorizer_action_of_call(sd_bus_message *call)
{
	return no_actions ? NULL : __real_procdb_authorizer_action_of_call(call);
}

/* As if a method had been added to the contract and its action forgotten. */
static void test_a_method_without_an_action_is_for_no_caller(BusFixture *f, gconstpointer data)
{
	no_actions = TRUE;
	all_fail(f, NO_PROMPT, ACCESS_DENIED);
	f->authority.uid = 0;
	all_fail(f, NO_PROMPT, ACCESS_DENIED);
	no_actions = FALSE;
	g_assert_cmpuint(f->authority.checks, ==, 0);
}

static void test_allowed(BusFixture *f, gconstpointer data)
{
	for (GDBusMethodInfo **method = bus_methods(); *method; method++) {
		BusFixture own;

		/* A service each: after Reset there is nothing left for the others. */
		bus_fixture_set_up(&own, NULL);
		if (g_str_equal((*method)->name, "ClearOverride"))
			g_variant_unref(
			    bus_must(&own, "SetOverride", g_variant_new("(ss)", "cc1", "batch")));
		if (g_str_equal((*method)->name, "ClearOverrideFor"))
			g_variant_unref(
			    bus_must(&own, "SetOverrideFor",
				     g_variant_new_parsed("({'program': <'train.py'>}, 'batch')")));
		if (g_str_equal((*method)->name, "ReleaseHold"))
			g_variant_unref(
			    bus_must(&own, "Hold", g_variant_new("(sss)", "cc1", "batch", "")));
		g_variant_unref(bus_must(&own, (*method)->name, bus_sensible_parameters(*method)));
		g_assert_cmpuint(own.authority.checks, >=, 1);
		g_assert_cmpuint(own.authority.prompts, ==, 0);
		bus_fixture_tear_down(&own, NULL);
	}
}

static void test_denied(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_DENY;
	all_fail(f, NO_PROMPT, ACCESS_DENIED);
	all_fail(f, PROMPT, ACCESS_DENIED);
	g_assert_cmpuint(f->authority.prompts, ==, 0);
}

static void test_a_prompt_that_the_caller_did_not_allow(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_ALLOW;
	all_fail(f, NO_PROMPT, INTERACTION_REQUIRED);
	g_assert_cmpuint(f->authority.prompts, ==, 0);
}

static void test_a_prompt_that_says_no(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_DENY;
	all_fail(f, PROMPT, ACCESS_DENIED);
	f->authority.after_prompt = FAKE_CHALLENGE;
	all_fail(f, PROMPT, ACCESS_DENIED);
	f->authority.after_prompt = FAKE_FAIL;
	all_fail(f, PROMPT, ACCESS_DENIED);
}

static void test_a_prompt_that_says_yes(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) call = {0};

	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_ALLOW;
	bus_call_begin(f, &call, f->caller, "DeleteProfile", g_variant_new("(s)", "cc1"), PROMPT);
	bus_call_wait(&call);
	g_assert_null(call.error);
	g_assert_cmpuint(f->authority.prompts, ==, 1);
	g_assert_null(test_find(&f->engine, "cc1"));
}

static void test_no_prompt_where_none_is_needed(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) call = {0};

	bus_call_begin(f, &call, f->caller, "Save", NULL, PROMPT);
	bus_call_wait(&call);
	g_assert_null(call.error);
	g_assert_cmpuint(f->authority.prompts, ==, 0);
}

static void test_without_polkit_only_root(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_FAIL;
	all_fail(f, NO_PROMPT, ACCESS_DENIED);
	all_fail(f, PROMPT, ACCESS_DENIED);
}

static void test_root_may_without_polkit(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_FAIL;
	f->authority.uid = 0;
	g_variant_unref(bus_must(f, "DeleteProfile", g_variant_new("(s)", "cc1")));
	g_variant_unref(bus_must(f, "Save", NULL));
	g_assert_null(test_find(&f->engine, "cc1"));
	g_assert_cmpuint(f->authority.checks, ==, 0);
}

static void test_a_caller_without_a_uid(BusFixture *f, gconstpointer data)
{
	f->authority.uid = 0;
	f->authority.uid_is_unknown = TRUE;
	all_fail(f, NO_PROMPT, ACCESS_DENIED);
	/* It is asked for again with the next call. */
	f->authority.uid_is_unknown = FALSE;
	g_variant_unref(bus_must(f, "ListProfiles", NULL));
}

static void test_unknown_methods(BusFixture *f, gconstpointer data)
{
	bus_must_fail(f, "NoSuchMethod", NULL, "org.freedesktop.DBus.Error.UnknownMethod");
	bus_must_fail(f, "listProfiles", NULL, "org.freedesktop.DBus.Error.UnknownMethod");
	g_assert_cmpuint(f->authority.checks, ==, 0);
}

static void test_wrong_parameters(BusFixture *f, gconstpointer data)
{
	for (GDBusMethodInfo **method = bus_methods(); *method; method++)
		bus_must_fail(f, (*method)->name, g_variant_new("(uuu)", 1, 2, 3),
			      "org.freedesktop.DBus.Error.InvalidArgs");
	bus_fixture_assert_untouched(f);
}

static void test_a_caller_that_leaves(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_HOLD;
	for (GDBusMethodInfo **method = bus_methods(); *method; method++) {
		GDBusConnection *leaver = bus_connect();
		g_auto(BusCall) call = {0};

		bus_call_begin(f, &call, leaver, (*method)->name, bus_sensible_parameters(*method),
			       NO_PROMPT);
		bus_wait_for(&f->authority.held->len, 1);
		/* The bus has the match rule of the watch. */
		bus_settle(f);
		bus_close(leaver);
		bus_call_wait(&call);
		/* The check is given up. */
		bus_wait_for(&f->authority.held->len, 0);
		bus_settle(f);
		bus_fixture_assert_untouched(f);
	}
}

static void test_a_yes_that_comes_after_the_caller_left(BusFixture *f, gconstpointer data)
{
	f->authority.answer = FAKE_HOLD;
	f->authority.deaf = TRUE;
	for (GDBusMethodInfo **method = bus_methods(); *method; method++) {
		GDBusConnection *leaver = bus_connect();
		g_auto(BusCall) call = {0};

		bus_call_begin(f, &call, leaver, (*method)->name, bus_sensible_parameters(*method),
			       NO_PROMPT);
		bus_wait_for(&f->authority.held->len, 1);
		/* The bus has the match rule of the watch. */
		bus_settle(f);
		bus_close(leaver);
		bus_call_wait(&call);
		bus_settle(f);
		fake_authority_release(&f->authority, FAKE_ALLOW);
		bus_settle(f);
		bus_fixture_assert_untouched(f);
	}
}

static void test_others_are_served_meanwhile(BusFixture *f, gconstpointer data)
{
	GDBusConnection *other = bus_connect();
	g_auto(BusCall) held = {0}, call = {0};

	f->authority.answer = FAKE_HOLD;
	bus_call_begin(f, &held, f->caller, "Reset", NULL, NO_PROMPT);
	bus_wait_for(&f->authority.held->len, 1);
	f->authority.answer = FAKE_ALLOW;
	bus_call_begin(f, &call, other, "GetConfidence", g_variant_new("(s)", "cc1"), NO_PROMPT);
	bus_call_wait(&call);
	g_assert_null(call.error);
	g_assert_false(held.done);
	test_steps(&f->engine, 3);
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_call_wait(&held);
	g_assert_null(held.error);
	bus_close(other);
}

static void test_a_check_that_hangs(BusFixture *f, gconstpointer data)
{
	g_auto(BusCall) call = {0};
	gint64 began = g_get_real_time();

	f->authority.answer = FAKE_HOLD;
	bus_call_begin(f, &call, f->caller, "Reset", NULL, NO_PROMPT);
	bus_call_wait(&call);
	g_assert_cmpstr(call.error, ==, ACCESS_DENIED);
	g_assert_nonnull(strstr(call.message, "did not answer"));
	/* Before the 25 s after which most callers have given up. */
	g_assert_cmpint(g_get_real_time() - began, <, 24 * G_USEC_PER_SEC);
	bus_fixture_assert_untouched(f);
}

static void test_the_end_during_a_check(BusFixture *f, gconstpointer data)
{
	BusFixture own;
	g_auto(BusCall) call = {0};

	bus_fixture_set_up(&own, NULL);
	own.authority.answer = FAKE_HOLD;
	bus_call_begin(&own, &call, f->caller, "Reset", NULL, NO_PROMPT);
	bus_wait_for(&own.authority.held->len, 1);
	/* The object, its connection and all: nothing may be left of it. */
	bus_fixture_tear_down(&own, NULL);
	bus_call_wait(&call);
	g_assert_nonnull(call.error);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/gate/every-method-has-an-action", test_every_method_has_an_action);
	add("/gate/allowed", test_allowed);
	add("/gate/denied", test_denied);
	add("/gate/no-action", test_a_method_without_an_action_is_for_no_caller);
	add("/gate/a-prompt-that-the-caller-did-not-allow",
	    test_a_prompt_that_the_caller_did_not_allow);
	add("/gate/a-prompt-that-says-no", test_a_prompt_that_says_no);
	add("/gate/a-prompt-that-says-yes", test_a_prompt_that_says_yes);
	add("/gate/no-prompt-where-none-is-needed", test_no_prompt_where_none_is_needed);
	add("/gate/without-polkit-only-root", test_without_polkit_only_root);
	add("/gate/root-may-without-polkit", test_root_may_without_polkit);
	add("/gate/a-caller-without-a-uid", test_a_caller_without_a_uid);
	add("/gate/unknown-methods", test_unknown_methods);
	add("/gate/wrong-parameters", test_wrong_parameters);
	add("/gate/a-caller-that-leaves", test_a_caller_that_leaves);
	add("/gate/a-yes-that-comes-after-the-caller-left",
	    test_a_yes_that_comes_after_the_caller_left);
	add("/gate/others-are-served-meanwhile", test_others_are_served_meanwhile);
	add("/gate/a-check-that-hangs", test_a_check_that_hangs);
	add("/gate/the-end-during-a-check", test_the_end_during_a_check);
	return bus_fixture_run_tests();
}
