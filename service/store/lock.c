/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "directory.h"

/* Whether the file that was locked is the one that others find under its name. */
static gboolean is_at(int fd, int directory, const char *name)
{
	struct stat held, there;

	return fstat(fd, &held) == 0 &&
	       fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       held.st_dev == there.st_dev && held.st_ino == there.st_ino;
}

static ProcdbLockResult lock_in(ProcdbFiles *files, int directory)
{
	for (;;) {
		g_auto(ProcdbFd) fd = openat(directory, files->lock_name,
					     O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

		if (fd < 0)
			return PROCDB_LOCK_UNKNOWN;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0)
			return errno == EWOULDBLOCK ? PROCDB_LOCK_TAKEN : PROCDB_LOCK_UNKNOWN;
		/* Its owner may have removed it in between: then it is no lock any more. */
		if (is_at(fd, directory, files->lock_name)) {
			files->lock_fd = g_steal_fd(&fd);
			return PROCDB_LOCK_HELD;
		}
	}
}

ProcdbLockResult procdb_lock_take(ProcdbFiles *files, gboolean make)
{
	g_auto(ProcdbFd) directory = -1;

	if (files->lock_fd >= 0)
		return PROCDB_LOCK_HELD;
	if (make && !files->through_link && !procdb_directory_make(files->directory, NULL))
		return PROCDB_LOCK_UNKNOWN;
	directory = procdb_directory_open(files->directory, NULL);
	return directory < 0 ? PROCDB_LOCK_UNKNOWN : lock_in(files, directory);
}

ProcdbLockResult procdb_lock_renew(ProcdbFiles *files, int directory)
{
	int before = files->lock_fd;
	ProcdbLockResult result;

	if (before < 0 || is_at(before, directory, files->lock_name))
		return PROCDB_LOCK_HELD;
	result = lock_in(files, directory);
	if (result == PROCDB_LOCK_HELD)
		(void)close(before);
	return result;
}

void procdb_lock_release(ProcdbFiles *files)
{
	g_auto(ProcdbFd) directory = -1;

	if (files->lock_fd < 0)
		return;
	/* Removed before it is unlocked: a service that waits for the lock checks for the file. */
	directory = procdb_directory_open(files->directory, NULL);
	if (directory >= 0 && is_at(files->lock_fd, directory, files->lock_name))
		(void)unlinkat(directory, files->lock_name, 0);
	(void)close(files->lock_fd);
	files->lock_fd = -1;
}
