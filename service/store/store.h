/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The database file: read whole, replaced atomically and durably. */

#include <gio/gio.h>

#include "codec.h"

typedef struct _ProcdbStore ProcdbStore;

/* A store for the file at path; does no I/O yet. */
ProcdbStore *procdb_store_new(const char *path);
void procdb_store_free(ProcdbStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbStore, procdb_store_free)

const char *procdb_store_path(const ProcdbStore *store);

/*
 * Appends the profiles of the file to records (of struct procdb_record). A
 * file that does not exist is empty. One that is no valid database yields
 * nothing, *diag says why. FALSE (GIOError) when a file is there and cannot be
 * read.
 */
gboolean procdb_store_load(ProcdbStore *store, GArray *records, ProcdbDiag *diag, GError **error);

/*
 * Replaces the file by one with these n records: written beside it, synced,
 * renamed, folder synced. Makes the folder (0700) if there is none. On an
 * error (GIOError) the old file is as it was.
 */
gboolean procdb_store_save(ProcdbStore *store, const struct procdb_record *records, guint n,
			   GError **error);
