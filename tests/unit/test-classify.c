/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The arithmetic that the kernel runs, on its boundaries. */

#include <glib.h>

#include "classify.h"

#define MS (PROCDB_WINDOW_NS / 100)

static struct procdb_task new_task(void)
{
	struct procdb_task task;

	procdb_task_reset(&task);
	return task;
}

static guint tier_of(guint64 avg, guint64 dev, guint64 wf, guint64 csw)
{
	return procdb_classify(avg, dev, wf, csw, 0, 0);
}

static void test_a_new_task_has_the_prior(void)
{
	struct procdb_task task = new_task();

	g_assert_cmpuint(task.avg_runtime, ==, 100000);
	g_assert_cmpuint(task.wakeup_freq, ==, 20);
	g_assert_cmpuint(task.runtime_dev, ==, 0);
	g_assert_cmpuint(task.csw_rate, ==, 0);
	g_assert_cmpuint(task.age, ==, 0);
	g_assert_cmpuint(task.tier, ==, PROCDB_TIER_INTERACTIVE);
}

static void test_ewma(void)
{
	static const guint64 max = G_MAXUINT64;

	/* Term by term: 3/2 + 5/2 is 1 + 2. */
	g_assert_cmpuint(procdb_ewma(3, 5, 0), ==, 3);
	g_assert_cmpuint(procdb_ewma(3, 5, 7), ==, 3);
	/* 15 - 15/8 + 9/8. */
	g_assert_cmpuint(procdb_ewma(15, 9, 8), ==, 15);
	g_assert_cmpuint(procdb_ewma(100, 0, 8), ==, 88);
	g_assert_cmpuint(procdb_ewma(7, 0, 16), ==, 7);
	g_assert_cmpuint(procdb_ewma(max, max, 0), ==, max - 1);
	g_assert_cmpuint(procdb_ewma(max, max, 8), ==, max);
	g_assert_cmpuint(procdb_ewma(0, max, 8), ==, max >> 3);
}

