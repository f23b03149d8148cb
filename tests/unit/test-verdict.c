/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The verdict of a trial under made-up load where the truth is known. */

#include <glib.h>
#include <math.h>

#include "made-up-load.h"
#include "verdict.h"

#define PAIRS 25
#define RUNS 20
#define RIGHT 19
#define CERTAINTY .99

static struct procdb_comparison trial(guint32 seed, const Load *with, const Load *without)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
	struct procdb_pair pairs[PAIRS];
	double drift = 1;

	for (guint i = 0; i < PAIRS; i++) {
		drift = drift_on(rand, drift);
		pairs[i] = pair_of(rand, with, without, drift);
	}
	return procdb_compare(pairs, PAIRS, CERTAINTY);
}

static void assert_effect(const Load *with, const Load *without, enum procdb_effect truth)
{
	guint right = 0;

	for (guint32 run = 0; run < RUNS; run++) {
		const struct procdb_comparison found = trial(run, with, without);

		right += found.effect == truth;
		/* The one mistake that no run may make. */
		if (truth == PROCDB_EFFECT_HARMS)
			g_assert_cmpint(found.effect, !=, PROCDB_EFFECT_HELPS);
		g_assert_cmpstr(found.reason, !=, "");
	}
	g_test_message("%u of %u right", right, RUNS);
	g_assert_cmpuint(right, >=, RIGHT);
}

static const Load busy = {.waits = 150, .mean_us = 1000, .batch_s = 1.6};

static void test_help_is_seen(void)
{
	const Load helped = {.waits = 150, .mean_us = 600, .batch_s = 1.6};

	assert_effect(&helped, &busy, PROCDB_EFFECT_HELPS);
}

static void test_harm_is_seen(void)
{
	const Load harmed = {.waits = 150, .mean_us = 1700, .batch_s = 1.6};

	assert_effect(&harmed, &busy, PROCDB_EFFECT_HARMS);
}

static void test_no_difference_is_none(void)
{
	assert_effect(&busy, &busy, PROCDB_EFFECT_NONE);
}

static void test_an_idle_machine_tells_nothing(void)
{
	const Load idle = {.waits = 150, .mean_us = 8, .batch_s = 0};

	assert_effect(&idle, &idle, PROCDB_EFFECT_UNKNOWN);
}

static void test_few_wakeups_tell_nothing(void)
{
	const Load few = {.waits = 8, .mean_us = 1000, .batch_s = 1.6};

	assert_effect(&few, &few, PROCDB_EFFECT_UNKNOWN);
}

static void test_less_time_for_batch_tasks_is_harm(void)
{
	const Load starved = {.waits = 150, .mean_us = 600, .batch_s = 1.4};

	assert_effect(&starved, &busy, PROCDB_EFFECT_HARMS);
}

static void test_no_time_at_all_for_batch_tasks_is_harm(void)
{
	const Load starved = {.waits = 150, .mean_us = 600, .batch_s = .005};
	const Load one = {.waits = 150, .mean_us = 1000, .batch_s = .4};

	assert_effect(&starved, &one, PROCDB_EFFECT_HARMS);
}

static void test_what_seems_longer_is_no_help(void)
{
	struct procdb_pair pairs[PAIRS] = {0};

	/* The median is half as long in all; one of fifty waits longer in most, up to six times. */
	for (guint i = 0; i < PAIRS; i++) {
		const guint64 tail = (guint64)(8e6 * exp(3.0 * i / PAIRS - 1.2));

		pairs[i].with.waits[procdb_delay_bucket(500000)] = 98;
		pairs[i].without.waits[procdb_delay_bucket(1000000)] = 98;
		pairs[i].with.waits[procdb_delay_bucket(tail)] = 2;
		pairs[i].without.waits[procdb_delay_bucket(8000000)] = 2;
	}
	g_assert_cmpint(procdb_compare(pairs, PAIRS, CERTAINTY).effect, ==, PROCDB_EFFECT_NONE);
}

static void test_a_difference_in_microseconds_is_none_that_counts(void)
{
	/* Half as long, but of 30 µs; a few have to wait for longer, so it is no calm machine. */
	struct procdb_pair pairs[PAIRS] = {0};

	for (guint i = 0; i < PAIRS; i++) {
		pairs[i].with.waits[procdb_delay_bucket(15000)] = 90;
		pairs[i].without.waits[procdb_delay_bucket(30000)] = 90;
		pairs[i].with.waits[procdb_delay_bucket(3000000)] = 10;
		pairs[i].without.waits[procdb_delay_bucket(3000000)] = 10;
	}
	g_assert_cmpint(procdb_compare(pairs, PAIRS, CERTAINTY).effect, ==, PROCDB_EFFECT_NONE);
}

