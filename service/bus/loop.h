/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * An sd_bus in the GLib main loop. A message is read only after the one before it has been handled
 * and all answers have been sent: so neither calls nor answers pile up in this process.
 */

#include <glib.h>
#include <systemd/sd-bus.h>

typedef struct {
	/*
	 * Called once when the connection ends, with a negative errno; -ETIMEDOUT: the bus has read
	 * nothing from us for some seconds. It may destroy the source.
	 */
	void (*lost)(int error, gpointer data);
	/* A message was handled, or sent, which took so many µs of CPU time. NULL: not called. */
	void (*handled)(gint64 us, gpointer data);
} ProcdbBusListener;

/*
 * Runs the bus in the default main context until the source is destroyed. The caller owns both.
 * The listener and data must outlive the source.
 */
GSource *procdb_bus_source_new(sd_bus *bus, const ProcdbBusListener *listener, gpointer data);

/*
 * Handles messages and sends queued ones, outside the main loop, for timeout_us at most. FALSE when
 * a message is unsent after that.
 */
gboolean procdb_bus_flush(sd_bus *bus, gint64 timeout_us);
