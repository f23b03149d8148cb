/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "apply.h"

#include <errno.h>

#define NS_PER_S 1000000000LL
/* Latency in powers of two of a µs: 1 µs to 2 s. */
#define BUCKETS 22
/* A child can be born with our slice while we look at its siblings: look again. */
#define PUT_BACK_ROUNDS 5
/*
 * A task that other programs changed at so many looks is left alone: they change it all the time.
 */
#define REPAIR_ROUNDS 8
#define LOOK_AGAIN PROCDB_APPLY_RESULTS

struct _ProcdbApply {
	ProcdbApplySettings settings;
	const ProcdbTaskOps *ops;
	gpointer data;
	gboolean active;
	gint64 second; /* that in_second counts */
	guint in_second;
	guint kept;	   /* tasks that could not be put back, at the last try */
	gboolean unlisted; /* nor is it known which those are */
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
	if (apply->ops->refusal(apply->data))
		return FALSE;
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
		same = same && settings->tiers[i].nice == apply->settings.tiers[i].nice &&
		       procdb_slice_encode(&settings->tiers[i]) ==
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

	/* The service that was here first is gone, and may have been killed. */
	if (apply->ops->refresh(apply->data))
		procdb_apply_recover(apply);
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

/* Another program changed the task between our look and our set: its change is restored. */
static void repair(ProcdbApply *apply, guint pid, int handle, struct procdb_guard *last)
{
	const ProcdbTaskOps *ops = apply->ops;

	for (guint round = 0; round < REPAIR_ROUNDS; round++) {
		struct procdb_given given;
		ProcdbSchedAttr now, next;

		ops->given(apply->data, handle, &given);
		ops->guard(apply->data, pid);
		if (ops->get(apply->data, pid, &now) != 0 || !procdb_policy_has_slices(now.policy))
			return;
		next = now;
		next.nice = last->nice;
		next.slice_ns =
		    last->others == PROCDB_GUARD_NO_SLICE || procdb_given_is(&given, last->others)
			? 0
			: last->others;
		/* Until it is set again it has what we wrote over. */
		ops->expect(apply->data, &now, &next);
		ops->set(apply->data, pid, &next);
		if (ops->changes(apply->data, last) == 0)
			return;
	}
}

/* What was set on the task that has got the pid meanwhile is put back. */
static void undo_stranger(ProcdbApply *apply, guint pid, const ProcdbSchedAttr *next)
{
	const ProcdbTaskOps *ops = apply->ops;
	ProcdbSchedAttr now;

	if (ops->get(apply->data, pid, &now) != 0 || now.slice_ns != next->slice_ns)
		return;
	now.slice_ns = 0;
	if (next->nice != 0 && now.nice == next->nice)
		now.nice = 0;
	ops->set(apply->data, pid, &now);
}

/*
 * From here on the handle tells whether the pid was the task's own all the
 * time: a pid is not used again before its task is reaped. The guard of the
 * task was set before *now was read. LOOK_AGAIN when that is out of date.
 */
static ProcdbApplyResult change(ProcdbApply *apply, guint pid, int handle,
				const ProcdbSchedAttr *now, const ProcdbSchedAttr *next,
				ProcdbApplyResult wanted)
{
	const ProcdbTaskOps *ops = apply->ops;
	struct procdb_guard last = {0};
	ProcdbSchedAttr after;
	int err;

	ops->expect(apply->data, now, next);
	/* What came before the guard knew what to expect shows in a second look. */
	if (ops->get(apply->data, pid, &after) != 0 || after.nice != now->nice ||
	    after.slice_ns != now->slice_ns || after.policy != now->policy)
		return LOOK_AGAIN;
	err = ops->set(apply->data, pid, next);
	if (!ops->held(apply->data, handle)) {
		if (err == 0 && next->slice_ns != 0)
			undo_stranger(apply, pid, next);
		return PROCDB_APPLY_REFUSED_GONE;
	}
	if (err == -ESRCH)
		return PROCDB_APPLY_REFUSED_GONE;
	/* It has become a real-time task. */
	if (err == -EINVAL)
		return PROCDB_APPLY_REFUSED_POLICY;
	if (err != 0)
		return PROCDB_APPLY_FAILED;
	if (ops->changes(apply->data, &last) > 0) {
		repair(apply, pid, handle, &last);
		return wanted != PROCDB_APPLY_SET	      ? wanted
		       : last.others == PROCDB_GUARD_NO_SLICE ? PROCDB_APPLY_REFUSED_NICE
							      : PROCDB_APPLY_REFUSED_SLICE;
	}
	/* SCHED_BATCH and SCHED_IDLE keep their policy, and were set all the same. */
	if (wanted == PROCDB_APPLY_SET && ops->get(apply->data, pid, &after) == 0 &&
	    after.policy != now->policy) {
		after.slice_ns = 0;
		ops->set(apply->data, pid, &after);
		return PROCDB_APPLY_REFUSED_POLICY;
	}
	return wanted;
}

static ProcdbApplyResult handle_once(ProcdbApply *apply, const struct procdb_task_event *event,
				     int handle)
{
	struct procdb_given given, next_given;
	ProcdbSchedAttr now, next;
	ProcdbApplyResult result;

	apply->ops->given(apply->data, handle, &given);
	apply->ops->guard(apply->data, event->pid);
	if (apply->ops->get(apply->data, event->pid, &now) != 0)
		return PROCDB_APPLY_REFUSED_GONE;
	result = procdb_slice_decide(event, apply->settings.tiers, &given, &now, &next);
	if (result == PROCDB_APPLY_SET) {
		/* Before it is set: what is not on record could not be put back. */
		next_given = procdb_given_next(&given, &next);
		if (!apply->ops->give(apply->data, handle, &next_given))
			return apply->ops->held(apply->data, handle) ? PROCDB_APPLY_FAILED
								     : PROCDB_APPLY_REFUSED_GONE;
	}
	if (result == PROCDB_APPLY_SET || result == PROCDB_APPLY_RESTORED)
		result = change(apply, event->pid, handle, &now, &next, result);
	return result;
}

static ProcdbApplyResult handle_held(ProcdbApply *apply, const struct procdb_task_event *event,
				     int handle)
{
	ProcdbApplyResult result = LOOK_AGAIN;

	for (guint round = 0; round < REPAIR_ROUNDS && result == LOOK_AGAIN; round++)
		result = handle_once(apply, event, handle);
	return result == LOOK_AGAIN ? PROCDB_APPLY_REFUSED_GONE : result;
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
	handle = apply->ops->hold(apply->data, event->pid, event->start_time, event->pidfs_ino);
	if (handle >= 0) {
		result = handle_held(apply, event, handle);
		apply->ops->guard(apply->data, 0);
		apply->ops->release(apply->data, handle);
	}
	apply->results[result]++;
	if (result == PROCDB_APPLY_SET)
		note_latency(apply, event->when);
	return result;
}

static gboolean put_back_one(ProcdbApply *apply, const struct procdb_given_task *task)
{
	/* Of what only seems to be ours, the slice at most. */
	const struct procdb_given seeming = {.slice = {task->slice}};
	const struct procdb_given given = task->hint ? seeming : task->given;
	int handle = apply->ops->hold(apply->data, task->pid, task->start_time, task->pidfs_ino);
	ProcdbSchedAttr now, next;
	ProcdbApplyResult result = LOOK_AGAIN;

	if (handle < 0)
		return FALSE;
	for (guint round = 0; round < REPAIR_ROUNDS && result == LOOK_AGAIN; round++) {
		apply->ops->guard(apply->data, task->pid);
		result = PROCDB_APPLY_NOTHING;
		if (apply->ops->get(apply->data, task->pid, &now) == 0 &&
		    procdb_slice_undo(&given, &now, &next) == PROCDB_APPLY_RESTORED)
			result =
			    change(apply, task->pid, handle, &now, &next, PROCDB_APPLY_RESTORED);
	}
	apply->ops->guard(apply->data, 0);
	apply->ops->release(apply->data, handle);
	return result == PROCDB_APPLY_RESTORED;
}

static guint put_back_all(ProcdbApply *apply, const GArray *tasks)
{
	guint found = 0;

	for (guint i = 0; i < tasks->len; i++)
		found += put_back_one(apply, &g_array_index(tasks, struct procdb_given_task, i));
	apply->results[PROCDB_APPLY_RESTORED] += found;
	return found;
}

static void list_given(ProcdbApply *apply, GArray *tasks)
{
	apply->unlisted =
	    !apply->ops->list(apply->data, tasks) && apply->results[PROCDB_APPLY_SET] > 0;
}

static void list_leftovers(ProcdbApply *apply, GArray *tasks)
{
	apply->ops->leftovers(apply->data, tasks);
}

/* Until nothing is listed that can be put back; *kept: what is listed then all the same. */
static guint put_back_rounds(ProcdbApply *apply,
			     void (*list_tasks)(ProcdbApply *apply, GArray *tasks), guint *kept)
{
	g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(struct procdb_given_task));
	guint total = 0, found = 1;

