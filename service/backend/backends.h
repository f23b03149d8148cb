/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The maps that live in the kernel. All do their I/O in refresh(), none in new(). */

#include "backend.h"
#include "task-ledger.h"
#include "observer-settings.h"
#include "pins.h"

/*
 * Our own BPF programs and maps. The maps are pinned at the paths of the ABI:
 * taken over when a service that did not stop cleanly left them, refused when
 * another program has pinned its own there. Backend "observer".
 */
ProcdbBackend *procdb_backend_observer_new(const ProcdbObserverSettings *settings);

/* The maps that another scheduler pinned; waits for them. Backend "pinned". */
ProcdbBackend *procdb_backend_pinned_new(void);

/*
 * The pins as its last refresh saw them, valid until the next; NULL while the
 * backend is inactive.
 */
const ProcdbPinsId *procdb_backend_observer_pins(ProcdbBackend *backend);
const ProcdbPinsId *procdb_backend_pinned_pins(ProcdbBackend *backend);

/* Whether its last look found that nothing but it holds the maps: their scheduler was killed. */
gboolean procdb_backend_pinned_is_abandoned(ProcdbBackend *backend);

/*
 * Pinned maps while those of another program are there that holds them, our own observer else.
 */
ProcdbBackend *procdb_backend_auto_new(const ProcdbObserverSettings *settings);

/*
 * Our own sched_ext scheduler, which starts every task in the tier that is
 * predicted for its name. Another sched_ext scheduler that is running is left
 * alone and used as by auto; when it ends, ours takes over. When the kernel
 * ends ours, or does not take it, it observes as auto does and the state says
 * why; when it ends ours because a CPU came or went, ours starts again at the
 * next refresh. Closing it gives the CPUs back to the kernel, and so does the
 * end of the process. Backend "sched-ext".
 */
ProcdbBackend *procdb_backend_scheduler_new(const ProcdbObserverSettings *settings);

/* What the scheduler did since it was attached, all CPUs together. */
typedef struct {
	guint64 runs[PROCDB_TIERS];	       /* times that a task of the tier began to run */
	guint64 longest_wait_ns[PROCDB_TIERS]; /* from queued to running */
	guint64 preempted;		       /* runs ended for a task of a better tier */
	guint64 demoted;   /* tasks that ran on and on: batch until they sleep */
	guint64 at_enable; /* predictions found for the name of a new task */
	guint64 at_rename; /* predictions found after exec, or another change */
	guint64 unknown;   /* changes to a name without a prediction */
} ProcdbSchedulerStatistics;

/* FALSE, and all 0, when maps is not the sched-ext backend or does not schedule now. */
gboolean procdb_backend_scheduler_statistics(ProcdbBackend *backend,
					     ProcdbSchedulerStatistics *statistics);
