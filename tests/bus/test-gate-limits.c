/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* How many calls wait at the gate: of all callers, of a user, of prompts. */

#include "bus-fixture.h"

#define PROMPT G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION
#define NO_PROMPT G_DBUS_CALL_FLAGS_NONE

/* Connections that each have calls under way, which are held. */
typedef struct {
	GDBusConnection *connection;
	BusCall calls[16];
	guint n;
} Holder;

static void hold(BusFixture *f, Holder *holder, guint32 uid, guint n, GDBusCallFlags flags)
{
	f->authority.uid = uid;
	holder->connection = bus_connect();
	holder->n = n;
	for (guint i = 0; i < n; i++)
		bus_call_begin(f, &holder->calls[i], holder->connection, "Save", NULL, flags);
}

static void let_go(Holder *holders, guint n)
{
	for (guint i = 0; i < n; i++)
		bus_close(holders[i].connection);
	for (guint i = 0; i < n; i++) {
		for (guint j = 0; j < holders[i].n; j++) {
			bus_call_wait(&holders[i].calls[j]);
			bus_call_clear(&holders[i].calls[j]);
		}
	}
}

static void assert_answered(BusFixture *f, guint32 uid, const char *error)
{
	GDBusConnection *connection = bus_connect();
	g_auto(BusCall) call = {0};

	f->authority.uid = uid;
	bus_call_begin(f, &call, connection, "Save", NULL, NO_PROMPT);
	bus_call_wait(&call);
	g_assert_cmpstr(call.error, ==, error);
	bus_close(connection);
}

/* Of one caller, one call at a time is asked about. */
static void test_two_users_keep_no_third_from_being_asked_about(BusFixture *f, gconstpointer data)
{
	Holder holders[128] = {0};
	Holder third = {0};

	f->authority.answer = FAKE_HOLD;
	for (guint i = 0; i < G_N_ELEMENTS(holders); i++) {
		hold(f, &holders[i], 1001 + i / 64, 1, NO_PROMPT);
		bus_wait_for(&f->authority.held->len, i + 1);
	}
	hold(f, &third, 1000, 1, NO_PROMPT);
	bus_wait_for(&f->authority.held->len, G_N_ELEMENTS(holders) + 1);
	/* Root does not depend on it, not even with a connection that is new. */
	assert_answered(f, 0, NULL);
	let_go(holders, G_N_ELEMENTS(holders));
	let_go(&third, 1);
	bus_wait_for(&f->authority.held->len, 0);
	f->authority.answer = FAKE_ALLOW;
	assert_answered(f, 1000, NULL);
}

/* Of each its signature is in the message, which is much longer than what it says. */
static void test_the_signatures_of_variants_count(BusFixture *f, gconstpointer data)
{
	g_autofree char *bytes = g_strnfill(252, 'y');
	g_autofree char *type = g_strdup_printf("a(%s)", bytes);
	g_auto(GVariantBuilder) variants = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("av"));
	g_auto(BusCall) call = {0};

	for (guint i = 0; i < 30000; i++)
		g_variant_builder_add(&variants, "v",
				      g_variant_new_array(G_VARIANT_TYPE(type + 1), NULL, 0));
	bus_call_begin(f, &call, f->caller, "GetConfidence", g_variant_new("(av)", &variants),
		       NO_PROMPT);
	bus_call_wait(&call);
	g_assert_cmpstr(call.error, ==, OWN_ERROR("LimitExceeded"));
	g_assert_nonnull(strstr(call.message, "6 MiB"));
}

static void test_pending_per_user(BusFixture *f, gconstpointer data)
{
	Holder holders[64] = {0};

	f->authority.answer = FAKE_HOLD;
	for (guint i = 0; i < G_N_ELEMENTS(holders); i++) {
		hold(f, &holders[i], 1001, 1, NO_PROMPT);
		bus_wait_for(&f->authority.held->len, i + 1);
	}
	assert_answered(f, 1001, OWN_ERROR("LimitExceeded"));
	f->authority.answer = FAKE_ALLOW;
	assert_answered(f, 1002, NULL);
	let_go(holders, G_N_ELEMENTS(holders));
	bus_wait_for(&f->authority.held->len, 0);
	assert_answered(f, 1001, NULL);
}

static void test_prompts_per_user(BusFixture *f, gconstpointer data)
{
	Holder holder = {0};
	g_auto(BusCall) call = {0};

	f->authority.answer = FAKE_CHALLENGE;
	f->authority.after_prompt = FAKE_HOLD;
	hold(f, &holder, 1001, 8, PROMPT);
	bus_wait_for(&f->authority.held->len, 8);
	bus_call_begin(f, &call, holder.connection, "Save", NULL, PROMPT);
	bus_call_wait(&call);
	g_assert_cmpstr(call.error, ==, OWN_ERROR("LimitExceeded"));
	/* What needs no prompt is not kept back by it. */
	f->authority.answer = FAKE_ALLOW;
	assert_answered(f, 1001, NULL);
	let_go(&holder, 1);
	bus_wait_for(&f->authority.held->len, 0);
}