static void test_score_boundaries(void)
{
	guint64 ms = 1 << 20;

	/* score = wf × csw / ms: 7, 8, 31, 32. */
	g_assert_cmpuint(tier_of(0, 0, 7, 1), ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(tier_of(0, 0, 8, 1), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(tier_of(0, 0, 31, 1), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(tier_of(0, 0, 32, 1), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(tier_of(0, 0, 0, 512), ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(tier_of(0, 0, 64, 0), ==, PROCDB_TIER_BATCH);
	/* Below two of these milliseconds the divisor is 1. */
	g_assert_cmpuint(tier_of(2 * ms - 1, 0, 32, 1), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(tier_of(2 * ms, 0, 32, 1), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(tier_of(2 * ms, 0, 64, 1), ==, PROCDB_TIER_LAT_CRITICAL);
	/* Half of the deviation counts as run time. */
	g_assert_cmpuint(tier_of(ms, 2 * ms - 2, 32, 1), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(tier_of(ms, 2 * ms, 32, 1), ==, PROCDB_TIER_INTERACTIVE);
	/* The greatest score there is, 64 × 512, divided to just 32 and 31. */
	g_assert_cmpuint(tier_of(1024 * ms, 0, 64, 512), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(tier_of(1025 * ms, 0, 64, 512), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(tier_of(4096 * ms, 0, 64, 512), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(tier_of(4097 * ms, 0, 64, 512), ==, PROCDB_TIER_BATCH);
}

static void test_hostile_statistics(void)
{
	guint64 max = G_MAXUINT64;

	/* An average plus deviation beyond 64 bits is long, not short. */
	g_assert_cmpuint(tier_of(max, max, 64, 512), ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(tier_of(max, 2, 64, 512), ==, PROCDB_TIER_BATCH);
	/* Rates above the caps count as the caps: no product wraps around. */
	g_assert_cmpuint(tier_of(0, 0, max, max), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(tier_of(4097ULL << 20, 0, max, max), ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(tier_of(0, 0, 1ULL << 32, 1ULL << 32), ==, PROCDB_TIER_LAT_CRITICAL);
}

static void test_kernel_workers_and_compositors(void)
{
	g_assert_cmpuint(procdb_classify(1ULL << 40, 0, 0, 0, 1, 0), ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(procdb_classify(0, 0, 64, 512, 1, 0), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(procdb_classify(1ULL << 40, 0, 0, 0, 0, 1), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(procdb_classify(1ULL << 40, 0, 0, 0, 1, 1), ==, PROCDB_TIER_LAT_CRITICAL);
}

static void test_two_wakeups_only_stamp(void)
{
	struct procdb_task task = new_task();

	procdb_task_wakeup(&task, 1000, 5, 0, 0);
	procdb_task_wakeup(&task, 2000, 9, 0, 0);
	g_assert_cmpuint(task.age, ==, 2);
	g_assert_cmpuint(task.wakeup_freq, ==, 20);
	g_assert_cmpuint(task.csw_rate, ==, 0);
	g_assert_cmpuint(task.tier, ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(task.last_wakeup, ==, 2000);
	g_assert_cmpuint(task.last_nvcsw, ==, 9);
	/* The third one has an interval: 10 ms, one switch in it. */
	procdb_task_wakeup(&task, 2000 + 10 * MS, 10, 0, 0);
	g_assert_cmpuint(task.age, ==, 3);
	g_assert_cmpuint(task.wakeup_freq, ==, 20 / 2 + 10 / 2);
	g_assert_cmpuint(task.csw_rate, ==, 0 / 2 + 10 / 2);
	g_assert_cmpuint(task.tier, ==, PROCDB_TIER_LAT_CRITICAL);
}

static void test_rates_are_capped(void)
{
	struct procdb_task task = new_task();
	guint64 now = 1;

	for (guint64 i = 0; i < 100; i++)
		procdb_task_wakeup(&task, now += 1000, i * 1000000, 0, 0);
	g_assert_cmpuint(task.wakeup_freq, ==, 64);
	g_assert_cmpuint(task.csw_rate, ==, 512);
	g_assert_cmpuint(task.age, ==, 16);
}

static void test_age_stops_at_16(void)
{
	struct procdb_task task = new_task();

	for (guint i = 1; i <= 100; i++) {
		procdb_task_wakeup(&task, i * 100 * MS, 0, 0, 0);
		g_assert_cmpuint(task.age, ==, MIN(i, 16));
	}
	/* One wake-up per 100 ms. From age 8 on 20 decays no further than 8 - 8/8 + 1/8. */
	g_assert_cmpuint(task.wakeup_freq, <=, 8);
	g_assert_cmpuint(task.tier, ==, PROCDB_TIER_BATCH);
}

static void test_clocks_that_stand_or_go_back(void)
{
	struct procdb_task task = new_task();

	for (guint i = 0; i < 3; i++)
		procdb_task_wakeup(&task, 1000000, 0, 0, 0);
	g_assert_cmpuint(task.wakeup_freq, ==, 64);
	procdb_task_wakeup(&task, 5, G_MAXUINT64, 0, 0);
	g_assert_cmpuint(task.wakeup_freq, ==, 64);
	g_assert_cmpuint(task.csw_rate, ==, 512);
	/* A switch count that went back is no switch. */
	procdb_task_wakeup(&task, 100 * MS, 0, 0, 0);
	g_assert_cmpuint(task.csw_rate, <, 512);
}

static void test_the_age_at_which_weights_change(void)
{
	struct procdb_task task = new_task();

	/* The rate of switches is averaged after the age went up, that of wake-ups before. */
	task.age = 7;
	task.last_wakeup = 100 * MS;
	task.wakeup_freq = 64;
	task.csw_rate = 64;
	procdb_task_wakeup(&task, 200 * MS, 0, 0, 0);
	g_assert_cmpuint(task.wakeup_freq, ==, 32);
	g_assert_cmpuint(task.csw_rate, ==, 56);
	g_assert_cmpuint(task.age, ==, 8);
}

static void test_no_time_passes_backwards(void)
{
	g_assert_cmpuint(procdb_elapsed(3, 5), ==, 2);
	g_assert_cmpuint(procdb_elapsed(5, 5), ==, 0);
	g_assert_cmpuint(procdb_elapsed(5, 3), ==, 0);
	g_assert_cmpuint(procdb_elapsed(G_MAXUINT64, 0), ==, 0);
}

static void test_run_times(void)
{
	struct procdb_task task = new_task();

	/* The deviation is from the average before this run. */
	procdb_task_stop(&task, 300000);
	g_assert_cmpuint(task.avg_runtime, ==, 200000);
	g_assert_cmpuint(task.runtime_dev, ==, 100000);
	procdb_task_stop(&task, 0);
	g_assert_cmpuint(task.avg_runtime, ==, 100000);
	g_assert_cmpuint(task.runtime_dev, ==, 150000);
	task.age = 8;
	procdb_task_stop(&task, 900000);
	g_assert_cmpuint(task.avg_runtime, ==, 100000 - 12500 + 112500);
	g_assert_cmpuint(task.runtime_dev, ==, 150000 - 18750 + 100000);
	procdb_task_stop(&task, G_MAXUINT64);
	g_assert_cmpuint(task.avg_runtime, >, 200000);
}

static void test_one_long_run_never_becomes_stable(void)
{
	struct procdb_task task = new_task();

	/* Why short lives need a rule without the prior (struct procdb_life in classify.h). */
	procdb_task_stop(&task, 70 * MS);
	g_assert_cmpuint(task.avg_runtime, ==, 35 * MS + 50000);
	g_assert_cmpuint(task.runtime_dev, ==, 35 * MS - 50000);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/classify/a-new-task-has-the-prior", test_a_new_task_has_the_prior);
	g_test_add_func("/classify/ewma", test_ewma);
	g_test_add_func("/classify/score-boundaries", test_score_boundaries);
	g_test_add_func("/classify/hostile-statistics", test_hostile_statistics);
	g_test_add_func("/classify/kernel-workers-and-compositors",
			test_kernel_workers_and_compositors);
	g_test_add_func("/classify/two-wakeups-only-stamp", test_two_wakeups_only_stamp);
	g_test_add_func("/classify/rates-are-capped", test_rates_are_capped);
	g_test_add_func("/classify/age-stops-at-16", test_age_stops_at_16);
	g_test_add_func("/classify/clocks-that-stand-or-go-back",
			test_clocks_that_stand_or_go_back);
	g_test_add_func("/classify/the-age-at-which-weights-change",
			test_the_age_at_which_weights_change);
	g_test_add_func("/classify/no-time-passes-backwards", test_no_time_passes_backwards);
	g_test_add_func("/classify/run-times", test_run_times);
	g_test_add_func("/classify/one-long-run-never-becomes-stable",
			test_one_long_run_never_becomes_stable);
	return g_test_run();
}
