/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * A program of any name for the tests, which do with it what its argument says:
 * sleep        until it is killed
 * work-MS      run for that long, then end
 * wake-MS      run for that long and sleep for 0.2 ms, again and again, until it is killed
 * fork-NAME    fork a child that sleeps, and one that executes /tmp/NAME
 * rename-NAME  take another name, then sleep
 */
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static long long cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void work(int ms)
{
	long long until = cpu_ns() + ms * 1000000LL;

	while (cpu_ns() < until)
		;
}

int main(int argc, char **argv)
{
	const char *action = argc > 1 ? argv[1] : "sleep";
	const char *value = strchr(action, '-');

	value = value ? value + 1 : "";
	if (!strncmp(action, "work", 4)) {
		work(atoi(value));
		return 0;
	}
	if (!strncmp(action, "wake", 4))
		for (;;) {
			work(atoi(value));
			usleep(200);
		}
	if (!strncmp(action, "fork", 4)) {
		char path[64] = "/tmp/";

		strncat(path, value, sizeof(path) - 6);
		for (int i = 0; i < 2; i++)
			if (fork() == 0) {
				prctl(PR_SET_PDEATHSIG, 9);
				if (i)
					execl(path, value, "sleep", (char *)NULL);
				pause();
			}
	}
	if (!strncmp(action, "rename", 6))
		prctl(PR_SET_NAME, value);
	for (;;)
		pause();
}
