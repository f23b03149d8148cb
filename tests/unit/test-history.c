/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The last hour of waits, minute by minute. */

#include <glib.h>

#include "history.h"

#define US 1000ULL

static struct procdb_delays counters;

/* So many waits of latency-critical tasks with a slice, each of us, and the minute ends. */
static void minute(struct procdb_history *history, gint64 end, guint64 us, guint waits)
{
	counters
	    .waits[PROCDB_TIER_LAT_CRITICAL][PROCDB_DELAY_APPLIED][procdb_delay_bucket(us * US)] +=
	    waits;
	procdb_history_add(history, end, &counters);
}

static const struct procdb_minute_waits *waits_of(const struct procdb_history *history, gsize i)
{
	const struct procdb_minute *found = procdb_history_get(history, i);

	g_assert_nonnull(found);
	return &found->waits[PROCDB_TIER_LAT_CRITICAL][PROCDB_DELAY_APPLIED];
}

static void test_a_minute_has_its_own_waits(void)
{
	struct procdb_history history = {0};

	minute(&history, 1, 5000, 1000);
	g_assert_null(procdb_history_get(&history, 0));
	minute(&history, 2, 100, 50);
	minute(&history, 3, 2000, 20);
	g_assert_cmpint(procdb_history_get(&history, 0)->end, ==, 2);
	g_assert_cmpuint(waits_of(&history, 0)->count, ==, 50);
	g_assert_cmpuint(waits_of(&history, 0)->at[PROCDB_P90], <, 200 * US);
	g_assert_cmpint(procdb_history_get(&history, 1)->end, ==, 3);
	g_assert_cmpuint(waits_of(&history, 1)->count, ==, 20);
	g_assert_cmpuint(waits_of(&history, 1)->at[PROCDB_P50], >, 1500 * US);
	g_assert_null(procdb_history_get(&history, 2));
}

static void test_an_hour_is_kept(void)
{
	struct procdb_history history = {0};

	for (gint64 i = 0; i <= 150; i++)
		minute(&history, i, 100, (guint)i);
	for (gsize i = 0; i < PROCDB_HISTORY_MINUTES; i++) {
		g_assert_cmpint(procdb_history_get(&history, i)->end, ==, 91 + (gint64)i);
		g_assert_cmpuint(waits_of(&history, i)->count, ==, 91 + i);
	}
	g_assert_null(procdb_history_get(&history, PROCDB_HISTORY_MINUTES));
}

static void test_another_observer_begins_anew(void)
{
	struct procdb_history history = {0};

	minute(&history, 1, 100, 10);
	minute(&history, 2, 100, 10);
	counters = (struct procdb_delays){0};
	minute(&history, 3, 100, 5);
	minute(&history, 4, 100, 7);
	procdb_history_add(&history, 5, NULL);
	minute(&history, 6, 100, 9);
	g_assert_cmpint(procdb_history_get(&history, 0)->end, ==, 2);
	g_assert_cmpint(procdb_history_get(&history, 1)->end, ==, 4);
	g_assert_cmpuint(waits_of(&history, 1)->count, ==, 7);
	g_assert_null(procdb_history_get(&history, 2));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/history/minutes", test_a_minute_has_its_own_waits);
	g_test_add_func("/history/hour", test_an_hour_is_kept);
	g_test_add_func("/history/anew", test_another_observer_begins_anew);
	return g_test_run();
}
