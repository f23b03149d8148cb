/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What programs look like by the share of CPU time that they want: lives that are made up. */

#include <glib.h>

#include "share.h"

#define US 1000ULL
#define MS 1000000ULL
#define S 1000000000ULL
#define BASE (1400 * US)

typedef struct {
	struct procdb_share share;
	guint64 now;
	guint32 tier; /* as the kernel's side keeps it: PROCDB_TIERS before it is known */
	guint changes;
} Life;

static Life begin(void)
{
	Life life = {.now = 5 * S, .tier = PROCDB_TIERS};

	procdb_share_begin(&life.share);
	return life;
}

static guint32 rhythm(const Life *life)
{
	struct procdb_use use = procdb_share_recent(&life->share);

	return procdb_share_rhythm(&life->share, &use, life->tier);
}

static void look(Life *life, guint32 hints)
{
	struct procdb_use use = procdb_share_recent(&life->share);
	guint32 tier = procdb_use_tier(&use, life->tier, hints | rhythm(life), BASE);

	life->changes += tier != life->tier;
	life->tier = tier;
}

/* Runs, having waited in the queue before, and then sleeps; looks at the end. */
static void cycle(Life *life, guint64 wait, guint64 run, guint64 sleep, guint32 hints)
{
	life->now += wait + run;
	procdb_share_stop(&life->share, run, life->now, sleep > 0);
	if (sleep > 0) {
		life->now += sleep;
		procdb_share_wakeup(&life->share, life->now);
	}
	look(life, hints);
}

static Life repeat(guint n, guint64 wait, guint64 run, guint64 sleep, guint32 hints)
{
	Life life = begin();

	for (guint i = 0; i < n; i++)
		cycle(&life, wait, run, sleep, hints);
	return life;
}

static void assert_tier(const Life *life, guint32 tier)
{
	struct procdb_use whole = procdb_share_life(&life->share);

	g_assert_cmpuint(life->tier, ==, tier);
	g_assert_cmpuint(procdb_life_tier(&whole, rhythm(life), BASE), ==, tier);
}

static void test_what_a_person_uses_is_lat_critical(void)
{
	static const struct {
		guint64 run, sleep;
	} programs[] = {
	    {500 * US, 300 * MS}, /* an editor that is typed into */
	    {900 * US, 125 * MS}, /* faster */
	    {200 * US, 5 * MS},	  /* audio, small buffers */
	    {1 * MS, 9 * MS},	  /* audio */
	    {4 * MS, 38 * MS},	  /* a large buffer of audio, or a film */
	    {3 * MS, 14 * MS},	  /* a light game at 60 frames a second */
	    {12 * MS, 2 * S},	  /* a table of tasks that is drawn every two seconds */
	};

	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		Life life = repeat(2000, 0, programs[i].run, programs[i].sleep, 0);

		assert_tier(&life, PROCDB_TIER_LAT_CRITICAL);
		/* Light work that a clock wakes is known for it after some wake-ups. */
		g_assert_cmpuint(life.changes, <=, 2);
	}
}

static void test_what_burns_its_cpu_is_batch(void)
{
	static const struct {
		guint64 run, sleep;
	} programs[] = {
	    {80 * MS, 0},	 /* never sleeps */
	    {20 * MS, 100 * US}, /* reads a file now and then */
	    {4 * MS, 50 * US},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(programs); i++) {
		Life life = repeat(500, 0, programs[i].run, programs[i].sleep, 0);

		assert_tier(&life, PROCDB_TIER_BATCH);
		g_assert_cmpuint(life.changes, ==, 1);
	}
}

/* A hash behind a pipe waits for its writer; a game that fills its frames waits for the clock. */
static void test_a_pipe_is_worked_off_and_a_frame_is_not(void)
{
	static const guint64 apart[] = {3, 41, 7, 90, 5, 60, 2, 33};
	Life hash = begin(), game = begin();

	for (guint i = 0; i < 300; i++) {
		guint64 ms = apart[i % G_N_ELEMENTS(apart)];

		cycle(&hash, 0, ms * 850 * US, ms * 150 * US, 0);
		cycle(&game, 0, 14 * MS, 2500 * US, PROCDB_HINT_PERIODIC);
	}
	assert_tier(&hash, PROCDB_TIER_BATCH);
	assert_tier(&game, PROCDB_TIER_INTERACTIVE);
}

