/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * How much may be under way between the bus and the main loop. GDBus reads as
 * fast as the bus delivers, and keeps each call until the main loop has time, and
 * each answer until the bus takes it. So a window of messages is let through, and
 * it moves on once the main loop has got to all of them and their answers are
 * written: those that were given at once. The rest is bounded by those who wait.
 *
 * All but procdb_window_new() and procdb_window_set_connection() are for the one
 * thread that reads.
 */

#include <gio/gio.h>

typedef struct _ProcdbWindow ProcdbWindow;

/* Of messages that the main loop of the calling thread sees to. NULL with error set. */
ProcdbWindow *procdb_window_new(GError **error);
ProcdbWindow *procdb_window_ref(ProcdbWindow *window);
void procdb_window_unref(ProcdbWindow *window);

/* Where the answers are written. */
void procdb_window_set_connection(ProcdbWindow *window, GDBusConnection *connection);
/* That; NULL when there is none any more. The caller unrefs it. From any thread. */
GDBusConnection *procdb_window_get_connection(ProcdbWindow *window);
/* Has whoever waits for procdb_window_fd() look again. From any thread. */
void procdb_window_wake(ProcdbWindow *window);

/* Whether there is room for a message. */
gboolean procdb_window_has_room(const ProcdbWindow *window);
/* One is let through. */
void procdb_window_add(ProcdbWindow *window, gsize bytes);
/* All that were let through wait for the main loop by now. */
void procdb_window_delivered(ProcdbWindow *window);

/* Readable when there may be more room than there was; The window's own. */
int procdb_window_fd(const ProcdbWindow *window);
/* Takes note of that. */
void procdb_window_update(ProcdbWindow *window);
