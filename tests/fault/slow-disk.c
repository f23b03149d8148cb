/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Preloaded into the service: fsync(2) takes SLOW_DISK_MS longer than it does, and hangs as long as
 * there is a file SLOW_DISK_HANGS; so do mkdir(2) and open(2) of the directory of the database
 * then.
 */

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "/var/lib/pandemonium"

typedef int (*fsync_fn)(int fd);
typedef int (*mkdir_fn)(const char *path, mode_t mode);
typedef int (*open_fn)(const char *path, int flags, ...);

static void hang(void)
{
	const char *hangs = getenv("SLOW_DISK_HANGS");

	while (hangs && access(hangs, F_OK) == 0)
		(void)usleep(1000);
}

int fsync(int fd)
{
	const fsync_fn real = (fsync_fn)dlsym(RTLD_NEXT, "fsync");
	const char *ms = getenv("SLOW_DISK_MS");

	if (!real || !ms)
		abort();
	(void)usleep((useconds_t)atoi(ms) * 1000);
	hang();
	return real(fd);
}

int mkdir(const char *path, mode_t mode)
{
	const mkdir_fn real = (mkdir_fn)dlsym(RTLD_NEXT, "mkdir");

	if (!real)
		abort();
	if (strncmp(path, DATABASE, strlen(DATABASE)) == 0)
		hang();
	return real(path, mode);
}

int open64(const char *path, int flags, ...)
{
	const open_fn real = (open_fn)dlsym(RTLD_NEXT, "open64");
	va_list args;
	mode_t mode;

	if (!real)
		abort();
	va_start(args, flags);
	mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(args, mode_t) : 0;
	va_end(args);
	if (strncmp(path, DATABASE, strlen(DATABASE)) == 0)
		hang();
	return real(path, flags, mode);
}
