/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * An sd_bus in the GLib main loop. A message is read when the one before it has been
 * handled and everything that was said in return has left: so neither what others send
 * nor what they ask for piles up here.
 */

#include <glib.h>
#include <systemd/sd-bus.h>

/*
 * Runs the bus in the default main context until the source is destroyed; both stay the
 * caller's. Calls lost(error, data) once when the connection ends: a negative errno, of
 * which -ETIMEDOUT says that the bus has taken nothing from us for some seconds. The
 * source may be destroyed from there.
 */
GSource *procdb_bus_source_new(sd_bus *bus, void (*lost)(int error, gpointer data), gpointer data);

/*
 * Handles messages and sends what waits to be sent, outside the main loop and for timeout_us
 * at most. FALSE when something is unsent then.
 */
gboolean procdb_bus_flush(sd_bus *bus, gint64 timeout_us);
