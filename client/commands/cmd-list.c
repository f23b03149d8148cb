/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "escape.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "row-text.h"

typedef struct {
	char *sort;
	char *tier;
	char *origin;
	gboolean reverse;
	gboolean confident;
	gboolean names;
	GStrv patterns;
} ListOptions;

static void list_options_clear(ListOptions *options)
{
	g_free(options->sort);
	g_free(options->tier);
	g_free(options->origin);
	g_strfreev(options->patterns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListOptions, list_options_clear)

static gboolean wanted(const Row *row, gpointer user_data)
{
	const ListOptions *options = user_data;

	if (options->confident && !row->confident)
		return FALSE;
	if (options->tier && !g_str_equal(options->tier, row->tier))
		return FALSE;
	if (options->origin && !g_str_equal(options->origin, row->origin))
		return FALSE;
	if (!options->patterns[0])
		return TRUE;
	for (char **pattern = options->patterns; *pattern; pattern++) {
		if (rows_match(*pattern, row->name))
			return TRUE;
	}
	return FALSE;
}

static void add_row(struct libscols_table *table, const Row *row, gint64 now)
{
	char *texts[ROW_TEXTS];
	const char *colours[ROW_TEXTS] = {
	    [1] = out_tier_colour(row->tier),
	    [2] = row->confident ? "green" : "brown",
	};

	row_texts(row, now, texts);
	out_table_add(table, (const char *const *)texts, colours);
	row_texts_clear(texts);
}

static void print_table(Ctl *ctl, const Rows *rows)
{
	OutColumn columns[ROW_TEXTS + 1] = {{NULL}};
	struct libscols_table *table = NULL;
	g_autofree char *count = out_count(rows->items->len, "profile");
	gint64 now = g_get_real_time();
	g_autofree char *sure = NULL;
	guint confident = 0;

	out_open_pager(ctl);
	for (int i = 0; i < ROW_TEXTS; i++)
		columns[i] = (OutColumn){.title = row_columns[i].title,
					 .flags = row_columns[i].right ? SCOLS_FL_RIGHT : 0};
	if (rows->items->len > 0) {
		table = out_table_new(ctl, columns);
		for (guint i = 0; i < rows->items->len; i++) {
			add_row(table, rows_get(rows, i), now);
			confident += (guint)rows_get(rows, i)->confident;
		}
		out_table_print(table);
		putchar('\n');
	}
	sure = out_number(confident);
	printf("%s, %s confident.\n", count, sure);
}

static void print_names(const Rows *rows)
{
	for (guint i = 0; i < rows->items->len; i++)
		puts(rows_get(rows, i)->name);
}

static gboolean check(const CtlCommand *command, const ListOptions *options)
{
	return (!options->sort ||
		options_is_word(command, "column", options->sort, rows_sort_keys())) &&
	       (!options->tier ||
		options_is_word(command, "tier", options->tier, procdb_tier_names)) &&
	       (!options->origin ||
		options_is_word(command, "origin", options->origin, rows_origins));
}

int cmd_list(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(ListOptions) options = {NULL};
	g_auto(GStrv) args = NULL;
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry entries[] = {
	    {"sort", 's', 0, G_OPTION_ARG_STRING, &options.sort, "Sort by a column of the JSON",
	     "COLUMN"},
	    {"reverse", 'r', 0, G_OPTION_ARG_NONE, &options.reverse, "Reverse the order", NULL},
	    {"tier", 't', 0, G_OPTION_ARG_STRING, &options.tier, "Only this tier", "TIER"},
	    {"origin", 'o', 0, G_OPTION_ARG_STRING, &options.origin,
	     "Only live, retained or override", "ORIGIN"},
	    {"confident", 'c', 0, G_OPTION_ARG_NONE, &options.confident, "Only confident ones",
	     NULL},
	    {"names", 'n', 0, G_OPTION_ARG_NONE, &options.names,
	     "Print names only, one a line, for scripts", NULL},
	    {NULL},
	};
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	if (!check(command, &options))
		return CTL_USAGE;
	options.patterns = g_new0(char *, g_strv_length(args) + 1);
	for (guint i = 0; args[i]; i++)
		options.patterns[i] = escape_argument(args[i]);

	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	rows = rows_fetch(ctl, &error);
	if (!rows)
		return failure_report("ListProfiles", NULL, error);
	rows_keep(rows, wanted, &options);
	rows_sort(rows, rows_order(options.sort ? options.sort : "name"), options.reverse);

	if (ctl->json)
		ctl_json_print(ctl_json_from_rows(rows));
	else if (options.names)
		print_names(rows);
	else
		print_table(ctl, rows);
	return CTL_OK;
}
