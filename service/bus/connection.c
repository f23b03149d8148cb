/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "connection.h"

#include <errno.h>
#include <unistd.h>

#include "errors.h"
#include "interface.h"
#include "log.h"
#include "peers.h"
#include "loop.h"

/* The D-Bus specification, "Well-known Message Bus Instances". */
#define DEFAULT_ADDRESS "unix:path=/run/dbus/system_bus_socket"

/* The longest wait for a name that another service owns, and the time between two attempts. */
#define NAME_PATIENCE_S 2
#define NAME_POLL_MS 20
/* The longest wait for a lost bus; a restart takes a second or two. */
#define BUS_PATIENCE_S 30
/*
 * The pauses between two connections. There is none before the first attempt: without systemd, a
 * call meanwhile would make the bus start a second service.
 */
#define PAUSE_MIN_MS 20
#define PAUSE_MAX_MS 1000
/* After so long a connection counts as good: the pauses start from the first again. */
#define GOOD_US (G_USEC_PER_SEC / 10)
/* The longest wait at the end until all answers are sent. */
#define FLUSH_US (2 * (gint64)G_USEC_PER_SEC)

struct _ProcdbConnection {
	const ProcdbConnectionListener *listener;
	gpointer user_data;
	sd_bus *bus; /* NULL while there is none */
	GSource *source;
	sd_bus_slot *call; /* of the question under way */
	sd_bus_slot *name_acquired;
	sd_bus_slot *name_lost;
	gboolean announced; /* connected() was called, disconnected() not yet */
	gboolean answered;  /* the bus has, on this connection */
	gboolean served;    /* has had the name once: from then on it waits longer */
	gboolean over;	    /* failed or withdrawn */
	gint64 named_at;    /* monotonic µs; 0 while the name is not ours */
	guint pause_ms;	    /* before the next attempt */
	guint step;	    /* source: the next attempt */
	guint patience;	    /* source: the end of the wait for the name */
	guint bus_patience; /* source: the end of the wait for a lost bus */
};

static void stop_timer(guint *source)
{
	if (*source)
		g_source_remove(*source);
	*source = 0;
}

/* Ends the question and the timers: no callback comes after this. */
static void stop_all(ProcdbConnection *self)
{
	stop_timer(&self->step);
	stop_timer(&self->patience);
	stop_timer(&self->bus_patience);
	g_clear_pointer(&self->call, sd_bus_slot_unref);
}

static void fail(ProcdbConnection *self, const GError *error)
{
	stop_all(self);
	self->over = TRUE;
	self->listener->failed(error, self->user_data);
}

static void fail_unreachable(ProcdbConnection *self, int reason)
{
	g_autoptr(GError) error = procdb_bus_errno(reason, "Cannot reach the system bus");

	fail(self, error);
}

static void fail_taken(ProcdbConnection *self)
{
	g_autoptr(GError) error = g_error_new_literal(
	    G_IO_ERROR, G_IO_ERROR_EXISTS, "Another service owns the name " PROCDB_BUS_NAME);

	fail(self, error);
}

/* Logs that a message could not be made or sent; a lost connection is handled elsewhere. */
static void fail_naming(ProcdbConnection *self, const char *why)
{
	g_autoptr(GError) error = NULL;

	if (!sd_bus_is_open(self->bus))
		return;
	error = g_error_new(G_IO_ERROR, G_IO_ERROR_FAILED,
			    "Cannot own the name " PROCDB_BUS_NAME ": %s", why);
	fail(self, error);
}

/* Calls a method of the bus daemon about a name. */
static void call_bus(ProcdbConnection *self, const char *method, sd_bus_message_handler_t callback,
		     const char *name)
{
	int result;

	g_clear_pointer(&self->call, sd_bus_slot_unref);
	result =
	    sd_bus_call_method_async(self->bus, &self->call, PROCDB_DAEMON_NAME, PROCDB_DAEMON_PATH,
				     PROCDB_DAEMON_NAME, method, callback, self, "s", name);
	if (result < 0)
		fail_naming(self, g_strerror(-result));
}

/* Reads an answer of this type. FALSE when the call failed; fail() was called then. */
static gboolean read_answer(ProcdbConnection *self, sd_bus_message *reply, char type,
			    gpointer value)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (error) {
		fail_naming(self, error->message ? error->message : error->name);
		return FALSE;
	}
	if (sd_bus_message_read_basic(reply, type, value) <= 0) {
		fail_naming(self, "the bus gave an answer of another kind");
		return FALSE;
	}
	return TRUE;
}

/* The name is ours, maybe again. */
static void on_named(ProcdbConnection *self)
{
	if (self->named_at)
		return;
	stop_timer(&self->patience);
	stop_timer(&self->bus_patience);
	if (self->served)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_BUS,
			   "The service is on the system bus again");
	self->served = TRUE;
	self->named_at = g_get_monotonic_time();
	self->listener->named(self->user_data);
}

static int on_name_acquired(sd_bus_message *signal, void *data, sd_bus_error *error)
{
	if (procdb_peers_is_from_bus(signal))
		on_named(data);
	return 0;
}

