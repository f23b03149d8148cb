/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What a bus says of the connections to it (dbus-daemon(1), "org.freedesktop.DBus.Debug.Stats"). */

#include <glib.h>
#include <systemd/sd-bus.h>

#define PROCDB_STATISTICS "org.freedesktop.DBus.Debug.Stats"

/* Enters the value of a key in an a{sv}, which has this type. FALSE when there is none. */
gboolean procdb_statistics_enter(sd_bus_message *reply, const char *key, const char *type);
