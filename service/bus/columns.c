/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "columns.h"

#include <string.h>

#include "column-table.h"
#include "contract.h"
#include "errors.h"

/* The estimated bytes of a text, with its length and padding. */
#define TEXT_SIZE 24

/* A field may be asked for twice, but not thousands of times. */
#define MAX_FIELDS 64U

#define BIT(i) ((ProcdbColumns)1 << (i))

/* Not a field: all columns are packed. */
#define IS_PACKED BIT(63)

static gsize value_size(char type)
{
	return type == 'u' || type == 'b' ? sizeof(guint32) : sizeof(guint64);
}

/* The estimated bytes of a value. */
static gsize estimated_size(char type)
{
	if (type == PROCDB_COLUMN_PIDS)
		return (PROCDB_MAX_PIDS + 1) * sizeof(guint32);
	return type == 's' ? TEXT_SIZE : value_size(type);
}

static gboolean choose(const char *name, ProcdbColumns *columns, GError **error)
{
	g_autoptr(GString) known = NULL;

	if (g_str_equal(name, PROCDB_FIELD_PACKED)) {
		*columns |= IS_PACKED;
		return TRUE;
	}
	for (guint i = 0; i < procdb_columns_count; i++) {
		if (g_str_equal(procdb_columns[i].name, name)) {
			*columns |= BIT(i);
			return TRUE;
		}
	}
	known = g_string_new(procdb_columns[0].name);
	for (guint i = 1; i < procdb_columns_count; i++)
		g_string_append_printf(known, ", %s", procdb_columns[i].name);
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
		    "There is no column '%s': there are %s", name, known->str);
	return FALSE;
}

int procdb_columns_read(sd_bus_message *call, ProcdbColumns *columns, GError **error)
{
	const char *name;
	int result = sd_bus_message_enter_container(call, 'a', "s");
	guint count = 0;

	*columns = 0;
	while (result >= 0 && (result = sd_bus_message_read_basic(call, 's', &name)) > 0) {
		if (!choose(name, columns, error))
			return 0;
		if (++count <= MAX_FIELDS)
			continue;
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_FILTER,
			    "More than %u fields are asked for; there are %u", MAX_FIELDS,
			    procdb_columns_count);
		return 0;
	}
	return result < 0 ? result : sd_bus_message_exit_container(call);
}

gsize procdb_columns_size(ProcdbColumns columns)
{
	gsize size = 0;

	for (guint i = 0; i < procdb_columns_count; i++)
		if (columns & BIT(i))
			size += estimated_size(procdb_columns[i].type);
	return size;
}

