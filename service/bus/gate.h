/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What every call passes on its way to the object, in this order:
 *
 * 1. the line: calls of a connection are handled in the order in which it sent them. What
 *    may wait is bounded in bytes, for a connection, a user and all.
 * 2. identity: the bus says whose connection it is.
 * 3. room: no caller is sent much more than it reads, see unread.h.
 * 4. authorization: by the action of its method. What has none, or is not allowed, goes no
 *    further. A call that a person is asked about leaves the line, so that nothing waits for
 *    that person but the call itself.
 *
 * Then, without another wait, sd-bus has the call again and dispatches it: to the object,
 * which procdb_gate_let_through() tells that it came this way.
 */

#include <systemd/sd-bus.h>

#include "authority.h"
#include "followers.h"

typedef struct _ProcdbGate ProcdbGate;

/*
 * In front of everything on this bus. answer_size() says how many bytes the answer to a call
 * has, more or less. All stay the caller's.
 */
ProcdbGate *procdb_gate_new(sd_bus *bus, const ProcdbAuthority *authority, gpointer self,
			    gsize (*answer_size)(sd_bus_message *call, gpointer data),
			    gpointer data);
/* Calls that still wait are denied. */
void procdb_gate_free(ProcdbGate *gate);
/* From now on calls are neither handled nor answered. */
void procdb_gate_close(ProcdbGate *gate);

/* Forgets what was granted: the authority says that something changed. */
void procdb_gate_changed(ProcdbGate *gate);

/* Whether this call passed the gate, just now. */
gboolean procdb_gate_let_through(const ProcdbGate *gate, sd_bus_message *call);

/* The callers that have passed the gate, for signals. Owned by the gate. */
ProcdbFollowers *procdb_gate_followers(ProcdbGate *gate);
