/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Preloaded into the service: makes bpf(2) fail when a test says so. The test
 * and the service share a file, named by the environment variable FAULTS, with
 * four 32-bit numbers: the calls so far, the first call that fails (from 1),
 * how many fail, and with which errno.
 */

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct faults {
	_Atomic uint32_t calls;
	_Atomic uint32_t first;
	_Atomic uint32_t count;
	_Atomic uint32_t error;
};

typedef long (*syscall_fn)(long number, ...);

static struct faults *faults;
static syscall_fn real_syscall;

long syscall(long number, ...);

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("FAULTS");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *memory = MAP_FAILED;

	real_syscall = (syscall_fn)dlsym(RTLD_NEXT, "syscall");
	if (fd >= 0) {
		memory = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	/* Without its orders a test would prove nothing. */
	if (!real_syscall || memory == MAP_FAILED)
		abort();
	faults = memory;
}

/* Whether the call that is made now is one of those to fail. */
static int fails(void)
{
	uint32_t call = ++faults->calls;
	uint32_t first = faults->first;

	return first && call >= first && call - first < faults->count;
}

long syscall(long number, ...)
{
	long arguments[6];
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (faults && number == SYS_bpf && fails()) {
		errno = (int)faults->error;
		return -1;
	}
	/* Others that are preloaded may call before our constructor has run. */
	if (!real_syscall)
		real_syscall = (syscall_fn)dlsym(RTLD_NEXT, "syscall");
	return real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
			    arguments[4], arguments[5]);
}
