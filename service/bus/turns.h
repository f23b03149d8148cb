/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Messages that have come and wait for GDBus. Each sender has its turn, whatever
 * the others send: the bus hands out in the order in which it was sent, and one
 * user may have 30000 calls before that of another.
 */

#include <glib.h>

typedef struct _ProcdbTurns ProcdbTurns;

ProcdbTurns *procdb_turns_new(void);
void procdb_turns_free(ProcdbTurns *turns);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbTurns, procdb_turns_free)

/* Whether a message of this size of this sender may wait. unasked: one that wants no answer. */
gboolean procdb_turns_accepts(const ProcdbTurns *turns, const char *sender, gsize size,
			      gboolean unasked);
/* Has it wait, behind what its sender sent before. Takes the message over. */
void procdb_turns_add(ProcdbTurns *turns, const char *sender, GByteArray *message,
		      gboolean unasked);
/* The one whose turn it is, which becomes the caller's; NULL when there is none. */
GByteArray *procdb_turns_next(ProcdbTurns *turns);

/* Whether it is time to let the bus wait as well. */
gboolean procdb_turns_is_full(const ProcdbTurns *turns);

/* Whether nothing waits. */
gboolean procdb_turns_is_empty(const ProcdbTurns *turns);
