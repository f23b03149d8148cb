/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Shared by reading and replacing; all of it under the lock. */

#include <sys/stat.h>

#include "files.h"

/* Whether a file is the one that is known to be whole, by what stat(2) says of it. */
gboolean procdb_files_is_known(const ProcdbFiles *files, const struct stat *st);
void procdb_files_set_known(ProcdbFiles *files, const struct stat *st);

/* FALSE (G_IO_ERROR_NOT_REGULAR_FILE) if the path that was given leads elsewhere by now. */
gboolean procdb_files_check_link(const ProcdbFiles *files, GError **error);

/* Reads the file of this name in the directory; *st is not set where there is none. */
void procdb_files_read_named(ProcdbFiles *files, const char *name, const ProcdbLimit *limit,
			     ProcdbFile *file, struct stat *st);
