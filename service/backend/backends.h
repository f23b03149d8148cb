/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The backends with maps in the kernel. They do their I/O in procdb_backend_refresh(), the
 * functions here none.
 */

#include "backend.h"
#include "task-ledger.h"
#include "observer-settings.h"
#include "pins.h"

/*
 * Our own BPF programs and maps, which are pinned at the paths of the ABI. Maps of a service that
 * did not stop cleanly are taken over; while another program has pinned its own there, the backend
 * fails. Backend "observer".
 */
ProcdbBackend *procdb_backend_observer_new(const ProcdbObserverSettings *settings);

/* The maps that another scheduler pins; the backend waits for them. Backend "pinned". */
ProcdbBackend *procdb_backend_pinned_new(void);

/* The pins as the last refresh found them, valid until the next; NULL while the backend is
 * inactive. */
const ProcdbPinsId *procdb_backend_observer_pins(ProcdbBackend *backend);
const ProcdbPinsId *procdb_backend_pinned_pins(ProcdbBackend *backend);

/* Whether the last check found no other user of the maps: then their scheduler was killed. */
gboolean procdb_backend_pinned_is_abandoned(ProcdbBackend *backend);

/* Chooses pinned while another program is alive that has pinned its maps, else observer. Backend
 * "auto". */
ProcdbBackend *procdb_backend_auto_new(const ProcdbObserverSettings *settings);

/*
 * Our own sched_ext scheduler, which starts each task in the tier that is predicted for its name.
 * While it does not run, the backend chooses auto, and the state says why:
 * - Another sched_ext scheduler runs. Ours starts when that one ends.
 * - The kernel does not load ours, or has ended it. If it ended ours because a CPU came or went,
 *   ours starts again at the next refresh.
 * Closing the backend gives the CPUs back to the kernel; so does the end of the process. Backend
 * "sched-ext".
 */
ProcdbBackend *procdb_backend_scheduler_new(const ProcdbObserverSettings *settings);

/* Counts since the scheduler was attached, over all CPUs. */
typedef struct {
	guint64 runs[PROCDB_TIERS];	       /* times that a task of the tier began to run */
	guint64 longest_wait_ns[PROCDB_TIERS]; /* from queued to running */
	guint64 preempted;		       /* runs ended for a task of a better tier */
	guint64 demoted;   /* tasks that ran for long without sleep: batch until they sleep */
	guint64 at_enable; /* predictions found for the name of a new task */
	guint64 at_rename; /* predictions found after exec, or another change */
	guint64 unknown;   /* changes to a name without a prediction */
} ProcdbSchedulerStatistics;

/* FALSE, and all 0, when backend is not sched-ext or its scheduler does not run. */
gboolean procdb_backend_scheduler_statistics(ProcdbBackend *backend,
					     ProcdbSchedulerStatistics *statistics);
