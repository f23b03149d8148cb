/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "out-table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "escape.h"
#include "output.h"
#include "wide.h"

/* Of a text in the table. */
typedef struct {
	gsize offset; /* in texts */
	gsize length;
	gsize width; /* in columns of a terminal */
} Cell;

typedef struct {
	gboolean right;
	gsize width; /* of the widest of its cells */
} Padding;

struct OutTable {
	struct libscols_table *fitted; /* NULL: it is not for a terminal */
	GString *texts;		       /* one behind the other */
	GArray *cells;		       /* of Cell; the titles first */
	GArray *columns;	       /* of Padding */
	gboolean are_titles_hidden;
};

static int terminal_columns(const Ctl *ctl)
{
	const char *columns = g_getenv("COLUMNS");
	struct winsize size;

	if (columns && g_ascii_strtoull(columns, NULL, 10) > 0)
		return (int)MIN(g_ascii_strtoull(columns, NULL, 10), 4096);
	if (ioctl(ctl->pager ? ctl->saved_stdout : STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		return size.ws_col;
	return 0;
}

static struct libscols_table *fitted_new(const Ctl *ctl, const OutColumn *columns)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		g_error("out of memory");
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	if (terminal_columns(ctl) > 0)
		scols_table_set_termwidth(table, (size_t)terminal_columns(ctl));
	/* out_table_add() escapes what a terminal must not see, the way that names are escaped. */
	scols_table_enable_noencoding(table, 1);
	scols_table_enable_colors(table, out_colour(ctl));
	for (; columns->title; columns++) {
		if (!scols_table_new_column(table, columns->title, 0, columns->flags))
			g_error("out of memory");
	}
	return table;
}

static void add_cell(OutTable *table, const char *text)
{
	Padding *column =
	    &g_array_index(table->columns, Padding, table->cells->len % table->columns->len);
	Cell cell = {.offset = table->texts->len};

	escape_plain_append(table->texts, text);
	cell.length = table->texts->len - cell.offset;
	cell.width = wide_text_columns(table->texts->str + cell.offset);
	column->width = MAX(column->width, cell.width);
	g_array_append_val(table->cells, cell);
}

OutTable *out_table_new(const Ctl *ctl, const OutColumn *columns)
{
	OutTable *table = g_new0(OutTable, 1);

	if (ctl->pager || isatty(STDOUT_FILENO)) {
		table->fitted = fitted_new(ctl, columns);
		return table;
	}
	table->texts = g_string_new(NULL);
	table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
	table->columns = g_array_new(FALSE, FALSE, sizeof(Padding));
	for (const OutColumn *column = columns; column->title; column++) {
		const Padding padding = {.right = column->flags & SCOLS_FL_RIGHT};

		g_array_append_val(table->columns, padding);
	}
	for (const OutColumn *column = columns; column->title; column++)
		add_cell(table, column->title);
	return table;
}

void out_table_free(OutTable *table)
{
	if (table->fitted) {
		scols_unref_table(table->fitted);
	} else {
		g_string_free(table->texts, TRUE);
		g_array_unref(table->cells);
		g_array_unref(table->columns);
	}
	g_free(table);
}

void out_table_hide_titles(OutTable *table)
{
	if (table->fitted) {
		scols_table_enable_noheadings(table->fitted, 1);
		return;
	}
	table->are_titles_hidden = TRUE;
	/* As since libsmartcols 2.41, they take no room either. */
	for (guint i = 0; i < table->columns->len; i++)
		g_array_index(table->columns, Padding, i).width = 0;
}

static void add_line(struct libscols_table *table, const char *const *texts,
		     const char *const *colours)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	size_t count = scols_table_get_ncols(table);

	if (!line)
		g_error("out of memory");
	for (size_t i = 0; i < count; i++) {
		if (scols_line_refer_data(line, i, escape_plain(texts[i])) != 0)
			g_error("out of memory");
		if (colours && colours[i])
			scols_cell_set_color(scols_line_get_cell(line, i), colours[i]);
	}
}

void out_table_add(OutTable *table, const char *const *texts, const char *const *colours)
{
	if (table->fitted) {
		add_line(table->fitted, texts, colours);
		return;
	}
	for (guint i = 0; i < table->columns->len; i++)
		add_cell(table, texts[i]);
}

static void pad(GString *line, gsize spaces)
{
	const gsize end = line->len;

	g_string_set_size(line, end + spaces);
	memset(line->str + end, ' ', spaces);
}

/* Writes the cells from first on. What nothing follows is not padded. */
static void print_line(const OutTable *table, guint first, GString *line, FILE *stream)
{
	g_string_truncate(line, 0);
	for (guint i = 0; i < table->columns->len; i++) {
		const Padding *column = &g_array_index(table->columns, Padding, i);
		const Cell *cell = &g_array_index(table->cells, Cell, first + i);
		const gboolean is_last = i + 1 == table->columns->len;
		const gboolean is_right = column->right && cell->length > 0;

		if (is_right)
			pad(line, column->width - cell->width);
		g_string_append_len(line, table->texts->str + cell->offset, (gssize)cell->length);
		if (!is_right && !is_last)
			pad(line, column->width - cell->width);
		g_string_append_c(line, is_last ? '\n' : ' ');
	}
	(void)fwrite(line->str, 1, line->len, stream);
}

void out_table_print(OutTable *table, FILE *stream)
{
	g_autoptr(GString) line = g_string_new(NULL);

	if (table->fitted) {
		scols_table_set_stream(table->fitted, stream);
		scols_print_table(table->fitted);
		return;
	}
	if (table->cells->len == table->columns->len)
		return;
	for (guint i = table->are_titles_hidden ? table->columns->len : 0; i < table->cells->len;
	     i += table->columns->len)
		print_line(table, i, line, stream);
}
