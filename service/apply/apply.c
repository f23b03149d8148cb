/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "apply.h"

#include "change.h"
#include "latency.h"

#define NS_PER_S 1000000000LL
#define NS_PER_US 1000
#define SLICE_STEP_US (PROCDB_SLICE_STEP / NS_PER_US)
/* A task that is listed may fork meanwhile, and its child has our slice: list again. */
#define RESTORE_ROUNDS 5
/* How many times MaxPerSecond= tasks are put back in a second. */
#define TAKEN_BACK_TIMES 4
/* Seconds until it is tried again with tasks that could not be put back. */
#define LOOK_AT_KEPT 10

struct _ProcdbApply {
	ProcdbApplySettings settings;
	const ProcdbTaskOps *ops;
	gpointer data;
	gboolean active;
	const char *pause; /* why nothing is applied for a while; NULL: it is */
	gboolean without;  /* for a second or so, of which callers are not told */
	gboolean blind;	   /* nothing tells what tasks do */
	gboolean held;	   /* no long slice is given: groups of tasks compete */
	guint64 base;	   /* ns, the kernel's own slice; 0: not known yet */
	guint64 held_base; /* ... when it was last asked whether to hold */
	gint64 second;	   /* that in_second counts */
	guint in_second;
	guint owed;   /* tasks that the last restore took back, and that may be set beyond that */
	guint kept;   /* tasks that the last restore had to leave as they were */
	guint waited; /* seconds since it looked at these */
	gboolean unlisted; /* the kernel could not list the tasks to restore */
	guint64 tasks;	   /* that were given a slice, each once */
	guint64 long_sets; /* slices longer than the kernel's own that were set */
	guint64 results[PROCDB_APPLY_RESULTS];
	ProcdbLatency latency; /* from the event to the slice */
};

const ProcdbApplySettings procdb_apply_default_settings = {
    .mode = PROCDB_APPLY_AUTO,
    .tiers = {[PROCDB_TIER_BATCH] = {.slice_us = 20000},
	      [PROCDB_TIER_LAT_CRITICAL] = {.slice_us = PROCDB_SLICE_MIN_US}},
    .max_per_second = 5000,
    .guard = TRUE,
};

