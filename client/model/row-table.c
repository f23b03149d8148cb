/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "row-table.h"

#include "columns.h"

struct RowTable {
	GHashTable *kept; /* name, which is of the value -> Kept */
};

typedef struct {
	Row row; /* the texts are of this */
} Kept;

/* Calls function for the place of each text that a row has. */
static void each_text(Row *row, void (*function)(char **text))
{
	for (gsize i = 0; i < row_members_count; i++)
		if (*row_members[i].type == 's')
			function(G_STRUCT_MEMBER_P(row, row_members[i].offset));
	/* Of a record; no answer in columns is asked for it. */
	function((char **)&row->taught_by);
}

static void copy_text(char **text)
{
	*text = g_strdup(*text);
}

static void free_text(char **text)
{
	g_free(*text);
}

/* An answer of thousands would live as long as one of its rows does. */
static Kept *kept_new(const Row *row)
{
	Kept *kept = g_new(Kept, 1);

	kept->row = *row;
	kept->row.members = NULL;
	kept->row.columns = NULL;
	each_text(&kept->row, copy_text);
	return kept;
}

static void kept_free(Kept *kept)
{
	each_text(&kept->row, free_text);
	g_free(kept);
}

RowTable *row_table_new(void)
{
	RowTable *table = g_new(RowTable, 1);

	table->kept =
	    g_hash_table_new_full(g_str_hash, g_str_equal, NULL, (GDestroyNotify)kept_free);
	return table;
}

void row_table_free(RowTable *table)
{
	g_hash_table_unref(table->kept);
	g_free(table);
}

guint row_table_size(const RowTable *table)
{
	return g_hash_table_size(table->kept);
}

void row_table_take(RowTable *table, const Rows *rows)
{
	for (guint i = 0; i < rows->items->len; i++) {
		Kept *kept = kept_new(rows_get(rows, i));

		g_hash_table_replace(table->kept, (gpointer)kept->row.name, kept);
	}
}

void row_table_clear(RowTable *table)
{
	g_hash_table_remove_all(table->kept);
}

void row_table_drop(RowTable *table, const char *const *names)
{
	for (; *names; names++)
		g_hash_table_remove(table->kept, *names);
}

void row_table_rest(RowTable *table, const Rows *busy)
{
	g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
	GHashTableIter iter;
	gpointer value;

	for (guint i = 0; i < busy->items->len; i++)
		g_hash_table_add(names, (gpointer)rows_get(busy, i)->name);
	g_hash_table_iter_init(&iter, table->kept);
	while (g_hash_table_iter_next(&iter, NULL, &value)) {
		Row *row = &((Kept *)value)->row;

		if (row->cpu_share > 0 && !g_hash_table_contains(names, row->name))
			row->cpu_share = 0;
	}
}

Rows *row_table_rows(const RowTable *table)
{
	Rows *rows = rows_new();
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, table->kept);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_array_append_val(rows->items, ((const Kept *)value)->row);
	return rows;
}
