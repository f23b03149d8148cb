#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (C) 2026 The ProcDb developers
#
# The lock and the port of a process that used io_uring are not free when it has been waited for.
#
# Seen on:   Linux 6.18.44, x86-64, 2 CPUs
# Guess:     when waitpid(2) has returned for a process that was killed, its files are closed: its
#            flock(2) is gone and its port can be bound, so a supervisor may start the next one.
# Behaviour: exit closes the ring, but a file that was registered with it
#            (IORING_REGISTER_FILES) is the ring's, and the ring is taken down later, by a kernel
#            thread and after a grace period of RCU (io_uring/io_uring.c, io_ring_exit_work()).
#            Until then, here for twenty milliseconds, the new process is told that another
#            one runs (EWOULDBLOCK), or that its address is in use (EADDRINUSE, in spite of
#            SO_REUSEADDR: the old socket listens). No process has these files open: /proc and
#            lsof show none. A ring without registered files does not matter. The next one
#            has to try again for a moment, or the last one to unregister, which SIGKILL prevents.
# Output:    (five times each; the worst)
#            no ring:           lock free after 0.0 ms, port free at once
#            ring:              lock free after 0.0 ms, port free at once
#            registered files:  lock free after 27.8 ms, port in use for 27.8 ms
#
# Fails unless lock and port are free at once without registered files, and neither with them.
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cat >"$work/restart.c" <<'C'
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum kind { NO_RING, RING, REGISTERED };

static struct sockaddr_in address;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int socket_that_reuses(void)
{
	int file = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (file < 0 || setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)))
		exit(2);
	return file;
}

static int binds(int file)
{
	return bind(file, (const struct sockaddr *)&address, sizeof(address)) == 0;
}

/* The process: it locks and listens, and says so. */
static void serve(const char *path, enum kind kind, int ready)
{
	struct io_uring_params parameters = {0};
	int files[2] = {open(path, O_RDWR | O_CREAT, 0600), socket_that_reuses()};
	int ring = -1;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (flock(files[0], LOCK_EX | LOCK_NB) || !binds(files[1]) || listen(files[1], 5))
		exit(2);
	if (kind != NO_RING) {
		ring = (int)syscall(SYS_io_uring_setup, 8, &parameters);
		if (ring < 0)
			exit(2);
	}
	if (kind == REGISTERED && syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, files, 2))
		exit(2);
	if (write(ready, "", 1) != 1)
		exit(2);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	static const char *const names[] = {"no ring:          ", "ring:             ", "registered files: "};
	socklen_t size = sizeof(address);
	int right = argc > 1, file;

	/* A port that is free. */
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	file = socket_that_reuses();
	if (!right || !binds(file) || getsockname(file, (struct sockaddr *)&address, &size))
		return 2;
	close(file);
	for (enum kind kind = NO_RING; kind <= REGISTERED; kind++) {
		double locked = 0, least_locked = 1e9, used = 0;
		int in_use = 0;

		for (int i = 0; i < 5; i++) {
			int pipes[2], lock;
			double end, free_after;
			char byte;
			pid_t pid;

			if (pipe(pipes))
				return 2;
			pid = fork();
			if (pid == 0)
				serve(argv[1], kind, pipes[1]);
			close(pipes[1]);
			if (read(pipes[0], &byte, 1) != 1)
				return 2;
			close(pipes[0]);
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			end = now();
			lock = open(argv[1], O_RDWR);
			file = socket_that_reuses();
			if (!binds(file)) {
				if (errno != EADDRINUSE)
					return 2;
				in_use++;
			} else {
				close(file);
				file = -1;
			}
			while (flock(lock, LOCK_EX | LOCK_NB)) {
				if (errno != EWOULDBLOCK || now() > end + 5000)
					return 2;
				usleep(100);
			}
			free_after = now() - end;
			if (file >= 0) {
				while (!binds(file)) {
					if (now() > end + 5000)
						return 2;
					usleep(100);
				}
				used = now() - end > used ? now() - end : used;
				close(file);
			}
			close(lock);
			locked = free_after > locked ? free_after : locked;
			least_locked = free_after < least_locked ? free_after : least_locked;
		}
		printf("%s lock free after %.1f ms, port ", names[kind], locked);
		if (in_use)
			printf("in use for %.1f ms\n", used);
		else
			printf("free at once\n");
		right &= kind == REGISTERED ? in_use == 5 && least_locked > 0.1 : !in_use && locked < 5;
	}
	return !right;
}
C
gcc -O1 -o "$work/restart" "$work/restart.c"
"$work/restart" "$work/lock"
