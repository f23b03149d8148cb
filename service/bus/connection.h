/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The connection to the system bus, and the bus name. Both are acquired again when they are lost:
 * when the bus restarts, or when it reads nothing from us any more. No function here blocks.
 */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

typedef struct {
	/*
	 * There is a bus, and no other service has the name: the listener exports its objects. The
	 * name is requested after that, so that a caller that sees it finds all of the service.
	 * Called for each new connection. FALSE with error set: failed() is called.
	 */
	gboolean (*connected)(sd_bus *bus, gpointer user_data, GError **error);
	/* What connected() exported handled a message, which took so many µs of CPU time. */
	void (*handled)(gint64 us, gpointer user_data);
	/* The name is ours. */
	void (*named)(gpointer user_data);
	/*
	 * The listener removes what connected() exported. The connection is lost already, unless
	 * procdb_connection_withdraw() was called.
	 */
	void (*disconnected)(gpointer user_data);
	/*
	 * No bus at the start, no bus for half a minute later, or another service has the name.
	 * Called once, as the last of these.
	 */
	void (*failed)(const GError *error, gpointer user_data);
} ProcdbConnectionListener;

typedef struct _ProcdbConnection ProcdbConnection;

/* Connects from the next turn of the main loop on. The listener must outlive the connection. */
ProcdbConnection *procdb_connection_new(const ProcdbConnectionListener *listener,
					gpointer user_data);

/*
 * Answers no call from now on, and waits until all answers are sent, for two seconds at most. The
 * name stays until procdb_connection_free(): another service waits for that.
 */
void procdb_connection_withdraw(ProcdbConnection *connection);
/* Leaves the bus and frees. */
void procdb_connection_free(ProcdbConnection *connection);
