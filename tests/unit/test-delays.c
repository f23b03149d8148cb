/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Histograms of the time that tasks wait: buckets, differences, percentiles. */

#include <glib.h>

#include "classify.h"
#include "delay-stats.h"

static void test_buckets_follow_each_other_without_gaps(void)
{
	for (guint i = 0; i < PROCDB_DELAY_BUCKETS; i++) {
		const guint64 from = procdb_delay_from(i), to = procdb_delay_from(i + 1);

		g_assert_cmpuint(from, <, to);
		g_assert_cmpuint(procdb_delay_bucket(from), ==, i);
		g_assert_cmpuint(procdb_delay_bucket(to - 1), ==, i);
		/* From 8 µs on no bucket is wider than a quarter of where it begins. */
		if (i >= 8)
			g_assert_cmpuint((to - from) * 4, <=, from);
	}
}

static void test_any_delay_has_a_bucket(void)
{
	g_assert_cmpuint(procdb_delay_bucket(0), ==, 0);
	g_assert_cmpuint(procdb_delay_bucket(G_MAXUINT64), ==, PROCDB_DELAY_BUCKETS - 1);
	for (guint shift = 0; shift < 64; shift++)
		g_assert_cmpuint(procdb_delay_bucket(1ULL << shift), <, PROCDB_DELAY_BUCKETS);
}

static void test_percentiles_are_right_within_an_eighth(void)
{
	__u64 waits[PROCDB_DELAY_BUCKETS] = {0};

	/* 1,000 delays from 10 µs to 10 ms. */
	for (guint i = 1; i <= 1000; i++)
		waits[procdb_delay_bucket(i * 10000ULL)]++;
	g_assert_cmpuint(procdb_waits_count(waits), ==, 1000);
	for (guint percent = 5; percent < 100; percent++) {
		const double truth = percent * 100000.0;
		const double found = (double)procdb_waits_percentile(waits, percent / 100.0);

		g_assert_cmpfloat(found, >, truth * 7 / 8);
		g_assert_cmpfloat(found, <, truth * 9 / 8);
	}
}

static void test_no_delays_have_no_percentile(void)
{
	const __u64 waits[PROCDB_DELAY_BUCKETS] = {0};

	g_assert_cmpuint(procdb_waits_percentile(waits, .9), ==, 0);
}

static void test_a_single_delay_is_every_percentile(void)
{
	__u64 waits[PROCDB_DELAY_BUCKETS] = {0};

	waits[40] = 1;
	for (int quarters = 0; quarters <= 4; quarters++) {
		const double share = quarters / 4.0;

		g_assert_cmpuint(procdb_waits_percentile(waits, share), >=, procdb_delay_from(40));
		g_assert_cmpuint(procdb_waits_percentile(waits, share), <=, procdb_delay_from(41));
	}
}

static void test_full_counters_stay_full(void)
{
	__u64 sum[PROCDB_DELAY_BUCKETS] = {[7] = G_MAXUINT64 - 1};
	const __u64 more[PROCDB_DELAY_BUCKETS] = {[7] = 2, [8] = 3};

	procdb_waits_add(sum, more);
	g_assert_cmpuint(sum[7], ==, G_MAXUINT64);
	g_assert_cmpuint(sum[8], ==, 3);
	g_assert_cmpuint(procdb_waits_count(sum), ==, G_MAXUINT64);
	g_assert_cmpuint(procdb_waits_percentile(sum, .99), <=, procdb_delay_from(8));
}

static void test_octaves_are_right_within_a_half(void)
{
	__u32 octaves[PROCDB_WAIT_OCTAVES] = {0};

	g_assert_cmpuint(procdb_octaves_percentile(octaves, .9), ==, 0);
	/* 1,000 delays from 10 µs to 10 ms. */
	for (guint i = 1; i <= 1000; i++)
		octaves[procdb_wait_octave(procdb_delay_bucket(i * 10000ULL))]++;
	g_assert_cmpuint(procdb_octaves_count(octaves), ==, 1000);
	for (guint percent = 5; percent < 100; percent++) {
		const double truth = percent * 100000.0;
		const double found = (double)procdb_octaves_percentile(octaves, percent / 100.0);

		g_assert_cmpfloat(found, >, truth / 2);
		g_assert_cmpfloat(found, <, truth * 1.7);
	}
}

static void test_the_last_octave_says_at_least(void)
{
	__u32 octaves[PROCDB_WAIT_OCTAVES] = {[PROCDB_WAIT_OCTAVES - 1] = G_MAXUINT32};

	g_assert_cmpuint(procdb_wait_octave(PROCDB_DELAY_BUCKETS - 1), ==, PROCDB_WAIT_OCTAVES - 1);
	g_assert_cmpuint(procdb_octaves_percentile(octaves, .5), >, 67000000);
	g_assert_cmpuint(procdb_octaves_percentile(octaves, .5), <, 68000000);
}

