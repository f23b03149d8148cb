/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The authority: answers whether a caller may do an action, and which user a connection belongs
 * to.
 */

#include <gio/gio.h>

/* polkit and the bus, or a test. */
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
	 * have to ask the user; *cacheable: the yes holds until it is said to have
	 * changed or for a few seconds.
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
