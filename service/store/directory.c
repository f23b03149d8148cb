/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "directory.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/stat.h>

gboolean procdb_io_fail(GError **error, int err, const char *what, const char *path)
{
	g_set_error(error, G_IO_ERROR, g_io_error_from_errno(err), "Cannot %s %s: %s", what, path,
		    g_strerror(err));
	return FALSE;
}

static gboolean sync_directory(const char *path, GError **error)
{
	g_auto(ProcdbFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return procdb_io_fail(error, errno, "sync the directory", path);
	return TRUE;
}

gboolean procdb_directory_make(const char *path, GError **error)
{
	g_autofree char *parent = NULL;

	if (mkdir(path, 0700) == 0) {
		parent = g_path_get_dirname(path);
		return sync_directory(parent, error);
	}
	if (errno == EEXIST)
		return TRUE;
	if (errno != ENOENT)
		return procdb_io_fail(error, errno, "make the directory", path);
	parent = g_path_get_dirname(path);
	/* A parent that is there and makes ENOENT is a dangling link. */
	if (g_strcmp0(parent, path) == 0 || !procdb_directory_make(parent, error))
		return FALSE;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return procdb_io_fail(error, errno, "make the directory", path);
	return sync_directory(parent, error);
}

static gboolean check_safe(const struct stat *st, const char *path, GError **error)
{
	if (st->st_uid != 0 && st->st_uid != geteuid()) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
			    "The directory %s belongs to user %u; it must belong to user %u", path,
			    st->st_uid, geteuid());
		return FALSE;
	}
	if (st->st_mode & S_ISVTX)
		return TRUE;
	if ((st->st_mode & S_IWOTH) ||
	    ((st->st_mode & S_IWGRP) && st->st_gid != 0 && st->st_gid != getegid())) {
		g_set_error(
		    error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
		    "The directory %s is writable for other users (mode %04o); run: chmod go-w %s",
		    path, st->st_mode & 07777u, path);
		return FALSE;
	}
	return TRUE;
}

gboolean procdb_directory_is_ours_alone(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (st.st_uid == 0 || st.st_uid == geteuid()) &&
	       !(st.st_mode & S_IWOTH) &&
	       (!(st.st_mode & S_IWGRP) || st.st_gid == 0 || st.st_gid == getegid());
}

int procdb_directory_open(const char *path, GError **error)
{
	g_auto(ProcdbFd) fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		procdb_io_fail(error, errno, "open the directory", path);
		return -1;
	}
	if (!check_safe(&st, path, error))
		return -1;
	return g_steal_fd(&fd);
}