/* Beside eight of its like a compiler has a tenth of the wall time. */
static void test_waiting_for_a_cpu_is_no_sleep(void)
{
	Life burner = repeat(500, 40 * MS, 4 * MS, 20 * US, 0);
	Life sleeper = repeat(500, 20 * MS, 1 * MS, 40 * MS, 0);

	assert_tier(&burner, PROCDB_TIER_BATCH);
	assert_tier(&sleeper, PROCDB_TIER_LAT_CRITICAL);
}

static void test_work_without_sleep_is_known_before_it_ever_wakes(void)
{
	Life life = begin();
	struct procdb_class seen = {0};

	cycle(&life, 0, 300 * MS, 0, 0);
	assert_tier(&life, PROCDB_TIER_BATCH);
	procdb_share_class(&life.share, 300 * MS, &seen);
	g_assert_cmpuint(seen.avg_runtime, >, 299 * MS);
	g_assert_cmpuint(seen.wakeup_freq, ==, 0);
}

/* A server that burns in bursts of microseconds: a longer slice would change nothing. */
static void test_short_bursts_are_left_alone(void)
{
	Life cache = repeat(100000, 0, 11 * US, 4 * US, PROCDB_HINT_POOL | PROCDB_HINT_FULL);
	Life archiver = repeat(100000, 0, 40 * US, 33 * US, 0);

	assert_tier(&cache, PROCDB_TIER_INTERACTIVE);
	assert_tier(&archiver, PROCDB_TIER_INTERACTIVE);
}