static void test_identified_in_turn(BusFixture *f, gconstpointer data)
{
	Holder holders[40] = {0};

	f->authority.identifying = g_ptr_array_new();
	for (guint i = 0; i < G_N_ELEMENTS(holders); i++)
		hold(f, &holders[i], 1001, 1, NO_PROMPT);
	bus_wait_for(&f->authority.identifying->len, 24);
	bus_settle(f);
	g_assert_cmpuint(f->authority.identifying->len, ==, 24);
	/* One of them and one that waits for its turn leave. */
	bus_close(holders[0].connection);
	bus_close(holders[39].connection);
	bus_wait_for(&f->authority.identifying->len, 25);
	while (f->authority.identifying->len > 0) {
		GTask *task = g_ptr_array_steal_index(f->authority.identifying, 0);

		g_task_return_int(task, 1001);
		g_object_unref(task);
		bus_settle(f);
	}
	for (guint i = 0; i < G_N_ELEMENTS(holders); i++) {
		bus_call_wait(&holders[i].calls[0]);
		g_assert_cmpint(holders[i].calls[0].error == NULL, ==, i != 0 && i != 39);
		bus_call_clear(&holders[i].calls[0]);
		if (i != 0 && i != 39)
			bus_close(holders[i].connection);
	}
	g_clear_pointer(&f->authority.identifying, g_ptr_array_unref);
}

static void test_many_callers(BusFixture *f, gconstpointer data)
{
	GDBusConnection *callers[240];

	for (guint i = 0; i < G_N_ELEMENTS(callers); i++) {
		g_auto(BusCall) call = {0};

		callers[i] = bus_connect();
		bus_call_begin(f, &call, callers[i], "ListProfiles", NULL, NO_PROMPT);
		bus_call_wait(&call);
		g_assert_null(call.error);
	}
	for (guint i = 0; i < G_N_ELEMENTS(callers); i++) {
		g_auto(BusCall) call = {0};

		f->authority.answer = FAKE_DENY;
		bus_call_begin(f, &call, callers[i], "Save", NULL, NO_PROMPT);
		bus_call_wait(&call);
		g_assert_cmpstr(call.error, ==, ACCESS_DENIED);
	}
	for (guint i = 0; i < G_N_ELEMENTS(callers); i++)
		bus_close(callers[i]);
}

#define LARGE_NAME ((gsize)5 << 20)

static void begin_large(BusFixture *f, BusCall *call, GDBusConnection *from)
{
	g_autofree char *name = g_strnfill(LARGE_NAME, 'x');

	bus_call_begin(f, call, from, "DeleteProfile", g_variant_new("(s)", name), NO_PROMPT);
}

static void identify_first(BusFixture *f, int uid)
{
	g_autoptr(GTask) task = g_ptr_array_steal_index(f->authority.identifying, 0);

	g_task_return_int(task, uid);
	bus_settle(f);
}

/* Else two of one user's large calls would keep the first call of each new connection out. */
static void test_large_calls_before_their_user_is_known(BusFixture *f, gconstpointer data)
{
	GDBusConnection *connections[] = {bus_connect(), bus_connect(), bus_connect()};
	g_auto(BusCall) first = {0}, second = {0}, small = {0};

	f->authority.identifying = g_ptr_array_new();
	f->authority.answer = FAKE_HOLD;
	begin_large(f, &first, connections[0]);
	bus_wait_for(&f->authority.identifying->len, 1);
	begin_large(f, &second, connections[1]);
	bus_wait_for(&f->authority.identifying->len, 2);
	bus_call_begin(f, &small, connections[2], "Save", NULL, NO_PROMPT);
	bus_wait_for(&f->authority.identifying->len, 3);
	identify_first(f, 1001);
	identify_first(f, 1001);
	bus_call_wait(&second);
	g_assert_cmpstr(second.error, ==, OWN_ERROR("LimitExceeded"));
	identify_first(f, 1002);
	g_assert_false(first.done);
	g_assert_false(small.done);
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_call_wait(&first);
	bus_call_wait(&small);
	g_assert_cmpstr(first.error, !=, OWN_ERROR("LimitExceeded"));
	g_assert_null(small.error);
	g_clear_pointer(&f->authority.identifying, g_ptr_array_unref);
	for (guint i = 0; i < G_N_ELEMENTS(connections); i++)
		bus_close(connections[i]);
}

