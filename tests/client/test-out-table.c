/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* A table that is not for a terminal is, byte by byte, what libsmartcols prints there. */

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "escape.h"
#include "out-table.h"

#define MAX_COLUMNS 5

static const char *const texts[] = {
    "",	      "a",	  "some longer text", "größe", "日本語の名前",	   "e\xcc\x81",
    "a b  c", " begins ", "back\\slash",      "±±±",   "control\x1b[1m\n", "malformed\xff",
};

/* Prints the same rows with libsmartcols, as it does to a file. */
static char *expected_of(const OutColumn *columns, const char *const *cells, guint rows,
			 gboolean are_titles_hidden)
{
	struct libscols_table *table = scols_new_table();
	char *printed = NULL;
	gsize size = 0;
	FILE *stream = open_memstream(&printed, &size);
	guint count = 0;

	g_assert_nonnull(table);
	g_assert_nonnull(stream);
	scols_table_set_stream(table, stream);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	scols_table_enable_noencoding(table, 1);
	scols_table_enable_noheadings(table, are_titles_hidden);
	for (; columns[count].title; count++)
		g_assert_nonnull(
		    scols_table_new_column(table, columns[count].title, 0, columns[count].flags));
	for (guint i = 0; i < rows; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		g_assert_nonnull(line);
		for (guint j = 0; j < count; j++)
			g_assert_cmpint(
			    scols_line_refer_data(line, j, escape_plain(cells[i * count + j])), ==,
			    0);
	}
	g_assert_cmpint(scols_print_table(table), ==, 0);
	scols_unref_table(table);
	g_assert_cmpint(fclose(stream), ==, 0);
	return printed;
}

static char *printed_of(const OutColumn *columns, const char *const *cells, guint rows,
			gboolean are_titles_hidden)
{
	const Ctl ctl = {0};
	g_autoptr(OutTable) table = out_table_new(&ctl, columns);
	char *printed = NULL;
	gsize size = 0;
	FILE *stream = open_memstream(&printed, &size);
	guint count = 0;

	g_assert_nonnull(stream);
	while (columns[count].title)
		count++;
	if (are_titles_hidden)
		out_table_hide_titles(table);
	for (guint i = 0; i < rows; i++)
		out_table_add(table, cells + i * count, NULL);
	out_table_print(table, stream);
	g_assert_cmpint(fclose(stream), ==, 0);
	return printed;
}

static void assert_alike(const OutColumn *columns, const char *const *cells, guint rows,
			 gboolean are_titles_hidden)
{
	char *expected = expected_of(columns, cells, rows, are_titles_hidden);
	char *printed = printed_of(columns, cells, rows, are_titles_hidden);

	g_assert_cmpstr(printed, ==, expected);
	free(expected);
	free(printed);
}

static void test_it_is_what_the_library_prints(void)
{
	const int flags[] = {0, SCOLS_FL_RIGHT, SCOLS_FL_TRUNC, SCOLS_FL_WRAP};
	const char *const titles[] = {"NAME", "±", "LAST SEEN"};

	for (guint round = 0; round < 500; round++) {
		OutColumn columns[MAX_COLUMNS + 1] = {{NULL}};
		const guint count = (guint)g_test_rand_int_range(1, MAX_COLUMNS + 1);
		const guint rows = (guint)g_test_rand_int_range(0, 8);
		const gboolean are_titles_hidden = g_test_rand_bit();
		/* Before libsmartcols 2.41 hidden titles take room: these are no wider than any
		 * cell. */
		const int narrow = are_titles_hidden ? 1 : 0;
		const char *cells[8 * MAX_COLUMNS];

		for (guint i = 0; i < count; i++)
			columns[i] = (OutColumn){
			    .title = are_titles_hidden
					 ? "±"
					 : titles[g_test_rand_int_range(0, G_N_ELEMENTS(titles))],
			    .flags = flags[g_test_rand_int_range(0, G_N_ELEMENTS(flags))]};
		for (guint i = 0; i < rows * count; i++)
			cells[i] = texts[g_test_rand_int_range(narrow, G_N_ELEMENTS(texts))];
		assert_alike(columns, cells, rows, are_titles_hidden);
	}
}

static void test_a_hidden_title_takes_no_room(void)
{
	static const OutColumn columns[] = {{"LONG TITLE", 0}, {"VALUE", 0}, {NULL}};
	const char *const cells[] = {"a", "b", "bb", "c"};
	char *printed = printed_of(columns, cells, 2, TRUE);

	g_assert_cmpstr(printed, ==, "a  b\nbb c\n");
	free(printed);
}

static void test_a_long_row_is_one_line(void)
{
	static const OutColumn columns[] = {{"KEY", 0}, {"VALUE", SCOLS_FL_WRAP}, {NULL}};
	g_autofree char *text = g_strnfill(20000, 'x');
	const char *const cells[] = {"a", text, "long name", "short"};

	assert_alike(columns, cells, 2, TRUE);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* It would be fitted into the terminal. */
	if (isatty(STDOUT_FILENO))
		return 77;
	g_assert_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	g_test_add_func("/out-table/it-is-what-the-library-prints",
			test_it_is_what_the_library_prints);
	g_test_add_func("/out-table/a-hidden-title-takes-no-room",
			test_a_hidden_title_takes_no_room);
	g_test_add_func("/out-table/a-long-row-is-one-line", test_a_long_row_is_one_line);
	return g_test_run();
}
