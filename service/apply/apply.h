/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Gives running tasks the EEVDF slice of their tier, on kernels without a
 * sched_ext scheduler (6.12 and later take a slice for each task). What it gave
 * is on a record that the kernel keeps (given.h), from which children that
 * inherited a slice, and tasks that outlived a crash of the service, are found
 * again.
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
	guint max_per_second; /* tasks changed in one second, the rest is let go */
} ProcdbApplySettings;

/* auto; batch 20 ms, interactive untouched, lat-critical 0.1 ms or more; no nice; 5000 a second. */
extern const ProcdbApplySettings procdb_apply_default_settings;

/* Reads "auto", "slices" or "none"; FALSE if it is none of them. */
gboolean procdb_apply_mode_parse(const char *text, ProcdbApplyMode *mode);
const char *procdb_apply_mode_name(ProcdbApplyMode mode);

/* A layer that changes nothing yet. ops have to outlive it. */
ProcdbApply *procdb_apply_new(const ProcdbApplySettings *settings, const ProcdbTaskOps *ops,
			      gpointer data);
/* Frees; call procdb_apply_put_back() before if nothing is to stay. */
void procdb_apply_free(ProcdbApply *apply);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbApply, procdb_apply_free)

const ProcdbApplySettings *procdb_apply_settings(const ProcdbApply *apply);
/* Other settings from now on. What was set under the old ones is put back. */
void procdb_apply_configure(ProcdbApply *apply, const ProcdbApplySettings *settings);

/* Whether tasks are changed now: the mode, and with auto whether sched_ext leaves them to us. */
gboolean procdb_apply_is_active(const ProcdbApply *apply);
/*
 * Once a tick: looks whether sched_ext, or another service, came or went; puts back when it
 * came. TRUE when that changed.
 */
gboolean procdb_apply_refresh(ProcdbApply *apply);

/* Does what an event asks for, if it may be done. */
ProcdbApplyResult procdb_apply_handle(ProcdbApply *apply, const struct procdb_task_event *event);

/*
 * Undoes what we did to any task. The number of tasks; the status says how many could not be
 * put back, since they have become real-time or idle tasks, which the kernel gives no slice.
 */
guint procdb_apply_put_back(ProcdbApply *apply);
/* The same for a service before us that was killed; once, before anything is given. */
guint procdb_apply_recover(ProcdbApply *apply);

typedef struct {
	ProcdbApplyMode mode;
	gboolean active;
	const char *reason; /* why not, for people; "" while active */
	guint kept;	    /* tasks that the last put-back had to leave as they were */
	gboolean unlisted;  /* which tasks those are could not be found out */
	guint64 results[PROCDB_APPLY_RESULTS];
	/* From the event in the kernel to the slice being set, of the tasks that were set. */
	guint64 latency_mean_ns;
	guint64 latency_p50_ns; /* upper bounds of the power-of-two bucket */
	guint64 latency_p99_ns;
	guint64 latency_max_ns;
} ProcdbApplyStatus;
void procdb_apply_status(const ProcdbApply *apply, ProcdbApplyStatus *status);
