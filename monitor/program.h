/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* A program as a row of the list. Its properties change with what the service says of it. */

#include <gio/gio.h>

#include "rows.h"

#define MONITOR_TYPE_PROGRAM (monitor_program_get_type())
G_DECLARE_FINAL_TYPE(MonitorProgram, monitor_program, MONITOR, PROGRAM, GObject)

/* Of a CPU; what uses less is shown as nothing. */
#define MONITOR_LEAST_SHARE 0.0005

/* A program of which only the name is known yet, escaped as on the bus. */
MonitorProgram *monitor_program_new(const char *name);

/* What a row may change beside what is shown in its place. */
typedef enum {
	MONITOR_CHANGES_CHOICE = 1 << 0, /* what filters look at */
	/* What sorters look at, each of its own. */
	MONITOR_CHANGES_TIER = 1 << 1,
	MONITOR_CHANGES_ORIGIN = 1 << 2,
	MONITOR_CHANGES_CPU = 1 << 3,
	MONITOR_CHANGES_WAKEUPS = 1 << 4,
} MonitorChanges;

/*
 * Takes over what a row says, and returns what that changes. Notifies of what is seen otherwise
 * now, and of nothing else; numbers change all the time, and are asked for when they are to be
 * seen.
 */
MonitorChanges monitor_program_take(MonitorProgram *self, const Row *row);

/* By which of them it has left the place that the properties cpu and wakeups gave it in a list. */
MonitorChanges monitor_program_moves(MonitorProgram *self);

/* Sets these properties to what is so now, whereupon a list has to be sorted by them. */
void monitor_program_settle(MonitorProgram *self, MonitorChanges moves);

/*
 * How much of a CPU it uses, and its wake-ups, as texts; "" for none. What differs by less than a
 * twentieth stays as it was: numbers that jitter cannot be read. Free with g_free().
 */
char *monitor_program_cpu_text(MonitorProgram *self);
char *monitor_program_wakeups_text(MonitorProgram *self);

/*
 * It uses no more of a CPU than that, of which the service sends no word: what is known to use more
 * was not observed for a while.
 */
void monitor_program_rest(MonitorProgram *self, double most);

/* When monitor_program_take() was called last, by the monotonic clock in µs. */
gint64 monitor_program_taken_us(MonitorProgram *self);

/* Its name on the bus; of the program. */
const char *monitor_program_name(MonitorProgram *self);

/* The tier that new tasks of it start in, "brief", or with a '?' what is only guessed. */
const char *monitor_program_tier(MonitorProgram *self);

/* Whether an override decides it. */
gboolean monitor_program_is_overridden(MonitorProgram *self);
