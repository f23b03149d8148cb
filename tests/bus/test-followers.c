/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Connections that follow ProfilesChanged, of which polkit has to be asked. */

#include "bus-fixture.h"

/* More than are asked about at once. */
#define FOLLOWERS 12

typedef struct {
	GDBusConnection *connection;
	guint id;
	guint heard;
	guint64 serial; /* of the last one */
} Follower;

static void on_changed(GDBusConnection *connection, const char *sender, const char *path,
		       const char *interface, const char *signal, GVariant *parameters,
		       gpointer data)
{
	Follower *follower = data;

	follower->heard++;
	g_variant_get(parameters, "(t@as@as)", &follower->serial, NULL, NULL);
}

/* A connection that the service knows, and of which it does not know yet whether it may follow. */
static void begin(BusFixture *f, Follower *follower)
{
	g_auto(BusCall) call = {0};

	follower->connection = bus_connect();
	follower->id = g_dbus_connection_signal_subscribe(
	    follower->connection, f->service_name, PROCDB_BUS_INTERFACE, "ProfilesChanged",
	    PROCDB_BUS_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE, on_changed, follower, NULL);
	bus_call_begin(f, &call, follower->connection, "GetConfidence", g_variant_new("(s)", "cc1"),
		       G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	g_assert_null(call.error);
}

static void end(Follower *follower)
{
	g_dbus_connection_signal_unsubscribe(follower->connection, follower->id);
	bus_close(follower->connection);
}

/* All of them are to be asked about for a signal, and the answers are held. */
static void begin_all(BusFixture *f, Follower followers[FOLLOWERS])
{
	for (guint i = 0; i < FOLLOWERS; i++)
		begin(f, &followers[i]);
	/* What was known of them is too old. */
	test_clock_advance(61 * G_USEC_PER_SEC);
	f->authority.answer = FAKE_HOLD;
	test_learn(&f->engine, "one", PROCDB_TIER_BATCH, 1);
	bus_wait_for(&f->authority.held->len, 8);
}

static void test_all_hear_the_last_signal(BusFixture *f, gconstpointer data)
{
	Follower followers[FOLLOWERS] = {0};

	begin_all(f, followers);
	/* For these, too: none is sent twice, and none is missed. */
	test_learn(&f->engine, "two", PROCDB_TIER_BATCH, 1);
	bus_settle(f);
	g_assert_cmpuint(f->authority.held->len, ==, 8);
	f->authority.answer = FAKE_ALLOW;
	fake_authority_release(&f->authority, FAKE_ALLOW);
	for (guint i = 0; i < FOLLOWERS; i++) {
		bus_wait_for(&followers[i].heard, 1);
		g_assert_cmpuint(followers[i].serial, ==, procdb_engine_serial(f->engine.engine));
	}
	bus_settle(f);
	for (guint i = 0; i < FOLLOWERS; i++) {
		g_assert_cmpuint(followers[i].heard, ==, 1);
		end(&followers[i]);
	}
}

static void test_those_that_wait_may_leave(BusFixture *f, gconstpointer data)
{
	Follower followers[FOLLOWERS] = {0};

	begin_all(f, followers);
	for (guint i = 0; i < FOLLOWERS; i++)
		end(&followers[i]);
	f->authority.answer = FAKE_ALLOW;
	fake_authority_release(&f->authority, FAKE_ALLOW);
	bus_settle(f);
	for (guint i = 0; i < FOLLOWERS; i++)
		g_assert_cmpuint(followers[i].heard, ==, 0);
}

static void test_the_service_may_leave_before(BusFixture *f, gconstpointer data)
{
	Follower followers[FOLLOWERS] = {0};

	begin_all(f, followers);
	procdb_object_unexport(f->object);
	for (guint i = 0; i < FOLLOWERS; i++)
		end(&followers[i]);
}

static void add(const char *path, void (*test)(BusFixture *, gconstpointer))
{
	g_test_add(path, BusFixture, NULL, bus_fixture_set_up, test, bus_fixture_tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/followers/all-hear-the-last-signal", test_all_hear_the_last_signal);
	add("/followers/those-that-wait-may-leave", test_those_that_wait_may_leave);
	add("/followers/the-service-may-leave-before", test_the_service_may_leave_before);
	return bus_fixture_run_tests();
}
