/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The checks that each call passes on its way to the object, in this order:
 *
 * 1. the line: calls of a connection are handled in the order in which it sent them. The bytes of
 *    waiting calls are bounded, for each connection, each user and all together.
 * 2. identity: the bus tells the user of the connection.
 * 3. room: no caller is sent much more than it reads (unread.h), and no
 *    user but root takes more than a part of the main loop's time (times.h).
 * 4. authorization, by the action of the method. A call of a method without an action, or one that
 *    is not allowed, ends here. A call that waits for a prompt leaves the line, so that the calls
 *    behind it do not wait for the prompt.
 *
 * After that sd-bus gets the call again and dispatches it to the object without another wait. The
 * object asks procdb_gate_let_through() whether a call came this way.
 */

#include <systemd/sd-bus.h>

#include "authority.h"
#include "callers.h"
#include "followers.h"

typedef struct _ProcdbGate ProcdbGate;

/*
 * Makes a gate in front of all objects on this bus. answer_size() estimates the bytes of the answer
 * to a call. All arguments must outlive the gate.
 */
ProcdbGate *procdb_gate_new(sd_bus *bus, const ProcdbAuthority *authority, gpointer self,
			    gsize (*answer_size)(sd_bus_message *call, gpointer data),
			    gpointer data);
/* Denies the calls that still wait, and frees. */
void procdb_gate_free(ProcdbGate *gate);
/* Calls are neither handled nor answered from now on. */
void procdb_gate_close(ProcdbGate *gate);

/* The most bytes of a name on the bus (D-Bus specification, "Valid Names"). */
#define PROCDB_MAX_BUS_NAME 255

/* Drops all cached decisions. Call it when the authority reports a change. */
void procdb_gate_changed(ProcdbGate *gate);

/* The caller of a call that is being dispatched; identified if the call has an action. */
ProcdbCaller *procdb_gate_caller(ProcdbGate *gate, sd_bus_message *call);

/*
 * Counts the answer to a call that is being dispatched as one of so many bytes, in place of those
 * that were estimated for it.
 */
void procdb_gate_charge(ProcdbGate *gate, sd_bus_message *call, gsize bytes);

/*
 * The call that was dispatched last has been handled, or refused, which took so many µs of CPU
 * time.
 */
void procdb_gate_handled(ProcdbGate *gate, gint64 us);

/* Whether this call, which is being dispatched, passed the gate. */
gboolean procdb_gate_let_through(const ProcdbGate *gate, sd_bus_message *call);

/* The callers that have passed the gate, as receivers of signals. Owned by the gate. */
ProcdbFollowers *procdb_gate_followers(ProcdbGate *gate);
