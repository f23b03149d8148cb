/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "row-table.h"

struct RowTable {
	GHashTable *kept; /* name, which is of the value -> Kept */
};

typedef struct {
	GVariant *owner; /* of the strings */
	Row row;
} Kept;

static void kept_free(Kept *kept)
{
	g_variant_unref(kept->owner);
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
		Kept *kept = g_new(Kept, 1);

		kept->row = *rows_get(rows, i);
		/* One row of a list keeps only itself. */
		kept->owner = g_variant_ref(kept->row.members ? kept->row.members : rows->reply);
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
	Rows *rows = rows_new(row_table_size(table));
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, table->kept);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		g_array_append_val(rows->items, ((const Kept *)value)->row);
	return rows;
}
