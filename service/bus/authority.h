/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The authority decides whether a caller may do an action, and knows the user of a connection.
 */

#include <gio/gio.h>

/* Implemented by polkit with the bus, and by tests. */
typedef struct {
	/*
	 * Starts a check whether the owner of a unique bus name may do an action.
	 * interactive: the user may be asked to authenticate. Must not block.
	 */
	void (*check)(gpointer self, const char *sender, const char *action, gboolean interactive,
		      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
	/*
	 * The result. FALSE with error set when the authority is missing or does not answer.
	 * *allowed: the decision; *challenge: the decision needs a prompt; *cacheable: a positive
	 * decision holds for some seconds, unless the authority reports a change before.
	 */
	gboolean (*finish)(gpointer self, GAsyncResult *result, gboolean *allowed,
			   gboolean *challenge, gboolean *cacheable, GError **error);
	/* Asks the bus daemon for the user of a connection. */
	void (*identify)(gpointer self, const char *sender, GCancellable *cancellable,
			 GAsyncReadyCallback callback, gpointer user_data);
	/* (uid_t)-1 with error set when the connection is gone. */
	guint32 (*identify_finish)(gpointer self, GAsyncResult *result, GError **error);
	/* Calls gone(data) when the connection leaves the bus; unwatch() ends that, also then. */
	gpointer (*watch)(gpointer self, const char *sender, void (*gone)(gpointer data),
			  gpointer data);
	void (*unwatch)(gpointer self, gpointer watch);
} ProcdbAuthority;