static int on_name_lost(sd_bus_message *signal, void *data, sd_bus_error *error)
{
	if (procdb_peers_is_from_bus(signal))
		fail_taken(data);
	return 0;
}

static gboolean on_name_patience(gpointer data)
{
	ProcdbConnection *self = data;

	self->patience = 0;
	fail_taken(self);
	return G_SOURCE_REMOVE;
}

/* The bus may be slow at boot, but not for ever. */
static gboolean on_silence(gpointer data)
{
	((ProcdbConnection *)data)->patience = 0;
	fail_unreachable(data, -ETIMEDOUT);
	return G_SOURCE_REMOVE;
}

static void wait_for_name(ProcdbConnection *self)
{
	stop_timer(&self->patience);
	self->patience = g_timeout_add_seconds(NAME_PATIENCE_S, on_name_patience, self);
}

/* D-Bus specification, RequestName. */
enum {
	FLAG_ALLOW_REPLACEMENT = 1,
	FLAG_REPLACE_EXISTING = 2,
	ANSWER_IN_QUEUE = 2,
};

static int on_requested(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbConnection *self = data;
	guint32 answer;

	if (!read_answer(self, reply, 'u', &answer))
		return 1;
	if (answer == ANSWER_IN_QUEUE)
		wait_for_name(self);
	else
		on_named(self);
	return 1;
}

static sd_bus_slot *subscribe(ProcdbConnection *self, const char *signal,
			      sd_bus_message_handler_t callback)
{
	g_autofree char *rule = g_strdup_printf(
	    "type='signal',sender='" PROCDB_DAEMON_NAME "',path='" PROCDB_DAEMON_PATH
	    "',interface='" PROCDB_DAEMON_NAME "',member='%s',arg0='" PROCDB_BUS_NAME "'",
	    signal);
	sd_bus_slot *slot = NULL;

	(void)sd_bus_add_match_async(self->bus, &slot, rule, callback, procdb_peers_installed,
				     self);
	return slot;
}

/*
 * A later service may take the name over from one that died unnoticed by the bus, and we allow
 * that as well. Only root can: the bus policy lets no other user own the name.
 */
static void request_name(ProcdbConnection *self, guint32 flags)
{
	int result;

	g_clear_pointer(&self->call, sd_bus_slot_unref);
	result =
	    sd_bus_call_method_async(self->bus, &self->call, PROCDB_DAEMON_NAME, PROCDB_DAEMON_PATH,
				     PROCDB_DAEMON_NAME, "RequestName", on_requested, self, "su",
				     PROCDB_BUS_NAME, flags | FLAG_ALLOW_REPLACEMENT);
	if (result < 0)
		fail_naming(self, g_strerror(-result));
}

static void take_name(ProcdbConnection *self, guint32 flags)
{
	g_autoptr(GError) error = NULL;

	self->announced = TRUE;
	if (!self->listener->connected(self->bus, self->user_data, &error)) {
		fail(self, error);
		return;
	}
	self->name_acquired = subscribe(self, "NameAcquired", on_name_acquired);
	self->name_lost = subscribe(self, "NameLost", on_name_lost);
	request_name(self, flags);
}

static void look_for_others(ProcdbConnection *self);

static gboolean on_look(gpointer data)
{
	ProcdbConnection *self = data;

	self->step = 0;
	look_for_others(self);
	return G_SOURCE_REMOVE;
}

static void wait_for_owner(ProcdbConnection *self)
{
	if (!self->patience)
		wait_for_name(self);
	self->step = g_timeout_add(NAME_POLL_MS, on_look, self);
}

/* The bus knows the number of our own process: those that it tells are of our pid namespace. */
static int on_own_process(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbConnection *self = data;
	guint32 pid;

	if (!sd_bus_message_get_error(reply) && sd_bus_message_read_basic(reply, 'u', &pid) > 0 &&
	    (pid_t)pid == getpid()) {
		stop_timer(&self->patience);
		take_name(self, FLAG_REPLACE_EXISTING);
	} else {
		wait_for_owner(self);
	}
	return 1;
}

static int on_owner_process(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbConnection *self = data;

	const char *own;

	/* One that has ended uses no database and no pins any more. */
	if (procdb_peers_has_ended(reply) && sd_bus_get_unique_name(self->bus, &own) >= 0)
		call_bus(self, "GetConnectionUnixProcessID", on_own_process, own);
	else
		wait_for_owner(self);
	return 1;
}

static int on_looked(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbConnection *self = data;
	int owned;

	if (!read_answer(self, reply, 'b', &owned))
		return 1;
	/* From now on it is the name that is waited for, and no more the bus. */
	if (!self->answered)
		stop_timer(&self->patience);
	self->answered = TRUE;
	if (owned) {
		call_bus(self, "GetConnectionUnixProcessID", on_owner_process, PROCDB_BUS_NAME);
		return 1;
	}
	if (!self->served)
		stop_timer(&self->patience);
	take_name(self, 0);
	return 1;
}

/* Waits for the end of an older service: both must not use the database, the pins and tasks. */
static void look_for_others(ProcdbConnection *self)
{
	call_bus(self, "NameHasOwner", on_looked, PROCDB_BUS_NAME);
}

