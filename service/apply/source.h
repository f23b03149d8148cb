/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Brings the events of running tasks from the maps to the apply layer, in the
 * main loop. The first event after a silence wakes us at once; while they keep
 * coming we look again every few ms, so a fork storm costs a bounded number of
 * wake-ups, and silence costs none.
 */

#include "apply.h"
#include "backend.h"

typedef struct _ProcdbApplySource ProcdbApplySource;

/* Idle until procdb_apply_source_set_maps(). apply has to outlive it. */
ProcdbApplySource *procdb_apply_source_new(ProcdbApply *apply);
/* Ends the events and frees. Puts nothing back. */
void procdb_apply_source_free(ProcdbApplySource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbApplySource, procdb_apply_source_free)

/* Takes events from these maps from now on; NULL for none. They have to outlive that. */
void procdb_apply_source_set_maps(ProcdbApplySource *source, ProcdbBackend *backend);

/* To be called after procdb_apply_configure(): asks BPF for other slices. */
void procdb_apply_source_settings_changed(ProcdbApplySource *source);
