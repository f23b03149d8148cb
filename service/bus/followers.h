/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Signals that only authorized connections get. A broadcast reaches every connection on the bus,
 * whatever polkit says; so each connection that has called us gets a signal of its own, once the
 * authority says that it may read the contents.
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
 * Sends a signal to every connection that has called us and may do this action (static). The
 * contents are referenced until the last question to the authority is answered.
 */
void procdb_followers_send(ProcdbFollowers *followers, const char *action, ProcdbSignal make,
			   GVariant *contents);
