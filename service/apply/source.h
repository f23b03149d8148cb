/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Brings the events of running tasks from the backend to the apply layer, in the
 * main loop. An event wakes the loop at once. Where more come than may wake it, the
 * source polls every few ms instead: a fork storm costs a bounded number of wake-ups,
 * and a quiet machine none, nor a time in which no task is changed.
 */

#include "apply.h"
#include "backend.h"

typedef struct _ProcdbApplySource ProcdbApplySource;

/* Idle until procdb_apply_source_set_backend(). apply must outlive the source. */
ProcdbApplySource *procdb_apply_source_new(ProcdbApply *apply);
/* Ends the events and frees. Slices stay as they are. */
void procdb_apply_source_free(ProcdbApplySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbApplySource, procdb_apply_source_free)

/* Takes events from this backend from now on; NULL for none. It must outlive its use here. */
void procdb_apply_source_set_backend(ProcdbApplySource *source, ProcdbBackend *backend);

/* Has rules decide from now on, as procdb_backend_set_rules(); NULL: there are none. */
void procdb_apply_source_set_rules(ProcdbApplySource *source, ProcdbDecide decide, gpointer data);

/* Call it after procdb_apply_configure(): asks BPF for events by the new slices. */
void procdb_apply_source_settings_changed(ProcdbApplySource *source);

/*
 * Gives all tasks the slices of their tiers now, after some time in which events were ignored.
 * FALSE if some are left: the kernel did not list its tasks, or there are more than MaxPerSecond=.
 * The rest is asked for once a second.
 */
gboolean procdb_apply_source_ask_again(ProcdbApplySource *source);
/* Whether some are left of that. */
gboolean procdb_apply_source_is_unfinished(const ProcdbApplySource *source);
