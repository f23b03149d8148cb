/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The service's place on the system bus: a connection and the name, and both
 * again when they are lost, be it that the bus was restarted or that it takes
 * nothing from us any more. Nothing here blocks.
 */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

typedef struct {
	/*
	 * There is a bus, and no other service before us: to be got ready for
	 * calls. The name follows, so that a caller that sees it finds all of the service.
	 * Called again with each new connection. FALSE with error set ends it.
	 */
	gboolean (*connected)(sd_bus *bus, gpointer user_data, GError **error);
	/* The name is ours. */
	void (*named)(gpointer user_data);
	/*
	 * What connected() made is of no use any more. The connection is lost
	 * already, unless procdb_connection_withdraw() was called.
	 */
	void (*disconnected)(gpointer user_data);
	/*
	 * It is over: no bus at the start, none for half a minute later, or the
	 * name is another's. Told once, and nothing after it.
	 */
	void (*failed)(const GError *error, gpointer user_data);
} ProcdbConnectionListener;

typedef struct _ProcdbConnection ProcdbConnection;

/* Connects, from the next turn of the main loop on; the listener has to outlive it. */
ProcdbConnection *procdb_connection_new(const ProcdbConnectionListener *listener,
					gpointer user_data);

/*
 * Answers nothing from now on, and waits until what was answered is sent, for two seconds at
 * most. The name is kept until the end, to tell others that the service still works.
 */
void procdb_connection_withdraw(ProcdbConnection *connection);
/* Leaves the bus. */
void procdb_connection_free(ProcdbConnection *connection);
