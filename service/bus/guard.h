/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Stands between the socket of the bus and GDBus, and lets through what wire.h says. */

#include "authorizer.h"

/*
 * A stream for g_dbus_connection_new(), over one to a bus on which nothing was
 * said yet. It has been authenticated on, as far as the bus agrees. NULL with error
 * set when the bus is gone.
 */
GIOStream *procdb_guard_new(GSocketConnection *socket, GError **error);

/* Has calls answered that the guard of this connection found too large. */
void procdb_guard_answer(GDBusConnection *connection);

/* Who is asked about large calls, as far as the connection has a guard; NULL: they are refused. */
void procdb_guard_set_authorizer(GDBusConnection *connection, ProcdbAuthorizer *authorizer);
