/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Preloaded into the service: fsync(2) takes SLOW_DISK_MS longer than it does. */

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef int (*fsync_fn)(int fd);

int fsync(int fd)
{
	const fsync_fn real = (fsync_fn)dlsym(RTLD_NEXT, "fsync");
	const char *ms = getenv("SLOW_DISK_MS");

	if (!real || !ms)
		abort();
	(void)usleep((useconds_t)atoi(ms) * 1000);
	return real(fd);
}
