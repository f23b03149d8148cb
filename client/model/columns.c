/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "columns.h"

#include <string.h>

static gsize size_of(char type)
{
	return type == 'u' ? sizeof(guint32) : sizeof(guint64);
}

/* A column of this type, which is kept; NULL if there is none. */
static GVariant *find(GVariant *columns, const char *name, const char *type, GPtrArray *kept)
{
	GVariant *column = g_variant_lookup_value(columns, name, G_VARIANT_TYPE(type));

	if (column)
		g_ptr_array_add(kept, column);
	return column;
}

static void *keep_memory(GPtrArray *kept, gsize size)
{
	void *memory = g_malloc(size);
	g_autoptr(GVariant) owner = g_variant_ref_sink(
	    g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, memory, size, TRUE, g_free, memory));

	g_ptr_array_add(kept, g_steal_pointer(&owner));
	return memory;
}

/*
 * The reply has a GVariant for each text already: g_variant_get_strv() would pack them and take
 * them out again, for ten times the time.
 */
static void take_strings(GVariant *column, const char **texts, gsize count)
{
	for (gsize i = 0; i < count; i++) {
		g_autoptr(GVariant) value = g_variant_get_child_value(column, i);

		texts[i] = g_variant_get_string(value, NULL);
	}
}

/* Texts with a NUL behind each; FALSE if they are not as many, or no valid UTF-8. */
static gboolean take_packed(GVariant *column, const char **texts, gsize count)
{
	gsize left, length;
	const char *at = g_variant_get_fixed_array(column, &left, 1);

	for (gsize i = 0; i < count; i++) {
		const char *end = left > 0 ? memchr(at, '\0', left) : NULL;

		if (!end)
			return FALSE;
		length = (gsize)(end - at);
		if (!g_utf8_validate_len(at, length, NULL))
			return FALSE;
		texts[i] = at;
		at = end + 1;
		left -= length + 1;
	}
	return left == 0;
}

const char *const *columns_texts(GVariant *columns, const char *name, gsize count, GPtrArray *kept)
{
	GVariant *packed = find(columns, name, "ay", kept);
	GVariant *plain = packed ? NULL : find(columns, name, "as", kept);
	const char **texts;

	if (!packed && (!plain || g_variant_n_children(plain) != count))
		return NULL;
	texts = keep_memory(kept, (count + 1) * sizeof(*texts));
	if (plain)
		take_strings(plain, texts, count);
	else if (!take_packed(packed, texts, count))
		return NULL;
	return texts;
}

const guint8 *columns_booleans(GVariant *columns, const char *name, gsize count, GPtrArray *kept)
{
	GVariant *packed = find(columns, name, "ay", kept);
	GVariant *column = packed ? packed : find(columns, name, "ab", kept);
	gsize found;

	/* A gboolean takes a byte in a GVariant. */
	return column && g_variant_n_children(column) == count
		   ? g_variant_get_fixed_array(column, &found, sizeof(guint8))
		   : NULL;
}

const void *columns_numbers(GVariant *columns, const char *name, char type, gsize count,
			    GPtrArray *kept)
{
	const char of[] = {'a', type, '\0'};
	GVariant *column = find(columns, name, of, kept);
	gsize found;

	return column && g_variant_n_children(column) == count
		   ? g_variant_get_fixed_array(column, &found, size_of(type))
		   : NULL;
}

const guint32 *const *columns_pids(GVariant *columns, gsize count, GPtrArray *kept)
{
	GVariant *column = find(columns, "pids", "au", kept);
	gsize left = 0;
	const guint32 *at =
	    column ? g_variant_get_fixed_array(column, &left, sizeof(guint32)) : NULL;
	const guint32 **pids;

	if (!column)
		return NULL;
	pids = keep_memory(kept, (count + 1) * sizeof(*pids));
	for (gsize i = 0; i < count; i++) {
		if (left == 0 || at[0] > left - 1)
			return NULL;
		pids[i] = at;
		left -= at[0] + 1;
		at += at[0] + 1;
	}
	return left == 0 ? pids : NULL;
}

gsize columns_count(GVariant *columns)
{
	g_autoptr(GVariant) names = g_variant_lookup_value(columns, "name", NULL);
	const char *at;
	gsize left, count = 0;

	if (names && g_variant_is_of_type(names, G_VARIANT_TYPE("as")))
		return g_variant_n_children(names);
	if (!names || !g_variant_is_of_type(names, G_VARIANT_TYPE_BYTESTRING))
		return 0;
	at = g_variant_get_fixed_array(names, &left, 1);
	for (gsize i = 0; i < left; i++)
		count += at[i] == '\0';
	return count;
}

GPtrArray *columns_kept_new(void)
{
	return g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
}

/* "" is not known, which only some texts can be. */
static void set_texts(Rows *rows, guint first, size_t offset, const char *const *texts)
{
	for (guint i = first; texts && i < rows->items->len; i++)
		if (*texts[i - first])
			G_STRUCT_MEMBER(const char *, &g_array_index(rows->items, Row, i), offset) =
			    texts[i - first];
}

static void set_booleans(Rows *rows, guint first, size_t offset, const guint8 *values)
{
	for (guint i = first; values && i < rows->items->len; i++)
		G_STRUCT_MEMBER(gboolean, &g_array_index(rows->items, Row, i), offset) =
		    values[i - first];
}

static void set_numbers(Rows *rows, guint first, const RowMember *member, const char *values)
{
	const gsize size = size_of(*member->type);

	for (guint i = first; values && i < rows->items->len; i++)
		memcpy((char *)&g_array_index(rows->items, Row, i) + member->offset,
		       values + (i - first) * size, size);
}

void columns_add(Rows *rows, GVariant *columns)
{
	const gsize count = columns_count(columns);
	const guint first = rows->items->len;
	GPtrArray *kept = rows->replies;

	g_ptr_array_add(kept, g_variant_ref(columns));
	for (guint i = 0; i < count; i++) {
		Row row = rows_unknown;

		row.columns = columns;
		row.place = i;
		g_array_append_val(rows->items, row);
	}
	for (gsize i = 0; i < row_members_count; i++) {
		const RowMember *member = &row_members[i];

		if (*member->type == 's')
			set_texts(rows, first, member->offset,
				  columns_texts(columns, member->name, count, kept));
		else if (*member->type == 'b')
			set_booleans(rows, first, member->offset,
				     columns_booleans(columns, member->name, count, kept));
		else if (*member->type != '(')
			set_numbers(
			    rows, first, member,
			    columns_numbers(columns, member->name, *member->type, count, kept));
	}
}
