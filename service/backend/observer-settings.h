/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The settings of the backends with BPF programs of ours. */

#include <glib.h>

#include "task-ledger.h"
#include "observing.h"

typedef struct {
	struct procdb_observing observing;
	GStrv compositors;    /* task names that are always latency critical; NULL: none */
	ProcdbLedger *ledger; /* not a setting: outlives the backend; NULL: no task is ever set */
} ProcdbObserverSettings;

/* A deep copy into an uninitialized struct; to be cleared by procdb_observer_settings_clear(). */
void procdb_observer_settings_copy(ProcdbObserverSettings *to, const ProcdbObserverSettings *from);
void procdb_observer_settings_clear(ProcdbObserverSettings *settings);

/* Whether both ask for the same observation. */
gboolean procdb_observer_settings_equal(const ProcdbObserverSettings *a,
					const ProcdbObserverSettings *b);
