/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Columns are taken as they are in the answer: what is not as it should be is not taken. */

#include "columns.h"

/* The columns of two rows: one of texts, one of pids. */
static GVariant *columns_of(const char *text)
{
	return g_variant_ref_sink(g_variant_new_parsed(text));
}

static void assert_texts(const char *text, const char *expected)
{
	g_autoptr(GVariant) columns = columns_of(text);
	g_autoptr(GPtrArray) kept = columns_kept_new();
	const char *const *texts = columns_texts(columns, "name", 2, kept);
	g_autofree char *both = texts ? g_strjoin("|", texts[0], texts[1], NULL) : NULL;

	g_assert_cmpstr(both, ==, expected);
}

static void test_texts_are_as_many_as_rows(void)
{
	assert_texts("{'name': <['a', 'bc']>}", "a|bc");
	assert_texts("{'name': <[byte 0x61, 0, 0x62, 0x63, 0]>}", "a|bc");
	assert_texts("{'name': <[byte 0, 0]>}", "|");
	assert_texts("{'name': <[byte 0x61, 0]>}", NULL);
	assert_texts("{'name': <[byte 0x61, 0, 0x62, 0, 0x63, 0]>}", NULL);
	assert_texts("{'name': <[byte 0x61, 0, 0x62]>}", NULL);
	assert_texts("{'name': <@ay []>}", NULL);
	assert_texts("{'name': <['a']>}", NULL);
	assert_texts("{'name': <[1, 2]>}", NULL);
	assert_texts("{'other': <[byte 0x61, 0, 0x62, 0x63, 0]>}", NULL);
}

static void test_texts_are_utf8(void)
{
	assert_texts("{'name': <[byte 0x61, 0, 0xc3, 0xa4, 0]>}", "a|ä");
	assert_texts("{'name': <[byte 0x61, 0, 0xc3, 0]>}", NULL);
	assert_texts("{'name': <[byte 0xff, 0, 0x61, 0]>}", NULL);
}

static void assert_pids(const char *text, gboolean taken)
{
	g_autoptr(GVariant) columns = columns_of(text);
	g_autoptr(GPtrArray) kept = columns_kept_new();
	const guint32 *const *pids = columns_pids(columns, 2, kept);

	g_assert_cmpint(pids != NULL, ==, taken);
	if (taken)
		g_assert_cmpuint(pids[1][pids[1][0]], ==, 9);
}

static void test_pids_do_not_go_beyond_their_column(void)
{
	assert_pids("{'pids': <[uint32 2, 7, 8, 1, 9]>}", TRUE);
	assert_pids("{'pids': <[uint32 0, 1, 9]>}", TRUE);
	assert_pids("{'pids': <[uint32 0, 2, 9]>}", FALSE);
	assert_pids("{'pids': <[uint32 0, 4294967295, 9]>}", FALSE);
	assert_pids("{'pids': <[uint32 1, 9]>}", FALSE);
	assert_pids("{'pids': <[uint32 0, 1, 9, 0]>}", FALSE);
	assert_pids("{'pids': <@au []>}", FALSE);
}

static void test_a_column_of_another_length_is_not_known(void)
{
	g_autoptr(GVariant) columns =
	    columns_of("{'name': <[byte 0x61, 0, 0x62, 0]>, 'tier': <[byte 0x62, 0x61, 0x74, 0x63, "
		       "0x68, 0]>, 'confident': <[byte 1]>, "
		       "'observations': <[uint32 7, 8, 9]>, 'runs': <[uint64 3, 4]>}");
	g_autoptr(Rows) rows = rows_from_columns(columns);

	g_assert_cmpuint(rows->items->len, ==, 2);
	g_assert_cmpstr(rows_get(rows, 1)->name, ==, "b");
	g_assert_cmpstr(rows_get(rows, 0)->tier, ==, "");
	g_assert_false(rows_get(rows, 0)->confident);
	g_assert_cmpuint(rows_get(rows, 1)->observations, ==, 0);
	g_assert_cmpuint(rows_get(rows, 1)->runs, ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/columns/texts-are-as-many-as-rows", test_texts_are_as_many_as_rows);
	g_test_add_func("/columns/texts-are-utf8", test_texts_are_utf8);
	g_test_add_func("/columns/pids-do-not-go-beyond-their-column",
			test_pids_do_not_go_beyond_their_column);
	g_test_add_func("/columns/a-column-of-another-length-is-not-known",
			test_a_column_of_another_length_is_not_known);
	return g_test_run();
}