static gboolean should_be_active(const ProcdbApply *apply)
{
	if (apply->pause || apply->without || apply->blind || apply->ops->refusal(apply->data))
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

/* Whether a setting is longer than the kernel's own slice, as far as that is known. */
static gboolean is_long(const ProcdbApply *apply, guint tier)
{
	return tier != PROCDB_TIER_LAT_CRITICAL &&
	       (guint64)apply->settings.tiers[tier].slice_us * NS_PER_US > apply->base;
}

void procdb_apply_tiers(const ProcdbApply *apply, ProcdbTierSetting tiers[PROCDB_TIERS])
{
	for (guint i = 0; i < PROCDB_TIERS; i++) {
		tiers[i] = apply->settings.tiers[i];
		if (!apply->held || !is_long(apply, i))
			continue;
		/* A nice value goes with a slice: one a little longer than the kernel's. */
		if (tiers[i].nice > 0 && apply->base > 0)
			tiers[i].slice_us = (guint)(apply->base / NS_PER_US) + SLICE_STEP_US;
		else
			tiers[i] = (ProcdbTierSetting){0};
	}
}

gboolean procdb_apply_hold_long(ProcdbApply *apply, gboolean hold)
{
	const gboolean before = apply->held;
	const guint64 base = apply->held_base;
	gboolean any = FALSE;

	for (guint i = 0; i < PROCDB_TIERS; i++)
		any = any || is_long(apply, i);
	apply->held = hold && any && !apply->settings.long_among_groups;
	/* What a nice value goes with depends on it. */
	apply->held_base = apply->base;
	return apply->held != before || (apply->held && apply->held_base != base);
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
		procdb_apply_restore(apply);
}

gboolean procdb_apply_is_active(const ProcdbApply *apply)
{
	return apply->active;
}

void procdb_apply_set_pause(ProcdbApply *apply, const char *reason, gboolean without)
{
	gboolean before = apply->active;

	apply->pause = reason;
	apply->without = without;
	apply->active = should_be_active(apply);
	if (before && !apply->active)
		procdb_apply_restore(apply);
}

void procdb_apply_set_blind(ProcdbApply *apply, gboolean blind)
{
	gboolean before = apply->active;

	/* Each second: whether it should be active otherwise is for procdb_apply_refresh() to tell.
	 */
	if (apply->blind == blind)
		return;
	apply->blind = blind;
	apply->active = should_be_active(apply);
	if (before && !apply->active)
		procdb_apply_restore(apply);
}

gboolean procdb_apply_refresh(ProcdbApply *apply)
{
	gboolean before = apply->active;

	/* The older service is gone, and may have been killed. */
	if (apply->ops->refresh(apply->data))
		procdb_apply_recover(apply);
	apply->active = should_be_active(apply);
	/* A task that was real-time or idle may be neither any more. */
	if (!apply->active &&
	    (before || apply->unlisted || (apply->kept > 0 && ++apply->waited >= LOOK_AT_KEPT))) {
		procdb_apply_restore(apply);
		apply->waited = 0;
	}
	return before != apply->active;
}

/*
 * Whether this second has had as many changes of tasks as it may. What was given is taken back
 * beyond that, but not without end: forks of a task with a slice of ours come as fast as a user
 * wants them to.
 */
static gboolean is_at_limit(ProcdbApply *apply, gboolean takes_back)
{
	const guint64 most =
	    (guint64)apply->settings.max_per_second * (takes_back ? TAKEN_BACK_TIMES : 1);

	const gint64 second = apply->ops->clock(apply->data) / NS_PER_S;

	if (second != apply->second) {
		apply->second = second;
		apply->in_second = 0;
	}
	/* Else a window of a trial could not give back what it took, and would compare nothing. */
	return apply->in_second >= most && apply->owed == 0;
}

/* Nothing is applied now, but what was decided holds when it is again. */
static void note_decision(ProcdbApply *apply, const struct procdb_task_event *event)
{
	struct procdb_task_event copy = *event;
	struct procdb_given given;
	int handle;

	if (apply->ops->refusal(apply->data))
		return;
	handle =
	    apply->ops->open_task(apply->data, event->pid, event->start_time, event->pidfs_ino);
	if (handle < 0)
		return;
	apply->ops->read_record(apply->data, handle, &given);
	if (procdb_slice_take_decision(&copy, &given))
		(void)apply->ops->write_record(apply->data, handle, &given);
	apply->ops->close_task(apply->data, handle);
}

/* Sets *first if the task was never given a slice; an attempt that is repeated was not one. */
static ProcdbApplyResult handle_once(ProcdbApply *apply, const struct procdb_task_event *told,
				     int handle, gboolean *first)
{
	struct procdb_task_event decided = *told;
	const struct procdb_task_event *event = &decided;
	struct procdb_given given, next_given;
	ProcdbTierSetting tiers[PROCDB_TIERS];
	ProcdbSchedAttr now, next;
	ProcdbApplyResult result;

	apply->ops->read_record(apply->data, handle, &given);
	*first = *first || !given.counted;
	if (procdb_slice_take_decision(&decided, &given) &&
	    !apply->ops->write_record(apply->data, handle, &given))
		return apply->ops->is_alive(apply->data, handle) ? PROCDB_APPLY_FAILED
								 : PROCDB_APPLY_REFUSED_GONE;
	apply->ops->guard_task(apply->data, event->pid);
	if (apply->ops->get_attr(apply->data, event->pid, &now) != 0)
		return PROCDB_APPLY_REFUSED_GONE;
	procdb_apply_tiers(apply, tiers);
	result = procdb_slice_decide(event, tiers, &given, &now, &next);
	if (result == PROCDB_APPLY_SET || result == PROCDB_APPLY_RESTORED) {
		if (is_at_limit(apply, result == PROCDB_APPLY_RESTORED))
			return PROCDB_APPLY_REFUSED_LIMIT;
		if (apply->owed > 0)
			apply->owed--;
		else
			apply->in_second++;
	}
	if (result == PROCDB_APPLY_SET) {
		/* The record first: a slice without one could not be restored after a crash. */
		next_given = procdb_given_next(&given, &next);
		if (!apply->ops->write_record(apply->data, handle, &next_given))
			return apply->ops->is_alive(apply->data, handle)
				   ? PROCDB_APPLY_FAILED
				   : PROCDB_APPLY_REFUSED_GONE;
	}
	if (result == PROCDB_APPLY_SET || result == PROCDB_APPLY_RESTORED)
		result =
		    procdb_change(apply->ops, apply->data, event->pid, handle, &now, &next, result);
	if (result == PROCDB_APPLY_SET && next.slice_ns > event->base)
		apply->long_sets++;
	return result;
}

static ProcdbApplyResult handle_opened(ProcdbApply *apply, const struct procdb_task_event *event,
				       int handle)
{
	ProcdbApplyResult result = PROCDB_CHANGE_RETRY;
	gboolean first = FALSE;

	for (guint round = 0; round < PROCDB_CHANGE_ATTEMPTS && result == PROCDB_CHANGE_RETRY;
	     round++)
		result = handle_once(apply, event, handle, &first);
	if (result == PROCDB_APPLY_SET && first)
		apply->tasks++;
	return result == PROCDB_CHANGE_RETRY ? PROCDB_APPLY_REFUSED_GONE : result;
}

/* Whether the task had a slice of ours when the event was sent, or what looks like one. */
static gboolean shows_ours(const struct procdb_task_event *event)
{
	return event->custom_slice && procdb_slice_is_marked(event->slice);
}

ProcdbApplyResult procdb_apply_handle(ProcdbApply *apply, const struct procdb_task_event *event)
{
	ProcdbApplyResult result = PROCDB_APPLY_REFUSED_GONE;
	int handle;

	apply->base = event->base;
	if (!apply->active) {
		/* Also that one has ended: it may be from a moment ago, and not yet seen by BPF. */
		if (event->decision || event->reason == PROCDB_TASK_EXECUTED ||
		    event->reason == PROCDB_TASK_MOVED)
			note_decision(apply, event);
		return PROCDB_APPLY_NOTHING;
	}
	/*
	 * What was decided is noted all the same: it holds for the task's life. And a slice of ours
	 * may have to go.
	 */
	if (!event->decision && event->reason != PROCDB_TASK_MOVED &&
	    is_at_limit(apply, shows_ours(event))) {
		apply->results[PROCDB_APPLY_REFUSED_LIMIT]++;
		return PROCDB_APPLY_REFUSED_LIMIT;
	}
	handle =
	    apply->ops->open_task(apply->data, event->pid, event->start_time, event->pidfs_ino);
	if (handle >= 0) {
		result = handle_opened(apply, event, handle);
		apply->ops->guard_task(apply->data, 0);
		apply->ops->close_task(apply->data, handle);
	}
	apply->results[result]++;
	if (result == PROCDB_APPLY_SET)
		procdb_latency_count(&apply->latency, event->when, apply->ops->clock(apply->data));
	return result;
}

static gboolean restore_one(ProcdbApply *apply, const struct procdb_given_task *task)
{
	/* A slice that only seems to be ours is taken back; the nice value stays. */
	const struct procdb_given seeming = {.slice = {task->slice}};
	const struct procdb_given given = task->hint ? seeming : task->given;
	int handle =
	    apply->ops->open_task(apply->data, task->pid, task->start_time, task->pidfs_ino);
	ProcdbSchedAttr now, next;
	ProcdbApplyResult result = PROCDB_CHANGE_RETRY;

	if (handle < 0)
		return FALSE;
	for (guint round = 0; round < PROCDB_CHANGE_ATTEMPTS && result == PROCDB_CHANGE_RETRY;
	     round++) {
		apply->ops->guard_task(apply->data, task->pid);
		result = PROCDB_APPLY_NOTHING;
		if (apply->ops->get_attr(apply->data, task->pid, &now) == 0 &&
		    procdb_slice_undo(&given, &now, &next) == PROCDB_APPLY_RESTORED)
			result = procdb_change(apply->ops, apply->data, task->pid, handle, &now,
					       &next, PROCDB_APPLY_RESTORED);
	}
	apply->ops->guard_task(apply->data, 0);
	apply->ops->close_task(apply->data, handle);
	return result == PROCDB_APPLY_RESTORED;
}

static guint restore_all(ProcdbApply *apply, const GArray *tasks)
{
	guint found = 0;

	for (guint i = 0; i < tasks->len; i++)
		found += restore_one(apply, &g_array_index(tasks, struct procdb_given_task, i));
	apply->results[PROCDB_APPLY_RESTORED] += found;
	return found;
}

static void list_given(ProcdbApply *apply, GArray *tasks)
{
	apply->unlisted =
	    !apply->ops->list_given(apply->data, tasks) && apply->results[PROCDB_APPLY_SET] > 0;
}

static void list_leftovers(ProcdbApply *apply, GArray *tasks)
{
	apply->ops->list_leftovers(apply->data, tasks);
}

/* Restores until no task is listed that can be; *kept is how many are listed then. */
static guint restore_until_none(ProcdbApply *apply,
				void (*list_tasks)(ProcdbApply *apply, GArray *tasks), guint *kept)
{
	g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(struct procdb_given_task));
	guint total = 0, found = 1;

	for (guint round = 0; round < RESTORE_ROUNDS && found > 0; round++) {
		g_array_set_size(tasks, 0);
		list_tasks(apply, tasks);
		found = restore_all(apply, tasks);
		total += found;
	}
	*kept = tasks->len - found;
	return total;
}

