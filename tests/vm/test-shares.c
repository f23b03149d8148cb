/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Which task gets how much of the CPU, and how long each waits. */

#include "guest.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOGS_MAX 512

typedef struct {
	int nice;
	int cpu;	    /* -1: any */
	const char *cgroup; /* NULL: the root */
} Hog;

static void hog(gpointer data)
{
	const Hog *h = data;

	if (h->cpu >= 0)
		guest_pin((guint)h->cpu);
	if (h->nice)
		g_assert_cmpint(setpriority(PRIO_PROCESS, 0, h->nice), ==, 0);
	if (h->cgroup) {
		g_autofree char *path =
		    g_strdup_printf("/sys/fs/cgroup/%s/cgroup.procs", h->cgroup);

		guest_write(path, "0");
	}
	guest_spin(NULL);
}

static void signal_all(const pid_t *pids, guint n, int signal)
{
	for (guint i = 0; i < n; i++)
		kill(pids[i], signal);
}

/* Runs the hogs side by side for so long; what each got in CPU seconds. */
static void compete(const Hog *hogs, guint n, guint seconds, double *got)
{
	pid_t pids[HOGS_MAX];

	g_assert_cmpuint(n, <=, HOGS_MAX);
	for (guint i = 0; i < n; i++)
		pids[i] = guest_fork(hog, (gpointer)&hogs[i]);
	guest_sleep_ms(seconds * 1000);
	signal_all(pids, n, SIGSTOP);
	for (guint i = 0; i < n; i++)
		got[i] = guest_kill(pids[i]);
}

static double sum(const double *values, guint n)
{
	double total = 0;

	for (guint i = 0; i < n; i++)
		total += values[i];
	return total;
}

static void check_equal(const Hog *hogs, guint n, guint seconds)
{
	g_autoptr(ProcdbBackend) backend = guest_schedule();
	double got[HOGS_MAX], mean;

	compete(hogs, n, seconds, got);
	mean = sum(got, n) / n;
	for (guint i = 0; i < n; i++) {
		g_test_message("hog %u: %.2f s, %+.1f %% of its share", i, got[i],
			       (got[i] / mean - 1) * 100);
		g_assert_cmpfloat(fabs(got[i] / mean - 1), <=, 0.1);
	}
	guest_assert_active(backend);
}

static void equal_on_one_cpu(void)
{
	static const Hog hogs[] = {{.cpu = 0}, {.cpu = 0}, {.cpu = 0}, {.cpu = 0}};

	check_equal(hogs, G_N_ELEMENTS(hogs), 4);
}

static void equal_on_all_cpus(void)
{
	static const Hog hogs[] = {{.cpu = -1}, {.cpu = -1}, {.cpu = -1}, {.cpu = -1}, {.cpu = -1}};

	check_equal(hogs, G_N_ELEMENTS(hogs), 5);
}

typedef struct {
	double first; /* CPU seconds of the first hogs */
	double all;
} Share;

static void add_round(Share *share, const Hog *hogs, guint n, guint first, guint seconds)
{
	double got[HOGS_MAX];

	compete(hogs, n, seconds, got);
	share->first += sum(got, first);
	share->all += sum(got, n);
}

/*
 * The first hogs' part of the whole, under the kernel's own scheduler and under
 * ours. On a host that takes the CPU away for long, one round tells little of
 * either: then more rounds in turns, all of which count.
 */
static void compare(const char *what, const Hog *hogs, guint n, guint first, guint seconds)
{
	Share stock = {0}, ours = {0};
	double stock_part, our_part;

	for (guint round = 1;; round++) {
		add_round(&stock, hogs, n, first, seconds);
		{
			g_autoptr(ProcdbBackend) backend = guest_schedule();

			add_round(&ours, hogs, n, first, seconds);
			guest_assert_active(backend);
		}
		stock_part = stock.first / stock.all;
		our_part = ours.first / ours.all;
		g_test_message("%s, %u s: %.1f %% under the kernel's own scheduler, %.1f %% under "
			       "ours",
			       what, round * seconds, stock_part * 100, our_part * 100);
		if (fabs(our_part / stock_part - 1) <= 0.1)
			return;
		g_assert_cmpuint(round, <, 6);
	}
}

static void nice_as_the_kernel(void)
{
	static const Hog pair[] = {{.nice = 5, .cpu = 0}, {.cpu = 0}};
	static const Hog three[] = {{.nice = 10, .cpu = 0}, {.nice = 5, .cpu = 0}, {.cpu = 0}};

	/* One that has a CPU for itself, whose virtual time runs faster, is not their measure. */
	static const Hog beside[] = {{.nice = 5, .cpu = 0}, {.cpu = 0}, {.cpu = 1}};

	compare("nice 5 against nice 0", pair, 2, 1, 4);
	compare("the same beside one alone on the other CPU", beside, 3, 1, 4);
	compare("nice 10 and 5 against nice 0", three, 3, 2, 5);
}

