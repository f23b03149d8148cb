/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "connection.h"

#include "guard.h"
#include "log.h"
#include "object.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* How long to wait for a name that another service still owns, and how often to look. */
#define NAME_PATIENCE_S 2
#define NAME_POLL_MS 20
/* How long to wait for a bus that is gone: one that is restarted takes a second or two. */
#define BUS_PATIENCE_S 30
/*
 * Between two connections. The first time there is none, for a call in between
 * would start the service again where there is no systemd to know better.
 */
#define PAUSE_MIN_MS 20
#define PAUSE_MAX_MS 1000
/* A connection that held for so long was a good one. */
#define GOOD_US (G_USEC_PER_SEC / 10)

struct _ProcdbConnection {
	const ProcdbConnectionListener *listener;
	gpointer user_data;
	GSocketConnection *socket;
	GDBusConnection *bus;	   /* on it; NULL while there is none */
	GCancellable *cancellable; /* of the calls under way */
	gboolean announced;	   /* connected() was told, disconnected() not yet */
	gboolean served;     /* has had the name once: from then on it does not give up easily */
	gboolean over;	     /* failed or withdrawn */
	gint64 named_at;     /* monotonic µs; 0 while the name is not ours */
	gint64 logged_at;    /* monotonic µs; 0: never */
	guint losses;	     /* since then */
	gboolean quiet;	     /* the last loss was not logged */
	guint pause_ms;	     /* before the next attempt */
	guint step;	     /* source: the next attempt or look */
	guint patience;	     /* source: the end of it */
	guint name_acquired; /* subscriptions */
	guint name_lost;
};

static void stop_timer(guint *source)
{
	if (*source)
		g_source_remove(*source);
	*source = 0;
}

/* Nothing that was under way calls back. */
static void stop_all(ProcdbConnection *self)
{
	stop_timer(&self->step);
	stop_timer(&self->patience);
	g_cancellable_cancel(self->cancellable);
	g_object_unref(self->cancellable);
	self->cancellable = g_cancellable_new();
}

static void fail(ProcdbConnection *self, const GError *error)
{
	stop_all(self);
	self->over = TRUE;
	self->listener->failed(error, self->user_data);
}

static void fail_unreachable(ProcdbConnection *self, const GError *reason)
{
	g_autoptr(GError) error =
	    g_error_new(G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED, "Cannot reach the system bus: %s",
			reason ? reason->message : "it was closed");

	fail(self, error);
}

static void fail_taken(ProcdbConnection *self)
{
	g_autoptr(GError) error = g_error_new_literal(
	    G_IO_ERROR, G_IO_ERROR_EXISTS, "Another service owns the name " PROCDB_BUS_NAME);

	fail(self, error);
}

/* Calls a method of the bus daemon. */
static void call_bus(ProcdbConnection *self, const char *method, GVariant *parameters,
		     const char *reply_type, GAsyncReadyCallback callback)
{
	g_dbus_connection_call(self->bus, BUS_NAME, BUS_PATH, BUS_NAME, method, parameters,
			       G_VARIANT_TYPE(reply_type), G_DBUS_CALL_FLAGS_NONE, -1,
			       self->cancellable, callback, self);
}

/*
 * The answer to it; NULL when it was cancelled or the connection is lost, which
 * is seen to elsewhere, or when it failed and so has all of it.
 */
static GVariant *call_bus_finish(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

	if (reply || g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED) ||
	    g_dbus_connection_is_closed(G_DBUS_CONNECTION(source)))
		return reply;
	g_dbus_error_strip_remote_error(error);
	g_prefix_error(&error, "Cannot own the name " PROCDB_BUS_NAME ": ");
	fail(data, error);
	return NULL;
}

/* The name is ours, maybe again. */
static void on_named(ProcdbConnection *self)
{
	if (self->named_at)
		return;
	stop_timer(&self->patience);
	if (self->served)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_BUS,
			   "The service is on the system bus again");
	self->served = TRUE;
	self->named_at = g_get_monotonic_time();
	self->listener->named(self->user_data);
}

