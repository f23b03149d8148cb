/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "times.h"

/* One part in so many, */
#define USER_PART 5
/* and the clock's time that may be saved up for it. */
#define SAVED_US ((gint64)G_USEC_PER_SEC)
/* The most that one call is charged: the next one waits for a second at most. */
#define MOST_US (SAVED_US / USER_PART)
/* So far behind, large calls are refused unread. */
#define BEHIND_US (5 * SAVED_US)
#define RETRY_MS 20
#define TURN_US ((gint64)5 * RETRY_MS * G_TIME_SPAN_MILLISECOND)

struct _ProcdbTimes {
	void (*eased)(gpointer data);
	gpointer data;
	ProcdbCaller *handled; /* whose call it is, referenced; NULL: none */
	guint retry;	       /* source */
};

static gboolean on_retry(gpointer data)
{
	ProcdbTimes *self = data;

	self->retry = 0;
	self->eased(self->data);
	return G_SOURCE_REMOVE;
}

/*
 * Whether its user has as much left as is saved up in so many µs, and it is the turn of the caller:
 * the first one that had to wait, or else one that calls in a loop would always be before it. One
 * that does not ask again loses its turn.
 */
static gboolean has(ProcdbTimes *self, const ProcdbCaller *caller, gint64 saved_us)
{
	const gint64 now = g_get_monotonic_time();
	ProcdbUser *user = caller->user;
	gboolean is_next;

	if (!user || (caller->identified && caller->uid == 0))
		return TRUE;
	is_next = user->turn == caller || now >= user->turn_until;
	if (is_next && user->paid_until <= now - saved_us) {
		user->turn = NULL;
		user->turn_until = 0;
		return TRUE;
	}
	if (is_next) {
		user->turn = caller;
		user->turn_until = now + TURN_US;
	}
	if (!self->retry)
		self->retry = g_timeout_add(RETRY_MS, on_retry, self);
	return FALSE;
}

gboolean procdb_times_has(ProcdbTimes *self, const ProcdbCaller *caller)
{
	return has(self, caller, 0);
}

gboolean procdb_times_has_beside_others(ProcdbTimes *self, const ProcdbCaller *caller)
{
	return has(self, caller, caller->user && caller->user->under_way > 0 ? SAVED_US / 2 : 0);
}

gboolean procdb_times_is_far_behind(const ProcdbCaller *caller)
{
	/* Of callers that are not known yet all together. */
	return !(caller->identified && caller->uid == 0) && caller->user &&
	       caller->user->paid_until > g_get_monotonic_time() + BEHIND_US;
}

void procdb_times_begin(ProcdbTimes *self, ProcdbCaller *caller)
{
	if (self->handled)
		procdb_caller_unref(self->handled);
	self->handled = procdb_caller_ref(caller);
}

void procdb_times_end(ProcdbTimes *self, gint64 us)
{
	ProcdbCaller *caller = g_steal_pointer(&self->handled);
	const gint64 least = g_get_monotonic_time() - SAVED_US;

	if (!caller)
		return;
	us = MIN(us, MOST_US);
	if (caller->user)
		caller->user->paid_until =
		    MAX(caller->user->paid_until, least) +
		    (us + (caller->identified ? caller->owed_us : 0)) * USER_PART;
	/* Its user pays once it is known. */
	caller->owed_us = caller->identified ? 0 : caller->owed_us + us;
	procdb_caller_unref(caller);
}

ProcdbTimes *procdb_times_new(void (*eased)(gpointer data), gpointer data)
{
	ProcdbTimes *self = g_new0(ProcdbTimes, 1);

	self->eased = eased;
	self->data = data;
	return self;
}

void procdb_times_free(ProcdbTimes *self)
{
	g_clear_handle_id(&self->retry, g_source_remove);
	g_clear_pointer(&self->handled, procdb_caller_unref);
	g_free(self);
}
