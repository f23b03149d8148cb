/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Signals for those only who may ask for what is in them. A broadcast reaches all who are on
 * the bus, whatever polkit says; so each connection that has called us gets its own, once
 * the authority says that it may.
 */

#include "authorizer.h"
#include "unread.h"

typedef struct _ProcdbFollowers ProcdbFollowers;

ProcdbFollowers *procdb_followers_new(sd_bus *bus, ProcdbCallers *callers,
				      ProcdbAuthorizer *authorizer, ProcdbUnread *unread);
/* After the authorizer, which ends what is asked. */
void procdb_followers_free(ProcdbFollowers *followers);

/* A new signal of these contents in *signal, or a negative errno. */
typedef int (*ProcdbSignal)(sd_bus *bus, GVariant *contents, sd_bus_message **signal);

/*
 * Sends a signal to every connection that has called us and may do this action (static).
 * The contents are referenced until all who have to be asked about were.
 */
void procdb_followers_send(ProcdbFollowers *followers, const char *action, ProcdbSignal make,
			   GVariant *contents);
