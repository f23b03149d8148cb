/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The order of rows that a person looks at. */

#include "order.h"

/* Rows of names and CPU shares in percent, ended by an empty name. */
static Rows *rows_of(const char *name, ...)
{
	Rows *rows = g_new0(Rows, 1);
	va_list args;

	rows->items = g_array_new(FALSE, FALSE, sizeof(Row));
	rows->replies = g_ptr_array_new();
	va_start(args, name);
	for (; *name; name = va_arg(args, const char *)) {
		Row row = {.name = name, .tier = "batch", .origin = "live"};

		row.cpu_share = va_arg(args, int) / 100.0;
		g_array_append_val(rows->items, row);
	}
	va_end(args);
	return rows;
}

static void expect(Rows *rows, GHashTable *places, gboolean reverse, const char *names)
{
	g_autoptr(GString) found = g_string_new(NULL);

	order_sort_calmly(rows, order_of_column(order_column("cpu_share")), reverse, places);
	for (guint i = 0; i < rows->items->len; i++)
		g_string_append(found, rows_get(rows, i)->name);
	g_assert_cmpstr(found->str, ==, names);
	rows_free(rows);
}

static void small_changes_move_nothing(void)
{
	g_autoptr(GHashTable) places = order_places_new();

	expect(rows_of("a", 50, "b", 48, "c", 1, ""), places, FALSE, "abc");
	expect(rows_of("a", 46, "b", 49, "c", 1, ""), places, FALSE, "abc");
	expect(rows_of("a", 0, "b", 0, "c", 1, ""), places, FALSE, "abc");
}

static void large_changes_do(void)
{
	g_autoptr(GHashTable) places = order_places_new();

	expect(rows_of("a", 50, "b", 48, "c", 1, ""), places, FALSE, "abc");
	expect(rows_of("a", 10, "b", 49, "c", 1, ""), places, FALSE, "bac");
	expect(rows_of("a", 10, "b", 49, "c", 99, ""), places, FALSE, "cba");
	expect(rows_of("a", 10, "b", 99, "c", 90, ""), places, TRUE, "acb");
}

static void what_is_new_goes_where_it_belongs(void)
{
	g_autoptr(GHashTable) places = order_places_new();

	expect(rows_of("a", 50, "b", 40, "c", 1, ""), places, FALSE, "abc");
	expect(rows_of("a", 46, "b", 45, "c", 1, "d", 47, ""), places, FALSE, "dabc");
	expect(rows_of("a", 46, "c", 1, "d", 44, ""), places, FALSE, "dac");
}

static void steps_that_are_small_do_not_hide_a_great_one(void)
{
	g_autoptr(GHashTable) places = order_places_new();

	expect(rows_of("a", 10, "b", 9, "c", 8, "d", 7, ""), places, FALSE, "abcd");
	expect(rows_of("a", 10, "b", 12, "c", 15, "d", 40, ""), places, FALSE, "dcab");
}

/* What is not counted is known in wake-ups per 100 ms, rounded. */
static void wakeups_are_sorted_as_they_are_shown(void)
{
	const Row slow = {.name = "slow", .wakeups_per_second = 0.4, .wakeup_freq = 9};
	const Row fast = {.name = "fast", .wakeups_per_second = 190, .wakeup_freq = 0};
	const Row old = {.name = "old", .wakeups_per_second = -1, .wakeup_freq = 2};
	g_autoptr(Rows) sorted = rows_new();

	g_array_append_val(sorted->items, slow);
	g_array_append_val(sorted->items, fast);
	g_array_append_val(sorted->items, old);
	order_sort(sorted, order_of_column(ROW_WAKEUPS), FALSE);
	g_assert_cmpstr(rows_get(sorted, 0)->name, ==, "fast");
	g_assert_cmpstr(rows_get(sorted, 1)->name, ==, "old");
	g_assert_cmpstr(rows_get(sorted, 2)->name, ==, "slow");
}

static void words_and_members_name_one_column(void)
{
	for (int i = 0; i < ROW_TEXTS; i++)
		g_assert_cmpint(order_column(order_words()[i]), ==, i);
	g_assert_null(order_words()[ROW_TEXTS]);
	g_assert_cmpint(order_column("avg_runtime_ns"), ==, order_column("runtime"));
	g_assert_cmpint(order_column("csw_rate"), ==, ROW_SWITCHES);
	g_assert_cmpint(order_column("wakeups_per_second"), ==, ROW_WAKEUPS);
	g_assert_cmpint(order_column("nosuch"), ==, -1);
}

/* Its starts are not counted, and so its CPU time is that of one life. */
static void what_began_before_the_service_is_brief_by_its_cpu_time(void)
{
	Row row = {.name = "x",
		   .tier = "interactive",
		   .origin = "live",
		   .observations = 5,
		   .avg_runtime_ns = 1000};

	g_assert_true(rows_is_brief(&row));
	row.cpu_ns = ROWS_BRIEF_LIFE_NS - 1;
	g_assert_true(rows_is_brief(&row));
	row.cpu_ns = ROWS_BRIEF_LIFE_NS;
	g_assert_false(rows_is_brief(&row));
	row.runs = 2;
	g_assert_true(rows_is_brief(&row));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/order/small-changes-move-nothing", small_changes_move_nothing);
	g_test_add_func("/order/large-changes-do", large_changes_do);
	g_test_add_func("/order/what-is-new-goes-where-it-belongs",
			what_is_new_goes_where_it_belongs);
	g_test_add_func("/order/steps-that-are-small-do-not-hide-a-great-one",
			steps_that_are_small_do_not_hide_a_great_one);
	g_test_add_func("/order/wakeups-are-sorted-as-they-are-shown",
			wakeups_are_sorted_as_they_are_shown);
	g_test_add_func("/order/words-and-members-name-one-column",
			words_and_members_name_one_column);
	g_test_add_func("/order/what-began-before-the-service-is-brief-by-its-cpu-time",
			what_began_before_the_service_is_brief_by_its_cpu_time);
	return g_test_run();
}
