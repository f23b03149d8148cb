/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Preloaded into the service: fsync(2) takes SLOW_DISK_MS longer than it does, and hangs as long as
 * there is a file SLOW_DISK_HANGS.
 */

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*fsync_fn)(int fd);

int fsync(int fd)
{
	const fsync_fn real = (fsync_fn)dlsym(RTLD_NEXT, "fsync");
	const char *ms = getenv("SLOW_DISK_MS");
	const char *hangs = getenv("SLOW_DISK_HANGS");

	if (!real || !ms || !hangs)
		abort();
	(void)usleep((useconds_t)atoi(ms) * 1000);
	while (access(hangs, F_OK) == 0)
		(void)usleep(1000);
	return real(fd);
}
