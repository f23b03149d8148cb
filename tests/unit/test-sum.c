/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What machines have learned adds up to the same in any order and, but for rounding, grouping. */

#include <glib.h>

#include "procdb-abi.h"
#include "sum.h"

#define SHARES 6
#define ROUNDS 2000

static guint64 any(void)
{
	const guint64 number = (guint64)g_test_rand_int() << 32 | g_test_rand_int();

	/* Small and huge ones, and 0. */
	return g_test_rand_int_range(0, 8) ? number >> g_test_rand_int_range(0, 64) : 0;
}

static struct procdb_share any_share(gboolean may_saturate)
{
	/* So many fit eight times into a counter. */
	const guint shift = may_saturate ? 0 : 3;
	struct procdb_share share = {
	    .observations = (guint32)any() >> shift,
	    .first_seen_us = (gint64)(any() >> 1),
	    .last_seen_us = (gint64)(any() >> 1),
	    .right = any(),
	    .wrong = any(),
	    .withdrawals = (guint32)any(),
	    .teachers = (guint8)g_test_rand_int_range(0, 4),
	    .owner = (guint16)g_test_rand_int_range(0, 3),
	};

	for (guint i = 0; i < PROCDB_TIERS; i++)
		share.votes[i] = (guint32)any() >> shift;
	for (guint i = 0; i < PROCDB_AVERAGES; i++)
		share.averages[i] = any();
	return share;
}

static struct procdb_share sum_of(const struct procdb_share *shares, guint n)
{
	struct procdb_sum sum = {0};

	for (guint i = 0; i < n; i++)
		procdb_sum_add(&sum, &shares[i]);
	return procdb_sum_get(&sum);
}

/* In random groups, each added up before it is added. */
static struct procdb_share sum_in_groups(const struct procdb_share *shares, guint n)
{
	struct procdb_share halves[2];
	guint at;

	if (n <= 2)
		return sum_of(shares, n);
	at = (guint)g_test_rand_int_range(1, (gint)n);
	halves[0] = sum_in_groups(shares, at);
	halves[1] = sum_in_groups(shares + at, n - at);
	return sum_of(halves, 2);
}

static void shuffle(struct procdb_share *shares)
{
	for (guint i = 0; i < SHARES; i++) {
		const guint j = (guint)g_test_rand_int_range((gint)i, SHARES);
		const struct procdb_share kept = shares[i];

		shares[i] = shares[j];
		shares[j] = kept;
	}
}

static void assert_same_counts(const struct procdb_share *a, const struct procdb_share *b)
{
	for (guint i = 0; i < PROCDB_TIERS; i++)
		g_assert_cmpuint(a->votes[i], ==, b->votes[i]);
	g_assert_cmpuint(a->observations, ==, b->observations);
	g_assert_cmpint(a->first_seen_us, ==, b->first_seen_us);
	g_assert_cmpint(a->last_seen_us, ==, b->last_seen_us);
	g_assert_cmpuint(a->right, ==, b->right);
	g_assert_cmpuint(a->wrong, ==, b->wrong);
	g_assert_cmpuint(a->withdrawals, ==, b->withdrawals);
	g_assert_cmpuint(a->teachers, ==, b->teachers);
	g_assert_cmpuint(a->owner, ==, b->owner);
}

static void test_any_order(void)
{
	for (guint round = 0; round < ROUNDS; round++) {
		struct procdb_share shares[SHARES], a, b;

		for (guint i = 0; i < SHARES; i++)
			shares[i] = any_share(TRUE);
		a = sum_of(shares, SHARES);
		shuffle(shares);
		b = sum_of(shares, SHARES);
		assert_same_counts(&a, &b);
		for (guint i = 0; i < PROCDB_AVERAGES; i++)
			g_assert_cmpuint(a.averages[i], ==, b.averages[i]);
	}
}

/* All but averages also where counters are full. */
static void test_any_grouping(void)
{
	for (guint round = 0; round < ROUNDS; round++) {
		struct procdb_share shares[SHARES], a, b;

		for (guint i = 0; i < SHARES; i++)
			shares[i] = any_share(TRUE);
		a = sum_of(shares, SHARES);
		shuffle(shares);
		b = sum_in_groups(shares, SHARES);
		assert_same_counts(&a, &b);
	}
}

