/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Sums of profiles: the same in any order and in any grouping, and never beyond what fits. */

#include "merge.h"

#define NAMES 6
#define MACHINES 5

static guint64 any(void)
{
	const guint64 number = (guint64)g_test_rand_int() << 32 | g_test_rand_int();

	/* Small and huge ones. */
	return number >> g_test_rand_int_range(0, 64);
}

static GVariant *random_rows(void)
{
	g_auto(GVariantBuilder) builder =
	    G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("a(" PROCDB_ROW ")"));

	for (guint i = 0; i < NAMES; i++) {
		g_autofree char *name = g_strdup_printf("n%u", i);
		const guint32 votes = (guint32)any() / 4;
		const guint32 more = (guint32)any() / 4;
		const gboolean override = g_test_rand_bit();

		if (g_test_rand_bit())
			g_variant_builder_add(
			    &builder, "(" PROCDB_ROW ")", name, procdb_tier_names[i % PROCDB_TIERS],
			    0.0, FALSE, votes + more, votes, more, (guint32)0, any(), any(), any(),
			    any(), (gint64)(any() >> 1), override ? "override" : "live");
	}
	return g_variant_ref_sink(g_variant_builder_end(&builder));
}

static GVariant *sum(GVariant *const *machines, const guint *order, guint n)
{
	g_autoptr(Merge) merge = merge_new();
	g_autoptr(GError) error = NULL;

	for (guint i = 0; i < n; i++) {
		g_autoptr(Rows) rows = rows_from_variant(machines[order[i]]);

		merge_add(merge, rows, &error);
		g_assert_no_error(error);
	}
	return g_variant_ref_sink(merge_sum(merge));
}

static void shuffle(guint *order)
{
	for (guint i = 0; i < MACHINES; i++) {
		guint j = (guint)g_test_rand_int_range((gint)i, MACHINES);
		guint kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

static void assert_possible(GVariant *sum)
{
	g_autoptr(Rows) rows = rows_from_variant(sum);

	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);

		g_assert_cmpuint((guint64)row->votes[0] + row->votes[1] + row->votes[2], <=,
				 row->observations);
	}
}

static void test_any_order(void)
{
	for (guint round = 0; round < 500; round++) {
		GVariant *machines[MACHINES];
		guint order[MACHINES];
		g_autoptr(GVariant) first = NULL;

		for (guint i = 0; i < MACHINES; i++) {
			machines[i] = random_rows();
			order[i] = i;
		}
		first = sum(machines, order, MACHINES);
		assert_possible(first);
		for (guint i = 0; i < 5; i++) {
			g_autoptr(GVariant) other = NULL;

			shuffle(order);
			other = sum(machines, order, MACHINES);
			g_assert_true(g_variant_equal(first, other));
		}
		for (guint i = 0; i < MACHINES; i++)
			g_variant_unref(machines[i]);
	}
}

/*
 * A sum of sums counts the same observations and votes, and its averages are those of the sum
 * but for what each division rounded off.
 */
static void test_any_grouping(void)
{
	for (guint round = 0; round < 500; round++) {
		static const guint all[] = {0, 1, 2}, two[] = {0, 1};
		GVariant *machines[] = {random_rows(), random_rows(), random_rows()};
		g_autoptr(GVariant) flat = sum(machines, all, 3);
		g_autoptr(GVariant) pair = sum(machines, two, 2);
		GVariant *const grouped[] = {pair, machines[2]};
		g_autoptr(GVariant) nested = sum(grouped, two, 2);
		g_autoptr(Rows) a = rows_from_variant(flat);
		g_autoptr(Rows) b = rows_from_variant(nested);

		g_assert_cmpuint(a->items->len, ==, b->items->len);
		for (guint i = 0; i < a->items->len; i++) {
			const Row *x = rows_get(a, i), *y = rows_get(b, i);

			g_assert_cmpstr(x->name, ==, y->name);
			g_assert_cmpstr(x->origin, ==, y->origin);
			g_assert_cmpint(x->last_seen_us, ==, y->last_seen_us);
			if (x->observations == G_MAXUINT32)
				continue;
			g_assert_cmpuint(x->observations, ==, y->observations);
			g_assert_cmpuint(x->votes[0], ==, y->votes[0]);
			g_assert_cmpuint(x->votes[1], ==, y->votes[1]);
			g_assert_cmpuint(x->avg_runtime_ns - y->avg_runtime_ns, <=, 1);
			g_assert_cmpuint(x->csw_rate - y->csw_rate, <=, 1);
		}
		for (guint i = 0; i < 3; i++)
			g_variant_unref(machines[i]);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/merge/any-order", test_any_order);
	g_test_add_func("/merge/any-grouping", test_any_grouping);
	return g_test_run();
}
