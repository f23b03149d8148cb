/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "apply.h"

#include <errno.h>

#define NS_PER_S 1000000000LL
/* Latency in powers of two of a µs: 1 µs to 2 s. */
#define BUCKETS 22
/* A child can be born with our slice while we look at its siblings: look again. */
#define PUT_BACK_ROUNDS 5

struct _ProcdbApply {
	ProcdbApplySettings settings;
	const ProcdbTaskOps *ops;
	gpointer data;
	gboolean active;
	gint64 second; /* that in_second counts */
	guint in_second;
	guint64 results[PROCDB_APPLY_RESULTS];
	guint64 latency[BUCKETS];
	guint64 latency_sum;
	guint64 latency_max;
};

const ProcdbApplySettings procdb_apply_default_settings = {
    .mode = PROCDB_APPLY_AUTO,
    .tiers = {[PROCDB_TIER_BATCH] = {.slice_us = 20000},
	      [PROCDB_TIER_LAT_CRITICAL] = {.slice_us = PROCDB_SLICE_MIN_US}},
    .max_per_second = 5000,
};

static const char *const mode_names[] = {
    [PROCDB_APPLY_AUTO] = "auto",
    [PROCDB_APPLY_SLICES] = "slices",
    [PROCDB_APPLY_NONE] = "none",
};

gboolean procdb_apply_mode_parse(const char *text, ProcdbApplyMode *mode)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mode_names); i++) {
		if (g_strcmp0(text, mode_names[i]) == 0) {
			*mode = (ProcdbApplyMode)i;
			return TRUE;
		}
	}
	return FALSE;
}

const char *procdb_apply_mode_name(ProcdbApplyMode mode)
{
	g_return_val_if_fail(mode < G_N_ELEMENTS(mode_names), "");
	return mode_names[mode];
}

static gboolean should_be_active(const ProcdbApply *apply)
{
	switch (apply->settings.mode) {
	case PROCDB_APPLY_SLICES:
		return TRUE;
	case PROCDB_APPLY_AUTO:
		return !apply->ops->sched_ext(apply->data);
	default:
		return FALSE;
	}
}

ProcdbApply *procdb_apply_new(const ProcdbApplySettings *settings, const ProcdbTaskOps *ops,
			      gpointer data)
{
	ProcdbApply *apply = g_new0(ProcdbApply, 1);

	apply->settings = *settings;
	apply->ops = ops;
	apply->data = data;
	apply->active = should_be_active(apply);
	return apply;
}

void procdb_apply_free(ProcdbApply *apply)
{
	g_free(apply);
}

const ProcdbApplySettings *procdb_apply_settings(const ProcdbApply *apply)
{
	return &apply->settings;
}

void procdb_apply_configure(ProcdbApply *apply, const ProcdbApplySettings *settings)
{
	gboolean same = TRUE;

	for (guint i = 0; i < PROCDB_TIERS; i++)
		same = same && procdb_slice_encode(&settings->tiers[i]) ==
				   procdb_slice_encode(&apply->settings.tiers[i]);
	apply->settings = *settings;
	apply->active = should_be_active(apply);
	if (!apply->active || !same)
		procdb_apply_put_back(apply);
}

gboolean procdb_apply_is_active(const ProcdbApply *apply)
{
	return apply->active;
}

gboolean procdb_apply_refresh(ProcdbApply *apply)
{
	gboolean before = apply->active;

	apply->active = should_be_active(apply);
	if (before && !apply->active)
		procdb_apply_put_back(apply);
	return before != apply->active;
}

/* Whether one more task may be changed in this second. */
static gboolean take_turn(ProcdbApply *apply, gint64 now)
{
	if (now / NS_PER_S != apply->second) {
		apply->second = now / NS_PER_S;
		apply->in_second = 0;
	}
	if (apply->in_second >= apply->settings.max_per_second)
		return FALSE;
	apply->in_second++;
	return TRUE;
}

static void note_latency(ProcdbApply *apply, guint64 when)
{
	gint64 now = apply->ops->clock(apply->data);
	guint64 ns = now > 0 && (guint64)now > when ? (guint64)now - when : 0;
	guint bucket = 0;

	while (bucket < BUCKETS - 1 && ns / 1000 >> bucket)
		bucket++;
	apply->latency[bucket]++;
	apply->latency_sum += ns;
	apply->latency_max = MAX(apply->latency_max, ns);
}

/*
 * From here on the handle tells whether the pid was the task's own all the
 * time: a pid is not used again before its task is reaped. If it was not, what
 * we set is taken back from the task that has the pid now.
 */
