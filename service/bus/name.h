/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Task names as text: 16 arbitrary bytes to a D-Bus string and back; and tiers. */

#include <glib.h>

#include "procdb-abi.h"
#include "tiers.h"

/*
 * The name without its zero padding: valid printable UTF-8 as it is, a
 * backslash as two, every other byte as \xNN in lower-case hexadecimal. The
 * caller owns it.
 */
char *procdb_name_escape(const struct procdb_comm *comm);

/*
 * The reverse. FALSE with PROCDB_BUS_ERROR_INVALID_NAME, which says why, for
 * text that does not decode or is longer than 16 bytes. Accepts \xNN for
 * bytes that need none; refuses unprintable characters that are not escaped.
 */
gboolean procdb_name_unescape(const char *name, struct procdb_comm *comm, GError **error);

/* Begins the message of an error with the name that it is about, of which a caller chose the
 * length.
 */
void procdb_name_blame(GError **error, const char *name);

/* Reads a tier. FALSE with PROCDB_BUS_ERROR_INVALID_TIER, which says what tiers there are. */
gboolean procdb_name_read_tier(const char *text, enum procdb_tier *tier, GError **error);

/*
 * Whether a task can have this name: the kernel keeps 15 bytes (TASK_COMM_LEN in
 * include/linux/sched.h of Linux) and a terminator. FALSE with
 * PROCDB_BUS_ERROR_INVALID_NAME, which says what it keeps of this one.
 */
gboolean procdb_name_can_match(const struct procdb_comm *comm, GError **error);
