/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What top shows is a copy, which outlives the answers that it came from. */

#include "row-table.h"

#include <string.h>

#include "columns.h"

/* Each member of a row that is a text has its own name as its text, but for that of the row. */
static Rows *answer(void)
{
	GVariantDict columns = G_VARIANT_DICT_INIT(NULL);

	for (gsize i = 0; i < row_members_count; i++) {
		const char *const texts[] = {row_members[i].name};

		if (*row_members[i].type == 's')
			g_variant_dict_insert_value(&columns, row_members[i].name,
						    g_variant_new_strv(texts, 1));
	}
	return rows_from_columns(g_variant_dict_end(&columns));
}

static void test_texts_outlive_the_answer(void)
{
	g_autoptr(RowTable) table = row_table_new();
	g_autoptr(Rows) rows = answer();
	g_autoptr(Rows) kept = NULL;
	const Row *given = rows_get(rows, 0), *row;
	guint texts = 0;

	row_table_take(table, rows);
	kept = row_table_rows(table);
	row = rows_get(kept, 0);
	for (gsize i = 0; i < row_members_count; i++) {
		const size_t offset = row_members[i].offset;

		if (*row_members[i].type != 's')
			continue;
		g_assert_cmpstr(G_STRUCT_MEMBER(const char *, row, offset), ==,
				row_members[i].name);
		g_assert_true(G_STRUCT_MEMBER(const char *, row, offset) !=
			      G_STRUCT_MEMBER(const char *, given, offset));
		texts++;
	}
	g_assert_cmpuint(texts, >=, 9);
	g_assert_null(row->members);
	g_assert_null(row->columns);
}

static void test_a_record_keeps_its_teacher(void)
{
	g_autoptr(RowTable) table = row_table_new();
	g_autoptr(Rows) rows = rows_new(), kept = NULL;
	g_autofree char *teacher = g_strdup("root");
	const Row row = {.name = "cc1", .tier = "batch", .origin = "live", .taught_by = teacher};

	g_array_append_val(rows->items, row);
	row_table_take(table, rows);
	memset(teacher, '?', strlen(teacher));
	kept = row_table_rows(table);
	g_assert_cmpstr(rows_get(kept, 0)->taught_by, ==, "root");
}

static void test_names_are_dropped_and_replaced(void)
{
	g_autoptr(RowTable) table = row_table_new();
	const char *const gone[] = {"name", "other", NULL};
	g_autoptr(Rows) rows = answer();

	row_table_take(table, rows);
	row_table_take(table, rows);
	g_assert_cmpuint(row_table_size(table), ==, 1);
	row_table_drop(table, gone);
	g_assert_cmpuint(row_table_size(table), ==, 0);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/row-table/texts-outlive-the-answer", test_texts_outlive_the_answer);
	g_test_add_func("/row-table/a-record-keeps-its-teacher", test_a_record_keeps_its_teacher);
	g_test_add_func("/row-table/names-are-dropped-and-replaced",
			test_names_are_dropped_and_replaced);
	return g_test_run();
}
