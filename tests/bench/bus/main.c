/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* bench-bus serve | measure ROUNDS CALLS [JSON-FILE]; see run.sh. */

#include <stdlib.h>

#include "bench.h"
#include "guard.h"

#define PROFILES 512

static guint number(const char *text)
{
	guint64 value;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 1, 1000000, &value, NULL)) {
		g_printerr("bench-bus: expected a number, not '%s'\n", text ? text : "");
		exit(2);
	}
	return (guint)value;
}

/* A connection as the service has it. */
static GDBusConnection *connect_guarded(GError **error)
{
	g_autofree char *address = g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SYSTEM, NULL, error);
	g_autoptr(GIOStream) socket = NULL;
	g_autoptr(GIOStream) guarded = NULL;
	GDBusConnection *connection = NULL;

	if (address)
		socket = g_dbus_address_get_stream_sync(address, NULL, NULL, error);
	if (socket)
		guarded = procdb_guard_new(G_SOCKET_CONNECTION(socket), error);
	if (guarded)
		connection = g_dbus_connection_new_sync(
		    guarded, NULL, G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL, NULL,
		    error);
	if (connection)
		procdb_guard_answer(connection);
	return connection;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	gboolean serve = argc == 2 && g_str_equal(argv[1], "serve");
	g_autoptr(GDBusConnection) connection =
	    serve ? connect_guarded(&error) : g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

	if (!connection) {
		g_printerr("bench-bus: %s\n", error->message);
		return EXIT_FAILURE;
	}
	if (serve)
		return bench_serve(connection, PROFILES);
	if (argc >= 4 && g_str_equal(argv[1], "measure"))
		return bench_measure(connection, number(argv[2]), number(argv[3]), argv[4]);
	g_printerr("usage: bench-bus serve | measure ROUNDS CALLS [JSON-FILE]\n");
	return 2;
}
