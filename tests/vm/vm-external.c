/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * vm-external [COMMAND...]
 *
 * Loads external.bpf.c, pins its maps, and ends at SIGTERM with the predictions that it found;
 * with a COMMAND, which has the maps meanwhile and is ended first, with its exit status.
 */

#include "procdb-abi.h"

#include "external.skel.h"

#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* As a part of this program, it is started where the maps are and ends before they go. */
static pid_t start(char **command, const sigset_t *blocked)
{
	pid_t pid = fork();

	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, blocked, NULL);
		execv(command[0], command);
		_exit(9);
	}
	return pid;
}

static int end(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 105;
	return WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	struct external *skeleton = external__open();
	struct bpf_link *link;
	sigset_t term;
	pid_t command = -1;
	int received, result;

	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);
	if (!skeleton)
		return 101;
	bpf_program__set_flags(skeleton->progs.external_init, BPF_F_SLEEPABLE);
	if (external__load(skeleton))
		return 102;
	/* As programs without a link do it: it stays until it is taken away. */
	link = bpf_map__attach_struct_ops(skeleton->maps.external_ops);
	if (!link)
		return 103;
	mkdir(PROCDB_PIN_DIR, 0700);
	unlink(PROCDB_PIN_OBSERVE);
	unlink(PROCDB_PIN_INIT);
	if (bpf_map__pin(skeleton->maps.task_class_observe, PROCDB_PIN_OBSERVE) ||
	    bpf_map__pin(skeleton->maps.task_class_init, PROCDB_PIN_INIT))
		return 104;
	if (argc > 1)
		command = start(argv + 1, &term);
	sigwait(&term, &received);
	result = skeleton->bss->found > 100 ? 100 : (int)skeleton->bss->found;
	if (command > 0)
		result = end(command);
	unlink(PROCDB_PIN_OBSERVE);
	unlink(PROCDB_PIN_INIT);
	rmdir(PROCDB_PIN_DIR);
	bpf_link__destroy(link);
	external__destroy(skeleton);
	return result;
}
