/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "trials.h"

#include "errors.h"
#include "private.h"

static const char *const percentile_names[PROCDB_PERCENTILES] = {"p50", "p90", "p99"};

static int append_buckets(sd_bus_message *reply, const __u64 *waits)
{
	int result = sd_bus_message_open_container(reply, 'e', "sv");

	if (result >= 0)
		result = sd_bus_message_append(reply, "s", "buckets");
	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'v', "a(tt)");
	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "(tt)");
	for (guint i = 0; i < PROCDB_DELAY_BUCKETS && result >= 0; i++)
		if (waits[i] > 0)
			result = sd_bus_message_append(
			    reply, "(tt)", (guint64)procdb_delay_from(i + 1), (guint64)waits[i]);
	for (guint i = 0; i < 3 && result >= 0; i++)
		result = sd_bus_message_close_container(reply);
	return result;
}

static int append_delays(sd_bus_message *reply, enum procdb_tier tier, guint side,
			 const __u64 *waits)
{
	int result = sd_bus_message_open_container(reply, 'a', "{sv}");

	if (result >= 0)
		result = sd_bus_message_append(
		    reply, "{sv}{sv}{sv}", "tier", "s", procdb_tier_name(tier), "applied", "b",
		    side == PROCDB_DELAY_APPLIED, "count", "t", (guint64)procdb_waits_count(waits));
	for (guint p = 0; p < PROCDB_PERCENTILES && result >= 0; p++)
		result = sd_bus_message_append(
		    reply, "{sv}", percentile_names[p], "t",
		    (guint64)procdb_waits_percentile(waits, procdb_percentile_shares[p]));
	if (result >= 0)
		result = append_buckets(reply, waits);
	return result < 0 ? result : sd_bus_message_close_container(reply);
}

int procdb_handle_get_delays(ProcdbObject *self, sd_bus_message *call)
{
	struct procdb_delays delays = {0};
	sd_bus_message *reply = NULL;
	/* Without an observer there is nothing, which is no error. */
	gboolean known = self->host->delays && self->host->delays(self->host_data, &delays, NULL);
	int result = sd_bus_message_new_method_return(call, &reply);

	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (guint tier = 0; known && tier < PROCDB_TIERS; tier++)
		for (guint side = 0; side < PROCDB_DELAY_SIDES && result >= 0; side++)
			result = append_delays(reply, (enum procdb_tier)tier, side,
					       delays.waits[tier][side]);
	if (result >= 0)
		result = sd_bus_message_close_container(reply);
	return procdb_bus_send_reply(reply, result);
}

static int append_minute(sd_bus_message *reply, const struct procdb_minute *minute)
{
	int result = 0;

	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		for (guint side = 0; side < PROCDB_DELAY_SIDES && result >= 0; side++) {
			const struct procdb_minute_waits *waits = &minute->waits[tier][side];

			if (waits->count == 0)
				continue;
			result = sd_bus_message_append(reply, "(xsbtttt)", minute->end,
						       procdb_tier_name((enum procdb_tier)tier),
						       side == PROCDB_DELAY_APPLIED, waits->count,
						       waits->at[PROCDB_P50], waits->at[PROCDB_P90],
						       waits->at[PROCDB_P99]);
		}
	return result;
}

int procdb_handle_get_history(ProcdbObject *self, sd_bus_message *call)
{
	const struct procdb_history *history =
	    self->host->history ? self->host->history(self->host_data) : NULL;
	const struct procdb_minute *minute;
	sd_bus_message *reply = NULL;
	int result = sd_bus_message_new_method_return(call, &reply);

	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "(xsbtttt)");
	for (gsize i = 0; history && result >= 0 && (minute = procdb_history_get(history, i)); i++)
		result = append_minute(reply, minute);
	if (result >= 0)
		result = sd_bus_message_close_container(reply);
	return procdb_bus_send_reply(reply, result);
}

/* A ratio under name, and the ends of its interval where there is one. */
static int append_estimate(sd_bus_message *reply, const char *name,
			   const struct procdb_estimate *estimate)
{
	g_autofree char *low = g_strconcat(name, "_low", NULL);
	g_autofree char *high = g_strconcat(name, "_high", NULL);

	if (!estimate->known)
		return 0;
	return sd_bus_message_append(reply, "{sv}{sv}{sv}", name, "d", estimate->value, low, "d",
				     estimate->low, high, "d", estimate->high);
}

static int append_percentile(sd_bus_message *reply, const struct procdb_comparison *comparison,
			     guint p)
{
	g_autofree char *with = g_strconcat(percentile_names[p], "_with", NULL);
	g_autofree char *without = g_strconcat(percentile_names[p], "_without", NULL);
	g_autofree char *ratio = g_strconcat(percentile_names[p], "_ratio", NULL);
	int result =
	    sd_bus_message_append(reply, "{sv}{sv}", with, "t", (guint64)comparison->with[p],
				  without, "t", (guint64)comparison->without[p]);

	return result < 0 ? result : append_estimate(reply, ratio, &comparison->delay[p]);
}