static void on_name_acquired(GDBusConnection *bus, const char *sender, const char *path,
			     const char *interface, const char *signal, GVariant *parameters,
			     gpointer data)
{
	on_named(data);
}

static void on_name_lost(GDBusConnection *bus, const char *sender, const char *path,
			 const char *interface, const char *signal, GVariant *parameters,
			 gpointer data)
{
	fail_taken(data);
}

static gboolean on_name_patience(gpointer data)
{
	ProcdbConnection *self = data;

	self->patience = 0;
	fail_taken(self);
	return G_SOURCE_REMOVE;
}

static void wait_for_name(ProcdbConnection *self)
{
	stop_timer(&self->patience);
	self->patience = g_timeout_add_seconds(NAME_PATIENCE_S, on_name_patience, self);
}

static void on_requested(GObject *source, GAsyncResult *result, gpointer data)
{
	/* D-Bus specification, RequestName */
	enum { IN_QUEUE = 2 };
	g_autoptr(GVariant) reply = call_bus_finish(source, result, data);
	ProcdbConnection *self = data;
	guint32 answer;

	if (!reply)
		return;
	g_variant_get(reply, "(u)", &answer);
	if (answer == IN_QUEUE)
		wait_for_name(self);
	else
		on_named(self);
}

static guint subscribe(ProcdbConnection *self, const char *signal, GDBusSignalCallback callback)
{
	return g_dbus_connection_signal_subscribe(self->bus, BUS_NAME, BUS_NAME, signal, BUS_PATH,
						  PROCDB_BUS_NAME, G_DBUS_SIGNAL_FLAGS_NONE,
						  callback, self, NULL);
}

static void take_name(ProcdbConnection *self)
{
	g_autoptr(GError) error = NULL;

	self->announced = TRUE;
	if (!self->listener->connected(self->bus, self->user_data, &error)) {
		fail(self, error);
		return;
	}
	/*
	 * In the queue, for the bus may not have noticed yet that the connection
	 * before this one is closed.
	 */
	self->name_acquired = subscribe(self, "NameAcquired", on_name_acquired);
	self->name_lost = subscribe(self, "NameLost", on_name_lost);
	call_bus(self, "RequestName", g_variant_new("(su)", PROCDB_BUS_NAME, 0), "(u)",
		 on_requested);
}

static void look_for_others(ProcdbConnection *self);

static gboolean on_look(gpointer data)
{
	ProcdbConnection *self = data;

	self->step = 0;
	look_for_others(self);
	return G_SOURCE_REMOVE;
}

static void on_looked(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GVariant) reply = call_bus_finish(source, result, data);
	ProcdbConnection *self = data;
	gboolean owned;

	if (!reply)
		return;
	g_variant_get(reply, "(b)", &owned);
	if (owned) {
		self->step = g_timeout_add(NAME_POLL_MS, on_look, self);
		return;
	}
	stop_timer(&self->patience);
	take_name(self);
}

/*
 * Waits for a service before us that is about to end: what another one still
 * uses, the database, the pins and the slices of tasks, must be left alone.
 */
static void look_for_others(ProcdbConnection *self)
{
	call_bus(self, "NameHasOwner", g_variant_new("(s)", PROCDB_BUS_NAME), "(b)", on_looked);
}

static gboolean on_bus_patience(gpointer data)
{
	g_autoptr(GError) error =
	    g_error_new_literal(G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "The system bus stays away");
	ProcdbConnection *self = data;

	self->patience = 0;
	fail(self, error);
	return G_SOURCE_REMOVE;
}

static void withdraw(ProcdbConnection *self)
{
	if (self->announced)
		self->listener->disconnected(self->user_data);
	self->announced = FALSE;
}

static void unsubscribe(ProcdbConnection *self, guint *subscription)
{
	if (*subscription)
		g_dbus_connection_signal_unsubscribe(self->bus, *subscription);
	*subscription = 0;
}

