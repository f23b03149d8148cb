/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Questions to the bus about other connections. */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

#include "checks.h"

#define PROCDB_DAEMON_NAME "org.freedesktop.DBus"
#define PROCDB_DAEMON_PATH "/org/freedesktop/DBus"

/* Asks the bus for the user of a connection; returns the uid by the task, which is taken over. */
void procdb_peers_identify(ProcdbChecks *questions, sd_bus *bus, const char *name, GTask *task);

typedef struct _ProcdbPeerWatch ProcdbPeerWatch;

/* Calls changed(owner, data) for each new owner of a name, "" for none, until unwatched. */
ProcdbPeerWatch *procdb_peers_watch(sd_bus *bus, const char *name,
				    void (*changed)(const char *owner, gpointer data),
				    gpointer data);
void procdb_peers_unwatch(ProcdbPeerWatch *watch);

/*
 * Whether the bus itself sent a signal, which each handler of one has to ask: any user may send one
 * to us, and sd-bus takes that of any connection for one of the name in a match rule, since it does
 * not know whose the name is (bus-match.c, value_node_test()). The sender is set by the bus.
 */
gboolean procdb_peers_is_from_bus(sd_bus_message *signal);

/*
 * Whether an answer to GetConnectionUnixProcessID says that the process has ended. The dbus-daemon
 * of Debian 13 (1.16), which holds a pidfd of each, knows no id of it then; older ones go on to say
 * what it was. Only where that is a process of our own pid namespace is it so.
 */
gboolean procdb_peers_has_ended(sd_bus_message *reply);

/*
 * A callback for sd_bus_add_match_async(). Without one, sd-bus ends the connection when the bus
 * refuses a match rule.
 */
int procdb_peers_installed(sd_bus_message *reply, void *data, sd_bus_error *error);
