/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Calls to other connections as a GTask, and questions to the bus about them. */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

#define PROCDB_DAEMON_NAME "org.freedesktop.DBus"
#define PROCDB_DAEMON_PATH "/org/freedesktop/DBus"

/*
 * Sends a call and returns the reply (a sd_bus_message) by the task; an error reply is a GError of
 * G_IO_ERROR_DBUS_ERROR. The function takes over the task, and no reference of the call. The only
 * timeout is the cancellation of the task, on which given_up(bus, data), which may be NULL, is
 * called. data is freed by data_free at the end.
 */
void procdb_peers_call(sd_bus *bus, sd_bus_message *call, GTask *task,
		       void (*given_up)(sd_bus *bus, gpointer data), gpointer data,
		       GDestroyNotify data_free);

/* Asks the bus for the user of a connection; returns the uid by the task, which is taken over. */
void procdb_peers_identify(sd_bus *bus, const char *name, GTask *task);

typedef struct _ProcdbPeerWatch ProcdbPeerWatch;

/* Calls changed(owner, data) for each new owner of a name, "" for none, until unwatched. */
ProcdbPeerWatch *procdb_peers_watch(sd_bus *bus, const char *name,
				    void (*changed)(const char *owner, gpointer data),
				    gpointer data);
void procdb_peers_unwatch(ProcdbPeerWatch *watch);

/*
 * A callback for sd_bus_add_match_async(). Without one, sd-bus ends the connection when the bus
 * refuses a match rule.
 */
int procdb_peers_installed(sd_bus_message *reply, void *data, sd_bus_error *error);
