/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Large answers, no faster than the bus takes them: a call that waits costs
 * little, an answer that GDBus has queued costs a copy of it, and anybody may
 * ask for as many as he likes.
 */

#include <gio/gio.h>

typedef struct _ProcdbReplies ProcdbReplies;

/* make() returns what to answer with, which stays its own; it is called when that goes out. */
ProcdbReplies *procdb_replies_new(GVariant *(*make)(gpointer user_data), gpointer user_data);

/* Calls that still wait are never answered. */
void procdb_replies_free(ProcdbReplies *replies);

/* Takes a call over and answers it, in the order of the calls. */
void procdb_replies_answer(ProcdbReplies *replies, GDBusMethodInvocation *invocation);