static int append_verdict(sd_bus_message *reply, const struct procdb_comparison *comparison)
{
	return sd_bus_message_append(reply, "{sv}{sv}", "verdict", "s",
				     procdb_effect_name(comparison->effect), "because", "s",
				     comparison->reason);
}

static int append_comparison(sd_bus_message *reply, const struct procdb_comparison *comparison)
{
	int result =
	    sd_bus_message_append(reply, "{sv}{sv}", "pairs", "u", (guint32)comparison->pairs,
				  "waits", "t", (guint64)comparison->waits);

	for (guint p = 0; p < PROCDB_PERCENTILES && result >= 0; p++)
		result = append_percentile(reply, comparison, p);
	return result < 0 ? result : append_estimate(reply, "batch_ratio", &comparison->batch);
}

int procdb_handle_get_trial(ProcdbObject *self, sd_bus_message *call)
{
	sd_bus_message *reply = NULL;
	ProcdbTrialStatus status;
	int result = sd_bus_message_new_method_return(call, &reply);

	procdb_object_trial_status(self, &status);
	if (result >= 0)
		result = sd_bus_message_open_container(reply, 'a', "{sv}");
	if (result >= 0)
		result = sd_bus_message_append(
		    reply, "{sv}{sv}{sv}{sv}", "state", "s", procdb_trial_state_name(status.state),
		    "reason", "s", status.reason, "seconds", "u", (guint32)status.seconds,
		    "percent", "u", (guint32)status.percent);
	/* What ended early is compared, and decides nothing. */
	if (result >= 0 && status.state == PROCDB_TRIAL_DONE)
		result = append_verdict(reply, &status.comparison);
	if (result >= 0 &&
	    (status.state == PROCDB_TRIAL_DONE || status.state == PROCDB_TRIAL_ENDED))
		result = append_comparison(reply, &status.comparison);
	if (result >= 0)
		result = sd_bus_message_close_container(reply);
	return procdb_bus_send_reply(reply, result);
}

static void release_caller(ProcdbObject *self)
{
	ProcdbCaller *caller = g_steal_pointer(&self->trial_caller);

	if (caller)
		procdb_caller_unwatch(caller, self->trial_gone);
}

static void on_caller_gone(GCancellable *gone, gpointer data)
{
	ProcdbObject *self = data;

	self->host->stop_trial(self->host_data, "the program that began it has ended");
}

void procdb_object_trial_changed(ProcdbObject *self)
{
	ProcdbTrialStatus status;

	procdb_object_trial_status(self, &status);
	if (status.state != PROCDB_TRIAL_RUNNING)
		release_caller(self);
	procdb_object_changed(self);
}

void procdb_object_guard_changed(ProcdbObject *self)
{
	procdb_object_changed(self);
}

void procdb_object_leave_trial(ProcdbObject *self)
{
	if (!self->trial_caller)
		return;
	self->host->stop_trial(self->host_data, "the connection to the bus is lost");
	release_caller(self);
}

static void fail(GError **error, gint code, const char *message)
{
	g_clear_error(error);
	g_set_error_literal(error, PROCDB_BUS_ERROR, code, message);
}

static gboolean start(ProcdbObject *self, guint seconds, GError **error)
{
	g_autoptr(GError) reason = NULL;

	if (seconds < PROCDB_TRIAL_SECONDS_MIN || seconds > PROCDB_TRIAL_SECONDS_MAX) {
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
			    "A trial takes from %d to %d seconds, not %u", PROCDB_TRIAL_SECONDS_MIN,
			    PROCDB_TRIAL_SECONDS_MAX, seconds);
		return FALSE;
	}
	if (!self->host->start_trial) {
		fail(error, PROCDB_BUS_ERROR_NO_BACKEND, "This service makes no trials");
		return FALSE;
	}
	if (self->host->start_trial(self->host_data, seconds, &reason))
		return TRUE;
	fail(error,
	     g_error_matches(reason, G_IO_ERROR, G_IO_ERROR_BUSY) ? PROCDB_BUS_ERROR_LIMIT_EXCEEDED
								  : PROCDB_BUS_ERROR_NO_BACKEND,
	     reason->message);
	return FALSE;
}

int procdb_handle_start_trial(ProcdbObject *self, sd_bus_message *call)
{
	GError *error = NULL;
	guint32 seconds;
	int result = sd_bus_message_read(call, "u", &seconds);

	if (result < 0)
		return result;
	if (!start(self, seconds, &error))
		return procdb_bus_reply_error(call, error);
	release_caller(self);
	self->trial_caller = procdb_gate_caller(self->gate, call);
	self->trial_gone =
	    procdb_caller_watch(self->trial_caller, G_CALLBACK(on_caller_gone), self);
	return sd_bus_reply_method_return(call, NULL);
}

int procdb_handle_stop_trial(ProcdbObject *self, sd_bus_message *call)
{
	if (self->host->stop_trial)
		self->host->stop_trial(self->host_data, "it was stopped");
	return sd_bus_reply_method_return(call, NULL);
}
