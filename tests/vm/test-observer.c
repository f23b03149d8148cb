/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Does a kernel load and run what the service has without sched_ext? */

#include "guest.h"
#include "survey.h"
#include "task-list.h"
#include "task-row.h"
#include "tasks.h"

#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static ProcdbBackend *observe(ProcdbLedger *ledger)
{
	ProcdbObserverSettings settings = {PROCDB_OBSERVING_DEFAULTS, NULL, ledger};
	ProcdbBackend *backend = procdb_backend_observer_new(&settings);
	ProcdbBackendStatus status;

	procdb_backend_refresh(backend);
	procdb_backend_status(backend, &status);
	g_test_message("%s", status.state);
	g_assert_cmpstr(status.state, ==, "active");
	return backend;
}

static void learns_from_a_program(void)
{
	g_autoptr(ProcdbLedger) ledger = procdb_ledger_new();
	g_autoptr(ProcdbBackend) backend = observe(ledger);
	g_autoptr(GError) error = NULL;
	struct procdb_delays delays;
	struct procdb_class seen = {0};
	guint n = 0;

	g_assert_cmpstr(procdb_ledger_refusal(ledger), ==, NULL);
	guest_reap(guest_exec("pcompiler", "work-40"));
	/* A task can be reaped before it has left the CPU for the last time. */
	for (int i = 0; i < 500 && !n; i++) {
		n = guest_observed(backend, "pcompiler", &seen);
		guest_sleep_ms(10);
	}
	g_assert_cmpuint(n, ==, 1);
	g_assert_cmpuint(seen.tier, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(seen.avg_runtime, >=, 10 * GUEST_MS);
	procdb_backend_delays(backend, &delays, &error);
	g_assert_no_error(error);
}

static void lists_tasks(void)
{
	g_autoptr(ProcdbLedger) ledger = procdb_ledger_new();
	g_autoptr(ProcdbBackend) backend = observe(ledger);
	g_autoptr(ProcdbTaskList) list = procdb_task_list_new(ledger);
	g_autoptr(GArray) tasks = g_array_new(FALSE, FALSE, sizeof(struct procdb_task_row));
	g_autoptr(GError) error = NULL;
	const struct procdb_task_row *self = NULL;

	procdb_task_list_read(list, backend, tasks, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < tasks->len && !self; i++) {
		self = &g_array_index(tasks, struct procdb_task_row, i);
		if (self->pid != (guint)getpid())
			self = NULL;
	}
	if (!self)
		g_error("this task is not listed");
	g_test_message("%u tasks; this one is %s, its slice %" G_GUINT64_FORMAT " ns", tasks->len,
		       self->path, (guint64)self->slice);
	g_assert_true(g_str_has_suffix(self->path, "/test-vm-observer"));
}

/* Whether this kernel has slices for single tasks (Linux 6.12, kernel/sched/syscalls.c). */
static gboolean has_slices(void)
{
	struct utsname kernel;
	guint major = 0, minor = 0;

	g_assert_cmpint(uname(&kernel), ==, 0);
	g_assert_cmpint(sscanf(kernel.release, "%u.%u", &major, &minor), ==, 2);
	return major > 6 || (major == 6 && minor >= 12);
}

static void stays(gpointer unused)
{
	pause();
}

/* Before Linux 6.12 nothing can be given to a task, so nothing is said to be. */
static void gives_slices_where_the_kernel_has_them(void)
{
	g_autoptr(ProcdbLedger) ledger = procdb_ledger_new();
	ProcdbKernelTasks *tasks = procdb_kernel_tasks_new(ledger);
	const char *refusal = procdb_kernel_tasks.refusal(tasks);
	pid_t task = guest_fork(stays, NULL);
	ProcdbSchedAttr attr, given;

	g_test_message("%s", refusal ? refusal : "slices can be given");
	g_assert_cmpint(procdb_kernel_tasks.get_attr(tasks, (guint)task, &attr), ==, 0);
	given = attr;
	given.slice_ns = 7 * GUEST_MS;
	if (has_slices()) {
		g_assert_cmpstr(refusal, ==, NULL);
		g_assert_cmpint(procdb_kernel_tasks.set_attr(tasks, (guint)task, &given), ==, 0);
		g_assert_cmpint(procdb_kernel_tasks.get_attr(tasks, (guint)task, &attr), ==, 0);
		g_assert_cmpuint(attr.slice_ns, ==, 7 * GUEST_MS);
	} else {
		g_assert_nonnull(refusal);
		g_assert_nonnull(strstr(refusal, "no slices for single tasks"));
		g_assert_cmpuint(attr.slice_ns, ==, 0);
	}
	guest_kill(task);
	procdb_kernel_tasks_free(tasks);
}

/* Asks for a nice value of the task that data is the pid of. */
static int ask_for_nice(gpointer data, gint32 nice)
{
	struct {
		guint32 size, policy;
		guint64 flags;
		gint32 nice;
		guint32 priority;
		guint64 runtime, deadline, period;
	} attr = {.size = sizeof(attr), .nice = nice};

	return (int)syscall(SYS_sched_setattr, (pid_t)GPOINTER_TO_INT(data), &attr, 0);
}

static void asks_in_vain(gpointer data)
{
	g_assert_cmpint(setgid(1000) | setuid(1000), ==, 0);
	for (guint i = 0; i < 100; i++)
		g_assert_cmpint(ask_for_nice(data, -20), ==, -1);
	_exit(0);
}

static void asks_with_the_right(gpointer data)
{
	g_assert_cmpint(ask_for_nice(data, 7), ==, 0);
	_exit(0);
}

/* What another program has set is set again by the service, which may do what that may not. */
static void what_the_kernel_refuses_is_no_change(void)
{
	g_autoptr(ProcdbLedger) ledger = procdb_ledger_new();
	pid_t task = guest_fork(stays, NULL);
	struct procdb_guard last = {0};

	guest_sleep_ms(100);
	procdb_ledger_guard_task(ledger, (guint)task);
	guest_reap(guest_fork(asks_in_vain, GINT_TO_POINTER(task)));
	g_assert_cmpuint(procdb_ledger_count_changes(ledger, &last), ==, 0);
	guest_reap(guest_fork(asks_with_the_right, GINT_TO_POINTER(task)));
	/* Debian's kernels let BPF trace functions. */
	g_assert_cmpuint(procdb_ledger_count_changes(ledger, &last), >, 0);
	g_assert_cmpint(last.nice, ==, 7);
	guest_kill(task);
}

static void surveys_maps(void)
{
	g_autoptr(ProcdbSurvey) survey = procdb_survey_new();

	g_assert_nonnull(survey);
}

int main(int argc, char **argv)
{
	guest_init(&argc, &argv);
	g_test_add_func("/observer/learns-from-a-program", learns_from_a_program);
	g_test_add_func("/observer/lists-tasks", lists_tasks);
	g_test_add_func("/observer/gives-slices-where-the-kernel-has-them",
			gives_slices_where_the_kernel_has_them);
	g_test_add_func("/observer/what-the-kernel-refuses-is-no-change",
			what_the_kernel_refuses_is_no_change);
	g_test_add_func("/observer/surveys-maps", surveys_maps);
	return g_test_run();
}