	for (guint round = 0; round < PUT_BACK_ROUNDS && found > 0; round++) {
		g_array_set_size(tasks, 0);
		list_tasks(apply, tasks);
		found = put_back_all(apply, tasks);
		total += found;
	}
	*kept = tasks->len - found;
	return total;
}

guint procdb_apply_put_back(ProcdbApply *apply)
{
	return put_back_rounds(apply, list_given, &apply->kept);
}

guint procdb_apply_recover(ProcdbApply *apply)
{
	guint kept;

	return put_back_rounds(apply, list_leftovers, &kept);
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

/* Why nothing is changed. */
static const char *reason_of(const ProcdbApply *apply)
{
	if (apply->active)
		return "";
	if (apply->settings.mode == PROCDB_APPLY_NONE)
		return "the mode is none";
	return apply->ops->refusal(apply->data) ? apply->ops->refusal(apply->data)
						: "a sched_ext scheduler runs the tasks";
}

void procdb_apply_status(const ProcdbApply *apply, ProcdbApplyStatus *status)
{
	guint64 total = 0;

	*status = (ProcdbApplyStatus){
	    .mode = apply->settings.mode,
	    .active = apply->active,
	    .reason = reason_of(apply),
	    .kept = apply->kept,
	    .unlisted = apply->unlisted,
	};
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
