/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "trial.h"

struct _ProcdbTrial {
	const ProcdbTrialHost *host;
	gpointer data;
	ProcdbTrialSettings settings; /* of the last trial */
	ProcdbTrialState state;
	char *reason;
	struct procdb_comparison comparison;

	/* While one runs. */
	guint timer;   /* GSource id: of the next switch, or of the window that begins or ends */
	guint windows; /* that it has */
	guint window;  /* the present one, from 0 on */
	gboolean with_first; /* of the present pair: the order that was drawn */
	gboolean measuring;  /* the window has begun */
	gint64 began_us;     /* monotonic */
	struct procdb_delays before;
	struct procdb_pair *pairs;
};

const ProcdbTrialSettings procdb_trial_default_settings = {
    .seconds = 60,
    .window_ms = 1000,
    .settle_ms = 200,
    .certainty = .99,
};

const char *procdb_trial_state_name(ProcdbTrialState state)
{
	static const char *const names[] = {
	    [PROCDB_TRIAL_NONE] = "none",
	    [PROCDB_TRIAL_RUNNING] = "running",
	    [PROCDB_TRIAL_DONE] = "done",
	    [PROCDB_TRIAL_ENDED] = "ended",
	};

	g_return_val_if_fail(state < G_N_ELEMENTS(names), "");
	return names[state];
}

ProcdbTrial *procdb_trial_new(const ProcdbTrialHost *host, gpointer data)
{
	ProcdbTrial *trial = g_new0(ProcdbTrial, 1);

	trial->host = host;
	trial->data = data;
	trial->reason = g_strdup("");
	return trial;
}

/* Whether the present window is one with applying. */
static gboolean is_with(const ProcdbTrial *trial)
{
	return (trial->window % 2 == 0) == trial->with_first;
}

static void end(ProcdbTrial *trial, ProcdbTrialState state, const char *reason)
{
	g_clear_handle_id(&trial->timer, g_source_remove);
	g_free(trial->reason);
	trial->reason = g_strdup(reason);
	trial->state = state;
	trial->comparison =
	    procdb_compare(trial->pairs, trial->window / 2, trial->settings.certainty);
	if (state != PROCDB_TRIAL_DONE) {
		trial->comparison.effect = PROCDB_EFFECT_UNKNOWN;
		trial->comparison.reason = "the trial ended early";
	}
	trial->host->restore(trial->data);
	trial->host->changed(trial->data);
	g_clear_pointer(&trial->pairs, g_free);
}

static gboolean on_timer(gpointer data);

static void wait_for(ProcdbTrial *trial, guint ms)
{
	trial->timer = g_timeout_add_full(G_PRIORITY_HIGH, ms, on_timer, trial, NULL);
}

static void begin_window(ProcdbTrial *trial)
{
	if (trial->window % 2 == 0)
		trial->with_first = g_random_boolean();
	trial->measuring = FALSE;
	trial->host->apply(trial->data, is_with(trial));
	wait_for(trial, trial->settings.settle_ms);
}

/* Notes what the window had. FALSE with error set when that is not known. */
static gboolean measure(ProcdbTrial *trial, GError **error)
{
	struct procdb_pair *pair = &trial->pairs[trial->window / 2];
	struct procdb_window *window = is_with(trial) ? &pair->with : &pair->without;
	const gint64 length = (g_get_monotonic_time() - trial->began_us) * 1000;
	struct procdb_delays now, had;

	if (!trial->host->delays(trial->data, &now, error))
		return FALSE;
	if (!procdb_delays_since(&trial->before, &now, &had)) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
				    "the observer was started anew");
		return FALSE;
	}
	window->length = (guint64)MAX(length, 1);
	window->batch_run = had.batch_run;
	for (guint side = 0; side < PROCDB_DELAY_SIDES; side++)
		procdb_waits_add(window->waits, had.waits[PROCDB_TIER_LAT_CRITICAL][side]);
	return TRUE;
}

static gboolean begin_measuring(ProcdbTrial *trial, GError **error)
{
	const char *refusal = is_with(trial) ? trial->host->refusal(trial->data) : NULL;

	if (refusal) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, refusal);
		return FALSE;
	}
	trial->measuring = TRUE;
	trial->began_us = g_get_monotonic_time();
	wait_for(trial, trial->settings.window_ms);
	return trial->host->delays(trial->data, &trial->before, error);
}

static gboolean on_timer(gpointer data)
{
	ProcdbTrial *trial = data;
	g_autoptr(GError) error = NULL;

	trial->timer = 0;
	if (!(trial->measuring ? measure(trial, &error) : begin_measuring(trial, &error))) {
		end(trial, PROCDB_TRIAL_ENDED, error->message);
		return G_SOURCE_REMOVE;
	}
	/* It has just begun. */
	if (trial->timer != 0)
		return G_SOURCE_REMOVE;
	if (++trial->window == trial->windows) {
		end(trial, PROCDB_TRIAL_DONE, "");
		return G_SOURCE_REMOVE;
	}
	begin_window(trial);
	trial->host->changed(trial->data);
	return G_SOURCE_REMOVE;
}

gboolean procdb_trial_start(ProcdbTrial *trial, const ProcdbTrialSettings *settings, GError **error)
{
	const guint pair_ms = 2 * (settings->window_ms + settings->settle_ms);
	const char *refusal = trial->host->refusal(trial->data);
	guint64 pairs;

	if (trial->state == PROCDB_TRIAL_RUNNING) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_BUSY, "A trial runs already");
		return FALSE;
	}
	if (refusal) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "There is nothing to compare: %s", refusal);
		return FALSE;
	}
	if (!trial->host->delays(trial->data, &trial->before, error)) {
		g_prefix_error(error, "There is nothing to compare: ");
		return FALSE;
	}
	pairs = (guint64)settings->seconds * 1000 / MAX(pair_ms, 1);
	trial->settings = *settings;
	trial->windows = (guint)CLAMP(pairs, 1, PROCDB_PAIRS_MAX) * 2;
	trial->window = 0;
	trial->pairs = g_new0(struct procdb_pair, trial->windows / 2);
	trial->state = PROCDB_TRIAL_RUNNING;
	g_free(trial->reason);
	trial->reason = g_strdup("");
	trial->comparison = (struct procdb_comparison){0};
	begin_window(trial);
	trial->host->changed(trial->data);
	return TRUE;
}

void procdb_trial_stop(ProcdbTrial *trial, const char *reason)
{
	if (trial->state == PROCDB_TRIAL_RUNNING)
		end(trial, PROCDB_TRIAL_ENDED, reason);
}

void procdb_trial_free(ProcdbTrial *trial)
{
	if (!trial)
		return;
	procdb_trial_stop(trial, "the service ends");
	g_free(trial->reason);
	g_free(trial);
}

void procdb_trial_status(const ProcdbTrial *trial, ProcdbTrialStatus *status)
{
	*status = (ProcdbTrialStatus){
	    .state = trial->state,
	    .reason = trial->reason,
	    .seconds = trial->settings.seconds,
	    .percent = trial->state == PROCDB_TRIAL_DONE ? 100
		       : trial->windows > 0		 ? trial->window * 100 / trial->windows
							 : 0,
	    .comparison = trial->comparison,
	    .pairs = trial->pairs,
	};
}
