/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The connections that call us: whose they are, what is known of them, and that
 * they are still there.
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
	gint64 rationed_at; /* unread.c's */
} ProcdbUser;

typedef struct {
	/* It was identified, or will not be: error, which may be NULL, says why. */
	void (*settled)(ProcdbCaller *caller, const GError *error, gpointer data);
	/* It left the bus and is forgotten; references stay valid. */
	void (*gone)(ProcdbCaller *caller, gpointer data);
} ProcdbCallerListener;

/* One of them. Members above the blank line are written by callers.c only. */
struct _ProcdbCaller {
	ProcdbCallers *callers; /* NULL once forgotten */
	char *name;		/* unique bus name */
	gpointer watch;
	gboolean to_identify; /* the bus will be asked whose it is */
	gboolean identifying; /* it is being asked */
	gboolean identified;
	guint32 uid;
	ProcdbUser *user;   /* one for all until it is identified; NULL once it is forgotten */
	GList link;	    /* in callers->by_use */
	GCancellable *gone; /* cancelled when it leaves the bus */
	int refs;

	/* These are the gate's and the authorizer's. */
	guint held;	     /* calls and questions that are under way for it */
	GHashTable *granted; /* action (static) -> gint64 monotonic µs of expiry */
	GQueue line;	     /* its calls that wait, in their order */
	gboolean busy;	     /* the first of them is being handled */
	gsize kept;	     /* bytes of these */
	gsize unread;	     /* bytes of answers that it may not have read yet */

	/* The followers'. */
	gboolean may_follow; /* as the authority said: */
	gint64 follow_until; /* monotonic µs; until then it is not asked again */
	gboolean following;  /* it is being asked */
};

/* Asks this authority and tells this listener; all stay their owner's. */
ProcdbCallers *procdb_callers_new(const ProcdbAuthority *authority, gpointer self,
				  const ProcdbCallerListener *listener, gpointer data);
/* Callers that are still referenced outlive it, forgotten. */
void procdb_callers_free(ProcdbCallers *callers);

/* The caller of that unique name, which may be new; valid until the main loop runs again. */
ProcdbCaller *procdb_callers_get(ProcdbCallers *callers, const char *name);
ProcdbCaller *procdb_caller_ref(ProcdbCaller *caller);
void procdb_caller_unref(ProcdbCaller *caller);

/* Has the bus asked whose it is, when it is its turn. Nothing while it is under way. */
void procdb_caller_identify(ProcdbCaller *caller);

/* So many bytes of its calls wait, or of answers may be unread, more (or less) than before. */
void procdb_caller_keep(ProcdbCaller *caller, gssize bytes);
void procdb_caller_charge(ProcdbCaller *caller, gssize bytes);
/* Bytes of all calls that wait. */
gsize procdb_callers_kept(const ProcdbCallers *callers);

/*
 * While there are too many callers: one that could be forgotten but for answers that it may not
 * have read; or NULL.
 */
ProcdbCaller *procdb_callers_crowded(ProcdbCallers *callers);
/* All of them, referenced, in an array that the caller unrefs. */
GPtrArray *procdb_callers_list(ProcdbCallers *callers);
/* Forgets what was granted to anyone. */
void procdb_callers_revoke(ProcdbCallers *callers);
