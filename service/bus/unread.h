/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * How much of what callers were sent they may not have read. The bus keeps it for them.
 * dbus-daemon charges it to us: from 127 MiB on it takes nothing from us any more, for anyone,
 * and does not even notice that we are gone (max_incoming_bytes in dbus-daemon(1)).
 * dbus-broker charges the reader, who may have 512 MiB; but a thousand lists that nobody
 * reads are also half a minute of work, for which all others would wait. So a user has a few
 * MiB, and more once the bus says that those were read.
 *
 * Of the three kinds of bus
 * - dbus-daemon with statistics (org.freedesktop.DBus.Debug.Stats, as Debian has it) is
 *   asked how much it keeps for a connection;
 * - dbus-broker, from version 22 on, says it of all connections at once;
 * - others do not say, and a user is sent so much more a second.
 */

#include <systemd/sd-bus.h>

#include "callers.h"

typedef struct _ProcdbUnread ProcdbUnread;

/* Calls eased(data) when a caller that had no room may have some. */
ProcdbUnread *procdb_unread_new(sd_bus *bus, ProcdbCallers *callers, void (*eased)(gpointer data),
				gpointer data);
void procdb_unread_free(ProcdbUnread *unread);

/* Whether so many bytes may be sent to a caller now. If not, eased() comes. */
gboolean procdb_unread_has_room(ProcdbUnread *unread, ProcdbCaller *caller, gsize bytes);
/* So many will be. */
void procdb_unread_add(ProcdbUnread *unread, ProcdbCaller *caller, gsize bytes);
