/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Which files the configuration is in, and their bytes. */

#include <glib.h>

/*
 * The files to read, in order: only explicit_file if it is not NULL; else the main file of
 * the package, of the running system and of the administrator, and then the drop-ins of all
 * three, by their names. Of drop-ins of one name that of the administrator counts, and a
 * link to /dev/null hides those of its name, as for systemd. Links that lead nowhere are
 * left out; notes (of char *, may be NULL) names them. The caller frees the list.
 */
GStrv procdb_config_files(const char *explicit_file, GPtrArray *notes);

/*
 * The bytes of a file, a NUL behind them that *len does not count; /dev/null has none. NULL
 * with error set for what is no regular file, cannot be read, is larger than 1 MiB or holds
 * NUL bytes, as one does that a crash has left unwritten.
 */
char *procdb_config_read_file(const char *path, gsize *len, GError **error);