guint procdb_apply_restore(ProcdbApply *apply)
{
	const guint restored = restore_until_none(apply, list_given, &apply->kept);

	apply->owed = MAX(apply->owed, restored);
	return restored;
}

guint procdb_apply_recover(ProcdbApply *apply)
{
	guint kept;

	return restore_until_none(apply, list_leftovers, &kept);
}

/* Whether it would be active but for the second without. */
static gboolean is_shortly_without(const ProcdbApply *apply)
{
	ProcdbApply otherwise = *apply;

	otherwise.without = FALSE;
	return apply->without && should_be_active(&otherwise);
}

/* The reason why no task is changed. */
static const char *reason_of(const ProcdbApply *apply)
{
	if (apply->active || is_shortly_without(apply))
		return "";
	if (apply->settings.mode == PROCDB_APPLY_NONE)
		return "the mode is none";
	if (apply->ops->refusal(apply->data))
		return apply->ops->refusal(apply->data);
	if (apply->blind)
		return "nothing observes tasks";
	return apply->pause ? apply->pause : "a sched_ext scheduler runs the tasks";
}

guint64 procdb_apply_count(const ProcdbApply *apply, ProcdbApplyResult result)
{
	return apply->results[result];
}

void procdb_apply_status(const ProcdbApply *apply, ProcdbApplyStatus *status)
{
	*status = (ProcdbApplyStatus){
	    .mode = apply->settings.mode,
	    .active = apply->active || is_shortly_without(apply),
	    .reason = reason_of(apply),
	    .kept = apply->kept,
	    .unlisted = apply->unlisted && !apply->active,
	    .held = (apply->active || is_shortly_without(apply)) && apply->held,
	    .tasks = apply->tasks,
	    .long_sets = apply->long_sets,
	};
	for (guint i = 0; i < PROCDB_APPLY_RESULTS; i++)
		status->results[i] = apply->results[i];
	if (apply->latency.count == 0)
		return;
	status->latency_mean_ns = apply->latency.sum / apply->latency.count;
	status->latency_p50_ns = procdb_latency_quantile(&apply->latency, .5);
	status->latency_p99_ns = procdb_latency_quantile(&apply->latency, .99);
	status->latency_max_ns = apply->latency.max;
}