static void make_group(const char *name, const char *weight)
{
	g_autofree char *dir = g_strdup_printf("/sys/fs/cgroup/%s", name);
	g_autofree char *file = g_strdup_printf("%s/cpu.weight", dir);

	if (mkdir(dir, 0755) && errno != EEXIST)
		g_error("%s: %s", dir, g_strerror(errno));
	guest_write(file, weight);
}

static void cgroups_as_the_kernel(void)
{
	static const Hog hogs[] = {
	    {.cpu = 0, .cgroup = "light"},
	    {.cpu = 0, .cgroup = "light"},
	    {.cpu = 0, .cgroup = "heavy"},
	};

	guest_write("/sys/fs/cgroup/cgroup.subtree_control", "+cpu");
	make_group("light", "100");
	make_group("heavy", "300");
	compare("two tasks of weight 100 against one of 300", hogs, 3, 2, 4);
	/* A weight that changes while the scheduler runs, and a level more. */
	{
		static const Hog nested[] = {
		    {.cpu = 0, .cgroup = "light"},
		    {.cpu = 0, .cgroup = "heavy/inner"},
		};
		g_autoptr(ProcdbBackend) backend = guest_schedule();
		double got[2];

		guest_write("/sys/fs/cgroup/heavy/cgroup.subtree_control", "+cpu");
		make_group("heavy/inner", "50");
		make_group("heavy", "100");
		compete(nested, 2, 3, got);
		g_test_message("equal cgroups, one nested: %.2f s and %.2f s", got[0], got[1]);
		g_assert_cmpfloat(fabs(got[0] / got[1] - 1), <=, 0.15);
		guest_assert_active(backend);
	}
}

/* Spins, and notes the longest time that it was not let run. */
static void watch_gaps(gpointer data)
{
	volatile gint64 *longest = data;
	gint64 last;

	guest_pin(0);
	/* Its beginning, before it is taken for batch, does not count. */
	for (gint64 end = guest_now_ns() + 500 * GUEST_MS; guest_now_ns() < end;)
		;
	for (last = guest_now_ns();;) {
		gint64 now = guest_now_ns();

		*longest = MAX(*longest, now - last);
		last = now;
	}
}