static void test_some_of_many_wakeups_stand_for_all(void)
{
	static const guint64 ticks[] = {1, 16, 42}; /* ns of a clock */
	const guint8 mask = procdb_delay_mask(80000, 8000000000);

	g_assert_cmpuint(mask + 1, ==, PROCDB_DELAY_OF);
	for (guint t = 0; t < G_N_ELEMENTS(ticks); t++) {
		guint64 counted = 0, now = 0;

		g_random_set_seed(1);
		for (guint64 wakeup = 1; wakeup <= 80000; wakeup++) {
			now += (guint64)g_random_int_range(100, 1000) * ticks[t] * 8;
			counted += procdb_delay_counts(mask, now, wakeup);
		}
		g_assert_cmpuint(counted * (mask + 1U), >, 76000);
		g_assert_cmpuint(counted * (mask + 1U), <, 84000);
	}
	/* A clock that always says the same leaves each 32nd. */
	for (guint wakeup = 1, weight = 0; wakeup <= 960; wakeup++) {
		weight += procdb_delay_counts(mask, 1 << 14, wakeup) ? mask + 1U : 0;
		g_assert_cmpuint(weight, ==, wakeup / 32 * 32);
	}
}

static void test_each_of_few_wakeups_counts(void)
{
	/* A thousand in a second, and too few to say how often they come. */
	g_assert_cmpuint(procdb_delay_mask(900, 1000000000), ==, 0);
	g_assert_cmpuint(procdb_delay_mask(31, 1000), ==, 0);
	g_assert_cmpuint(procdb_delay_mask(0, 0), ==, 0);
	g_assert_cmpuint(procdb_delay_mask(G_MAXUINT32, G_MAXUINT64), ==, 0);
	/* As soon as they have become few. */
	g_assert_cmpuint(procdb_delay_mask_now(31, 2000000), ==, 0);
	g_assert_cmpuint(procdb_delay_mask_now(31, 500000), ==, 31);
	for (guint wakeup = 0; wakeup < 16; wakeup++)
		g_assert_true(procdb_delay_counts(0, wakeup * 12345, wakeup));
}

static void test_a_difference_is_what_came_between(void)
{
	struct procdb_delays before = {.batch_run = 100, .batch_since = 5}, after, difference;

	before.waits[PROCDB_TIER_LAT_CRITICAL][PROCDB_DELAY_APPLIED][3] = 7;
	after = before;
	after.waits[PROCDB_TIER_LAT_CRITICAL][PROCDB_DELAY_APPLIED][3] += 4;
	after.batch_run += 50;
	g_assert_true(procdb_delays_since(&before, &after, &difference));
	g_assert_cmpuint(difference.waits[PROCDB_TIER_LAT_CRITICAL][PROCDB_DELAY_APPLIED][3], ==,
			 4);
	g_assert_cmpuint(difference.waits[PROCDB_TIER_BATCH][PROCDB_DELAY_PLAIN][3], ==, 0);
	g_assert_cmpuint(difference.batch_run, ==, 50);
	g_assert_cmpuint(difference.batch_since, ==, 0);
}

static void test_counters_of_another_observer_have_no_difference(void)
{
	struct procdb_delays before = {0}, after = {0}, difference;

	before.waits[PROCDB_TIER_BATCH][PROCDB_DELAY_PLAIN][0] = 1;
	after.waits[PROCDB_TIER_BATCH][PROCDB_DELAY_PLAIN][1] = 9;
	g_assert_false(procdb_delays_since(&before, &after, &difference));
	g_assert_cmpuint(difference.waits[PROCDB_TIER_BATCH][PROCDB_DELAY_PLAIN][1], ==, 0);
}

static void test_estimated_time_that_goes_back_counts_nothing(void)
{
	const struct procdb_delays before = {.batch_run = 1000}, after = {.batch_run = 990};
	struct procdb_delays difference;

	g_assert_true(procdb_delays_since(&before, &after, &difference));
	g_assert_cmpuint(difference.batch_run, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/delays/buckets", test_buckets_follow_each_other_without_gaps);
	g_test_add_func("/delays/any", test_any_delay_has_a_bucket);
	g_test_add_func("/delays/percentiles", test_percentiles_are_right_within_an_eighth);
	g_test_add_func("/delays/none", test_no_delays_have_no_percentile);
	g_test_add_func("/delays/single", test_a_single_delay_is_every_percentile);
	g_test_add_func("/delays/octaves", test_octaves_are_right_within_a_half);
	g_test_add_func("/delays/last-octave", test_the_last_octave_says_at_least);
	g_test_add_func("/delays/full", test_full_counters_stay_full);
	g_test_add_func("/delays/often", test_some_of_many_wakeups_stand_for_all);
	g_test_add_func("/delays/seldom", test_each_of_few_wakeups_counts);
	g_test_add_func("/delays/difference", test_a_difference_is_what_came_between);
	g_test_add_func("/delays/other-observer",
			test_counters_of_another_observer_have_no_difference);
	g_test_add_func("/delays/estimate", test_estimated_time_that_goes_back_counts_nothing);
	return g_test_run();
}
