/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The values of all properties but ApplyStatistics, in the form that sd-bus reads itself. */

#include "apply.h"
#include "engine.h"
#include "guard.h"

/* Increased with each addition to the interface. */
#define PROCDB_API_VERSION 4

/* In sd-bus' types: b is an int, s a char pointer that the struct owns. */
typedef struct {
	char *version;
	guint32 api_version;
	char *backend;
	char *backend_state;
	char *backend_status;
	char *backend_reason;
	char *backend_in_use;
	guint32 profiles;
	guint32 confident;
	guint32 overrides;
	guint64 tick;
	guint64 observations;
	guint64 observations_lost;
	guint64 map_errors;
	guint64 prediction_hits;
	guint64 prediction_misses;
	guint64 predictions_right;
	guint64 predictions_wrong;
	char *apply;
	int apply_active;
	char *apply_reason;
	guint64 applied;
	char *trial_state;
	guint32 trial_progress;
	char *guard_state;
	gint64 guard_retry;
	char *database_path;
	char *database_problem;
	gint64 last_save;
	char *last_save_error;
	char *flood;
	int dirty;
	guint32 min_observations;
	double min_confidence;
	guint32 max_profiles;
	guint64 stale_ticks;
	guint32 retention_days;
} ProcdbProperties;

/* The member of a property; type is 0 for a name that is no property. */
typedef struct {
	const char *name;
	char type;
	gsize offset;
} ProcdbProperty;
const ProcdbProperty *procdb_property_find(const char *name);

/* Reads all properties anew; the old values are freed. */
void procdb_properties_read(ProcdbProperties *properties, ProcdbEngine *engine,
			    const ProcdbApplyStatus *apply, const ProcdbTrialStatus *trial,
			    const ProcdbGuardStatus *guard);
void procdb_properties_clear(ProcdbProperties *properties);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbProperties, procdb_properties_clear)

/* Copies *after to *before, and appends the names (static) of those that differed to names. */
void procdb_properties_follow(ProcdbProperties *before, const ProcdbProperties *after,
			      GPtrArray *names);
