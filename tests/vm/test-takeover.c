/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What has the CPUs: the kernel, our scheduler, or another one. */

#include "guest.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATE "/sys/kernel/sched_ext/state"

static void assert_kernel_schedules(void)
{
	g_autofree char *state = NULL;

	for (int i = 0; i < 500; i++) {
		g_clear_pointer(&state, g_free);
		g_assert_true(g_file_get_contents(STATE, &state, NULL, NULL));
		if (g_str_equal(g_strchomp(state), "disabled"))
			return;
		guest_sleep_ms(10);
	}
	g_assert_cmpstr(state, ==, "disabled");
}

static guint64 cpu_ns(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/schedstat", pid);
	g_autofree char *text = NULL;

	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	return g_ascii_strtoull(text, NULL, 10);
}

/* All of them get CPU time now. */
static void assert_all_run(const pid_t *pids, guint n)
{
	guint64 before[64];

	for (guint i = 0; i < n; i++)
		before[i] = cpu_ns(pids[i]);
	guest_sleep_ms(1500);
	for (guint i = 0; i < n; i++)
		g_assert_cmpuint(cpu_ns(pids[i]), >, before[i]);
}

static void schedule_until_killed(gpointer data)
{
	int ready = *(int *)data;
	ProcdbBackend *backend = guest_schedule();

	guest_predict(backend, "pkept", PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpint(write(ready, "", 1), ==, 1);
	for (;;)
		pause();
}

static void kill_gives_the_cpus_back(void)
{
	pid_t hogs[3], service;
	int ready[2];
	char byte;

	for (guint i = 0; i < G_N_ELEMENTS(hogs); i++)
		hogs[i] = guest_fork(guest_spin, NULL);
	for (int round = 0; round < 3; round++) {
		g_assert_cmpint(pipe(ready), ==, 0);
		service = guest_fork(schedule_until_killed, &ready[1]);
		close(ready[1]);
		g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
		close(ready[0]);
		assert_all_run(hogs, G_N_ELEMENTS(hogs));
		guest_kill(service);
		assert_kernel_schedules();
		assert_all_run(hogs, G_N_ELEMENTS(hogs));
	}
	/* The next one takes over again, with what the last one left in the pins. */
	{
		g_autoptr(ProcdbBackend) backend = guest_schedule();
		struct procdb_comm comm = {.bytes = "pkept"};
		struct procdb_class kept;

		g_assert_true(procdb_backend_lookup(backend, &comm, &kept));
		g_assert_cmpuint(kept.tier, ==, PROCDB_TIER_LAT_CRITICAL);
		assert_all_run(hogs, G_N_ELEMENTS(hogs));
	}
	assert_kernel_schedules();
	assert_all_run(hogs, G_N_ELEMENTS(hogs));
	for (guint i = 0; i < G_N_ELEMENTS(hogs); i++)
		guest_kill(hogs[i]);
	g_assert_false(g_file_test(PROCDB_PIN_DIR, G_FILE_TEST_EXISTS));
}

/* Takes out what is observed until name is among it; FALSE after 5 s without. */
static gboolean drained(ProcdbBackend *backend, const char *name)
{
	g_autoptr(GArray) seen = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	g_autoptr(GError) error = NULL;

	/* A task can be reaped before it has left the CPU for the last time. */
	for (int i = 0; i < 500; i++) {
		procdb_backend_refresh(backend);
		procdb_backend_drain(backend, seen, &error);
		g_assert_no_error(error);
		for (guint j = 0; j < seen->len; j++)
			if (!strcmp((char *)g_array_index(seen, struct procdb_observation, j)
					.comm.bytes,
				    name))
				return TRUE;
		g_array_set_size(seen, 0);
		guest_sleep_ms(10);
	}
	return FALSE;
}

static void ejection_falls_back_to_observing(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	const char *state;

	g_test_expect_message(NULL, G_LOG_LEVEL_WARNING, "*the kernel ended the scheduler*");
	guest_write("/proc/sysrq-trigger", "S");
	assert_kernel_schedules();
	state = guest_state(backend);
	g_test_assert_expected_messages();
	g_test_message("state: %s", state);
	g_assert_nonnull(strstr(state, "failed: the kernel ended the scheduler: "));
	g_assert_nonnull(strstr(state, "observing instead"));

	guest_reap(guest_exec("pobserved", "work-20"));
	g_assert_true(drained(backend, "pobserved"));
	/* It does not fight the kernel over it. */
	guest_state(backend);
	assert_kernel_schedules();
}

static void attach_and_detach_again_and_again(void)
{
	/* Each takes seconds of CPU time to load, under emulation. */
	guint rounds = MAX(guest_seconds(5) / 4, 5);
	pid_t hogs[4];

	for (guint i = 0; i < G_N_ELEMENTS(hogs); i++)
		hogs[i] = guest_fork(guest_spin, NULL);
	for (guint i = 0; i < rounds; i++) {
		gint64 began = guest_now_ns(), attached;
		g_autoptr(ProcdbBackend) backend = guest_schedule();

		attached = guest_now_ns();
		guest_sleep_ms(20);
		guest_assert_active(backend);
		g_test_message("attached in %.2f s", (double)(attached - began) / 1e9);
	}
	assert_all_run(hogs, G_N_ELEMENTS(hogs));
	for (guint i = 0; i < G_N_ELEMENTS(hogs); i++)
		guest_kill(hogs[i]);
}

/* The other scheduler, attached and with its maps pinned. */
static pid_t start_external(void)
{
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		execlp("vm-external", "vm-external", NULL);
		_exit(127);
	}
	for (int i = 0; i < 1000 && !g_file_test(PROCDB_PIN_INIT, G_FILE_TEST_EXISTS); i++)
		guest_sleep_ms(10);
	g_assert_true(g_file_test(PROCDB_PIN_INIT, G_FILE_TEST_EXISTS));
	return pid;
}

