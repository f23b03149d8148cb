/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The real object on a private bus, with maps in memory and an authority that obeys. */

#include "engine-fixture.h"
#include "fake-authority.h"
#include "object.h"

#define ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define INTERACTION_REQUIRED "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
#define OWN_ERROR(name) "org.pandemonium.ProcDb1.Error." name

typedef struct {
	EngineFixture engine;
	sd_bus *service;
	GSource *source;	  /* that runs it */
	const char *service_name; /* its unique name */
	GDBusConnection *caller;
	FakeAuthority authority;
	ProcdbObject *object;
	/* What the host was asked for, and whether it agrees. */
	guint reconfigured;
	char *backend;
	char *mode; /* of applying */
	gboolean host_refuses;
	GArray *tasks;		 /* struct procdb_task_row: that run; the test's to fill */
	guint listed;		 /* how often they were asked for */
	guint trials;		 /* that were begun, */
	ProcdbTrialStatus trial; /* the last of them */
	ProcdbGuardStatus guard;
	struct procdb_history history;
	struct procdb_delays delays;
	guint profiles_before; /* see bus_fixture_assert_untouched() */
	gint64 took_us;	       /* what each call takes, for the gate; 0: the truth */
	sd_bus_slot *filter;
	ProcdbCaller *last; /* see bus_fixture_note_callers() */
} BusFixture;

/* Brings the bus up, runs the tests, brings it down; the result of g_test_run(). */
int bus_fixture_run_tests(void);

/* A service that knows the confident profiles "cc1" and "make". */
void bus_fixture_set_up(BusFixture *f, gconstpointer data);
void bus_fixture_tear_down(BusFixture *f, gconstpointer data);
/* Engine and object end, and begin anew with what was saved; the object is on no bus then. */
void bus_fixture_restart(BusFixture *f);

/* From now on f->last is the connection of the last call of our interface that arrived. */
void bus_fixture_note_callers(BusFixture *f);

/* The pid of a task named "cc1", the only one at first. */
#define BUS_PID 4711
/* One more task that runs; its row stays the fixture's, until the next one is added. */
struct procdb_task_row *bus_fixture_add_task(BusFixture *f, guint pid, const char *name);

/* One more connection to the bus; unref it, or bus_close() it to leave for sure. */
GDBusConnection *bus_connect(void);
void bus_close(GDBusConnection *connection);

/* A call under way. */
typedef struct {
	gboolean done;
	guint rank;	 /* of those that were answered, from 1 on */
	GVariant *reply; /* NULL for an error */
	char *error;	 /* its name on the bus, or NULL */
	char *message;
} BusCall;

void bus_call_clear(BusCall *call);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BusCall, bus_call_clear)

/* Sends a call of our interface; parameters may be floating, NULL for none. */
void bus_call_begin(BusFixture *f, BusCall *call, GDBusConnection *from, const char *method,
		    GVariant *parameters, GDBusCallFlags flags);
/* The same for any interface of our object. */
void bus_call_begin_on(BusFixture *f, BusCall *call, GDBusConnection *from, const char *interface,
		       const char *method, GVariant *parameters, GDBusCallFlags flags);
/* Sends a call that wants no answer. */
void bus_send(BusFixture *f, GDBusConnection *from, const char *method, GVariant *parameters);
/* Runs the main loop until it is answered. */
void bus_call_wait(BusCall *call);
/* Both of it. */
void bus_call(BusFixture *f, BusCall *call, const char *method, GVariant *parameters);
/* Makes a call that has to succeed; the caller unrefs the reply. */
GVariant *bus_must(BusFixture *f, const char *method, GVariant *parameters);
/* Makes a call that has to fail with an error of this name. */
void bus_must_fail(BusFixture *f, const char *method, GVariant *parameters, const char *error);

/* A property's value; the caller unrefs it. */
GVariant *bus_get(BusFixture *f, const char *property);

/* Parameters that a method of our interface takes and that make it do something. */
GVariant *bus_sensible_parameters(const GDBusMethodInfo *method);
/* The methods of our interface. */
GDBusMethodInfo **bus_methods(void);

/* Fails when any method that changes something was executed since the set-up. */
void bus_fixture_assert_untouched(BusFixture *f);

/* Runs the main loop until *counter reaches value; fails after some seconds. */
void bus_wait_for(const guint *counter, guint value);
/* Runs the main loop until everything sent so far has arrived. */
void bus_settle(BusFixture *f);