/* As queries of a large table, of which one user sends as many as it can. */
static void test_a_user_takes_its_part_of_the_time(BusFixture *f, gconstpointer data)
{
	GDBusConnection *connection = bus_connect();
	BusCall calls[5] = {0};
	gint64 began;

	f->authority.uid = 1001;
	assert_answered(f, 1001, NULL);
	f->took_us = 100 * G_TIME_SPAN_MILLISECOND;
	began = g_get_monotonic_time();
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
		bus_call_begin(f, &calls[i], connection, "Save", NULL, NO_PROMPT);
	bus_call_wait(&calls[0]);
	/* Other users do not wait for it. */
	assert_answered(f, 1002, NULL);
	assert_answered(f, 0, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
		bus_call_wait(&calls[i]);
		g_assert_null(calls[i].error);
		g_assert_cmpuint(calls[i].rank, >=, calls[0].rank + i);
		bus_call_clear(&calls[i]);
	}
	/* 0.2 s of it were saved up; five times the rest has passed. */
	g_assert_cmpint(g_get_monotonic_time() - began, >=, G_USEC_PER_SEC);
	bus_close(connection);
}

/* What is not looked at takes no time. */
static void test_of_a_user_that_is_far_behind_large_calls_are_refused(BusFixture *f,
								      gconstpointer data)
{
	GDBusConnection *connection = bus_connect();
	g_autofree char *text = g_strnfill(5000, 'x');
	g_auto(BusCall) large = {0};
	BusCall calls[24] = {0};

	f->authority.uid = 1001;
	assert_answered(f, 1001, NULL);
	f->took_us = G_USEC_PER_SEC;
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++)
		bus_call_begin(f, &calls[i], connection, "Save", NULL, NO_PROMPT);
	bus_call_begin(f, &large, connection, "GetConfidence", g_variant_new("(s)", text),
		       NO_PROMPT);
	bus_call_wait(&large);
	g_assert_cmpstr(large.error, ==, OWN_ERROR("LimitExceeded"));
	g_assert_nonnull(strstr(large.message, "too much time"));
	bus_close(connection);
	for (guint i = 0; i < G_N_ELEMENTS(calls); i++) {
		bus_call_wait(&calls[i]);
		bus_call_clear(&calls[i]);
	}
}

static void answered_in_time(GObject *source, GAsyncResult *result, gpointer data);

/* Calls again and again. */
typedef struct {
	BusFixture *f;
	GDBusConnection *connection;
	gboolean stop;
	guint under_way;
	guint done;
} Looper;

static void call_once(Looper *looper)
{
	looper->under_way++;
	g_dbus_connection_call(looper->connection, looper->f->service_name, PROCDB_BUS_PATH,
			       PROCDB_BUS_INTERFACE, "GetConfidence", g_variant_new("(s)", "cc1"),
			       NULL, NO_PROMPT, -1, NULL, answered_in_time, looper);
}

static void answered_in_time(GObject *source, GAsyncResult *result, gpointer data)
{
	Looper *looper = data;
	g_autoptr(GVariant) reply =
	    g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, NULL);

	looper->under_way--;
	looper->done += reply != NULL;
	if (!looper->stop)
		call_once(looper);
}

/* Else a program in a loop would keep all others of its user from being answered. */
static void test_connections_of_a_user_take_turns(BusFixture *f, gconstpointer data)
{
	Looper looper = {.f = f, .connection = bus_connect()};

	f->authority.uid = 1001;
	assert_answered(f, 1001, NULL);
	f->took_us = 50 * G_TIME_SPAN_MILLISECOND;
	call_once(&looper);
	bus_wait_for(&looper.done, 8);
	for (guint i = 0; i < 4; i++) {
		const guint done = looper.done;

		assert_answered(f, 1001, NULL);
		g_assert_cmpuint(looper.done, <=, done + 3);
	}
	looper.stop = TRUE;
	while (looper.under_way > 0)
		g_main_context_iteration(NULL, TRUE);
	bus_close(looper.connection);
}

static void test_root_takes_what_it_wants(BusFixture *f, gconstpointer data)
{
	gint64 began;

	f->authority.uid = 0;
	f->took_us = 100 * G_USEC_PER_SEC;
	began = g_get_monotonic_time();
	for (guint i = 0; i < 5; i++)
		assert_answered(f, 0, NULL);
	g_assert_cmpint(g_get_monotonic_time() - began, <, 100 * G_USEC_PER_SEC);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/gate/limit/two-users-keep-no-third-from-being-asked-about",
	    test_two_users_keep_no_third_from_being_asked_about);
	add("/gate/limit/of-a-user-that-is-far-behind-large-calls-are-refused",
	    test_of_a_user_that_is_far_behind_large_calls_are_refused);
	add("/gate/limit/the-signatures-of-variants-count", test_the_signatures_of_variants_count);
	add("/gate/limit/pending-per-user", test_pending_per_user);
	add("/gate/limit/prompts-per-user", test_prompts_per_user);
	add("/gate/limit/identified-in-turn", test_identified_in_turn);
	add("/gate/limit/many-callers", test_many_callers);
	add("/gate/limit/large-and-unknown", test_large_calls_before_their_user_is_known);
	add("/gate/limit/time-of-a-user", test_a_user_takes_its_part_of_the_time);
	add("/gate/limit/turns", test_connections_of_a_user_take_turns);
	add("/gate/limit/time-of-root", test_root_takes_what_it_wants);
	return bus_fixture_run_tests();
}