/* Ends it as it ends itself: its pins are gone then. Its exit code is the predictions it found. */
static guint stop_external(pid_t pid)
{
	int status;

	kill(pid, SIGTERM);
	g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
	g_assert_true(WIFEXITED(status));
	return (guint)WEXITSTATUS(status);
}

static void external_is_fed_through_its_pins(void)
{
	g_autoptr(ProcdbBackend) backend = procdb_backend_pinned_new();
	ProcdbBackendStatus status;

	g_assert_false(procdb_backend_refresh(backend));
	procdb_backend_status(backend, &status);
	g_assert_cmpstr(status.state, ==, "waiting");
	/* Twice: it restarts, with new maps at the same place. */
	for (int round = 0; round < 2; round++) {
		pid_t external = start_external();
		guint found;

		g_assert_true(procdb_backend_refresh(backend));
		procdb_backend_status(backend, &status);
		g_assert_cmpstr(status.state, ==, "active");
		g_assert_cmpuint(status.init_capacity, ==, 512);
		guest_predict(backend, "pforker", PROCDB_TIER_BATCH);
		guest_kill(guest_exec("pnothing", "sleep"));
		/* Its two children are enabled under its name; one of them goes on to exec. */
		{
			pid_t forker = guest_exec("pforker", "fork-pnothing");

			guest_wait_asleep(forker);
			guest_sleep_ms(100);
			guest_kill(forker);
		}
		g_assert_true(drained(backend, "pforker"));
		found = stop_external(external);
		g_test_message("round %d: the external scheduler found %u predictions at enable",
			       round + 1, found);
		g_assert_cmpuint(found, ==, 2);
		procdb_backend_refresh(backend);
		procdb_backend_status(backend, &status);
		g_assert_cmpstr(status.state, ==, "waiting");
	}
}

static void external_is_left_alone(void)
{
	pid_t external = start_external();
	g_autoptr(ProcdbBackend) backend =
	    procdb_backend_scheduler_new(&(ProcdbObserverSettings){0});
	ProcdbBackendStatus status;
	const char *state = guest_state(backend);

	g_test_message("state: %s", state);
	g_assert_nonnull(strstr(state, "waiting: the sched_ext scheduler vm_external"));
	procdb_backend_status(backend, &status);
	g_assert_cmpuint(status.init_capacity, ==, 512);
	guest_reap(guest_exec("pseen", "work-10"));
	g_assert_true(drained(backend, "pseen"));
	stop_external(external);
	assert_kernel_schedules();
	/* No scheduler has the CPUs now. */
	guest_assert_active(backend);
}

int main(int argc, char **argv)
{
	guest_init(&argc, &argv);
	g_test_add_func("/takeover/always/kill-gives-the-cpus-back", kill_gives_the_cpus_back);
	g_test_add_func("/takeover/always/ejection-falls-back-to-observing",
			ejection_falls_back_to_observing);
	g_test_add_func("/takeover/attach-and-detach-again-and-again",
			attach_and_detach_again_and_again);
	g_test_add_func("/takeover/always/external-is-fed-through-its-pins",
			external_is_fed_through_its_pins);
	g_test_add_func("/takeover/always/external-is-left-alone", external_is_left_alone);
	return g_test_run();
}
