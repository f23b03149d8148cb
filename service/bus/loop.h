/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * An sd_bus in the GLib main loop. A message is read only after the one before it has been handled
 * and all answers have been sent: so neither calls nor answers pile up in this process.
 */

#include <glib.h>
#include <systemd/sd-bus.h>

/*
 * Runs the bus in the default main context until the source is destroyed. The caller owns both.
 * lost(error, data) is called once when the connection ends, with a negative errno; -ETIMEDOUT:
 * the bus has read nothing from us for some seconds. lost() may destroy the source.
 */
GSource *procdb_bus_source_new(sd_bus *bus, void (*lost)(int error, gpointer data), gpointer data);

/*
 * Handles messages and sends queued ones, outside the main loop, for timeout_us at most. FALSE when
 * a message is unsent after that.
 */
gboolean procdb_bus_flush(sd_bus *bus, gint64 timeout_us);