static void test_windows_with_hardly_any_waits_are_left_out(void)
{
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);
	struct procdb_pair pairs[PAIRS] = {0};

	for (guint i = 0; i < PAIRS; i++)
		pairs[i].with = pairs[i].without = window_of(rand, &busy, 1);
	for (guint i = 0; i < 5; i++)
		pairs[i].without = (struct procdb_window){.waits = {[80] = 3}, .length = NS_PER_S};
	g_assert_cmpuint(procdb_compare(pairs, PAIRS, CERTAINTY).pairs, ==, PAIRS - 5);
}

static void test_no_pairs_tell_nothing(void)
{
	const struct procdb_comparison found = procdb_compare(NULL, 0, CERTAINTY);

	g_assert_cmpint(found.effect, ==, PROCDB_EFFECT_UNKNOWN);
	g_assert_cmpuint(found.pairs, ==, 0);
	g_assert_false(found.batch.known);
}

static void test_an_interval_has_the_textbook_ends(void)
{
	/*
	 * Of 8 signed ranks a sum of 3 or less has a probability of 5/256, so of the 36 averages
	 * the fourth from either end is that of 96 %.
	 */
	const double differences[] = {1, 2, 4, 8, 16, 32, 64, 128};
	double averages[36] = {0};
	const struct procdb_estimate found = procdb_paired_estimate(differences, 8, .96);
	guint n = 0;

	for (guint i = 0; i < 8; i++)
		for (guint j = i; j < 8; j++) {
			const double average = (differences[i] + differences[j]) / 2;
			guint at = n++;

			for (; at > 0 && averages[at - 1] > average; at--)
				averages[at] = averages[at - 1];
			averages[at] = average;
		}
	g_assert_true(found.known);
	g_assert_cmpfloat(found.low, ==, averages[3]);
	g_assert_cmpfloat(found.high, ==, averages[32]);
	g_assert_cmpfloat(found.value, ==, (averages[17] + averages[18]) / 2);
}

static void test_too_few_pairs_have_no_interval(void)
{
	const double differences[] = {1, 1, 1, 1, 1, 1, 1, 1};

	g_assert_false(procdb_paired_estimate(differences, 7, .99).known);
	g_assert_true(procdb_paired_estimate(differences, 8, .99).known);
	g_assert_false(procdb_paired_estimate(NULL, 0, .99).known);
}

static void test_an_interval_has_the_truth_as_often_as_it_says(void)
{
	guint has = 0;

	for (guint32 run = 0; run < 1000; run++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(run);
		double differences[12];
		struct procdb_estimate found;

		/* Around 3, with a long tail on both sides. */
		for (guint i = 0; i < G_N_ELEMENTS(differences); i++) {
			const double u = g_rand_double_range(rand, -1, 1);

			differences[i] = 3 + u * u * u / (1.01 - fabs(u));
		}
		found = procdb_paired_estimate(differences, G_N_ELEMENTS(differences), .95);
		has += found.low <= 3 && 3 <= found.high;
	}
	g_test_message("%u of 1000", has);
	g_assert_cmpuint(has, >=, 935);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/verdict/helps", test_help_is_seen);
	g_test_add_func("/verdict/harms", test_harm_is_seen);
	g_test_add_func("/verdict/none", test_no_difference_is_none);
	g_test_add_func("/verdict/idle", test_an_idle_machine_tells_nothing);
	g_test_add_func("/verdict/few", test_few_wakeups_tell_nothing);
	g_test_add_func("/verdict/batch", test_less_time_for_batch_tasks_is_harm);
	g_test_add_func("/verdict/starved", test_no_time_at_all_for_batch_tasks_is_harm);
	g_test_add_func("/verdict/seems-longer", test_what_seems_longer_is_no_help);
	g_test_add_func("/verdict/microseconds",
			test_a_difference_in_microseconds_is_none_that_counts);
	g_test_add_func("/verdict/sparse", test_windows_with_hardly_any_waits_are_left_out);
	g_test_add_func("/verdict/no-pairs", test_no_pairs_tell_nothing);
	g_test_add_func("/paired/textbook", test_an_interval_has_the_textbook_ends);
	g_test_add_func("/paired/few", test_too_few_pairs_have_no_interval);
	g_test_add_func("/paired/coverage", test_an_interval_has_the_truth_as_often_as_it_says);
	return g_test_run();
}
