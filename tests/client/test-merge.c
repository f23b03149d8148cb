/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Sums of exports: what adds up is tested with sum.h, here are files and overrides. */

#include "merge.h"

static void add_row(GVariantBuilder *builder, const char *name, guint32 votes, const char *override)
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

	rows_build_record(builder, &row);
}

/* The sum of documents of one row each; NULL if they contradict each other. */
static Rows *sum(const guint32 *votes, const char *const *overrides, guint n, GError **error)
{
	g_autoptr(Merge) merge = merge_new();
	g_autoptr(GVariant) all = NULL;

	for (guint i = 0; i < n; i++) {
		g_auto(GVariantBuilder) builder =
		    G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));
		g_autoptr(GVariant) rows = NULL;
		g_autoptr(Rows) read = NULL;

		add_row(&builder, "x", votes[i], overrides[i]);
		rows = g_variant_ref_sink(g_variant_builder_end(&builder));
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

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/merge/all-that-travels-adds-up", test_all_that_travels_adds_up);
	g_test_add_func("/merge/an-override-counts-wherever-it-is",
			test_an_override_counts_wherever_it_is);
	g_test_add_func("/merge/overrides-that-differ-are-refused-in-any-order",
			test_overrides_that_differ_are_refused_in_any_order);
	return g_test_run();
}
