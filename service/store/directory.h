/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Directories that files of ours may live in. Blocking I/O. */

#include <gio/gio.h>
#include <unistd.h>

/* A descriptor that closes at the end of its scope: g_auto(ProcdbFd). */
typedef int ProcdbFd;

static inline void procdb_fd_clear(ProcdbFd *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbFd, procdb_fd_clear)

/* Sets a GIOError "Cannot WHAT PATH: reason" from an errno; returns FALSE. */
gboolean procdb_io_fail(GError **error, int err, const char *what, const char *path);

/* Makes a directory (0700) and those above it if they are missing, durably. */
gboolean procdb_directory_make(const char *path, GError **error);

/* Whether only we and root can put a file into a directory. */
gboolean procdb_directory_is_ours_alone(const char *path);

/*
 * Opens a directory to write into it; -1 (GIOError) also if it is not safe: it
 * has to belong to us or to root, and others may not rename what is in it.
 */
int procdb_directory_open(const char *path, GError **error);
