/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* How often the guard looks closely, and pauses, under made-up load where the truth is known. */

#include <glib.h>

#include "made-up-load.h"
#include "suspicion.h"

/* What is tried without harm. */
#define DAYS 10U
#define LOOKS 1000U
#define LOOK_PAIRS 25
#define LOOK_CERTAINTY .9999

/* The pairs until a closer look; most: so many are taken, and none made it look. */
static guint pairs_until_look(GRand *rand, const Load *with, const Load *without, guint most)
{
	struct procdb_suspicion suspicion = {0};
	double drift = 1;

	for (guint n = 1; n <= most; n++) {
		struct procdb_pair pair;

		drift = drift_on(rand, drift);
		pair = pair_of(rand, with, without, drift);
		if (procdb_suspicion_add(&suspicion, &pair) == PROCDB_SUSPECT_HARM)
			return n;
	}
	return most;
}

static gboolean look_finds_harm(GRand *rand, const Load *with, const Load *without)
{
	struct procdb_pair pairs[LOOK_PAIRS];
	struct procdb_comparison found;
	double drift = 1;

	for (guint i = 0; i < LOOK_PAIRS; i++) {
		drift = drift_on(rand, drift);
		pairs[i] = pair_of(rand, with, without, drift);
	}
	found = procdb_compare(pairs, LOOK_PAIRS, LOOK_CERTAINTY);
	return procdb_delays_rise(&found);
}

static const Load busy = {.waits = 150, .mean_us = 1000, .batch_s = 1.6};

/* Two pairs a minute apart, four to six 12 s apart, and a minute's look: within five minutes. */
static void test_harm_is_suspected_in_nine_pairs_and_found(void)
{
	const Load harmed = {.waits = 150, .mean_us = 1700, .batch_s = 1.6};

	for (guint32 seed = 0; seed < 20; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);

		g_assert_cmpuint(pairs_until_look(rand, &harmed, &busy, 100), <=, 9);
		g_assert_true(look_finds_harm(rand, &harmed, &busy));
	}
}

static void test_harm_that_begins_late_is_suspected_as_soon(void)
{
	const Load harmed = {.waits = 150, .mean_us = 2500, .batch_s = 1.6};

	for (guint32 seed = 0; seed < 20; seed++) {
		g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
		struct procdb_suspicion suspicion = {0};
		enum procdb_suspect suspect = PROCDB_SUSPECT_NOTHING;
		guint n = 0;

		for (guint i = 0; i < PROCDB_SUSPICION_PAIRS; i++) {
			const struct procdb_pair pair = pair_of(rand, &busy, &busy, 1);

			procdb_suspicion_add(&suspicion, &pair);
		}
		while (suspect != PROCDB_SUSPECT_HARM && n < 100) {
			const struct procdb_pair pair = pair_of(rand, &harmed, &busy, 1);

			suspect = procdb_suspicion_add(&suspicion, &pair);
			n++;
			/* The third one comes sooner at the latest. */
			g_assert_true(n < 3 || suspect != PROCDB_SUSPECT_NOTHING);
		}
		g_assert_cmpuint(n, <=, PROCDB_SUSPICION_PAIRS);
	}
}

/* Days of pairs a minute apart. */
static void test_without_harm_it_is_seldom_suspected_and_never_found(void)
{
	const Load helped = {.waits = 150, .mean_us = 600, .batch_s = 1.6};
	const Load few = {.waits = 30, .mean_us = 1000, .batch_s = 1.6};
	const struct {
		const Load *with, *without;
	} loads[] = {{&busy, &busy}, {&helped, &busy}, {&few, &few}};
	g_autoptr(GRand) rand = g_rand_new_with_seed(1);

	for (gsize i = 0; i < G_N_ELEMENTS(loads); i++) {
		guint suspected = 0, found = 0;

		for (guint n = 0; n < DAYS * 24 * 60; suspected++)
			n += pairs_until_look(rand, loads[i].with, loads[i].without,
					      DAYS * 24 * 60 - n);
		for (guint look = 0; look < LOOKS; look++)
			found += look_finds_harm(rand, loads[i].with, loads[i].without);
		g_test_message("load %u: %u looks in %u days, %u of %u looks found harm", (guint)i,
			       suspected - 1, DAYS, found, LOOKS);
		g_assert_cmpuint(suspected, <=, DAYS * 30);
		g_assert_cmpuint(found, ==, 0);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/suspicion/harm", test_harm_is_suspected_in_nine_pairs_and_found);
	g_test_add_func("/suspicion/late", test_harm_that_begins_late_is_suspected_as_soon);
	g_test_add_func("/suspicion/none",
			test_without_harm_it_is_seldom_suspected_and_never_found);
	return g_test_run();
}