static gboolean on_bus_patience(gpointer data)
{
	g_autoptr(GError) error = g_error_new_literal(G_IO_ERROR, G_IO_ERROR_TIMED_OUT,
						      "The system bus did not come back in time");
	ProcdbConnection *self = data;

	self->bus_patience = 0;
	fail(self, error);
	return G_SOURCE_REMOVE;
}

static void withdraw(ProcdbConnection *self)
{
	if (self->announced)
		self->listener->disconnected(self->user_data);
	self->announced = FALSE;
}

/* Closes the connection. */
static void drop(ProcdbConnection *self)
{
	if (!self->bus)
		return;
	withdraw(self);
	g_clear_pointer(&self->call, sd_bus_slot_unref);
	g_clear_pointer(&self->name_acquired, sd_bus_slot_unref);
	g_clear_pointer(&self->name_lost, sd_bus_slot_unref);
	g_source_destroy(self->source);
	g_clear_pointer(&self->source, g_source_unref);
	g_clear_pointer(&self->bus, sd_bus_close_unref);
	self->named_at = 0;
}

static void reconnect(ProcdbConnection *self);

/* The bus cannot be reached now. */
static void try_again(ProcdbConnection *self, int reason)
{
	self->pause_ms = CLAMP(self->pause_ms * 2, PAUSE_MIN_MS, PAUSE_MAX_MS);
	if (self->served)
		reconnect(self);
	else
		fail_unreachable(self, reason);
}

/* Logs it, and starts the wait for the bus. */
static void note_loss(ProcdbConnection *self, int reason)
{
	gboolean good = g_get_monotonic_time() - self->named_at >= GOOD_US;

	procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_BUS,
		   "The connection to the system bus is lost: %s",
		   reason == -ETIMEDOUT ? "the bus takes nothing" : g_strerror(-reason));
	self->pause_ms = good ? 0 : PAUSE_MIN_MS;
	self->bus_patience = g_timeout_add_seconds(BUS_PATIENCE_S, on_bus_patience, self);
}

static void on_lost(int reason, gpointer data)
{
	ProcdbConnection *self = data;
	gboolean had_name = self->named_at != 0;

	if (self->over)
		return;
	stop_timer(&self->step);
	stop_timer(&self->patience);
	/* A bus that is ending still takes connections: one more loss is no news. */
	if (had_name)
		note_loss(self, reason);
	drop(self);
	if (had_name)
		reconnect(self);
	else
		try_again(self, reason);
}

/* As sd_bus_open_system(), but refuses file descriptors, with which calls could fill our table. */
static int open_address(const char *address, sd_bus **bus)
{
	int result = sd_bus_new(bus);

	if (result >= 0)
		result = sd_bus_set_address(*bus, address);
	if (result >= 0)
		result = sd_bus_set_bus_client(*bus, TRUE);
	if (result >= 0)
		result = sd_bus_negotiate_fds(*bus, FALSE);
	if (result >= 0)
		result = sd_bus_start(*bus);
	if (result < 0)
		*bus = sd_bus_unref(*bus);
	return result;
}

/*
 * Takes the first address that answers (D-Bus specification, "Server Addresses"). Each is tried by
 * a connection of its own: libsystemd 252 aborts when it goes on to the next one after a bus that
 * took the connection and ended (bus_get_peercred() of src/libsystemd/sd-bus/bus-socket.c).
 */
static int open_bus(sd_bus **bus)
{
	const char *addresses = g_getenv("DBUS_SYSTEM_BUS_ADDRESS");
	g_auto(GStrv) each = g_strsplit(addresses ? addresses : DEFAULT_ADDRESS, ";", -1);
	int result = -EINVAL;

	for (guint i = 0; each[i] && result < 0; i++) {
		if (*each[i])
			result = open_address(each[i], bus);
	}
	return result;
}

static void on_handled(gint64 us, gpointer data)
{
	const ProcdbConnection *self = data;

	if (self->announced)
		self->listener->handled(us, self->user_data);
}

static gboolean on_reconnect(gpointer data)
{
	static const ProcdbBusListener listener = {.lost = on_lost, .handled = on_handled};
	ProcdbConnection *self = data;
	int result = open_bus(&self->bus);

	self->step = 0;
	if (result < 0) {
		try_again(self, result);
		return G_SOURCE_REMOVE;
	}
	self->source = procdb_bus_source_new(self->bus, &listener, self);
	self->answered = FALSE;
	if (!self->served)
		self->patience = g_timeout_add_seconds(BUS_PATIENCE_S, on_silence, self);
	look_for_others(self);
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
	reconnect(self);
	return self;
}

void procdb_connection_withdraw(ProcdbConnection *self)
{
	stop_all(self);
	self->over = TRUE;
	withdraw(self);
	if (self->bus)
		(void)procdb_bus_flush(self->bus, FLUSH_US);
}

void procdb_connection_free(ProcdbConnection *self)
{
	if (!self)
		return;
	stop_all(self);
	drop(self);
	g_free(self);
}
