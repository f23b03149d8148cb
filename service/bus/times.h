/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * How much of the main loop's time the calls of a user take: a fifth in the long run, and 0.2 s at
 * once where it has taken less before. So a user with the costliest calls there are keeps no other
 * from being answered. Root takes what it wants.
 */

#include "callers.h"

typedef struct _ProcdbTimes ProcdbTimes;

/* eased(data) is called some time after a caller had no time: it may have some then. */
ProcdbTimes *procdb_times_new(void (*eased)(gpointer data), gpointer data);
void procdb_times_free(ProcdbTimes *times);

/* Whether the next call of this caller may be handled now. */
gboolean procdb_times_has(ProcdbTimes *times, const ProcdbCaller *caller);
/*
 * The same, beside its user's calls that are under way. Of a user that has little time left there
 * is one such call at once, as what it takes is known only after it.
 */
gboolean procdb_times_has_beside_others(ProcdbTimes *times, const ProcdbCaller *caller);

/*
 * Whether the calls of this caller's user have taken so much more than that already that large ones
 * are not even looked at.
 */
gboolean procdb_times_is_far_behind(const ProcdbCaller *caller);

/* A call of this caller is being handled from now on, */
void procdb_times_begin(ProcdbTimes *times, ProcdbCaller *caller);
/* and took so many µs of CPU time. Without effect if none was. */
void procdb_times_end(ProcdbTimes *times, gint64 us);