/* One by one: texts, and booleans, of which sd-bus takes no array. */
static int append_each(sd_bus_message *message, const struct column *column, struct source *of,
		       const GPtrArray *entries)
{
	const char type[] = {column->type, '\0'};
	int result = sd_bus_message_open_container(message, 'a', type);

	for (guint i = 0; i < entries->len && result >= 0; i++) {
		struct value value = {.s = ""};

		of->entry = g_ptr_array_index(entries, i);
		column->get(of, column->offset, &value);
		if (column->type == 's')
			result = sd_bus_message_append_basic(message, 's',
							     value.made ? value.made : value.s);
		else
			result = sd_bus_message_append_basic(message, 'b', &value.u);
		g_free(value.made);
	}
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static int append_numbers(sd_bus_message *message, const struct column *column, struct source *of,
			  const GPtrArray *entries)
{
	const gsize size = value_size(column->type);
	void *space;
	/* sd-bus makes the room in the message, aligned to the type. */
	int result =
	    sd_bus_message_append_array_space(message, column->type, entries->len * size, &space);

	for (guint i = 0; i < entries->len && result >= 0; i++) {
		struct value value = {.t = 0};

		of->entry = g_ptr_array_index(entries, i);
		if (column->get)
			column->get(of, column->offset, &value);
		memcpy((char *)space + i * size,
		       column->get ? (const char *)&value
				   : (const char *)of->entry + column->offset,
		       size);
	}
	return result;
}

static int append_pids(sd_bus_message *message, const ProcdbView *view, const GPtrArray *entries)
{
	int result = sd_bus_message_open_container(message, 'a', "au");

	for (guint i = 0; i < entries->len && result >= 0; i++) {
		guint32 pids[PROCDB_MAX_PIDS];
		const guint count = procdb_view_pids(view, g_ptr_array_index(entries, i), pids);

		result = sd_bus_message_append_array(message, 'u', pids, count * sizeof(pids[0]));
	}
	return result < 0 ? result : sd_bus_message_close_container(message);
}

/* A byte for each boolean, and each text with a NUL at its end. */
static int append_bytes(sd_bus_message *message, const struct column *column, struct source *of,
			const GPtrArray *entries)
{
	g_autoptr(GString) bytes = g_string_sized_new(entries->len);

	for (guint i = 0; i < entries->len; i++) {
		struct value value = {.s = ""};

		of->entry = g_ptr_array_index(entries, i);
		column->get(of, column->offset, &value);
		if (column->type == 's')
			g_string_append(bytes, value.made ? value.made : value.s);
		g_string_append_c(bytes, column->type == 's' ? '\0' : (char)value.u);
		g_free(value.made);
	}
	return sd_bus_message_append_array(message, 'y', bytes->str, bytes->len);
}

/* For each entry the number of its tasks, then these. */
static int append_counted_pids(sd_bus_message *message, const ProcdbView *view,
			       const GPtrArray *entries)
{
	g_autoptr(GArray) all = g_array_sized_new(FALSE, FALSE, sizeof(guint32), entries->len);

	for (guint i = 0; i < entries->len; i++) {
		guint32 pids[PROCDB_MAX_PIDS];
		const guint32 count = procdb_view_pids(view, g_ptr_array_index(entries, i), pids);

		g_array_append_val(all, count);
		g_array_append_vals(all, pids, count);
	}
	return sd_bus_message_append_array(message, 'u', all->data, all->len * sizeof(guint32));
}

static int append_values(sd_bus_message *message, const struct column *column, gboolean packed,
			 struct source *of, const GPtrArray *entries)
{
	if (column->type == PROCDB_COLUMN_PIDS)
		return packed ? append_counted_pids(message, of->view, entries)
			      : append_pids(message, of->view, entries);
	if (!strchr("sb", column->type))
		return append_numbers(message, column, of, entries);
	return packed ? append_bytes(message, column, of, entries)
		      : append_each(message, column, of, entries);
}

/* The type of a column in the answer; plain is room for it. */
static const char *type_of(const struct column *column, gboolean packed, char plain[3])
{
	if (column->type == PROCDB_COLUMN_PIDS)
		return packed ? "au" : "aau";
	if (packed && strchr("sb", column->type))
		return "ay";
	plain[0] = 'a';
	plain[1] = column->type;
	plain[2] = '\0';
	return plain;
}

static int append_column(sd_bus_message *message, const struct column *column, gboolean packed,
			 struct source *of, const GPtrArray *entries)
{
	char plain[3];
	int result = sd_bus_message_open_container(message, 'e', "sv");

	if (result >= 0)
		result = sd_bus_message_append_basic(message, 's', column->name);
	if (result >= 0)
		result =
		    sd_bus_message_open_container(message, 'v', type_of(column, packed, plain));
	if (result >= 0)
		result = append_values(message, column, packed, of, entries);
	if (result >= 0)
		result = sd_bus_message_close_container(message);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

static gboolean need(ProcdbColumns columns, guint any)
{
	for (guint i = 0; i < procdb_columns_count; i++)
		if (columns & BIT(i) && procdb_columns[i].needs & any)
			return TRUE;
	return FALSE;
}

gboolean procdb_columns_have_scripts(ProcdbColumns columns)
{
	return need(columns, COLUMN_OF_SCRIPTS);
}

gboolean procdb_columns_have_texts(ProcdbColumns columns)
{
	return need(columns, COLUMN_OF_USERS);
}

gboolean procdb_columns_need_tasks(ProcdbColumns columns)
{
	return need(columns, COLUMN_OF_TASKS);
}

int procdb_columns_append(sd_bus_message *message, const ProcdbView *view, const GPtrArray *entries,
			  ProcdbColumns columns)
{
	struct source of = {
	    .view = view,
	    .rules = &procdb_engine_settings(view->engine)->rules,
	};
	const gboolean packed = (columns & IS_PACKED) != 0;
	int result = sd_bus_message_open_container(message, 'a', "{sv}");

	for (guint i = 0; i < procdb_columns_count && result >= 0; i++)
		if (columns & BIT(i))
			result = append_column(message, &procdb_columns[i], packed, &of, entries);
	return result < 0 ? result : sd_bus_message_close_container(message);
}
