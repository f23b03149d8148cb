/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Calls of a person, for which polkit may ask for a password, and what is said of them. */

#include <gio/gio.h>

#include "procdb-dbus.h"

/* Gets a sentence for people; is_failure: it is why nothing, or not all, was done. */
typedef void (*MonitorToldFunc)(GObject *listener, const char *text, gboolean is_failure);

/*
 * Calls a method that changes something, with arguments, of which a floating reference is taken.
 * Afterwards the listener, which is kept until then, is told done, or why it failed; NULL as done
 * says nothing. The service is not started for it.
 */
void monitor_call(ProcdbDBusProcDb1 *proxy, const char *method, GVariant *arguments,
		  const char *done, GObject *listener, MonitorToldFunc told);

/* Has the bus start the service; the listener is told if it cannot. */
void monitor_call_start(GDBusConnection *bus, GObject *listener, MonitorToldFunc told);
