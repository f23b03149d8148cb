/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The rules by which a task gets a slice: pure functions of the attributes that sched_getattr()
 * returns. Values that another program has set are never changed.
 */

#include <glib.h>

#include "events.h"
#include "ledger.h"

/* The kernel takes 0.1 to 100 ms (kernel/sched/syscalls.c, __setparam_fair()). */
#define PROCDB_SLICE_MIN_US 100
#define PROCDB_SLICE_MAX_US 99000
#define PROCDB_SLICE_NICE_MAX 19

/* The attributes of sched_getattr() and sched_setattr() that the rules need. */
typedef struct {
	guint32 policy; /* SCHED_* */
	guint64 flags;	/* SCHED_FLAG_* that the task has */
	gint32 nice;
	guint64 slice_ns; /* EEVDF slice; to set: 0 is the kernel's default */
} ProcdbSchedAttr;

/* The setting of one tier. */
typedef struct {
	guint slice_us; /* 0: left alone; of lat-critical the shortest, see procdb_slice_for() */
	guint nice;	/* 0 to PROCDB_SLICE_NICE_MAX; only with a slice */
} ProcdbTierSetting;

typedef enum {
	PROCDB_APPLY_SET,	     /* the task got the slice of its tier */
	PROCDB_APPLY_RESTORED,	     /* it got back the values that it had before us */
	PROCDB_APPLY_NOTHING,	     /* its values are right already */
	PROCDB_APPLY_REFUSED_POLICY, /* not SCHED_OTHER */
	PROCDB_APPLY_REFUSED_NICE,   /* another program set its nice value */
	PROCDB_APPLY_REFUSED_SLICE,  /* another program set its slice */
	PROCDB_APPLY_REFUSED_LIMIT,  /* too many in this second */
	PROCDB_APPLY_REFUSED_GONE,   /* it has exited; its pid may be another task's */
	PROCDB_APPLY_FAILED,	     /* the kernel refused */
	PROCDB_APPLY_RESULTS,
} ProcdbApplyResult;

/* A word or two for each, static: "set", "restored", "nothing to do", "policy" ... */
const char *procdb_apply_result_name(ProcdbApplyResult result);

/* The slice in ns that stands for a setting, with our mark in its last digits; 0 for none. */
guint64 procdb_slice_encode(const ProcdbTierSetting *setting);

/*
 * Decides what happens to the task of an event. now: its attributes; given: its record. *next are
 * the attributes to set if the result is PROCDB_APPLY_SET or PROCDB_APPLY_RESTORED.
 */
ProcdbApplyResult procdb_slice_decide(const struct procdb_task_event *event,
				      const ProcdbTierSetting tiers[PROCDB_TIERS],
				      const struct procdb_given *given, const ProcdbSchedAttr *now,
				      ProcdbSchedAttr *next);

/* The same for taking a slice of ours back, from a task of any tier: restored, or nothing to do. */
ProcdbApplyResult procdb_slice_undo(const struct procdb_given *given, const ProcdbSchedAttr *now,
				    ProcdbSchedAttr *next);

/* Whether a task of this policy can be given a slice (kernel/sched/sched.h, fair_policy()). */
gboolean procdb_policy_has_slices(guint32 policy);

/* The record of a task whose record is *before and which gets *next now. */
struct procdb_given procdb_given_next(const struct procdb_given *before,
				      const ProcdbSchedAttr *next);

/*
 * What a rule decided for a task, which goes on record for all that is measured of it later: by an
 * event of what it executed, whatever was decided before, for that is over; by one that it was
 * moved, unless its program decided already. The event gets the tier that is decided. TRUE when the
 * record has to be written.
 */
gboolean procdb_slice_take_decision(struct procdb_task_event *event, struct procdb_given *given);
