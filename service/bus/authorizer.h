/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Who may call what: one table from method to polkit action, and one gate that
 * every call goes through. What is not in the table is denied.
 */

#include <gio/gio.h>

/* Where the answers come from: polkit, or a test. */
typedef struct {
	/*
	 * Asks whether the owner of a unique bus name may do an action. interactive:
	 * whether the user may be asked to authenticate. Must not block.
	 */
	void (*check)(gpointer self, const char *sender, const char *action, gboolean interactive,
		      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
	/*
	 * The answer. FALSE with error set when there is none: the authority is
	 * not there or does not answer. *allowed: yes or no; *challenge: it would
	 * have to ask the user; *cacheable: the yes holds until changed() or for
	 * a few seconds.
	 */
	gboolean (*finish)(gpointer self, GAsyncResult *result, gboolean *allowed,
			   gboolean *challenge, gboolean *cacheable, GError **error);
	/* Asks the bus daemon whose connection it is. */
	void (*identify)(gpointer self, const char *sender, GCancellable *cancellable,
			 GAsyncReadyCallback callback, gpointer user_data);
	/* (uid_t)-1 with error set when the connection is gone. */
	guint32 (*identify_finish)(gpointer self, GAsyncResult *result, GError **error);
	/* Calls gone(data) when the connection leaves the bus; unwatch() ends that, also then. */
	gpointer (*watch)(gpointer self, const char *sender, void (*gone)(gpointer data),
			  gpointer data);
	void (*unwatch)(gpointer self, gpointer watch);
} ProcdbAuthority;

typedef struct _ProcdbAuthorizer ProcdbAuthorizer;

/* An authorizer that asks this authority; both stay the caller's. */
ProcdbAuthorizer *procdb_authorizer_new(const ProcdbAuthority *authority, gpointer self);
/* Denies the calls that still wait. */
void procdb_authorizer_free(ProcdbAuthorizer *authorizer);

/* Forgets every answer: the authority says that something changed. */
void procdb_authorizer_changed(ProcdbAuthorizer *authorizer);

/* The polkit action of a method of our interface, NULL for one that nobody may call. Static. */
const char *procdb_authorizer_action(const char *method);

/*
 * The gate. Calls back exactly once, maybe before it returns: with NULL if the
 * caller may, else with an error of PROCDB_BUS_ERROR that becomes the
 * callback's.
 */
typedef void (*ProcdbAuthorizerCallback)(GDBusMethodInvocation *invocation, GError *denial,
					 gpointer user_data);
void procdb_authorizer_check(ProcdbAuthorizer *authorizer, GDBusMethodInvocation *invocation,
			     ProcdbAuthorizerCallback callback, gpointer user_data);

/*
 * The same for a large call that is not looked at before it may be made. Calls
 * back without an invocation; when the caller may, the call with this sender and
 * serial passes procdb_authorizer_check() once.
 */
void procdb_authorizer_admit(ProcdbAuthorizer *authorizer, const char *sender, guint32 serial,
			     const char *method, gboolean interactive,
			     ProcdbAuthorizerCallback callback, gpointer user_data);
