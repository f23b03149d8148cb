/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Authorization of calls: which polkit action a method needs (the interface's file says so), and
 * whether the caller may do that action. A method without an action is denied.
 */

#include <systemd/sd-bus.h>

#include "callers.h"

typedef struct _ProcdbAuthorizer ProcdbAuthorizer;

/* An authorizer that asks this authority; both stay the caller's. */
ProcdbAuthorizer *procdb_authorizer_new(const ProcdbAuthority *authority, gpointer self);
/* Denies what is still asked. */
void procdb_authorizer_free(ProcdbAuthorizer *authorizer);

/*
 * To be called when the authority says that something changed: answers still on their way are not
 * remembered.
 */
void procdb_authorizer_changed(ProcdbAuthorizer *authorizer);

/* The polkit action of a method of our interface, NULL for one that is denied to all. Static. */
const char *procdb_authorizer_action(const char *method);
/* The action that a call of our interface needs, which may depend on its arguments. */
const char *procdb_authorizer_action_of_call(sd_bus_message *call);

/* Whether an identified caller was granted the action, so that polkit need not be asked. */
gboolean procdb_authorizer_is_granted(const ProcdbCaller *caller, const char *action);

typedef struct {
	/*
	 * Exactly once, maybe before procdb_authorizer_check() returns: NULL if the caller may,
	 * else an error of PROCDB_BUS_ERROR that becomes the callback's.
	 */
	void (*answered)(GError *denial, gpointer user_data);
	/* A person is being asked, which may take minutes. */
	void (*prompting)(gpointer user_data);
} ProcdbAuthorizerListener;

/*
 * Asks whether an identified caller may do an action. interactive: it allows a prompt.
 * waited_us: for how long it has waited, which counts.
 */
void procdb_authorizer_check(ProcdbAuthorizer *authorizer, ProcdbCaller *caller, const char *action,
			     gboolean interactive, gint64 waited_us,
			     const ProcdbAuthorizerListener *listener, gpointer user_data);
