/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "change.h"

#include <errno.h>

/* Another program changed the task between our get and our set: its values are set again. */
static void repair(const ProcdbTaskOps *ops, gpointer data, guint pid, int handle,
		   struct procdb_guard *last)
{
	for (guint round = 0; round < PROCDB_CHANGE_ATTEMPTS; round++) {
		struct procdb_given given;
		ProcdbSchedAttr now, next;

		ops->read_record(data, handle, &given);
		ops->guard_task(data, pid);
		if (ops->get_attr(data, pid, &now) != 0 || !procdb_policy_has_slices(now.policy))
			return;
		next = now;
		next.nice = last->nice;
		next.slice_ns =
		    last->others == PROCDB_GUARD_NO_SLICE || procdb_given_is(&given, last->others)
			? 0
			: last->others;
		/* Until this set_attr() the task still has our values. */
		ops->expect_values(data, &now, &next);
		ops->set_attr(data, pid, &next);
		if (ops->count_changes(data, last) == 0)
			return;
	}
}

/* The pid went to another task before we set it: that task gets its own slice back. */
static void undo_on_reused_pid(const ProcdbTaskOps *ops, gpointer data, guint pid,
			       const ProcdbSchedAttr *next)
{
	ProcdbSchedAttr now;

	if (ops->get_attr(data, pid, &now) != 0 || now.slice_ns != next->slice_ns)
		return;
	now.slice_ns = 0;
	if (next->nice != 0 && now.nice == next->nice)
		now.nice = 0;
	ops->set_attr(data, pid, &now);
}

ProcdbApplyResult procdb_change(const ProcdbTaskOps *ops, gpointer data, guint pid, int handle,
				const ProcdbSchedAttr *now, const ProcdbSchedAttr *next,
				ProcdbApplyResult wanted)
{
	struct procdb_guard last = {0};
	ProcdbSchedAttr after;
	int err;

	ops->expect_values(data, now, next);
	/* A change before expect_values() is not counted, but a second get_attr() shows it. */
	if (ops->get_attr(data, pid, &after) != 0 || after.nice != now->nice ||
	    after.slice_ns != now->slice_ns || after.policy != now->policy)
		return PROCDB_CHANGE_RETRY;
	err = ops->set_attr(data, pid, next);
	if (!ops->is_alive(data, handle)) {
		if (err == 0 && next->slice_ns != 0)
			undo_on_reused_pid(ops, data, pid, next);
		return PROCDB_APPLY_REFUSED_GONE;
	}
	if (err == -ESRCH)
		return PROCDB_APPLY_REFUSED_GONE;
	/* The task has become a real-time task. */
	if (err == -EINVAL)
		return PROCDB_APPLY_REFUSED_POLICY;
	if (err != 0)
		return PROCDB_APPLY_FAILED;
	if (ops->count_changes(data, &last) > 0) {
		repair(ops, data, pid, handle, &last);
		return wanted != PROCDB_APPLY_SET	      ? wanted
		       : last.others == PROCDB_GUARD_NO_SLICE ? PROCDB_APPLY_REFUSED_NICE
							      : PROCDB_APPLY_REFUSED_SLICE;
	}
	/* The task became SCHED_BATCH: the kernel took the slice all the same. */
	if (wanted == PROCDB_APPLY_SET && ops->get_attr(data, pid, &after) == 0 &&
	    after.policy != now->policy) {
		after.slice_ns = 0;
		ops->set_attr(data, pid, &after);
		return PROCDB_APPLY_REFUSED_POLICY;
	}
	return wanted;
}