static ProcdbApplyResult change(ProcdbApply *apply, guint pid, int handle,
				const ProcdbSchedAttr *next, ProcdbApplyResult wanted)
{
	const ProcdbTaskOps *ops = apply->ops;
	ProcdbSchedAttr now, before;
	int err = ops->set(apply->data, pid, next);

	if (ops->held(apply->data, handle))
		return err == 0	       ? wanted
		       : err == -ESRCH ? PROCDB_APPLY_REFUSED_GONE
				       : PROCDB_APPLY_FAILED;
	if (err == 0 && next->slice_ns != 0 && ops->get(apply->data, pid, &now) == 0 &&
	    procdb_slice_undo(&now, &before) == PROCDB_APPLY_RESTORED)
		ops->set(apply->data, pid, &before);
	return PROCDB_APPLY_REFUSED_GONE;
}

static ProcdbApplyResult handle_held(ProcdbApply *apply, const struct procdb_task_event *event,
				     int handle)
{
	ProcdbSchedAttr now, next;
	ProcdbApplyResult result;

	if (apply->ops->get(apply->data, event->pid, &now) != 0)
		return PROCDB_APPLY_REFUSED_GONE;
	result = procdb_slice_decide(event, apply->settings.tiers, &now, &next);
	if (result == PROCDB_APPLY_SET || result == PROCDB_APPLY_RESTORED)
		result = change(apply, event->pid, handle, &next, result);
	return result;
}

ProcdbApplyResult procdb_apply_handle(ProcdbApply *apply, const struct procdb_task_event *event)
{
	ProcdbApplyResult result = PROCDB_APPLY_REFUSED_GONE;
	int handle;

	if (!apply->active)
		return PROCDB_APPLY_NOTHING;
	if (!take_turn(apply, apply->ops->clock(apply->data))) {
		apply->results[PROCDB_APPLY_REFUSED_LIMIT]++;
		return PROCDB_APPLY_REFUSED_LIMIT;
	}
	handle = apply->ops->hold(apply->data, event);
	if (handle >= 0) {
		result = handle_held(apply, event, handle);
		apply->ops->release(apply->data, handle);
	}
	apply->results[result]++;
	if (result == PROCDB_APPLY_SET)
		note_latency(apply, event->when);
	return result;
}

static gboolean put_back_one(ProcdbApply *apply, guint pid)
{
	ProcdbSchedAttr now, next;
	gboolean done = FALSE;
	int handle;

	/* Most tasks are not ours: one system call for them. */
	if (apply->ops->get(apply->data, pid, &now) != 0 ||
	    procdb_slice_undo(&now, &next) != PROCDB_APPLY_RESTORED)
		return FALSE;
	handle = apply->ops->hold_pid(apply->data, pid);
	if (handle < 0)
		return FALSE;
	if (apply->ops->get(apply->data, pid, &now) == 0 &&
	    procdb_slice_undo(&now, &next) == PROCDB_APPLY_RESTORED)
		done = change(apply, pid, handle, &next, PROCDB_APPLY_RESTORED) ==
		       PROCDB_APPLY_RESTORED;
	apply->ops->release(apply->data, handle);
	return done;
}

guint procdb_apply_put_back(ProcdbApply *apply)
{
	g_autoptr(GArray) pids = g_array_new(FALSE, FALSE, sizeof(guint));
	guint total = 0, found = 1;

	for (guint round = 0; round < PUT_BACK_ROUNDS && found > 0; round++) {
		found = 0;
		g_array_set_size(pids, 0);
		apply->ops->list(apply->data, pids);
		for (guint i = 0; i < pids->len; i++)
			found += put_back_one(apply, g_array_index(pids, guint, i)) ? 1 : 0;
		total += found;
	}
	apply->results[PROCDB_APPLY_RESTORED] += total;
	return total;
}

static guint64 quantile(const ProcdbApply *apply, guint64 total, double q)
{
	guint64 seen = 0;

	for (guint i = 0; i < BUCKETS; i++) {
		seen += apply->latency[i];
		if ((double)seen >= (double)total * q)
			return MIN((1000ULL << i), apply->latency_max);
	}
	return apply->latency_max;
}

void procdb_apply_status(const ProcdbApply *apply, ProcdbApplyStatus *status)
{
	guint64 total = 0;

	*status = (ProcdbApplyStatus){.mode = apply->settings.mode, .active = apply->active};
	for (guint i = 0; i < PROCDB_APPLY_RESULTS; i++)
		status->results[i] = apply->results[i];
	for (guint i = 0; i < BUCKETS; i++)
		total += apply->latency[i];
	if (total == 0)
		return;
	status->latency_mean_ns = apply->latency_sum / total;
	status->latency_p50_ns = quantile(apply, total, .5);
	status->latency_p99_ns = quantile(apply, total, .99);
	status->latency_max_ns = apply->latency_max;
}
