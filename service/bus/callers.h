/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The connections that call us: whose they are, what is known of them, and that
 * they are still there.
 */

#include "authorizer.h"

typedef struct _ProcdbCallers ProcdbCallers;
typedef struct _ProcdbCaller ProcdbCaller;

/*
 * What is to be done when a caller was identified, or never will be: error, which may
 * be NULL, says why.
 */
typedef void (*ProcdbCallerSettled)(ProcdbCaller *caller, const GError *error);

/* One of them. What is not said to be the holder's is only read. */
struct _ProcdbCaller {
	ProcdbCallers *callers; /* NULL once forgotten */
	ProcdbCallerSettled settled;
	char *name; /* unique bus name */
	gpointer watch;
	gboolean identifying; /* the bus is asked whose it is */
	gboolean identified;
	guint32 uid;
	GList link;	    /* in callers->by_use */
	GCancellable *gone; /* cancelled when it leaves the bus */
	int refs;

	/* The holder's; a caller that waits for something is not forgotten to make room. */
	guint waiting;	      /* calls of it that wait for anything */
	GHashTable *granted;  /* action (static) -> gint64 monotonic µs of expiry */
	GHashTable *admitted; /* serial of a large call that may come -> its action (static) */
	GQueue unidentified;  /* what waits for the uid */
};

/* Asks this authority; both stay the caller's. */
ProcdbCallers *procdb_callers_new(const ProcdbAuthority *authority, gpointer self,
				  ProcdbCallerSettled settled);
/* Callers that are still referenced outlive it, forgotten; who waits for its turn is settled. */
void procdb_callers_free(ProcdbCallers *callers);

/* The caller of that unique name, which may be new; valid until the main loop runs again. */
ProcdbCaller *procdb_callers_get(ProcdbCallers *callers, const char *name);
ProcdbCaller *procdb_caller_ref(ProcdbCaller *caller);
void procdb_caller_unref(ProcdbCaller *caller);

/* Has the bus asked whose it is, when it is its turn. Once at a time. */
void procdb_caller_identify(ProcdbCaller *caller);

/* Forgets what was granted to anyone. */
void procdb_callers_revoke(ProcdbCallers *callers);
