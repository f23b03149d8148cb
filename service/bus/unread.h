/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The bytes of answers that callers may not have read, which the bus queues for them.
 * dbus-daemon charges the queue to us: from 127 MiB on it reads nothing from us any more, for any
 * caller, and does not even notice when we leave (max_incoming_bytes in dbus-daemon(1)).
 * dbus-broker charges the reader, up to 512 MiB; but a thousand lists that are never read also
 * cost half a minute of work, for which all other callers would wait. So each user has a few MiB,
 * and gets more when the bus reports that those were read.
 *
 * There are three kinds of bus:
 * - dbus-daemon with statistics (org.freedesktop.DBus.Debug.Stats, as in Debian) reports the queue
 *   of one connection;
 * - dbus-broker, from version 22 on, reports the queues of all connections at once;
 * - others report nothing, and each user gets a fixed number of bytes a second, up to a total.
 * A bus that does not answer in time, or for lack of memory, may be of any kind: it is asked again.
 */

#include <systemd/sd-bus.h>

#include "callers.h"

typedef struct _ProcdbUnread ProcdbUnread;

/* eased(data) is called when a caller that had no room may have some again. */
ProcdbUnread *procdb_unread_new(sd_bus *bus, ProcdbCallers *callers, void (*eased)(gpointer data),
				gpointer data);
void procdb_unread_free(ProcdbUnread *unread);

/* Whether so many bytes may be sent to a caller now. If not, eased() is called later. */
gboolean procdb_unread_has_room(ProcdbUnread *unread, ProcdbCaller *caller, gsize bytes);
/*
 * Counts bytes that are about to be sent to a caller. The caller of this counts those that are not
 * sent before the main loop runs again in unsent as well, until they are.
 */
void procdb_unread_add(ProcdbUnread *unread, ProcdbCaller *caller, gsize bytes);
