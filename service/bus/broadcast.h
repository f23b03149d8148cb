/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Whether signals to all may be sent. dbus-daemon keeps such a signal until the last receiver has
 * read it, charges that to us, and reads nothing from us any more at 127 MiB: after some days of
 * PropertiesChanged for a panel that hangs. So it is asked once a minute how much of ours it has.
 * dbus-broker charges the receiver, and does not tell: there they may always be sent.
 */

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct _ProcdbBroadcast ProcdbBroadcast;

ProcdbBroadcast *procdb_broadcast_new(sd_bus *bus);
void procdb_broadcast_free(ProcdbBroadcast *broadcast);

/* Call it before each signal. FALSE: the bus has too many bytes of ours, so keep what is new. */
gboolean procdb_broadcast_may(ProcdbBroadcast *broadcast);
