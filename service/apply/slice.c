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
	return slice / PROCDB_SLICE_STEP * PROCDB_SLICE_STEP + PROCDB_SLICE_MARK +
	       MIN(setting->nice, PROCDB_SLICE_NICE_MAX);
}

/* The nice value that we set together with a slice of ours. */
static gint32 nice_of(guint64 slice)
{
	return (gint32)(slice % PROCDB_SLICE_STEP - PROCDB_SLICE_MARK);
}

ProcdbApplyResult procdb_slice_undo(const ProcdbSchedAttr *now, ProcdbSchedAttr *next)
{
	gint32 our_nice;

	/* SCHED_IDLE and the others have no slice that could be set. */
	if ((now->policy != SCHED_NORMAL && now->policy != SCHED_BATCH) ||
	    !procdb_slice_is_ours(now->slice_ns))
		return PROCDB_APPLY_NOTHING;
	our_nice = nice_of(now->slice_ns);
	*next = *now;
	next->slice_ns = 0;
	/* A nice value that is not the one we set is somebody else's by now. */
	if (our_nice != 0 && now->nice == our_nice)
		next->nice = 0;
	return PROCDB_APPLY_RESTORED;
}

/*
 * The slice that a task has which has none of ours, if no program set one since BPF
 * looked. One of ours that it had then was put back meanwhile: a child that inherits it
 * and executes something at once has an event for either. 0: it has one of its own.
 */
static guint64 expected_slice(const struct procdb_task_event *event)
{
	if (!event->custom_slice)
		return event->slice;
	return procdb_slice_is_ours(event->slice) ? event->base : 0;
}

ProcdbApplyResult procdb_slice_decide(const struct procdb_task_event *event,
				      const ProcdbTierSetting tiers[PROCDB_TIERS],
				      const ProcdbSchedAttr *now, ProcdbSchedAttr *next)
{
	static const ProcdbTierSetting leave_alone;
	const ProcdbTierSetting *setting =
	    event->tier < PROCDB_TIERS ? &tiers[event->tier] : &leave_alone;
	guint64 slice = procdb_slice_for(event->tier, procdb_slice_encode(setting), event->runtime,
					 event->base);
	gboolean ours;

	if (slice == 0)
		return procdb_slice_undo(now, next);
	if (now->policy != SCHED_NORMAL)
		return PROCDB_APPLY_REFUSED_POLICY;
	ours = procdb_slice_is_ours(now->slice_ns);
	if (!ours && now->slice_ns != expected_slice(event))
		return PROCDB_APPLY_REFUSED_SLICE;
	if (now->nice != (ours ? nice_of(now->slice_ns) : 0))
		return PROCDB_APPLY_REFUSED_NICE;
	if (now->slice_ns == slice)
		return PROCDB_APPLY_NOTHING;
	*next = *now;
	next->slice_ns = slice;
	next->nice = nice_of(slice);
	return PROCDB_APPLY_SET;
}
