/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "slice.h"

#include <linux/sched.h>

const char *procdb_apply_result_name(ProcdbApplyResult result)
{
	static const char *const names[] = {
	    [PROCDB_APPLY_SET] = "set",
	    [PROCDB_APPLY_RESTORED] = "restored",
	    [PROCDB_APPLY_NOTHING] = "nothing to do",
	    [PROCDB_APPLY_REFUSED_POLICY] = "policy",
	    [PROCDB_APPLY_REFUSED_NICE] = "nice",
	    [PROCDB_APPLY_REFUSED_SLICE] = "slice",
	    [PROCDB_APPLY_REFUSED_LIMIT] = "limit",
	    [PROCDB_APPLY_REFUSED_GONE] = "gone",
	    [PROCDB_APPLY_FAILED] = "failed",
	};

	g_return_val_if_fail(result < PROCDB_APPLY_RESULTS, "");
	return names[result];
}

guint64 procdb_slice_encode(const ProcdbTierSetting *setting)
{
	guint64 slice = (guint64)setting->slice_us * 1000;

	if (setting->slice_us == 0)
		return 0;
	slice = CLAMP(slice, PROCDB_SLICE_MIN_US * 1000ULL, PROCDB_SLICE_MAX_US * 1000ULL);
	return slice / PROCDB_SLICE_STEP * PROCDB_SLICE_STEP + PROCDB_SLICE_MARK;
}

gboolean procdb_policy_has_slices(guint32 policy)
{
	return policy == SCHED_NORMAL || policy == SCHED_BATCH;
}

struct procdb_given procdb_given_next(const struct procdb_given *before,
				      const ProcdbSchedAttr *next)
{
	struct procdb_given given = {.slice = {next->slice_ns, before->slice[0]},
				     .nice = next->nice,
				     .nice_given = next->nice != 0,
				     .counted = 1,
				     .decision = before->decision};

	/* The same slice again: the older one stays on record, for children forked meanwhile. */
	if (before->slice[0] == next->slice_ns)
		given.slice[1] = before->slice[1];
	return given;
}

ProcdbApplyResult procdb_slice_undo(const struct procdb_given *given, const ProcdbSchedAttr *now,
				    ProcdbSchedAttr *next)
{
	if (!procdb_policy_has_slices(now->policy) || !procdb_given_is(given, now->slice_ns))
		return PROCDB_APPLY_NOTHING;
	*next = *now;
	next->slice_ns = 0;
	/* Another nice value than ours was set by another program meanwhile: it stays. */
	if (given->nice_given && now->nice == given->nice)
		next->nice = 0;
	return PROCDB_APPLY_RESTORED;
}

/*
 * Another program has set a policy or nice value, so the task is left alone: without our slice,
 * which was right for what it was before.
 */
static ProcdbApplyResult leave_alone_for(ProcdbApplyResult refusal,
					 const struct procdb_given *given,
					 const ProcdbSchedAttr *now, ProcdbSchedAttr *next)
{
	ProcdbApplyResult undone = procdb_slice_undo(given, now, next);

	return undone == PROCDB_APPLY_NOTHING ? refusal : undone;
}

/*
 * The slice that sched_getattr() should return for a task without a slice of ours, if no program
 * has set one since the event. If the event still shows one of ours, that was restored meanwhile:
 * a child that inherits a slice and executes a program at once has an event for each of the two.
 * 0: the task has a slice of its own.
 */
static guint64 expected_slice(const struct procdb_task_event *event)
{
	if (!event->custom_slice)
		return event->slice;
	return procdb_slice_is_marked(event->slice) ? event->base : 0;
}

ProcdbApplyResult procdb_slice_decide(const struct procdb_task_event *event,
				      const ProcdbTierSetting tiers[PROCDB_TIERS],
				      const struct procdb_given *given, const ProcdbSchedAttr *now,
				      ProcdbSchedAttr *next)
{
	static const ProcdbTierSetting leave_alone;
	const ProcdbTierSetting *setting =
	    event->tier < PROCDB_TIERS ? &tiers[event->tier] : &leave_alone;
	guint64 slice = procdb_slice_for(event->tier, procdb_slice_encode(setting), event->runtime,
					 event->base);
	gboolean ours;

	if (slice == 0)
		return procdb_slice_undo(given, now, next);
	if (now->policy != SCHED_NORMAL)
		return leave_alone_for(PROCDB_APPLY_REFUSED_POLICY, given, now, next);
	ours = procdb_given_is(given, now->slice_ns);
	/* Also refused: another program has set a slice since the event. */
	if (!ours && now->slice_ns != expected_slice(event))
		return PROCDB_APPLY_REFUSED_SLICE;
	if (now->nice != (ours && given->nice_given ? given->nice : 0))
		return leave_alone_for(PROCDB_APPLY_REFUSED_NICE, given, now, next);
	if (ours && now->slice_ns == slice)
		return PROCDB_APPLY_NOTHING;
	*next = *now;
	next->slice_ns = slice;
	next->nice = (gint32)MIN(setting->nice, PROCDB_SLICE_NICE_MAX);
	return PROCDB_APPLY_SET;
}

gboolean procdb_slice_take_decision(struct procdb_task_event *event, struct procdb_given *given)
{
	const guint8 before = given->decision;

	/* Of a task that has left its unit, too: what it executed stays decided. */
	if (event->reason == PROCDB_TASK_EXECUTED ||
	    ((event->decision || event->reason == PROCDB_TASK_MOVED) &&
	     !(before & PROCDB_BY_PROGRAM)))
		given->decision = event->decision;
	if (given->decision)
		event->tier = PROCDB_DECIDED_TIER(given->decision);
	return given->decision != before;
}
