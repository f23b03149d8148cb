/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"

/*
 * Connects to the service on the system bus, which starts it if it can be
 * started. On failure the reason has been printed; the exit code is returned,
 * CTL_OK on success.
 */
int bus_connect(Ctl *ctl);

/*
 * Connects to the bus without starting the service, and asks for no password: for what runs all
 * the time. The owner of the proxy tells whether the service runs.
 */
int bus_connect_running(Ctl *ctl);

/*
 * As bus_connect(), for a command whose method may need an administrator:
 * where passwords may be asked for, an agent on this terminal is started.
 */
int bus_connect_privileged(Ctl *ctl);

/*
 * Whether a call may ask for a password. Root is not asked: polkit lets it do everything. Any other
 * user may have an agent in the session, whatever our input and output are.
 */
gboolean bus_may_ask(const Ctl *ctl);

/* Starts an agent that asks on the terminal of the process, if there are both. */
void bus_start_agent(Ctl *ctl);

/* Stops it, if it runs. */
void bus_stop_agent(Ctl *ctl);

/* Every property of the service as a{sv}; NULL and error if it does not say. */
GVariant *bus_properties(Ctl *ctl, GError **error);

/* Whether a call failed because the service or the bus left, which the proxy and the bus tell. */
gboolean bus_is_gone(const GError *error);

typedef void (*BusPropertiesFunc)(GVariant *changed, gpointer user_data);

/*
 * Calls func with every a{sv} of properties that the service says have changed,
 * and only those: a GDBusProxy that follows them would also report all of them
 * whenever the service comes or goes. Returns what
 * g_dbus_connection_signal_unsubscribe() takes.
 */
guint bus_follow_properties(Ctl *ctl, BusPropertiesFunc func, gpointer user_data);

/* Closes what bus_connect() opened, and stops the agent. */
void bus_disconnect(Ctl *ctl);

/*
 * For calls in a main loop, which hears neither Ctrl-C nor a stop meanwhile: a service that hangs
 * is given up after that.
 */
#define BUS_ANSWER_MS 5000

/*
 * The BackendState in words without the token of BackendStatus in front, for texts that say it
 * themselves. Part of state.
 */
const char *bus_without_token(const char *state, const char *token);
