/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "bus-fixture.h"

#include <string.h>

#include "loop.h"

#define PROPERTIES "org.freedesktop.DBus.Properties"
#define PATIENCE_US (60 * G_USEC_PER_SEC)

int bus_fixture_run_tests(void)
{
	g_autoptr(GTestDBus) bus = g_test_dbus_new(G_TEST_DBUS_NONE);
	int result;

	g_test_dbus_up(bus);
	result = g_test_run();
	g_test_dbus_down(bus);
	return result;
}

GDBusConnection *bus_connect(void)
{
	g_autoptr(GError) error = NULL;
	GDBusConnection *connection = g_dbus_connection_new_for_address_sync(
	    g_getenv("DBUS_SESSION_BUS_ADDRESS"),
	    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
		G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
	    NULL, NULL, &error);

	g_assert_no_error(error);
	return connection;
}

void bus_close(GDBusConnection *connection)
{
	g_dbus_connection_close_sync(connection, NULL, NULL);
	g_object_unref(connection);
}

static gboolean refused(BusFixture *f, GError **error)
{
	if (f->host_refuses)
		g_set_error_literal(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
				    "The host refuses");
	return f->host_refuses;
}

static gboolean host_reconfigure(gpointer data, GError **error)
{
	BusFixture *f = data;

	f->reconfigured++;
	return !refused(f, error);
}

static gboolean host_set_backend(gpointer data, const char *backend, GError **error)
{
	BusFixture *f = data;

	g_free(f->backend);
	f->backend = g_strdup(backend);
	return !refused(f, error);
}

static gboolean host_set_apply(gpointer data, const char *mode, GError **error)
{
	BusFixture *f = data;

	g_free(f->mode);
	f->mode = g_strdup(mode);
	return !refused(f, error);
}

static gboolean host_list_tasks(gpointer data, GArray *tasks, GError **error)
{
	BusFixture *f = data;

	f->listed++;
	g_array_append_vals(tasks, f->tasks->data, f->tasks->len);
	return !refused(f, error);
}

static gboolean host_delays(gpointer data, struct procdb_delays *sum, GError **error)
{
	*sum = ((BusFixture *)data)->delays;
	return !refused(data, error);
}

static gboolean host_start_trial(gpointer data, guint seconds, GError **error)
{
	BusFixture *f = data;

	if (refused(f, error))
		return FALSE;
	f->trials++;
	f->trial = (ProcdbTrialStatus){
	    .state = PROCDB_TRIAL_RUNNING, .reason = "", .seconds = seconds, .percent = 10};
	procdb_object_trial_changed(f->object);
	return TRUE;
}

static void host_stop_trial(gpointer data, const char *reason)
{
	BusFixture *f = data;

	if (f->trial.state != PROCDB_TRIAL_RUNNING)
		return;
	f->trial.state = PROCDB_TRIAL_ENDED;
	f->trial.reason = reason;
	f->trial.comparison.reason = "";
	procdb_object_trial_changed(f->object);
}

static void host_trial(gpointer data, ProcdbTrialStatus *status)
{
	*status = ((BusFixture *)data)->trial;
}

static const struct procdb_history *host_history(gpointer data)
{
	return &((BusFixture *)data)->history;
}

static void host_guard(gpointer data, ProcdbGuardStatus *status)
{
	*status = ((BusFixture *)data)->guard;
}

static const ProcdbHost host = {
    .list_tasks = host_list_tasks,
    .reconfigure = host_reconfigure,
    .set_backend = host_set_backend,
    .set_apply = host_set_apply,
    .delays = host_delays,
    .start_trial = host_start_trial,
    .stop_trial = host_stop_trial,
    .trial = host_trial,
    .guard = host_guard,
    .history = host_history,
};

static void on_lost(int error, gpointer data)
{
	g_error("The service lost its connection: %s", g_strerror(-error));
}

static void on_handled(gint64 us, gpointer data)
{
	BusFixture *f = data;

	if (f->object)
		procdb_object_handled(f->object, f->took_us ? f->took_us : us);
}

/* As the service connects, but to the bus of the test. */
static void connect_service(BusFixture *f)
{
	static const ProcdbBusListener listener = {.lost = on_lost, .handled = on_handled};

	g_assert_cmpint(sd_bus_new(&f->service), >=, 0);
	g_assert_cmpint(sd_bus_set_address(f->service, g_getenv("DBUS_SESSION_BUS_ADDRESS")), >=,
			0);
	g_assert_cmpint(sd_bus_set_bus_client(f->service, TRUE), >=, 0);
	g_assert_cmpint(sd_bus_start(f->service), >=, 0);
	f->source = procdb_bus_source_new(f->service, &listener, f);
	while (sd_bus_is_ready(f->service) <= 0)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpint(sd_bus_get_unique_name(f->service, &f->service_name), >=, 0);
}