/* Lets go of the connection. */
static void drop(ProcdbConnection *self)
{
	if (!self->bus)
		return;
	withdraw(self);
	unsubscribe(self, &self->name_acquired);
	unsubscribe(self, &self->name_lost);
	g_signal_handlers_disconnect_by_data(self->bus, self);
	/* GDBus would keep the socket, and with it the name, until nobody holds its object. */
	g_socket_shutdown(g_socket_connection_get_socket(self->socket), TRUE, TRUE, NULL);
	g_clear_object(&self->socket);
	g_clear_object(&self->bus);
	self->named_at = 0;
}

static void reconnect(ProcdbConnection *self);

static void on_closed(GDBusConnection *bus, gboolean remote, GError *error, gpointer data)
{
	ProcdbConnection *self = data;
	gboolean good = self->named_at && g_get_monotonic_time() - self->named_at >= GOOD_US;

	stop_all(self);
	if (self->over)
		return;
	if (!self->served) {
		fail_unreachable(self, error);
		return;
	}
	procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_BUS,
		   "The connection to the system bus is lost: %s",
		   error ? error->message : "it was closed");
	drop(self);
	self->patience = g_timeout_add_seconds(BUS_PATIENCE_S, on_bus_patience, self);
	self->pause_ms = good ? 0 : PAUSE_MIN_MS;
	reconnect(self);
}

/* There is no bus now. */
static void try_again(ProcdbConnection *self, const GError *reason)
{
	self->pause_ms = CLAMP(self->pause_ms * 2, PAUSE_MIN_MS, PAUSE_MAX_MS);
	if (self->served)
		reconnect(self);
	else
		fail_unreachable(self, reason);
}

static void on_connected(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) bus = g_dbus_connection_new_finish(result, &error);
	ProcdbConnection *self = data;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	/* One that was closed meanwhile does not say so again. */
	if (!bus || g_dbus_connection_is_closed(bus)) {
		try_again(self, error);
		return;
	}
	self->bus = g_steal_pointer(&bus);
	g_signal_connect(self->bus, "closed", G_CALLBACK(on_closed), self);
	procdb_guard_answer(self->bus);
	if (self->served) {
		take_name(self);
		return;
	}
	wait_for_name(self);
	look_for_others(self);
}

static void on_stream(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GIOStream) stream = g_dbus_address_get_stream_finish(result, NULL, &error);
	g_autoptr(GIOStream) guarded = NULL;
	ProcdbConnection *self = data;

	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	if (stream)
		guarded = procdb_guard_new(G_SOCKET_CONNECTION(stream), &error);
	if (!guarded) {
		try_again(self, error);
		return;
	}
	g_set_object(&self->socket, G_SOCKET_CONNECTION(stream));
	g_dbus_connection_new(guarded, NULL, G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
			      self->cancellable, on_connected, self);
}

static gboolean on_reconnect(gpointer data)
{
	g_autoptr(GError) error = NULL;
	ProcdbConnection *self = data;
	g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

	self->step = 0;
	if (address)
		g_dbus_address_get_stream(address, self->cancellable, on_stream, self);
	else
		fail(self, error);
	return G_SOURCE_REMOVE;
}

static void reconnect(ProcdbConnection *self)
{
	self->step = g_timeout_add(self->pause_ms, on_reconnect, self);
}

ProcdbConnection *procdb_connection_new(const ProcdbConnectionListener *listener,
					gpointer user_data)
{
	ProcdbConnection *self = g_new0(ProcdbConnection, 1);

	self->listener = listener;
	self->user_data = user_data;
	self->cancellable = g_cancellable_new();
	reconnect(self);
	return self;
}

void procdb_connection_withdraw(ProcdbConnection *self)
{
	stop_all(self);
	self->over = TRUE;
	withdraw(self);
	if (self->bus)
		g_dbus_connection_flush_sync(self->bus, NULL, NULL);
}

void procdb_connection_free(ProcdbConnection *self)
{
	if (!self)
		return;
	stop_all(self);
	drop(self);
	g_clear_object(&self->socket);
	g_object_unref(self->cancellable);
	g_free(self);
}
