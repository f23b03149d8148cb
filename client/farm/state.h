/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What a machine remembers of its pushes to one store: what was acknowledged, and what is under
 * way. It is written before a push is sent: one whose answer is lost is sent again as it was, by
 * the next command, and after a restart.
 */

#include "increments.h"

typedef struct {
	char *path;
	int lock;	   /* held while it is open */
	char *incarnation; /* of this memory: a machine that lost its memory is told from itself */
	guint64 serial;	   /* of the last acknowledged chunk */
	GHashTable *marks; /* what was acknowledged */
	GHashTable *next;  /* the marks when what is under way was acknowledged; NULL: nothing is */
	GArray *increments; /* what is under way, or NULL */
} FarmState;

/*
 * The memory of pushes to a store under a fingerprint as a host, in a directory that is created;
 * a new one if there is none. NULL with error set when it cannot be used, or another process
 * uses it. A file that cannot be understood is an error: what was pushed is not known then.
 */
FarmState *farm_state_open(const char *directory, const char *store, const char *fingerprint,
			   const char *host, GError **error);
void farm_state_close(FarmState *state);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FarmState, farm_state_close)

/* What to send; durable before anything is sent. Takes both over. */
gboolean farm_state_begin(FarmState *state, GArray *increments, GHashTable *next, GError **error);
/* All of it, so many chunks, was acknowledged. */
gboolean farm_state_end(FarmState *state, guint chunks, GError **error);

/*
 * The store does not know what it acknowledged: begins with serials from 1. With forget it knows
 * nothing of this machine any more, and all that the machine has learned is new to it.
 */
gboolean farm_state_restart(FarmState *state, gboolean forget, GError **error);
