/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Sums of exports: what adds up is tested with sum.h, here are files and overrides. */

#include "merge.h"

static void add_row(Records *records, const char *name, guint32 votes, const char *override)
{
	const Row row = {
	    .name = name,
	    .tier = override ? override : "batch",
	    .observations = votes,
	    .votes = {votes, 0, 0},
	    .origin = override ? PROCDB_ORIGIN_OVERRIDE : PROCDB_ORIGIN_LIVE,
	    .first_seen_us = votes,
	    .last_seen_us = 100 + votes,
	    .right = votes,
	    .taught_by = votes > 3 ? "root" : "users",
	    .owner = votes > 3 ? 0 : 1000,
	};

	records_add(records, &row);
}

/* The sum of documents of one row each; NULL if they contradict each other. */
static Rows *sum(const guint32 *votes, const char *const *overrides, guint n, GError **error)
{
	g_autoptr(Merge) merge = merge_new();
	g_autoptr(GVariant) all = NULL;

	for (guint i = 0; i < n; i++) {
		g_autoptr(Records) records = records_new();
		g_autoptr(GVariant) rows = NULL;
		g_autoptr(Rows) read = NULL;

		add_row(records, "x", votes[i], overrides[i]);
		rows = g_variant_ref_sink(records_end(records));
		read = rows_from_variant(rows);
		if (!merge_add(merge, read, error))
			return NULL;
	}
	all = g_variant_ref_sink(merge_sum(merge));
	return rows_from_variant(all);
}

static void test_all_that_travels_adds_up(void)
{
	static const char *const none[] = {NULL, NULL, NULL};
	static const guint32 votes[] = {3, 2, 9};
	g_autoptr(Rows) rows = sum(votes, none, 3, NULL);
	const Row *row;

	g_assert(rows);
	row = rows_get(rows, 0);
	g_assert_cmpuint(rows->items->len, ==, 1);
	g_assert_cmpuint(row->observations, ==, 14);
	g_assert_cmpuint(row->votes[0], ==, 14);
	g_assert_cmpint(row->first_seen_us, ==, 2);
	g_assert_cmpint(row->last_seen_us, ==, 109);
	g_assert_cmpuint(row->right, ==, 14);
	g_assert_cmpstr(row->taught_by, ==, "root and users");
	g_assert_cmpuint(row->owner, ==, 0);
	g_assert_cmpstr(row->origin, ==, PROCDB_ORIGIN_RETAINED);
}

static void test_an_override_counts_wherever_it_is(void)
{
	static const char *const overrides[] = {NULL, "interactive", NULL};
	static const guint32 votes[] = {3, 2, 9};
	g_autoptr(Rows) rows = sum(votes, overrides, 3, NULL);

	g_assert(rows);
	g_assert_cmpstr(rows_get(rows, 0)->origin, ==, PROCDB_ORIGIN_OVERRIDE);
	g_assert_cmpstr(rows_get(rows, 0)->tier, ==, "interactive");
}

static void test_overrides_that_differ_are_refused_in_any_order(void)
{
	static const char *const overrides[] = {"batch", NULL, "interactive", "batch"};
	static const guint32 votes[] = {3, 2, 9, 1};

	for (guint i = 0; i < 2; i++) {
		g_autoptr(GError) error = NULL;

		g_assert_null(sum(votes + i, overrides + i, 4 - i, &error));
		g_assert_nonnull(error);
	}
}

/* What repeats is made once, and what does not is its own. */
static void test_records_are_what_was_added(void)
{
	g_autoptr(Records) records = records_new();
	g_autoptr(GVariant) all = NULL;
	g_autoptr(Rows) rows = NULL;
	const guint32 votes[] = {5, 5, 2, 9, 5};

	for (guint i = 0; i < G_N_ELEMENTS(votes); i++)
		add_row(records, i == 1 ? "y" : "x", votes[i], i == 3 ? "lat-critical" : NULL);
	all = g_variant_ref_sink(records_end(records));
	rows = rows_from_variant(all);
	g_assert_cmpuint(rows->items->len, ==, G_N_ELEMENTS(votes));
	for (guint i = 0; i < G_N_ELEMENTS(votes); i++) {
		const Row *row = rows_get(rows, i);

		g_assert_cmpstr(row->name, ==, i == 1 ? "y" : "x");
		g_assert_cmpstr(row->tier, ==, i == 3 ? "lat-critical" : "batch");
		g_assert_cmpuint(row->votes[0], ==, votes[i]);
		g_assert_cmpuint(row->observations, ==, votes[i]);
		g_assert_cmpint(row->last_seen_us, ==, 100 + votes[i]);
		g_assert_cmpuint(row->right, ==, votes[i]);
		g_assert_cmpstr(row->taught_by, ==, votes[i] > 3 ? "root" : "users");
		g_assert_cmpuint(row->owner, ==, votes[i] > 3 ? 0 : 1000);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/merge/all-that-travels-adds-up", test_all_that_travels_adds_up);
	g_test_add_func("/merge/an-override-counts-wherever-it-is",
			test_an_override_counts_wherever_it_is);
	g_test_add_func("/merge/overrides-that-differ-are-refused-in-any-order",
			test_overrides_that_differ_are_refused_in_any_order);
	g_test_add_func("/merge/records-are-what-was-added", test_records_are_what_was_added);
	return g_test_run();
}