void bus_fixture_set_up(BusFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	*f = (BusFixture){.trial = {.reason = ""}};
	f->tasks = g_array_new(FALSE, FALSE, sizeof(struct procdb_task_row));
	bus_fixture_add_task(f, BUS_PID, "cc1");
	engine_fixture_set_up(&f->engine, &test_settings, 512);
	test_learn(&f->engine, "cc1", PROCDB_TIER_BATCH, 3);
	test_learn(&f->engine, "make", PROCDB_TIER_INTERACTIVE, 4);
	connect_service(f);
	f->caller = bus_connect();
	fake_authority_init(&f->authority, f->service);
	f->object = procdb_object_new(f->engine.engine, &host, f);
	procdb_object_export(f->object, f->service, &fake_authority, &f->authority, &error);
	g_assert_no_error(error);
}

static int on_any_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
	BusFixture *f = data;
	ProcdbCaller *caller;

	if (sd_bus_message_is_method_call(message, PROCDB_BUS_INTERFACE, NULL) > 0) {
		caller =
		    procdb_caller_ref(procdb_gate_caller(procdb_object_gate(f->object), message));
		g_clear_pointer(&f->last, procdb_caller_unref);
		f->last = caller;
	}
	return 0;
}

void bus_fixture_note_callers(BusFixture *f)
{
	g_assert_cmpint(sd_bus_add_filter(f->service, &f->filter, on_any_message, f), >=, 0);
}

void bus_fixture_restart(BusFixture *f)
{
	procdb_object_free(f->object);
	engine_fixture_restart(&f->engine, 512);
	f->object = procdb_object_new(f->engine.engine, &host, f);
}

void bus_fixture_tear_down(BusFixture *f, gconstpointer data)
{
	g_clear_pointer(&f->filter, sd_bus_slot_unref);
	g_clear_pointer(&f->last, procdb_caller_unref);
	procdb_object_unexport(f->object);
	fake_authority_release(&f->authority, FAKE_ALLOW);
	/* Answers on their way to the authorizer. */
	bus_settle(f);
	procdb_object_free(f->object);
	fake_authority_clear(&f->authority);
	engine_fixture_tear_down(&f->engine);
	bus_close(f->caller);
	g_source_destroy(f->source);
	g_source_unref(f->source);
	sd_bus_close_unref(f->service);
	g_free(f->backend);
	g_free(f->mode);
	g_array_unref(f->tasks);
}

struct procdb_task_row *bus_fixture_add_task(BusFixture *f, guint pid, const char *name)
{
	struct procdb_task_row task = {
	    .pid = pid,
	    .tgid = pid,
	    .kind = PROCDB_KIND_PROCESS,
	    .measured = PROCDB_TIERS,
	    .comm = test_comm(name),
	};

	g_array_append_val(f->tasks, task);
	return &g_array_index(f->tasks, struct procdb_task_row, f->tasks->len - 1);
}

void bus_call_clear(BusCall *call)
{
	g_assert_true(call->done);
	g_clear_pointer(&call->reply, g_variant_unref);
	g_clear_pointer(&call->error, g_free);
	g_clear_pointer(&call->message, g_free);
}

static void on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
	static guint answered;
	BusCall *call = data;
	g_autoptr(GError) error = NULL;

	call->done = TRUE;
	call->rank = ++answered;
	call->reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	if (!error)
		return;
	call->error = g_dbus_error_get_remote_error(error);
	/* The caller's own connection was closed. */
	if (!call->error)
		call->error = g_strdup("");
	g_dbus_error_strip_remote_error(error);
	call->message = g_strdup(error->message);
}

void bus_call_begin_on(BusFixture *f, BusCall *call, GDBusConnection *from, const char *interface,
		       const char *method, GVariant *parameters, GDBusCallFlags flags)
{
	*call = (BusCall){0};
	g_dbus_connection_call(from, f->service_name, PROCDB_BUS_PATH, interface, method,
			       parameters, NULL, flags, 60000, NULL, on_reply, call);
}

void bus_call_begin(BusFixture *f, BusCall *call, GDBusConnection *from, const char *method,
		    GVariant *parameters, GDBusCallFlags flags)
{
	bus_call_begin_on(f, call, from, "org.pandemonium.ProcDb1", method, parameters, flags);
}

void bus_send(BusFixture *f, GDBusConnection *from, const char *method, GVariant *parameters)
{
	g_dbus_connection_call(from, f->service_name, PROCDB_BUS_PATH, PROCDB_BUS_INTERFACE, method,
			       parameters, NULL, G_DBUS_CALL_FLAGS_NONE, -1, NULL, NULL, NULL);
}

void bus_call_wait(BusCall *call)
{
	while (!call->done)
		g_main_context_iteration(NULL, TRUE);
}

