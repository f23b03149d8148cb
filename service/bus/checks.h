/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Questions to another program of the bus under way, as those to polkit. dbus-daemon lets a
 * connection wait for 128 answers, and refuses its next call (max_replies_per_connection in
 * dbus-daemon(1)). A call that was given up counts until its answer comes, so callers that leave
 * again and again while polkit is slow would have others refused. Here a question counts until then
 * as well, and the next one waits.
 */

#include <gio/gio.h>
#include <systemd/sd-bus.h>

typedef struct _ProcdbChecks ProcdbChecks;

/* Of which no more than most are without an answer at any time. */
ProcdbChecks *procdb_checks_new(guint most);
/* Gives up all of them; their tasks return an error from the main loop. */
void procdb_checks_free(ProcdbChecks *checks);

/*
 * Sends a call when its turn comes, and returns the reply (a sd_bus_message) by the task, which
 * it takes over; an error reply is a GError of G_IO_ERROR_DBUS_ERROR. When the task is
 * cancelled, it returns at once, and cancel, another call, is sent if the first one was. Takes
 * over both calls; NULL for the first is an error.
 */
void procdb_checks_ask(ProcdbChecks *checks, sd_bus_message *call, sd_bus_message *cancel,
		       GTask *task);
