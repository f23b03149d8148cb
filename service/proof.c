/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "proof.h"

#include <gio/gio.h>

#include "log.h"

struct _ProcdbProof {
	ProcdbApply *apply;
	ProcdbApplySource *source;
	ProcdbBackend *backend;
	void (*changed)(gpointer data, gboolean trial);
	gpointer data;
	ProcdbTrial *trial;
	ProcdbGuard *guard;
	ProcdbGuardState state; /* of the guard, as it was logged */
	guint pauses;		/* of the guard, that were logged */
	struct procdb_history history;
	guint minute; /* GSource id: the end of the present one */
};

static void use(const ProcdbProof *proof, const char *pause, gboolean without)
{
	procdb_apply_set_pause(proof->apply, pause, without);
	if (!pause && !without)
		procdb_apply_source_ask_again(proof->source);
}

static void trial_apply(gpointer data, gboolean on)
{
	use(data, on ? NULL : "a trial compares it with what would be without", FALSE);
}

static void trial_restore(gpointer data)
{
	trial_apply(data, TRUE);
}

static void guard_apply(gpointer data, ProcdbGuardWish wish)
{
	use(data,
	    wish == PROCDB_GUARD_PAUSE
		? "programs waited longer for a CPU with it, so that it is paused for a while"
		: NULL,
	    wish == PROCDB_GUARD_WITHOUT);
}

static const char *refusal(gpointer data)
{
	const ProcdbProof *proof = data;
	ProcdbApplyStatus status;

	/* A comparison would say that slices make no difference. */
	if (procdb_apply_source_is_unfinished(proof->source))
		return "not all tasks could be given their slice at once";
	procdb_apply_status(proof->apply, &status);
	return status.active ? NULL : status.reason;
}

static gboolean get_delays(gpointer data, struct procdb_delays *sum, GError **error)
{
	const ProcdbProof *proof = data;
	ProcdbApplyStatus status;

	procdb_apply_status(proof->apply, &status);
	if (status.unlisted) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED,
				    "the kernel did not list the tasks to take slices from");
		return FALSE;
	}
	return procdb_proof_delays(data, sum, error);
}

static void on_trial_changed(gpointer data)
{
	ProcdbProof *proof = data;
	ProcdbTrialStatus status;

	procdb_trial_status(proof->trial, &status);
	if (status.state != PROCDB_TRIAL_RUNNING)
		procdb_guard_hold(proof->guard, FALSE);
	proof->changed(proof->data, TRUE);
}

static void log_pause(const ProcdbGuardStatus *status)
{
	g_autoptr(GDateTime) retry =
	    g_date_time_new_from_unix_local(status->retry_us / G_USEC_PER_SEC);
	g_autofree char *until = retry ? g_date_time_format(retry, "%F %T") : g_strdup("later");
	const struct procdb_comparison *found = &status->found;

	if (!status->harms) {
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_GUARD,
			   "Whether programs still wait longer with slices could not be told now; "
			   "no slice is given until it is tried again, at %s",
			   until);
		return;
	}
	procdb_log(
	    G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_GUARD,
	    "Programs that should wait less waited longer with slices than without: %.2f and "
	    "%.2f ms at the 50th percentile, %.2f and %.2f ms at the 90th, %.2f and %.2f ms "
	    "at the 99th; no slice is given until it is tried again, at %s",
	    (double)found->with[PROCDB_P50] / 1e6, (double)found->without[PROCDB_P50] / 1e6,
	    (double)found->with[PROCDB_P90] / 1e6, (double)found->without[PROCDB_P90] / 1e6,
	    (double)found->with[PROCDB_P99] / 1e6, (double)found->without[PROCDB_P99] / 1e6, until);
}

