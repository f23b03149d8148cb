/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The programs that the service knows, as a list that is brought up to date by its signals, and
 * never more often than its pace allows.
 */

#include <gio/gio.h>

#include "procdb-dbus.h"
#include "program.h"

#define MONITOR_TYPE_PROGRAMS (monitor_programs_get_type())
G_DECLARE_FINAL_TYPE(MonitorPrograms, monitor_programs, MONITOR, PROGRAMS, GObject)

/*
 * Follows the service of a proxy, while that has an owner. Signals: "updated", after a list was
 * taken over, with a guint, MonitorChanges; "failed" with a GError, when the service did not give
 * one.
 */
MonitorPrograms *monitor_programs_new(ProcdbDBusProcDb1 *proxy);

/* The MonitorProgram objects; of programs. */
GListModel *monitor_programs_list(MonitorPrograms *self);

/*
 * Adds the programs with a name that has this text: of many, the list has those that used most CPU
 * time. "": nothing is searched for any more.
 */
void monitor_programs_search(MonitorPrograms *self, const char *text);

/* Whether programs with this text may be missing in the list, because the service has to tell. */
gboolean monitor_programs_may_find(MonitorPrograms *self, const char *text);

/*
 * How long to wait between two lists at least, in ms; 0: until another call. What changed in the
 * meantime is asked for then.
 */
void monitor_programs_set_pace(MonitorPrograms *self, guint pace_ms);
