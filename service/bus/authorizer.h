/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Authorization of calls: the polkit action that a method needs, by its annotation in the XML, and
 * the decision whether the caller may do that action. A method without an action is denied.
 */

#include <systemd/sd-bus.h>

#include "callers.h"

typedef struct _ProcdbAuthorizer ProcdbAuthorizer;

/* Makes an authorizer. The authority, and self, its data, must outlive it. */
ProcdbAuthorizer *procdb_authorizer_new(const ProcdbAuthority *authority, gpointer self);
/* Denies all calls that wait for a decision, and frees. */
void procdb_authorizer_free(ProcdbAuthorizer *authorizer);

/*
 * Call it when the authority reports a change: decisions of checks that are under way are not
 * cached.
 */
void procdb_authorizer_changed(ProcdbAuthorizer *authorizer);

/* The polkit action of a method of our interface; NULL: the method is denied to all. Static. */
const char *procdb_authorizer_action(const char *method);
/* The action that a call of our interface needs, which may depend on its arguments. */
const char *procdb_authorizer_action_of_call(sd_bus_message *call);

/* Whether a cached decision allows an identified caller the action, so that polkit is not asked. */
gboolean procdb_authorizer_is_granted(const ProcdbCaller *caller, const char *action);

typedef struct {
	/*
	 * Called exactly once, maybe before procdb_authorizer_check() returns. denial: NULL when
	 * the call is allowed, else an error of PROCDB_BUS_ERROR, which the callback owns.
	 */
	void (*answered)(GError *denial, gpointer user_data);
	/* Called when a prompt is shown, which may take minutes. */
	void (*prompting)(gpointer user_data);
} ProcdbAuthorizerListener;

/*
 * Checks whether an identified caller may do an action. interactive: the caller allows a prompt.
 * waited_us: the time that the call has waited already, which counts against the time limit.
 */
void procdb_authorizer_check(ProcdbAuthorizer *authorizer, ProcdbCaller *caller, const char *action,
			     gboolean interactive, gint64 waited_us,
			     const ProcdbAuthorizerListener *listener, gpointer user_data);
