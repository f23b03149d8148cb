/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib-unix.h>

#include "commands.h"
#include "options.h"
#include "run-hold.h"
#include "tiers.h"

/* As env(1), nice(1) and timeout(1) have them: what the program itself ends with stays apart. */
enum {
	RUN_FAILED = 125,
	RUN_NOT_EXECUTABLE = 126,
	RUN_NOT_FOUND = 127,
	RUN_SIGNALLED = 128,
};

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

/* For the handler of signals, which gets no argument of ours: the child, or one of these. */
enum {
	NOT_BEGUN = 0,
	BEGINNING = -1, /* there may be a child, of which the ID is not known yet */
};
static atomic_int child_pid = NOT_BEGUN;
/* The signals that came and are not passed on yet: bit N is signal N. */
static atomic_uint pending;

/*
 * Passes on what is pending, once there is a child. A handler in any thread and
 * run_program() may be here at once: each signal goes out of one of them.
 */
static void pass_on(void)
{
	pid_t child = atomic_load(&child_pid);
	unsigned int numbers = child > 0 ? atomic_exchange(&pending, 0) : 0;

	for (int number = 1; numbers >> number != 0; number++) {
		if (numbers >> number & 1)
			kill(child, number);
	}
}

/*
 * A terminal signals the program itself as well (SI_KERNEL, sigaction(2)): that is not doubled.
 * Before there is a program it is not lost.
 */
static void on_signal(int number, siginfo_t *info, void *context)
{
	int reason = errno;

	if (info->si_code <= 0 || atomic_load(&child_pid) == NOT_BEGUN) {
		atomic_fetch_or(&pending, 1U << number);
		pass_on();
	}
	errno = reason;
}

/* From here on no signal ends us and leaves the program alone; what was set before is kept. */
static void take_signals(struct sigaction before[G_N_ELEMENTS(forwarded)])
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < G_N_ELEMENTS(forwarded); i++)
		sigaction(forwarded[i], &action, &before[i]);
}

/* In the child: what was ignored stays so in the program (execve(2)). */
static void give_signals_back(const struct sigaction before[G_N_ELEMENTS(forwarded)])
{
	for (size_t i = 0; i < G_N_ELEMENTS(forwarded); i++)
		sigaction(forwarded[i], &before[i], NULL);
}

/* In the child. What comes back, comes back to report_pipe: the reason why it cannot be executed.
 */
static void execute(char **argv, int report)
{
	int reason;

	signal(SIGPIPE, SIG_DFL);
	execvp(argv[0], argv);
	reason = errno;
	if (write(report, &reason, sizeof(reason)) < 0)
		_exit(RUN_FAILED);
	_exit(RUN_NOT_EXECUTABLE);
}

static int not_executed(const char *program, int reason)
{
	g_printerr("Cannot run \"%s\": %s.\n", program, g_strerror(reason));
	return reason == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
}

/* Waits for the end of the program; returns its exit status as a shell has it. */
static int wait_for_end(pid_t pid, RunHold *hold)
{
	siginfo_t ended;
	int status;

	if (hold)
		run_hold_keep(hold, pid);
	/* As long as it is not reaped, its ID is that of no other process. */
	while (waitid(P_PID, (id_t)pid, &ended, WEXITED | WNOWAIT) < 0) {
		if (errno != EINTR)
			return RUN_FAILED;
	}
	atomic_store(&child_pid, BEGINNING);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return RUN_FAILED;
	}
	return WIFSIGNALED(status) ? RUN_SIGNALLED + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Runs the program and waits for its end. hold may be NULL. */
static int run_program(char **argv, RunHold *hold)
{
	struct sigaction actions[G_N_ELEMENTS(forwarded)];
	int pipe_fds[2], reason = 0, status;
	sigset_t all, before;
	pid_t pid;

	fflush(NULL);
	if (!g_unix_open_pipe(pipe_fds, FD_CLOEXEC, NULL))
		return not_executed(argv[0], errno);
	/*
	 * Blocked, so that none is taken by our handler in the child. GDBus' thread blocks none:
	 * a signal that comes between the start of the program and that it is known waits.
	 */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	take_signals(actions);
	atomic_store(&child_pid, BEGINNING);
	pid = fork();
	if (pid == 0) {
		give_signals_back(actions);
		sigprocmask(SIG_SETMASK, &before, NULL);
		execute(argv, pipe_fds[1]);
	}
	reason = pid < 0 ? errno : 0;
	atomic_store(&child_pid, MAX(pid, 0));
	pass_on();
	sigprocmask(SIG_SETMASK, &before, NULL);
	close(pipe_fds[1]);
	if (pid > 0 && read(pipe_fds[0], &reason, sizeof(reason)) < 0)
		reason = 0;
	close(pipe_fds[0]);
	status = pid > 0 ? wait_for_end(pid, hold) : RUN_FAILED;
	return reason != 0 ? not_executed(argv[0], reason) : status;
}

int cmd_run(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *tier = NULL;
	gboolean anyway = FALSE;
	const GOptionEntry entries[] = {
	    {"tier", 't', 0, G_OPTION_ARG_STRING, &tier, "The tier to start it in", "TIER"},
	    {"anyway", 0, 0, G_OPTION_ARG_NONE, &anyway, "Run it also where no tier can be had",
	     NULL},
	    {NULL},
	};
	RunHold *hold;
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return RUN_FAILED;
	if (!tier) {
		options_usage(command, "--tier is missing");
		return RUN_FAILED;
	}
	if (!options_is_word(command, "tier", tier, procdb_tier_names))
		return RUN_FAILED;
	hold = run_hold_new(ctl, args, tier);
	if (!hold && !anyway) {
		g_printerr("\"%s\" was not run; --anyway runs it without a tier.\n", args[0]);
		return RUN_FAILED;
	}
	if (!hold)
		g_printerr("\"%s\" runs without a tier.\n", args[0]);
	status = run_program(args, hold);
	if (hold)
		run_hold_end(hold);
	return status;
}
