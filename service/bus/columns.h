/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Profiles by columns: an array for each field instead of a map for each profile. A map repeats the
 * name and the type of each value, which costs the reader of thousands of them a hundred times
 * more.
 */

#include "profile-rows.h"

/* The fields that a caller asked for, a bit for each; and one for "packed". */
typedef guint64 ProcdbColumns;

/*
 * Reads the names of fields, an as that is next in a call. Negative: the message is malformed.
 * Else, with error set, a field that is none is named.
 */
int procdb_columns_read(sd_bus_message *call, ProcdbColumns *columns, GError **error);

/* The estimated bytes of a profile in the answer, of texts without path, unit and application. */
gsize procdb_columns_size(ProcdbColumns columns);
/* Whether arguments of tasks are read for any of them. */
gboolean procdb_columns_have_scripts(ProcdbColumns columns);
/* Whether path, unit or application are among them. */
gboolean procdb_columns_have_texts(ProcdbColumns columns);
/* Whether the tasks that run now are looked at for any of them. */
gboolean procdb_columns_need_tasks(ProcdbColumns columns);

/*
 * Appends the a{sv} of the columns, of these entries (const struct procdb_entry *) in their order;
 * a negative errno on failure. A text that is not known is empty, a share, a rate or a user is
 * negative, and a number is 0. Packed, texts and booleans are bytes, and pids have their number in
 * front: all of it are arrays of a fixed size, which a reader takes as they are, while of an array
 * of texts GDBus makes an object for each.
 */
int procdb_columns_append(sd_bus_message *message, const ProcdbView *view, const GPtrArray *entries,
			  ProcdbColumns columns);