static gint64 *shared_longest(void)
{
	void *longest =
	    mmap(NULL, sizeof(gint64), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	g_assert_true(longest != MAP_FAILED);
	return longest;
}

/* More lat-critical work than two CPUs can do, which never runs long enough to be demoted. */
static ProcdbBackend *schedule_greedy(pid_t *greedy, guint n)
{
	static const char *const critical[] = {"pgreedy", NULL};
	ProcdbBackend *backend = guest_schedule_for(critical);

	guest_predict(backend, "pgreedy", PROCDB_TIER_LAT_CRITICAL);
	for (guint i = 0; i < n; i++)
		greedy[i] = guest_exec("pgreedy", "work-1000000");
	guest_sleep_ms(200);
	return backend;
}

static void batch_wait_is_bounded(void)
{
	pid_t greedy[4], starving;
	g_autoptr(ProcdbBackend) backend = schedule_greedy(greedy, G_N_ELEMENTS(greedy));
	gint64 *longest = shared_longest();
	ProcdbSchedulerStatistics statistics;
	double got;

	starving = guest_fork(watch_gaps, longest);
	guest_sleep_ms(guest_seconds(6) * 1000);
	g_assert_cmpint(guest_tier(greedy[0]), ==, PROCDB_TIER_LAT_CRITICAL);
	got = guest_kill(starving);
	for (guint i = 0; i < G_N_ELEMENTS(greedy); i++)
		guest_kill(greedy[i]);
	procdb_backend_scheduler_statistics(backend, &statistics);
	g_test_message(
	    "a batch task among lat-critical ones: %.2f s of %u s; not run for %.0f ms at "
	    "the longest; longest wait per tier %.0f / %.0f / %.0f ms",
	    got, guest_seconds(6), (double)*longest / 1e6,
	    (double)statistics.longest_wait_ns[0] / 1e6,
	    (double)statistics.longest_wait_ns[1] / 1e6,
	    (double)statistics.longest_wait_ns[2] / 1e6);
	/* 100 ms, and what emulation on a busy host adds; without a bound it is all of the time. */
	g_assert_cmpint(*longest, <=, 1000 * GUEST_MS);
	g_assert_cmpfloat(got, >=, guest_seconds(6) / 10.0);
	guest_assert_active(backend);
	munmap(longest, sizeof(*longest));
}

/* The least of all: it stands behind eight others of its tier, which has a fifth of the CPU. */
static void least_weight_is_served(void)
{
	static const Hog hogs[] = {{.nice = 19, .cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0},
				   {.cpu = 0}};
	pid_t greedy[4];
	g_autoptr(ProcdbBackend) backend = schedule_greedy(greedy, G_N_ELEMENTS(greedy));
	ProcdbSchedulerStatistics statistics;
	double got[G_N_ELEMENTS(hogs)];

	compete(hogs, G_N_ELEMENTS(hogs), MAX(guest_seconds(30), 30), got);
	for (guint i = 0; i < G_N_ELEMENTS(greedy); i++)
		guest_kill(greedy[i]);
	procdb_backend_scheduler_statistics(backend, &statistics);
	g_test_message("nice 19 got %.3f s, nice 0 %.3f s; the longest wait was %.1f s", got[0],
		       got[1], (double)statistics.longest_wait_ns[PROCDB_TIER_BATCH] / 1e9);
	g_assert_cmpfloat(got[0], >, 0);
	/* 8 s until the clock has passed it, and a round of those before it. */
	g_assert_cmpuint(statistics.longest_wait_ns[PROCDB_TIER_BATCH], <=, 15000 * GUEST_MS);
	guest_assert_active(backend);
}

static int compare_gint64(gconstpointer a, gconstpointer b)
{
	const gint64 *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double percentile_ms(const gint64 *sorted_ns, guint n, guint percent)
{
	gint64 ns = sorted_ns[MIN(n * percent / 100, n - 1)];

	return (double)ns / 1e6;
}

/* Wakes up every 5 ms, a little work each time; prints how late it was. Returns the median in ns.
 */
static gint64 probe(const char *under, guint seconds)
{
	guint most = seconds * 200, n = 0;
	g_autofree gint64 *late = g_new(gint64, most);
	gint64 end = guest_now_ns() + (gint64)seconds * 1000 * GUEST_MS;

	/* Under a name of its own, so that nothing of its past counts against it. */
	g_assert_cmpint(prctl(PR_SET_NAME, under), ==, 0);
	/* For so long, not so often: a task that wakes late wakes seldom. */
	while (n < most && (n == 0 || guest_now_ns() < end)) {
		gint64 before = guest_now_ns();

		g_usleep(5000);
		late[n++] = guest_now_ns() - before - 5 * GUEST_MS;
	}
	qsort(late, n, sizeof(*late), compare_gint64);
	g_test_message("300 batch tasks, %s: an interactive task wakes up late by p50 %.2f ms, p90 "
		       "%.2f ms, p99 %.2f "
		       "ms, at most %.1f ms",
		       under, percentile_ms(late, n, 50), percentile_ms(late, n, 90),
		       percentile_ms(late, n, 99), percentile_ms(late, n, 100));
	return late[n / 2];
}

#define MANY 300 /* tasks */

static void hundreds_of_batch_tasks(void)
{
	static const Hog any = {.cpu = -1};
	pid_t pids[MANY];
	guint seconds = guest_seconds(8);
	ProcdbSchedulerStatistics statistics;
	double got[G_N_ELEMENTS(pids)], least = 1e9, each = 0;
	g_autoptr(ProcdbBackend) backend = NULL;
	gint64 median;

	for (guint i = 0; i < G_N_ELEMENTS(pids); i++)
		pids[i] = guest_fork(hog, (gpointer)&any);
	guest_sleep_ms(500);
	probe("kernel", 2);
	/* Loading takes seconds of CPU time under emulation, of which one in 150 would be its own.
	 */
	signal_all(pids, G_N_ELEMENTS(pids), SIGSTOP);
	backend = guest_schedule();
	signal_all(pids, G_N_ELEMENTS(pids), SIGCONT);
	/* They are interactive until each has shown, in 40 ms of CPU time, what it is. */
	do {
		guest_sleep_ms(500);
		procdb_backend_scheduler_statistics(backend, &statistics);
	} while (statistics.demoted < G_N_ELEMENTS(pids));
	median = probe("ours", seconds);
	guest_assert_active(backend);
	procdb_backend_scheduler_statistics(backend, &statistics);
	signal_all(pids, G_N_ELEMENTS(pids), SIGSTOP);
	for (guint i = 0; i < G_N_ELEMENTS(pids); i++) {
		got[i] = guest_kill(pids[i]);
		least = MIN(least, got[i]);
		each += got[i] / MANY;
	}
	g_test_message("each got %.3f s on average, none less than %.3f s; longest wait %.1f s",
		       each, least, (double)statistics.longest_wait_ns[PROCDB_TIER_BATCH] / 1e9);
	g_assert_cmpfloat(least, >, 0);
	g_assert_cmpint(median, <=, 20 * GUEST_MS);
	g_assert_cmpuint(statistics.longest_wait_ns[PROCDB_TIER_BATCH], <=, 20000 * GUEST_MS);
	guest_assert_active(backend);
}

int main(int argc, char **argv)
{
	guest_init(&argc, &argv);
	g_test_add_func("/shares/always/equal-on-one-cpu", equal_on_one_cpu);
	g_test_add_func("/shares/equal-on-all-cpus", equal_on_all_cpus);
	g_test_add_func("/shares/nice-as-the-kernel", nice_as_the_kernel);
	g_test_add_func("/shares/cgroups-as-the-kernel", cgroups_as_the_kernel);
	g_test_add_func("/shares/always/batch-wait-is-bounded", batch_wait_is_bounded);
	g_test_add_func("/shares/least-weight-is-served", least_weight_is_served);
	g_test_add_func("/shares/hundreds-of-batch-tasks", hundreds_of_batch_tasks);
	return g_test_run();
}