static void on_guard_changed(gpointer data)
{
	ProcdbProof *proof = data;
	ProcdbGuardStatus status;

	procdb_guard_status(proof->guard, &status);
	if (status.state == PROCDB_GUARD_PAUSED && status.pauses != proof->pauses)
		log_pause(&status);
	else if (proof->state == PROCDB_GUARD_PAUSED && status.state == PROCDB_GUARD_WATCHING)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_GUARD, "Slices are given again");
	proof->state = status.state;
	proof->pauses = status.pauses;
	proof->changed(proof->data, FALSE);
}

static gboolean on_minute(gpointer data)
{
	ProcdbProof *proof = data;
	struct procdb_delays delays;
	const gboolean known = procdb_proof_delays(proof, &delays, NULL);

	procdb_history_add(&proof->history, g_get_real_time(), known ? &delays : NULL);
	return G_SOURCE_CONTINUE;
}

ProcdbProof *procdb_proof_new(ProcdbApply *apply, ProcdbApplySource *source,
			      void (*changed)(gpointer data, gboolean trial), gpointer data)
{
	static const ProcdbTrialHost trial_host = {
	    .apply = trial_apply,
	    .restore = trial_restore,
	    .refusal = refusal,
	    .delays = get_delays,
	    .changed = on_trial_changed,
	};
	static const ProcdbGuardHost guard_host = {
	    .apply = guard_apply,
	    .refusal = refusal,
	    .delays = get_delays,
	    .changed = on_guard_changed,
	};
	ProcdbProof *proof = g_new0(ProcdbProof, 1);

	proof->apply = apply;
	proof->source = source;
	proof->changed = changed;
	proof->data = data;
	proof->trial = procdb_trial_new(&trial_host, proof);
	proof->guard = procdb_guard_new(&guard_host, &procdb_guard_default_settings, proof);
	/* GLib fires this together with the engine's tick: no further wake-up. */
	proof->minute = g_timeout_add_seconds(60, on_minute, proof);
	return proof;
}

void procdb_proof_free(ProcdbProof *proof)
{
	if (!proof)
		return;
	g_source_remove(proof->minute);
	procdb_trial_free(proof->trial);
	procdb_guard_free(proof->guard);
	g_free(proof);
}

void procdb_proof_set_backend(ProcdbProof *proof, ProcdbBackend *backend)
{
	proof->backend = backend;
}

void procdb_proof_quit(ProcdbProof *proof)
{
	procdb_guard_quit(proof->guard);
}

void procdb_proof_set_guard(ProcdbProof *proof, gboolean on)
{
	procdb_guard_configure(proof->guard, on);
}

gboolean procdb_proof_start_trial(ProcdbProof *proof, guint seconds, GError **error)
{
	ProcdbTrialSettings settings = procdb_trial_default_settings;
	ProcdbTrialStatus status;
	gboolean started;

	settings.seconds = seconds;
	procdb_guard_hold(proof->guard, TRUE);
	started = procdb_trial_start(proof->trial, &settings, error);
	procdb_trial_status(proof->trial, &status);
	if (status.state != PROCDB_TRIAL_RUNNING)
		procdb_guard_hold(proof->guard, FALSE);
	return started;
}

void procdb_proof_stop_trial(ProcdbProof *proof, const char *reason)
{
	procdb_trial_stop(proof->trial, reason);
}

void procdb_proof_trial_status(const ProcdbProof *proof, ProcdbTrialStatus *status)
{
	procdb_trial_status(proof->trial, status);
}

void procdb_proof_guard_status(const ProcdbProof *proof, ProcdbGuardStatus *status)
{
	procdb_guard_status(proof->guard, status);
}

const struct procdb_history *procdb_proof_history(const ProcdbProof *proof)
{
	return &proof->history;
}

gboolean procdb_proof_delays(const ProcdbProof *proof, struct procdb_delays *sum, GError **error)
{
	if (proof->backend)
		return procdb_backend_delays(proof->backend, sum, error);
	g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_FAILED, "nothing observes");
	return FALSE;
}
