/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Preloaded into the client: its child runs for a while before fork(2) comes back to it. */

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef pid_t (*fork_fn)(void);

pid_t fork(void)
{
	const fork_fn real = (fork_fn)dlsym(RTLD_NEXT, "fork");
	pid_t pid;

	if (!real)
		abort();
	pid = real();
	if (pid > 0)
		(void)usleep(500 * 1000);
	return pid;
}