void bus_call(BusFixture *f, BusCall *call, const char *method, GVariant *parameters)
{
	bus_call_begin(f, call, f->caller, method, parameters, G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(call);
}

GVariant *bus_must(BusFixture *f, const char *method, GVariant *parameters)
{
	g_auto(BusCall) call = {0};

	bus_call(f, &call, method, parameters);
	if (call.error)
		g_error("%s: %s: %s", method, call.error, call.message);
	return g_steal_pointer(&call.reply);
}

void bus_must_fail(BusFixture *f, const char *method, GVariant *parameters, const char *error)
{
	g_auto(BusCall) call = {0};

	bus_call(f, &call, method, parameters);
	g_assert_cmpstr(call.error, ==, error);
	g_assert_cmpstr(call.message, !=, "");
}

GVariant *bus_get(BusFixture *f, const char *property)
{
	g_auto(BusCall) call = {0};
	GVariant *value;

	bus_call_begin_on(f, &call, f->caller, PROPERTIES, "Get",
			  g_variant_new("(ss)", "org.pandemonium.ProcDb1", property),
			  G_DBUS_CALL_FLAGS_NONE);
	bus_call_wait(&call);
	if (call.error)
		g_error("%s: %s: %s", property, call.error, call.message);
	g_variant_get(call.reply, "(v)", &value);
	return value;
}

GDBusMethodInfo **bus_methods(void)
{
	return procdb_interface()->methods;
}

GVariant *bus_sensible_parameters(const GDBusMethodInfo *method)
{
	g_auto(GVariantBuilder) parameters;

	g_variant_builder_init(&parameters, G_VARIANT_TYPE_TUPLE);
	for (guint i = 0; method->in_args && method->in_args[i]; i++) {
		const char *name = method->in_args[i]->name;
		const char *type = method->in_args[i]->signature;

		if (g_str_equal(name, "fields"))
			g_variant_builder_add_parsed(&parameters, "['name', 'tier']");
		else if (g_str_equal(name, "what"))
			g_variant_builder_add_parsed(&parameters, "{'program': <'train.py'>}");
		else if (g_str_equal(type, "as"))
			g_variant_builder_add_parsed(&parameters, "['cc1', 'make']");
		else if (g_str_equal(name, "seconds"))
			g_variant_builder_add(&parameters, "u", PROCDB_TRIAL_SECONDS_MIN);
		else if (g_str_equal(type, "b"))
			g_variant_builder_add(&parameters, "b", TRUE);
		else if (g_variant_type_is_array(G_VARIANT_TYPE(type)))
			g_variant_builder_add_value(
			    &parameters,
			    g_variant_new_array(g_variant_type_element(G_VARIANT_TYPE(type)), NULL,
						0));
		else if (g_str_equal(name, "name"))
			g_variant_builder_add(&parameters, "s", "cc1");
		else if (g_str_equal(name, "tier"))
			g_variant_builder_add(&parameters, "s", "lat-critical");
		else if (g_str_equal(type, "s"))
			g_variant_builder_add(&parameters, "s", "none");
		else if (g_str_equal(name, "pid"))
			g_variant_builder_add(&parameters, "u", BUS_PID);
		else if (g_str_equal(type, "u"))
			g_variant_builder_add(&parameters, "u", 1);
		else
			g_error("%s: say here what %s of type %s should be", method->name, name,
				type);
	}
	return g_variant_builder_end(&parameters);
}

void bus_fixture_assert_untouched(BusFixture *f)
{
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine.engine, &status);
	g_assert_cmpuint(procdb_table_size(procdb_engine_table(f->engine.engine)), ==, 2);
	g_assert_nonnull(test_find(&f->engine, "cc1"));
	g_assert_nonnull(test_find(&f->engine, "make"));
	g_assert_cmpuint(test_find(&f->engine, "cc1")->held, ==, 0);
	g_assert_cmpuint(status.overrides, ==, 0);
	g_assert_cmpint(status.last_save_us, ==, 0);
	g_assert_cmpuint(f->reconfigured, ==, 0);
	g_assert_cmpuint(f->trials, ==, 0);
	g_assert_null(f->backend);
	g_assert_null(f->mode);
}

void bus_wait_for(const guint *counter, guint value)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE_US;

	while (*counter != value && g_get_monotonic_time() < deadline)
		if (!g_main_context_iteration(NULL, FALSE))
			g_usleep(500);
	g_assert_cmpuint(*counter, ==, value);
}

void bus_settle(BusFixture *f)
{
	for (guint i = 0; i < 2; i++) {
		g_auto(BusCall) call = {0};

		/* Messages of one connection arrive in order: its answer is the last. */
		bus_call_begin_on(f, &call, f->caller, "org.freedesktop.DBus.Peer", "Ping", NULL,
				  G_DBUS_CALL_FLAGS_NONE);
		bus_call_wait(&call);
		while (g_main_context_iteration(NULL, FALSE))
			;
	}
}
