/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The connections that call us: the user of each, the state that the gate keeps for it, and its
 * end.
 */

#include "authority.h"

typedef struct _ProcdbCallers ProcdbCallers;
typedef struct _ProcdbCaller ProcdbCaller;

/* A user with at least one connection. */
typedef struct {
	guint32 uid;
	guint callers;
	gsize kept;	    /* bytes of its calls that wait */
	gsize unread;	    /* bytes of answers that it may not have read yet */
	gsize rationed;	    /* bytes that were taken for read */
	gint64 rationed_at; /* unread.c's */
	guint under_way;    /* its calls that are being authorized or have yet to be dispatched */
	/* times.c's, in monotonic µs. */
	gint64 paid_until;
	gconstpointer turn; /* the caller that is the next one, until then; only compared */
	gint64 turn_until;
} ProcdbUser;

typedef struct {
	/* The caller was identified, or cannot be; error, which may be NULL, says why. */
	void (*settled)(ProcdbCaller *caller, const GError *error, gpointer data);
	/* The caller left the bus and is forgotten; references stay valid. */
	void (*gone)(ProcdbCaller *caller, gpointer data);
} ProcdbCallerListener;

/* A connection. Members above the blank line are written by callers.c only. */
struct _ProcdbCaller {
	ProcdbCallers *callers; /* NULL once forgotten */
	char *name;		/* unique bus name */
	gpointer watch;
	gboolean to_identify; /* waits for the question to the bus */
	gboolean identifying; /* the bus is being asked for its user */
	gboolean identified;
	guint32 uid;
	ProcdbUser *user;   /* the unknown user until it is identified; NULL once forgotten */
	GList link;	    /* in callers->by_use */
	GCancellable *gone; /* cancelled when the caller leaves the bus */
	int refs;

	/* For the gate and the authorizer. */
	guint pending;	     /* calls and questions that are under way for it */
	GHashTable *granted; /* action (static) -> gint64 monotonic µs of expiry */
	GQueue line;	     /* its calls that wait, in their order */
	gboolean busy;	     /* the first of them is being handled */
	guint under_way;     /* its part of the user's */
	gsize kept;	     /* bytes of the calls that wait */
	gsize unread;	     /* bytes of answers that it may not have read yet */
	gsize unsent;	     /* of these, the bytes of answers that were not sent yet */
	gsize rationed;	     /* bytes that were taken for read, as the bus does not say */
	gint64 asked_at;     /* unread.c's */
	gint64 owed_us;	     /* CPU time of its calls that no user was charged for yet: times.c's */

	/* For the followers. */
	gboolean may_follow;		   /* the authority's last decision */
	gint64 follow_until;		   /* monotonic µs: the decision is cached until then */
	struct _ProcdbQuestion *following; /* the authority is being asked, or will be; else NULL */
};

/* Makes the table. The authority and the listener, with their data, must outlive it. */
ProcdbCallers *procdb_callers_new(const ProcdbAuthority *authority, gpointer self,
				  const ProcdbCallerListener *listener, gpointer data);
/* Forgets all callers and frees; callers that are still referenced stay valid. */
void procdb_callers_free(ProcdbCallers *callers);

/* The caller of a unique name, made if it is new; valid until the main loop runs again. */
ProcdbCaller *procdb_callers_get(ProcdbCallers *callers, const char *name);
ProcdbCaller *procdb_caller_ref(ProcdbCaller *caller);
void procdb_caller_unref(ProcdbCaller *caller);

/*
 * Calls gone(cancellable, data) when the caller leaves the bus or all callers are forgotten; the
 * caller is referenced until procdb_caller_unwatch(), which gone may call. Returns its id.
 */
gulong procdb_caller_watch(ProcdbCaller *caller, GCallback gone, gpointer data);
void procdb_caller_unwatch(ProcdbCaller *caller, gulong id);

/* Queues the question to the bus for the caller's user, unless it is queued or asked already. */
void procdb_caller_identify(ProcdbCaller *caller);

/* Adds to the bytes of its waiting calls (keep), or of its answers that may be unread (charge). */
void procdb_caller_keep(ProcdbCaller *caller, gssize bytes);
void procdb_caller_charge(ProcdbCaller *caller, gssize bytes);
/* Adds to its calls that are under way. */
void procdb_caller_under_way(ProcdbCaller *caller, int calls);
/* Sets the bytes that were taken for read; while there are any, the caller is not forgotten. */
void procdb_caller_set_rationed(ProcdbCaller *caller, gsize bytes);
/* Whether so many more bytes fit beside what is there already; alone they may be more than most. */
static inline gboolean procdb_fits(gsize there, gsize more, gsize most)
{
	return there == 0 || there + more <= most;
}

/* Whether a call of so many bytes may wait: each caller, each user and all have their room. */
gboolean procdb_caller_may_keep(const ProcdbCaller *caller, gsize size);
/* Whether its user has more than that, by calls that came before the bus had told the user. */
gboolean procdb_caller_keeps_too_much(const ProcdbCaller *caller);
/* The bytes of all answers that may be unread. */
gsize procdb_callers_unread(const ProcdbCallers *callers);

/*
 * While there are too many callers: one that is kept only since it may have unread answers; else
 * NULL.
 */
ProcdbCaller *procdb_callers_crowded(ProcdbCallers *callers);
/* All callers, referenced, in an array that the caller of this function unrefs. */
GPtrArray *procdb_callers_list(ProcdbCallers *callers);
/* Drops all cached decisions. */
void procdb_callers_revoke(ProcdbCallers *callers);
