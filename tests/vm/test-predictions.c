/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Does the scheduler find the prediction of a name, and only of that name? */

#include "guest.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define PROGRAMS 200

static guint8 tier_of_program(guint i)
{
	return (guint8)(i % 2 ? PROCDB_TIER_BATCH : PROCDB_TIER_LAT_CRITICAL);
}

static void exec_finds_prediction(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	ProcdbSchedulerStatistics before, after;
	guint right = 0;

	for (guint i = 0; i < PROGRAMS; i++) {
		g_autofree char *name = g_strdup_printf("px%03u", i);

		guest_predict(backend, name, tier_of_program(i));
	}
	procdb_backend_scheduler_statistics(backend, &before);
	for (guint i = 0; i < PROGRAMS; i++) {
		g_autofree char *name = g_strdup_printf("px%03u", i);
		pid_t pid = guest_exec(name, "sleep");

		guest_wait_asleep(pid);
		right += guest_tier(pid) == tier_of_program(i);
		guest_kill(pid);
	}
	g_assert_true(procdb_backend_scheduler_statistics(backend, &after));
	g_test_message("in the predicted tier: %u of %u; found after exec %" G_GUINT64_FORMAT
		       ", at enable %" G_GUINT64_FORMAT,
		       right, PROGRAMS, after.at_rename - before.at_rename,
		       after.at_enable - before.at_enable);
	g_assert_cmpuint(right, ==, PROGRAMS);
	g_assert_cmpuint(after.at_rename - before.at_rename, ==, PROGRAMS);
	g_assert_cmpuint(after.at_enable - before.at_enable, ==, 0);
	guest_assert_active(backend);
}

/* pid of the nth child of parent. */
static pid_t child_of(pid_t parent, guint n)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/task/%d/children", parent, parent);
	g_autofree char *text = NULL;
	g_auto(GStrv) pids = NULL;

	for (int i = 0; i < 2000; i++) {
		g_clear_pointer(&text, g_free);
		g_clear_pointer(&pids, g_strfreev);
		g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
		pids = g_strsplit(g_strstrip(text), " ", -1);
		if (g_strv_length(pids) > n)
			return (pid_t)g_ascii_strtoll(pids[n], NULL, 10);
		g_usleep(1000);
	}
	g_error("task %d has no child number %u", parent, n);
}

/* Waits until a task goes under a name. */
static void wait_named(pid_t pid, const char *name)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/comm", (int)pid);
	g_autofree char *want = g_strdup_printf("%s\n", name);

	for (int i = 0; i < 5000; i++) {
		g_autofree char *comm = NULL;

		if (g_file_get_contents(path, &comm, NULL, NULL) && g_str_equal(comm, want))
			return;
		g_usleep(1000);
	}
	g_error("%d is not called %s yet", (int)pid, name);
}

static void prediction_of_parent_ends_at_exec(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	pid_t parent, same, other;

	guest_predict(backend, "pparent", PROCDB_TIER_LAT_CRITICAL);
	guest_kill(guest_exec("pchild", "sleep")); /* makes the link */
	parent = guest_exec("pparent", "fork-pchild");
	guest_wait_asleep(parent);
	same = child_of(parent, 0);
	other = child_of(parent, 1);
	guest_wait_asleep(same);
	wait_named(other, "pchild");
	guest_wait_asleep(other);
	g_assert_cmpint(guest_tier(parent), ==, PROCDB_TIER_LAT_CRITICAL);
	/* It still is what its parent is, and rightly has its prediction. */
	g_assert_cmpint(guest_tier(same), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpint(guest_tier(other), ==, PROCDB_TIER_INTERACTIVE);
	guest_kill(parent);
	guest_assert_active(backend);
}

static void rename_looks_again(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	pid_t known, unknown;

	guest_predict(backend, "pfirst", PROCDB_TIER_LAT_CRITICAL);
	guest_predict(backend, "psecond", PROCDB_TIER_BATCH);
	known = guest_exec("pfirst", "rename-psecond");
	unknown = guest_exec("pfirst", "rename-pnever");
	/* It sleeps on its way there, too, when its pages have to be read. */
	wait_named(known, "psecond");
	wait_named(unknown, "pnever");
	guest_wait_asleep(known);
	guest_wait_asleep(unknown);
	g_assert_cmpint(guest_tier(known), ==, PROCDB_TIER_BATCH);
	g_assert_cmpint(guest_tier(unknown), ==, PROCDB_TIER_INTERACTIVE);
	guest_kill(known);
	guest_kill(unknown);
}

/* A task can be reaped before it has left the CPU for the last time. */
static guint observed_at_last(ProcdbBackend *backend, const char *name, struct procdb_class *seen)
{
	guint n = 0;

	for (int i = 0; i < 500 && !n; i++) {
		n = guest_observed(backend, name, seen);
		guest_sleep_ms(10);
	}
	return n;
}

static void short_life_is_observed(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	struct procdb_class seen = {0};
	guint n;

	guest_reap(guest_exec("pcompiler", "work-40"));
	n = observed_at_last(backend, "pcompiler", &seen);
	g_assert_cmpuint(n, ==, 1);
	g_test_message("a life of 40 ms: tier %u, average %.1f ms", seen.tier,
		       (double)seen.avg_runtime / 1e6);
	g_assert_cmpuint(seen.tier, ==, PROCDB_TIER_BATCH);
	/* The run may have been cut in pieces. */
	g_assert_cmpuint(seen.avg_runtime, >=, 10 * GUEST_MS);
	g_assert_cmpuint(seen.avg_runtime, <=, 80 * GUEST_MS);
}

static void maturity_is_observed_once(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	struct procdb_class seen = {0};
	pid_t pid = guest_exec("pwaker", "wake-1");
	guint n = 0;

	for (int i = 0; i < 10; i++) {
		guest_sleep_ms(50);
		n += guest_observed(backend, "pwaker", &seen);
	}
	guest_kill(pid);
	if (!n)
		n = observed_at_last(backend, "pwaker", &seen);
	g_assert_cmpuint(n, ==, 1);
	/* It wants most of a CPU, in runs that no longer slice would help. */
	g_assert_cmpuint(seen.tier, ==, PROCDB_TIER_INTERACTIVE);
}

int main(int argc, char **argv)
{
	guest_init(&argc, &argv);
	g_test_add_func("/predictions/exec-finds-prediction", exec_finds_prediction);
	g_test_add_func("/predictions/prediction-of-parent-ends-at-exec",
			prediction_of_parent_ends_at_exec);
	g_test_add_func("/predictions/rename-looks-again", rename_looks_again);
	g_test_add_func("/predictions/short-life-is-observed", short_life_is_observed);
	g_test_add_func("/predictions/maturity-is-observed-once", maturity_is_observed_once);
	return g_test_run();
}
