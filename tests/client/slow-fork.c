/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Preloaded into the client: fork(2) does not come back to it until the file SLOW_FORK_UNTIL
 * exists. */

#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

typedef pid_t (*fork_fn)(void);

pid_t fork(void)
{
	const fork_fn real = (fork_fn)dlsym(RTLD_NEXT, "fork");
	const char *until = getenv("SLOW_FORK_UNTIL");
	pid_t pid;

	if (!real || !until)
		abort();
	pid = real();
	while (pid > 0 && access(until, F_OK) != 0)
		(void)usleep(1000);
	return pid;
}
