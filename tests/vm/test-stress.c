/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Loads that break schedulers: after each the scheduler is still there, and no task is left
 * waiting.
 */

#include "guest.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* No task waited for nearly the 30 s that the kernel allows: 8 s and a round is the scheduler's
 * bound. */
static void assert_healthy(ProcdbBackend *backend)
{
	ProcdbSchedulerStatistics s;

	guest_assert_active(backend);
	procdb_backend_scheduler_statistics(backend, &s);
	g_test_message("runs %" G_GUINT64_FORMAT " / %" G_GUINT64_FORMAT " / %" G_GUINT64_FORMAT
		       " (batch / interactive / lat-critical), longest wait %.0f / %.0f / %.0f ms, "
		       "%" G_GUINT64_FORMAT " preempted, %" G_GUINT64_FORMAT " demoted",
		       s.runs[0], s.runs[1], s.runs[2], (double)s.longest_wait_ns[0] / 1e6,
		       (double)s.longest_wait_ns[1] / 1e6, (double)s.longest_wait_ns[2] / 1e6,
		       s.preempted, s.demoted);
	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		g_assert_cmpuint(s.longest_wait_ns[tier], <, 15000 * GUEST_MS);
}

static void fork_storm(gpointer data)
{
	guint64 *count = data;

	for (;;) {
		pid_t pids[8];

		for (guint i = 0; i < G_N_ELEMENTS(pids); i++) {
			pids[i] = fork();
			if (pids[i] == 0) {
				sched_yield();
				_exit(0);
			}
		}
		for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
			if (pids[i] > 0 && waitpid(pids[i], NULL, 0) == pids[i])
				__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
	}
}

static guint64 *shared_counter(void)
{
	void *counter =
	    mmap(NULL, sizeof(guint64), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert_true(counter != MAP_FAILED);
	return counter;
}

static void forks(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	guint64 *count = shared_counter();
	pid_t pids[4];

	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = guest_fork(fork_storm, count);
	guest_sleep_ms(guest_seconds(4) * 1000);
	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		guest_kill(pids[i]);
	g_test_message("%" G_GUINT64_FORMAT " forks in %u s", *count, guest_seconds(4));
	g_assert_cmpuint(*count, >, 100);
	assert_healthy(backend);
	munmap(count, sizeof(*count));
}

static void set_cpus(pid_t pid, guint mask)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (guint cpu = 0; cpu < 2; cpu++)
		if (mask & 1U << cpu)
			CPU_SET(cpu, &set);
	/* The CPU may be offline at the moment. */
	if (sched_setaffinity(pid, sizeof(set), &set))
		g_assert_cmpint(errno, ==, EINVAL);
}

static void affinity(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	gint64 end = guest_now_ns() + guest_seconds(4) * 1000 * GUEST_MS;
	pid_t pids[12];
	guint changes = 0;

	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = i % 3 ? guest_fork(guest_spin, NULL) : guest_exec("pmover", "wake-1");
	while (guest_now_ns() < end) {
		guint i = changes % G_N_ELEMENTS(pids);

		set_cpus(pids[i], 1 + (changes / 5) % 3);
		g_assert_cmpint(setpriority(PRIO_PROCESS, (id_t)pids[i], (int)(changes % 20)), ==,
				0);
		changes++;
		g_usleep(500);
	}
	/* All of them on one CPU, and then the other: each still runs there. */
	for (guint cpu = 0; cpu < 2; cpu++) {
		for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
			set_cpus(pids[i], 1U << cpu);
		guest_sleep_ms(300);
	}
	g_test_message("%u changes of affinity and nice", changes);
	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		g_assert_cmpfloat(guest_kill(pids[i]), >, 0);
	assert_healthy(backend);
}

/* The kernel ends the scheduler when a CPU comes or goes: it is back at the next looks. */
static void assert_comes_back(ProcdbBackend *backend)
{
	for (guint i = 0; i < 500; i++) {
		g_autofree char *state = NULL;

		procdb_backend_refresh(backend);
		g_assert_true(
		    g_file_get_contents("/sys/kernel/sched_ext/state", &state, NULL, NULL));
		if (g_str_equal(g_strchomp(state), "enabled"))
			break;
		guest_sleep_ms(10);
	}
	guest_assert_active(backend);
}

static void hotplug(void)
{
	static const char online[] = "/sys/devices/system/cpu/cpu1/online";
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	gint64 end = guest_now_ns() + guest_seconds(4) * 1000 * GUEST_MS;
	pid_t pids[4];
	guint cycles = 0;

	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = guest_fork(guest_spin, NULL);
	/* Some may use nothing but the CPU that goes. */
	set_cpus(pids[0], 2);
	for (; cycles < 2 || guest_now_ns() < end; cycles++) {
		guest_write(online, "0");
		assert_comes_back(backend);
		guest_sleep_ms(50);
		guest_write(online, "1");
		assert_comes_back(backend);
		guest_sleep_ms(50);
	}
	g_test_message("CPU 1 went off and on %u times", cycles);
	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		g_assert_cmpfloat(guest_kill(pids[i]), >, 0);
	assert_healthy(backend);
}

static void real_time(gpointer unused)
{
	struct sched_param parameters = {.sched_priority = 10};
	gint64 until;

	guest_pin(0);
	g_assert_cmpint(sched_setscheduler(0, SCHED_FIFO, &parameters), ==, 0);
	for (;;) {
		for (until = guest_now_ns() + 150 * GUEST_MS; guest_now_ns() < until;)
			;
		g_usleep(50000);
	}
}

static void spin_on_first_cpu(gpointer unused)
{
	guest_pin(0);
	guest_spin(NULL);
}

/* Three quarters of a CPU go to a real-time task; what is left feeds those that cannot leave. */
static void real_time_beside(void)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	pid_t rt = guest_fork(real_time, NULL), pids[4];
	double got;

	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = guest_fork(i < 2 ? spin_on_first_cpu : guest_spin, NULL);
	guest_sleep_ms(guest_seconds(5) * 1000);
	got = guest_kill(rt);
	g_test_message("the real-time task ran for %.2f s", got);
	for (guint i = 0; i < G_N_ELEMENTS(pids); i++) {
		got = guest_kill(pids[i]);
		g_test_message("%s: %.2f s", i < 2 ? "bound to its CPU" : "free to leave", got);
		g_assert_cmpfloat(got, >, 0.05);
	}
	assert_healthy(backend);
}

int main(int argc, char **argv)
{
	guest_init(&argc, &argv);
	g_test_add_func("/stress/always/forks", forks);
	g_test_add_func("/stress/always/affinity", affinity);
	g_test_add_func("/stress/always/hotplug", hotplug);
	g_test_add_func("/stress/always/real-time-beside", real_time_beside);
	return g_test_run();
}