/* Each division rounds down by less than 1. */
static void test_averages_in_any_grouping(void)
{
	for (guint round = 0; round < ROUNDS; round++) {
		struct procdb_share shares[SHARES], a, b;

		for (guint i = 0; i < SHARES; i++)
			shares[i] = any_share(FALSE);
		a = sum_of(shares, SHARES);
		shuffle(shares);
		b = sum_in_groups(shares, SHARES);
		for (guint i = 0; i < PROCDB_AVERAGES; i++) {
			g_assert_cmpuint(b.averages[i], <=, a.averages[i]);
			g_assert_cmpuint(a.averages[i] - b.averages[i], <, SHARES);
		}
	}
}

static void test_one_is_its_own_sum(void)
{
	for (guint round = 0; round < ROUNDS; round++) {
		const struct procdb_share share = any_share(TRUE);
		const struct procdb_share sum = sum_of(&share, 1);

		assert_same_counts(&share, &sum);
		for (guint i = 0; share.observations > 0 && i < PROCDB_AVERAGES; i++)
			g_assert_cmpuint(share.averages[i], ==, sum.averages[i]);
	}
}

static void test_counters_stay_at_their_greatest_value(void)
{
	const struct procdb_share full = {
	    .votes = {G_MAXUINT32, 1, 0},
	    .observations = G_MAXUINT32,
	    .averages = {G_MAXUINT64},
	    .right = G_MAXUINT64,
	    .withdrawals = G_MAXUINT32,
	};
	const struct procdb_share shares[] = {full, full, full};
	const struct procdb_share sum = sum_of(shares, 3);

	g_assert_cmpuint(sum.votes[0], ==, G_MAXUINT32);
	g_assert_cmpuint(sum.votes[1], ==, 3);
	g_assert_cmpuint(sum.observations, ==, G_MAXUINT32);
	g_assert_cmpuint(sum.averages[0], ==, G_MAXUINT64);
	g_assert_cmpuint(sum.right, ==, G_MAXUINT64);
	g_assert_cmpuint(sum.withdrawals, ==, G_MAXUINT32);
}

/* What root taught first on one machine, no user turns on any. */
static void test_roots_word_comes_first(void)
{
	const struct procdb_share shares[] = {
	    {.teachers = PROCDB_TAUGHT_BY_USERS, .owner = 1001},
	    {.teachers = 0},
	    {.teachers = PROCDB_TAUGHT_BY_USERS | PROCDB_TAUGHT_BY_ROOT, .owner = 1000},
	    {.teachers = PROCDB_TAUGHT_BY_ROOT},
	};

	g_assert_cmpuint(sum_of(shares, 2).owner, ==, 1001);
	g_assert_cmpuint(sum_of(shares, 3).owner, ==, 1000);
	g_assert_cmpuint(sum_of(shares, 4).owner, ==, 0);
	g_assert_cmpuint(sum_of(shares, 4).teachers, ==,
			 PROCDB_TAUGHT_BY_USERS | PROCDB_TAUGHT_BY_ROOT);
}

static void test_the_first_time_is_one_that_is_known(void)
{
	const struct procdb_share shares[] = {
	    {.first_seen_us = 0, .last_seen_us = 0},
	    {.first_seen_us = 7, .last_seen_us = 9},
	    {.first_seen_us = 5, .last_seen_us = 6},
	};

	g_assert_cmpint(sum_of(shares, 3).first_seen_us, ==, 5);
	g_assert_cmpint(sum_of(shares, 3).last_seen_us, ==, 9);
	g_assert_cmpint(sum_of(shares, 1).first_seen_us, ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/sum/any-order", test_any_order);
	g_test_add_func("/sum/any-grouping", test_any_grouping);
	g_test_add_func("/sum/averages-in-any-grouping", test_averages_in_any_grouping);
	g_test_add_func("/sum/one-is-its-own-sum", test_one_is_its_own_sum);
	g_test_add_func("/sum/counters-stay-at-their-greatest-value",
			test_counters_stay_at_their_greatest_value);
	g_test_add_func("/sum/roots-word-comes-first", test_roots_word_comes_first);
	g_test_add_func("/sum/the-first-time-is-one-that-is-known",
			test_the_first_time_is_one_that_is_known);
	return g_test_run();
}
