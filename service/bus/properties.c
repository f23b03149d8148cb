/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "properties.h"

#include <string.h>

#define MEMBER(name, type, member)                                                                 \
	{                                                                                          \
		(name), (type), G_STRUCT_OFFSET(ProcdbProperties, member)                          \
	}

static const ProcdbProperty table[] = {
    MEMBER("Version", 's', version),
    MEMBER("ApiVersion", 'u', api_version),
    MEMBER("Backend", 's', backend),
    MEMBER("BackendState", 's', backend_state),
    MEMBER("BackendStatus", 's', backend_status),
    MEMBER("BackendReason", 's', backend_reason),
    MEMBER("BackendInUse", 's', backend_in_use),
    MEMBER("Profiles", 'u', profiles),
    MEMBER("Confident", 'u', confident),
    MEMBER("Overrides", 'u', overrides),
    MEMBER("Tick", 't', tick),
    MEMBER("Observations", 't', observations),
    MEMBER("ObservationsLost", 't', observations_lost),
    MEMBER("MapErrors", 't', map_errors),
    MEMBER("PredictionHits", 't', prediction_hits),
    MEMBER("PredictionMisses", 't', prediction_misses),
    MEMBER("PredictionsRight", 't', predictions_right),
    MEMBER("PredictionsWrong", 't', predictions_wrong),
    MEMBER("Apply", 's', apply),
    MEMBER("ApplyActive", 'b', apply_active),
    MEMBER("ApplyReason", 's', apply_reason),
    MEMBER("Applied", 't', applied),
    MEMBER("TrialState", 's', trial_state),
    MEMBER("TrialProgress", 'u', trial_progress),
    MEMBER("GuardState", 's', guard_state),
    MEMBER("GuardRetry", 'x', guard_retry),
    {"ApplyStatistics"},
    {"PredictionOutcomes"},
    {"ConfigurationProblems"},
    MEMBER("Flood", 's', flood),
    MEMBER("DatabasePath", 's', database_path),
    MEMBER("DatabaseProblem", 's', database_problem),
    MEMBER("LastSave", 'x', last_save),
    MEMBER("LastSaveError", 's', last_save_error),
    MEMBER("Dirty", 'b', dirty),
    MEMBER("MinObservations", 'u', min_observations),
    MEMBER("MinConfidence", 'd', min_confidence),
    MEMBER("MaxProfiles", 'u', max_profiles),
    MEMBER("StaleTicks", 't', stale_ticks),
    MEMBER("RetentionDays", 'u', retention_days),
};

const ProcdbProperty *procdb_property_find(const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (g_str_equal(table[i].name, name))
			return &table[i];
	return NULL;
}

static gsize size_of(char type)
{
	switch (type) {
	case 'b':
	case 'u':
		return 4;
	default:
		return 8;
	}
}

void procdb_properties_clear(ProcdbProperties *self)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (table[i].type == 's')
			g_free(G_STRUCT_MEMBER(char *, self, table[i].offset));
	*self = (ProcdbProperties){0};
}

void procdb_properties_read(ProcdbProperties *self, ProcdbEngine *engine,
			    const ProcdbApplyStatus *apply, const ProcdbTrialStatus *trial,
			    const ProcdbGuardStatus *guard)
{
	const ProcdbEngineSettings *settings = procdb_engine_settings(engine);
	ProcdbEngineStatus status;

	procdb_engine_status(engine, &status);
	procdb_properties_clear(self);
	*self = (ProcdbProperties){
	    .version = g_strdup(PROCDB_VERSION),
	    .api_version = PROCDB_API_VERSION,
	    .backend = g_strdup(status.backend.backend),
	    .backend_state = g_strdup(status.backend.state),
	    .backend_status = g_strdup(status.backend.token),
	    .backend_reason = g_strdup(status.backend.reason),
	    .backend_in_use = g_strdup(status.backend.in_use),
	    .profiles = (guint32)procdb_table_size(procdb_engine_table(engine)),
	    .confident = procdb_engine_confident(engine),
	    .overrides = status.overrides,
	    .tick = procdb_engine_get_tick(engine),
	    .observations = status.observations,
	    .observations_lost = status.backend.lost,
	    .map_errors = status.backend.errors,
	    .prediction_hits = status.found,
	    .prediction_misses = status.missed,
	    .predictions_right = status.right,
	    .predictions_wrong = status.wrong,
	    .apply = g_strdup(procdb_apply_mode_name(apply->mode)),
	    .apply_active = apply->active,
	    .apply_reason = g_strdup(apply->reason ? apply->reason : ""),
	    .applied = apply->tasks,
	    .trial_state = g_strdup(procdb_trial_state_name(trial->state)),
	    .trial_progress = trial->percent,
	    .guard_state = g_strdup(procdb_guard_state_name(guard->state)),
	    .guard_retry = guard->retry_us,
	    .database_path = g_strdup(status.database_path),
	    .database_problem = g_strdup(status.database_problem),
	    .last_save = status.last_save_us,
	    .last_save_error = g_strdup(status.last_save_error),
	    .flood = g_strdup(status.flood),
	    .dirty = status.dirty,
	    .min_observations = settings->rules.min_observations,
	    .min_confidence = settings->rules.min_confidence,
	    .max_profiles = settings->rules.max_profiles,
	    .stale_ticks = settings->rules.stale_ticks,
	    .retention_days = settings->retention_days,
	};
}

/* Copies a property. TRUE when it differed. */
static gboolean follow(const ProcdbProperty *property, ProcdbProperties *before,
		       const ProcdbProperties *after)
{
	gpointer to = G_STRUCT_MEMBER_P(before, property->offset);
	gconstpointer from = G_STRUCT_MEMBER_P(after, property->offset);

	if (property->type == 's') {
		char **text = to;
		const char *new = *(char *const *)from;

		if (g_strcmp0(*text, new) == 0)
			return FALSE;
		g_free(*text);
		*text = g_strdup(new);
		return TRUE;
	}
	if (property->type == 0 || memcmp(to, from, size_of(property->type)) == 0)
		return FALSE;
	memcpy(to, from, size_of(property->type));
	return TRUE;
}

void procdb_properties_follow(ProcdbProperties *before, const ProcdbProperties *after,
			      GPtrArray *names)
{
	for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
		if (follow(&table[i], before, after))
			g_ptr_array_add(names, (gpointer)table[i].name);
}
