/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "calls.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls that nothing else makes with these arguments, as marks in the stream. */
#define MARK_BEGIN 0x70726f63
#define MARK_END 0x64622121
/* More than any step takes for itself. */
#define HEAP_SPARE (8 * 1024 * 1024)

static void mark(int which)
{
	/* No such descriptor: fails, and does nothing. */
	(void)syscall(SYS_close, which);
}

static void child(const CountedWork *work, gpointer data, guint n) G_GNUC_NORETURN;

static void child(const CountedWork *work, gpointer data, guint n)
{
	gpointer prepared;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Else where the heap happens to end decides in which step it grows or is cut. */
	mallopt(M_TOP_PAD, HEAP_SPARE);
	mallopt(M_TRIM_THRESHOLD, 2 * HEAP_SPARE);
	prepared = work->prepare(data);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		_exit(EXIT_FAILURE);
	for (guint i = 0; i < n; i++) {
		if (work->before)
			work->before(prepared);
		mark(MARK_BEGIN);
		work->work(prepared);
		mark(MARK_END);
	}
	work->finish(prepared);
	_exit(EXIT_SUCCESS);
}

static void fail(const char *what) G_GNUC_NORETURN;

static void fail(const char *what)
{
	g_printerr("cannot count system calls: %s\n", what);
	exit(EXIT_FAILURE);
}

guint64 count_calls(const CountedWork *work, gpointer data, guint n, guint *most)
{
	gboolean counting = FALSE;
	guint64 sum = 0;
	guint now = 0;
	int status;
	pid_t pid;

	*most = 0;
	pid = fork();
	if (pid < 0)
		fail(g_strerror(errno));
	if (pid == 0)
		child(work, data, n);
	if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
		fail("the child did not get ready");
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL))
		fail(g_strerror(errno));
	for (long signal = 0;;) {
		struct __ptrace_syscall_info info;

		if (ptrace(PTRACE_SYSCALL, pid, NULL, signal) || waitpid(pid, &status, 0) != pid)
			fail(g_strerror(errno));
		if (!WIFSTOPPED(status))
			break;
		signal = 0;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
			signal = WSTOPSIG(status);
			continue;
		}
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
			fail(g_strerror(errno));
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY)
			continue;
		if (info.entry.nr == SYS_close && info.entry.args[0] == MARK_BEGIN) {
			counting = TRUE;
			now = 0;
		} else if (info.entry.nr == SYS_close && info.entry.args[0] == MARK_END) {
			counting = FALSE;
			sum += now;
			*most = MAX(*most, now);
		} else if (counting) {
			now++;
		}
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
		fail("the child failed");
	return sum;
}
