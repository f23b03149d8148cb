/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * procdb-short COUNT [PID]: runs so many processes, one after the other, each of which ends at
 * once. Prints how many ns that took, and how many ns of CPU time the process PID, a service, used
 * meanwhile and in the second after it, in which it takes in what it saw.
 */

#include <dirent.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A tick of the service is a second. */
#define AFTER_US 1200000

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

/* CPU time of all threads that a process has now; ns. */
static long long cpu_ns(const char *pid)
{
	char path[300];
	struct dirent *entry;
	long long sum = 0;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	tasks = opendir(path);
	if (!tasks)
		fail(path);
	while ((entry = readdir(tasks))) {
		long long ns = 0;
		FILE *file;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%s/task/%.20s/schedstat", pid, entry->d_name);
		file = fopen(path, "re");
		/* A thread may have ended. */
		if (file && fscanf(file, "%lld", &ns) == 1)
			sum += ns;
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return sum;
}

static void run_one(char *program)
{
	char end[] = "--end";
	char *const argv[] = {program, end, NULL};
	char *const environment[] = {NULL};
	pid_t pid;
	int status;

	if (posix_spawn(&pid, program, NULL, NULL, argv, environment) != 0)
		fail("spawn");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		fail("child");
}

int main(int argc, char **argv)
{
	const char *pid = argc > 2 ? argv[2] : NULL;
	/* By its path, as shells execute what they have found. */
	char program[4096] = "";
	long long used, began, ns;
	long count;

	if (argc > 1 && strcmp(argv[1], "--end") == 0)
		return EXIT_SUCCESS;
	count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	if (count <= 0) {
		fprintf(stderr, "usage: procdb-short COUNT [PID]\n");
		return 2;
	}
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		fail("/proc/self/exe");
	used = pid ? cpu_ns(pid) : 0;
	began = now_ns();
	for (long i = 0; i < count; i++)
		run_one(program);
	ns = now_ns() - began;
	if (pid) {
		usleep(AFTER_US);
		used = cpu_ns(pid) - used;
	}
	printf("%lld %lld\n", ns, used);
	return EXIT_SUCCESS;
}