static void test_half_a_cpu_is_batch_only_for_a_pool_of_threads(void)
{
	/* A game with 8 ms of work in each frame; a thread of an encoder. */
	Life game = repeat(500, 0, 8 * MS, 8700 * US, PROCDB_HINT_PERIODIC);
	Life heavy = repeat(500, 0, 12 * MS, 4700 * US, 0);
	Life worker = repeat(500, 0, 12 * MS, 4700 * US, PROCDB_HINT_POOL | PROCDB_HINT_PERIODIC);
	Life encoder = begin(), messenger = begin(), rows = begin();

	for (guint i = 0; i < 500; i++)
		cycle(&encoder, 0, 14 * MS, i % 4 ? 2 * MS : 50 * MS, PROCDB_HINT_POOL);
	for (guint i = 0; i < 5000; i++)
		cycle(&messenger, 0, 2 * MS, i % 4 ? 200 * US : 5 * MS, PROCDB_HINT_POOL);
	g_assert_cmpuint(game.tier, ==, PROCDB_TIER_INTERACTIVE);
	/* Small pieces of work are a pool's when all of the machine is at it. */
	for (guint i = 0; i < 5000; i++)
		cycle(&rows, 0, 2 * MS, i % 4 ? 200 * US : 5 * MS,
		      PROCDB_HINT_POOL | PROCDB_HINT_FULL);
	g_assert_cmpuint(rows.tier, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(heavy.tier, ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(worker.tier, ==, PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(encoder.tier, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(messenger.tier, ==, PROCDB_TIER_INTERACTIVE);
}

/* A player reads its files and fills its caches first. */
static void test_a_busy_start_is_soon_forgotten(void)
{
	Life life = repeat(1, 0, 200 * MS, 5 * MS, 0);
	guint64 began = life.now;

	while (life.tier != PROCDB_TIER_LAT_CRITICAL)
		cycle(&life, 0, 500 * US, 4500 * US, 0);
	g_assert_cmpuint(life.now - began, <, 2 * S);
}

/* What feeds a packer, or is fed by one, waits for it and not for a person. */
static void test_short_work_at_random_is_left_alone(void)
{
	Life tar = begin();

	for (guint i = 0; i < 20000; i++)
		cycle(&tar, 0, 70 * US, i % 4 ? 100 * US : 2 * MS, 0);
	assert_tier(&tar, PROCDB_TIER_INTERACTIVE);
}

static void test_a_change_is_seen_within_a_second_of_its_own_time(void)
{
	Life life = repeat(100, 0, 500 * US, 300 * MS, 0);
	guint64 began;

	g_assert_cmpuint(life.tier, ==, PROCDB_TIER_LAT_CRITICAL);
	for (began = life.now; life.tier == PROCDB_TIER_LAT_CRITICAL;)
		cycle(&life, 0, 4 * MS, 0, 0);
	g_assert_cmpuint(life.now - began, <, 300 * MS);
	while (life.tier != PROCDB_TIER_BATCH)
		cycle(&life, 0, 4 * MS, 0, 0);
	for (began = life.now; life.tier == PROCDB_TIER_BATCH;)
		cycle(&life, 0, 500 * US, 100 * MS, 0);
	g_assert_cmpuint(life.now - began, <, 1 * S);
}

/* Near a limit, a task stays what it is. */
static void test_a_share_that_wavers_changes_nothing(void)
{
	Life life = repeat(300, 0, 10 * MS, 500 * US, 0);
	guint changes = life.changes;

	g_assert_cmpuint(life.tier, ==, PROCDB_TIER_BATCH);
	for (guint i = 0; i < 600; i++)
		cycle(&life, 0, 10 * MS, i % 2 ? 500 * US : 1800 * US, 0);
	g_assert_cmpuint(life.tier, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(life.changes, ==, changes);
}

static void test_a_short_life_is_batch_or_says_nothing(void)
{
	Life compiler = repeat(1, 0, 60 * MS, 0, 0);
	Life list = repeat(1, 0, 20 * MS, 0, 0);
	Life shell = repeat(3, 0, 300 * US, 10 * MS, 0);
	struct procdb_use use = procdb_share_life(&shell.share);

	assert_tier(&compiler, PROCDB_TIER_BATCH);
	g_assert_cmpuint(procdb_life_tier(&use, 0, BASE), ==, PROCDB_TIER_INTERACTIVE);
	use = procdb_share_life(&list.share);
	g_assert_true(procdb_use_is_brief(&use));
	g_assert_cmpuint(procdb_life_tier(&use, 0, BASE), ==, PROCDB_TIER_INTERACTIVE);
}

static void test_a_life_is_all_of_it(void)
{
	Life life = repeat(1000, 0, 3 * MS, 1 * MS, 0);
	struct procdb_use use = procdb_share_life(&life.share);

	g_assert_cmpuint(use.run, ==, 3000 * MS);
	g_assert_cmpuint(use.span, ==, 4000 * MS);
	/* The window speaks of the last one to two seconds. */
	use = procdb_share_recent(&life.share);
	g_assert_cmpuint(use.span, <, 1ULL << PROCDB_SHARE_WINDOW_BITS);
	g_assert_cmpuint(use.span, >=, 1ULL << (PROCDB_SHARE_WINDOW_BITS - 1));
}

static void test_figures_are_those_of_the_kernel(void)
{
	struct procdb_class seen = {0};
	Life life = begin();

	/* Bursts of 1 and 3 ms in turn, 20 wake-ups a second. */
	for (guint i = 0; i < 400; i++)
		cycle(&life, 0, i % 2 ? 3 * MS : 1 * MS, 48 * MS, 0);
	procdb_share_class(&life.share, life.now - 5 * S, &seen);
	g_assert_cmpuint(seen.wakeup_freq, ==, 2);
	g_assert_cmpuint(seen.csw_rate, ==, 2);
	/* Weighted by length: (1 * 1 + 3 * 3) / 4 = 2.5 ms; the deviation from 2 ms is 1 ms. */
	g_assert_cmpuint(seen.avg_runtime / (100 * US), ==, 24);
	g_assert_cmpuint(seen.runtime_dev / (100 * US), ==, 9);
}

static void test_regular_wakeups_are_told_from_others(void)
{
	Life frames = repeat(60, 0, 3 * MS, 13700 * US, 0);
	Life pool = begin();

	for (guint i = 0; i < 60; i++)
		cycle(&pool, 0, 3 * MS, i % 4 ? 2 * MS : 40 * MS, 0);
	g_assert_true(rhythm(&frames) & PROCDB_HINT_PERIODIC);
	g_assert_false(rhythm(&pool) & PROCDB_HINT_PERIODIC);
}

/* Frames of 3 ms that wait for 9 ms each sleep for 5 of 17: they seem to want 40 %. */
static void test_frames_beside_load_are_still_light(void)
{
	Life frames = repeat(200, 8700 * US, 3 * MS, 5 * MS, 0);
	Life heavy = repeat(200, 8 * MS, 8 * MS, 700 * US, 0);

	g_assert_cmpuint(frames.tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(heavy.tier, !=, PROCDB_TIER_LAT_CRITICAL);
}

/* What is measured comes from clocks of several CPUs, and from tasks that run for weeks. */
static void test_no_figure_wraps(void)
{
	static const guint64 odd[] = {0, 1, MS, S, 1ULL << 40, 1ULL << 52, 1ULL << 62};
	g_autoptr(GRand) random = g_rand_new_with_seed(11);
	struct procdb_class seen = {0};
	Life life = begin();

	for (guint i = 0; i < 200000; i++) {
		guint64 run = odd[g_rand_int_range(random, 0, 6)];
		struct procdb_use use;

		life.now += odd[g_rand_int_range(random, 0, 5)];
		procdb_share_stop(&life.share, run, life.now, (int)g_rand_boolean(random));
		/* A wake-up that seems to come before the stop. */
		procdb_share_wakeup(&life.share, life.now - g_rand_int_range(random, 0, 1000));
		use = procdb_share_recent(&life.share);
		g_assert_cmpuint(use.span, <, 1ULL << PROCDB_SHARE_WINDOW_BITS);
		g_assert_cmpuint(use.run, <=, use.span);
		look(&life, (guint32)g_rand_int_range(random, 0, 4));
		g_assert_cmpuint(life.tier, <, PROCDB_TIERS);
	}
	procdb_share_class(&life.share, life.now, &seen);
	g_assert_cmpuint(seen.wakeup_freq, <=, PROCDB_WAKEUP_FREQ_MAX);
}

static void test_roots(void)
{
	static const guint64 numbers[] = {0, 1, 2, 3, 4, 99, 100, G_MAXUINT32, G_MAXUINT64};

	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++) {
		guint64 n = numbers[i], root = procdb_root(n);

		g_assert_cmpuint(root * root, <=, n);
		g_assert_true(root == G_MAXUINT32 || (root + 1) * (root + 1) > n);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/share/what-a-person-uses-is-lat-critical",
			test_what_a_person_uses_is_lat_critical);
	g_test_add_func("/share/what-burns-its-cpu-is-batch", test_what_burns_its_cpu_is_batch);
	g_test_add_func("/share/a-pipe-is-worked-off-and-a-frame-is-not",
			test_a_pipe_is_worked_off_and_a_frame_is_not);
	g_test_add_func("/share/waiting-for-a-cpu-is-no-sleep", test_waiting_for_a_cpu_is_no_sleep);
	g_test_add_func("/share/work-without-sleep-is-known-before-it-ever-wakes",
			test_work_without_sleep_is_known_before_it_ever_wakes);
	g_test_add_func("/share/short-bursts-are-left-alone", test_short_bursts_are_left_alone);
	g_test_add_func("/share/half-a-cpu-is-batch-only-for-a-pool-of-threads",
			test_half_a_cpu_is_batch_only_for_a_pool_of_threads);
	g_test_add_func("/share/a-busy-start-is-soon-forgotten",
			test_a_busy_start_is_soon_forgotten);
	g_test_add_func("/share/short-work-at-random-is-left-alone",
			test_short_work_at_random_is_left_alone);
	g_test_add_func("/share/a-change-is-seen-within-a-second-of-its-own-time",
			test_a_change_is_seen_within_a_second_of_its_own_time);
	g_test_add_func("/share/a-share-that-wavers-changes-nothing",
			test_a_share_that_wavers_changes_nothing);
	g_test_add_func("/share/a-short-life-is-batch-or-says-nothing",
			test_a_short_life_is_batch_or_says_nothing);
	g_test_add_func("/share/a-life-is-all-of-it", test_a_life_is_all_of_it);
	g_test_add_func("/share/figures-are-those-of-the-kernel",
			test_figures_are_those_of_the_kernel);
	g_test_add_func("/share/regular-wakeups-are-told-from-others",
			test_regular_wakeups_are_told_from_others);
	g_test_add_func("/share/frames-beside-load-are-still-light",
			test_frames_beside_load_are_still_light);
	g_test_add_func("/share/no-figure-wraps", test_no_figure_wraps);
	g_test_add_func("/share/roots", test_roots);
	return g_test_run();
}
