/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Overrides for a time: each ends with the connection that asked for it. The model is HoldProfile
 * of power-profiles-daemon.
 */

#include "callers.h"
#include "engine.h"

/* The most holds of a user, and of all. */
#define PROCDB_MAX_HOLDS_PER_USER 16
#define PROCDB_MAX_HOLDS 128
/* The most bytes of a reason. */
#define PROCDB_MAX_REASON 256

typedef struct _ProcdbHolds ProcdbHolds;

typedef struct {
	guint32 cookie;
	struct procdb_comm comm;
	enum procdb_tier tier;
	char *reason;	      /* escaped as a task name is */
	ProcdbCaller *caller; /* watched */
	gulong gone_id;
	ProcdbHolds *holds;
} ProcdbHold;

/* No holds. engine must outlive them; ended(data) is called after those of a caller that left. */
ProcdbHolds *procdb_holds_new(ProcdbEngine *engine, void (*ended)(gpointer data), gpointer data);
/* Ends all of them and frees. */
void procdb_holds_free(ProcdbHolds *holds);
/* Ends all of them, as when the connection to the bus is lost. */
void procdb_holds_end_all(ProcdbHolds *holds);

/*
 * Adds a hold of an identified caller and puts it in force. FALSE with LimitExceeded, of the bus or
 * the engine, when there are too many.
 */
gboolean procdb_holds_add(ProcdbHolds *holds, ProcdbCaller *caller, const struct procdb_comm *comm,
			  enum procdb_tier tier, const char *reason, guint32 *cookie,
			  GError **error);
/* Ends a hold of this caller; FALSE with NoSuchHold when it has none of this cookie. */
gboolean procdb_holds_release(ProcdbHolds *holds, const ProcdbCaller *caller, guint32 cookie,
			      GError **error);
/* The hold of a name that is in force, the last one; NULL for none. */
const ProcdbHold *procdb_holds_find(const ProcdbHolds *holds, const struct procdb_comm *comm);
