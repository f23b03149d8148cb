/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the bus knows of other connections, and calls to them as a GTask. */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

#define PROCDB_DAEMON_NAME "org.freedesktop.DBus"
#define PROCDB_DAEMON_PATH "/org/freedesktop/DBus"

/*
 * Sends a call, which stays the caller's, and answers the task, which is taken over, with
 * the reply (a sd_bus_message): an error as a GError of G_IO_ERROR_DBUS_ERROR. It waits
 * until the task is cancelled. given_up(bus, data), which may be NULL, is called then;
 * data is freed by data_free at the end.
 */
void procdb_peers_call(sd_bus *bus, sd_bus_message *call, GTask *task,
		       void (*given_up)(sd_bus *bus, gpointer data), gpointer data,
		       GDestroyNotify data_free);

/* Asks whose a connection is; the task, which is taken over, is answered with the uid. */
void procdb_peers_identify(sd_bus *bus, const char *name, GTask *task);

typedef struct _ProcdbPeerWatch ProcdbPeerWatch;

/* Calls changed(owner, data) for each new owner of a name, "" for none, until unwatched. */
ProcdbPeerWatch *procdb_peers_watch(sd_bus *bus, const char *name,
				    void (*changed)(const char *owner, gpointer data),
				    gpointer data);
void procdb_peers_unwatch(ProcdbPeerWatch *watch);

/*
 * For sd_bus_add_match_async() to call when the rule is installed: without one, sd-bus takes
 * it for the end of the connection when the bus refuses a rule.
 */
int procdb_peers_installed(sd_bus_message *reply, void *data, sd_bus_error *error);
