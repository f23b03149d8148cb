/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Gives running tasks the EEVDF slice of their tier, on kernels without a
 * sched_ext scheduler (6.12 and later take a slice for each task). The kernel
 * keeps a record of each slice that was given (task-ledger.h). Children that
 * inherited a slice, and tasks that outlived a crash of the service, are found
 * by that record.
 */

#include "tasks.h"

typedef struct _ProcdbApply ProcdbApply;

typedef enum {
	PROCDB_APPLY_AUTO,   /* slices, unless a sched_ext scheduler owns the machine */
	PROCDB_APPLY_SLICES, /* always */
	PROCDB_APPLY_NONE,   /* observe only */
} ProcdbApplyMode;

typedef struct {
	ProcdbApplyMode mode;
	ProcdbTierSetting tiers[PROCDB_TIERS];
	guint max_per_second; /* tasks changed in one second; beyond that they are only put back */
	guint32 guard;	      /* whether it is watched, and paused where it harms (trial/guard.h) */
	guint32 long_among_groups; /* whether procdb_apply_hold_long() changes nothing */
} ProcdbApplySettings;

/*
 * auto; batch 20 ms, interactive untouched, lat-critical 0.1 ms or more; no nice; 5000 a second;
 * guarded.
 */
extern const ProcdbApplySettings procdb_apply_default_settings;

/* Parses "auto", "slices" or "none"; FALSE for any other text. */
gboolean procdb_apply_mode_parse(const char *text, ProcdbApplyMode *mode);
const char *procdb_apply_mode_name(ProcdbApplyMode mode);

/* Changes no task before the first event. ops must outlive the object; data is passed to them. */
ProcdbApply *procdb_apply_new(const ProcdbApplySettings *settings, const ProcdbTaskOps *ops,
			      gpointer data);
/* Frees. Slices stay as they are; procdb_apply_restore() takes them back first. */
void procdb_apply_free(ProcdbApply *apply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbApply, procdb_apply_free)

const ProcdbApplySettings *procdb_apply_settings(const ProcdbApply *apply);
/* Replaces the settings. Slices that the old ones gave are restored, if the new ones differ. */
void procdb_apply_configure(ProcdbApply *apply, const ProcdbApplySettings *settings);

/* Whether tasks are changed now: by the mode, and with auto if no sched_ext scheduler runs. */
gboolean procdb_apply_is_active(const ProcdbApply *apply);
/*
 * Called once a tick: checks whether a sched_ext scheduler, or another service, started or ended,
 * and restores all tasks when one started. TRUE when procdb_apply_is_active() changed.
 */
gboolean procdb_apply_refresh(ProcdbApply *apply);

/*
 * Restores all tasks and changes none for a while, for this reason (static); NULL: as configured
 * again. without: the same for a second or so, which the status passes over. Events are ignored
 * meanwhile: procdb_apply_source_ask_again() makes up for it.
 */
void procdb_apply_set_pause(ProcdbApply *apply, const char *reason, gboolean without);

/*
 * While nothing tells what tasks do, they are restored and not changed: one that behaves otherwise
 * would keep its slice, and a child that executes something else would have that of its parent.
 */
void procdb_apply_set_blind(ProcdbApply *apply, gboolean blind);

/*
 * Gives no slice longer than the kernel's while hold is TRUE, since several groups of tasks want
 * the CPUs (crowd.h in bpf/). TRUE when that changed: then tasks have to be asked about anew.
 */
gboolean procdb_apply_hold_long(ProcdbApply *apply, gboolean hold);
/* The settings of the tiers as they are in force now. */
void procdb_apply_tiers(const ProcdbApply *apply, ProcdbTierSetting tiers[PROCDB_TIERS]);

/* Sets the slice that an event asks for, if the rules of slice.h allow it. */
ProcdbApplyResult procdb_apply_handle(ProcdbApply *apply, const struct procdb_task_event *event);

/*
 * Gives all tasks back the slice and nice value that they had before us; returns their number.
 * The status counts those that could not be restored: they have become real-time or idle tasks,
 * for which the kernel takes no slice.
 */
guint procdb_apply_restore(ProcdbApply *apply);
/* The same for an earlier service that was killed. Call it once, before any slice is given. */
guint procdb_apply_recover(ProcdbApply *apply);

/* How often events had this result since the start. */
guint64 procdb_apply_count(const ProcdbApply *apply, ProcdbApplyResult result);

typedef struct {
	ProcdbApplyMode mode;
	gboolean active;
	const char *reason; /* why no task is changed, for people; "" while active */
	guint kept;	    /* tasks that the last restore had to leave as they were */
	gboolean unlisted;  /* the kernel could not list the tasks to restore */
	gboolean held;	    /* no slice is longer than the kernel's now: groups of tasks compete */
	/* Tasks that were given a slice: each once, however often it is taken back and given anew.
	 */
	guint64 tasks;
	guint64 long_sets; /* slices longer than the kernel's own that were set */
	/* How often that, and all else, was the result of an event. */
	guint64 results[PROCDB_APPLY_RESULTS];
	/* From the event in the kernel to the slice being set, of the tasks that were set. */
	guint64 latency_mean_ns;
	guint64 latency_p50_ns; /* upper bounds of the power-of-two bucket */
	guint64 latency_p99_ns;
	guint64 latency_max_ns;
} ProcdbApplyStatus;
void procdb_apply_status(const ProcdbApply *apply, ProcdbApplyStatus *status);
