/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Signals for authorized connections only. A broadcast reaches every connection on the bus, without
 * polkit. So each connection that has called us gets a signal of its own, once the authority allows
 * it to read the contents.
 */

#include "authorizer.h"
#include "unread.h"

typedef struct _ProcdbFollowers ProcdbFollowers;

ProcdbFollowers *procdb_followers_new(sd_bus *bus, ProcdbCallers *callers,
				      ProcdbAuthorizer *authorizer, ProcdbUnread *unread);
/* Asks nothing from now on. Then free the authorizer: that ends the checks under way. */
void procdb_followers_stop(ProcdbFollowers *followers);
/* After both. */
void procdb_followers_free(ProcdbFollowers *followers);

/* Makes a signal with these contents in *signal, or returns a negative errno. */
typedef int (*ProcdbSignal)(sd_bus *bus, GVariant *contents, sd_bus_message **signal);

/*
 * Sends a signal to every connection that has called us and may do this action (static). One of
 * which that is not known gets it once it is, or the last one until then. The contents are
 * referenced until the last check is decided.
 */
void procdb_followers_send(ProcdbFollowers *followers, const char *action, ProcdbSignal make,
			   GVariant *contents);
