/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "name.h"
#include "options.h"
#include "order.h"
#include "out-table.h"
#include "output.h"
#include "row-text.h"
#include "rows-json.h"

typedef struct {
	char *sort;
	char *tier;
	char *origin;
	gboolean reverse;
	gboolean confident;
	gboolean names;
	gboolean all;
	char *columns;
	GStrv patterns;
} ListOptions;

static void list_options_clear(ListOptions *options)
{
	g_free(options->sort);
	g_free(options->tier);
	g_free(options->origin);
	g_free(options->columns);
	g_strfreev(options->patterns);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListOptions, list_options_clear)

static gboolean wanted(const Row *row, gpointer user_data)
{
	const ListOptions *options = user_data;
	g_autofree char *program = NULL;

	if (options->confident && !row->confident)
		return FALSE;
	if (options->tier && !rows_is_of(row, options->tier))
		return FALSE;
	if (options->origin && !g_str_equal(options->origin, row->origin))
		return FALSE;
	if (rows_match_any(options->patterns, row->name))
		return TRUE;
	/* What stands in the table can be asked for. */
	program = row_program(row);
	return program && rows_match_any(options->patterns, program);
}

/* The column of a word of the command line, below end; -1 after an error message. */
static int column_of(const CtlCommand *command, const char *word, int end)
{
	const int column = order_column(word);

	if (column >= 0 && column < end)
		return column;
	options_is_word(command, "column", word, order_words());
	return -1;
}

/*
 * Columns of the table, as indexes; all without --columns. Returns their number, or 0 after an
 * error message.
 */
static guint choose_columns(const CtlCommand *command, const ListOptions *options,
			    int chosen[ROW_TEXTS])
{
	g_auto(GStrv) names = options->columns ? g_strsplit(options->columns, ",", -1) : NULL;
	guint count = 0;

	for (int i = 0; !names && i < ROW_TEXTS; i++)
		chosen[count++] = i;
	for (guint i = 0; names && names[i]; i++) {
		if (count == ROW_TEXTS) {
			options_usage(command, "there are %d columns", ROW_TEXTS);
			return 0;
		}
		chosen[count] = column_of(command, names[i], ROW_TEXTS);
		if (chosen[count++] < 0)
			return 0;
	}
	if (count == 0)
		options_usage(command, "--columns names no column");
	return count;
}

static void add_row(OutTable *table, const Row *row, RowSlices slices, const int chosen[],
		    guint count)
{
	char *texts[ROW_TEXTS] = {NULL};
	const char *colours[ROW_TEXTS] = {NULL};

	for (guint i = 0; i < count; i++) {
		texts[i] = row_text(row, chosen[i], g_get_real_time(), slices);
		if (chosen[i] == ROW_TIER)
			colours[i] =
			    rows_predicts(row) ? out_tier_colour(rows_word(row)) : "darkgray";
		if (chosen[i] == ROW_CONFIDENCE)
			colours[i] = row->confident ? "green" : "brown";
	}
	out_table_add(table, (const char *const *)texts, colours);
	row_texts_clear(texts);
}

/* All that passed the filters, also what the table hides: so they agree with status. */
typedef struct {
	guint profiles;
	guint confident;
} Counts;

static Counts count_rows(const Rows *rows)
{
	Counts counts = {.profiles = rows->items->len};

	for (guint i = 0; i < rows->items->len; i++)
		counts.confident += rows_get(rows, i)->confident ? 1 : 0;
	return counts;
}

static void print_counts(const Rows *rows, const Counts *all)
{
	const Counts shown = count_rows(rows);
	g_autofree char *profiles = out_count(all->profiles, "profile");
	g_autofree char *confident = out_number(all->confident);
	g_autofree char *few = out_count(shown.profiles, "profile");
	g_autofree char *kernel = out_count(all->profiles - shown.profiles, "kernel thread");

	if (shown.profiles == all->profiles)
		printf("%s, %s confident.\n", profiles, confident);
	else
		printf("%s, %u confident; with %s (--all) %u and %s.\n", few, shown.confident,
		       kernel, all->profiles, confident);
}

/* Whether names were asked for, and nothing else. */
static gboolean are_names_chosen(const ListOptions *options)
{
	return options->patterns[0] && !options->tier && !options->origin && !options->confident;
}

static void print_table(Ctl *ctl, const ListOptions *options, const Rows *rows, const int chosen[],
			guint count, const Counts *all)
{
	g_autoptr(GVariant) properties = bus_properties(ctl, NULL);
	g_autofree char *trial = properties ? out_trial(properties) : NULL;
	OutColumn columns[ROW_TEXTS + 1] = {{NULL}};
	const RowSlices slices = properties ? row_slices_of(properties) : ROW_SLICES_NONE;

	out_open_pager(ctl);
	for (guint i = 0; i < count; i++)
		columns[i] =
		    (OutColumn){.title = row_columns[chosen[i]].title,
				.flags = row_columns[chosen[i]].right ? SCOLS_FL_RIGHT : 0};
	if (rows->items->len > 0) {
		g_autoptr(OutTable) table = out_table_new(ctl, columns);

		for (guint i = 0; i < rows->items->len; i++)
			add_row(table, rows_get(rows, i), slices, chosen, count);
		out_table_print(table, stdout);
		putchar('\n');
	}
	if (rows->items->len == 0 && are_names_chosen(options)) {
		g_autofree char *patterns = g_strjoinv("\" or \"", options->patterns);

		printf("No name and no program matches \"%s\".\n", patterns);
	} else {
		print_counts(rows, all);
	}
	if (trial)
		printf("A trial runs: %s.\n", trial);
}

static void print_names(const Rows *rows)
{
	for (guint i = 0; i < rows->items->len; i++)
		puts(rows_get(rows, i)->name);
}

static gboolean check(const CtlCommand *command, const ListOptions *options)
{
	return (!options->sort || column_of(command, options->sort, ROW_ORDERS) >= 0) &&
	       (!options->tier || options_is_word(command, "tier", options->tier, rows_words)) &&
	       (!options->origin ||
		options_is_word(command, "origin", options->origin, rows_origins));
}

static gboolean is_program(const Row *row, gpointer user_data)
{
	return !rows_is_kernel_thread(row);
}

/* A name or a part of it may be one of a kernel thread, and so says that those are meant. */
static void hide_kernel_threads(Rows *rows, const ListOptions *options)
{
	if (!options->all && !options->patterns[0])
		rows_keep(rows, is_program, NULL);
}

/* What the service can choose need not be sent; it lets a few more pass than wanted() does. */
static GVariant *filter_of(const ListOptions *options)
{
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);

	if (options->confident)
		g_variant_dict_insert(&filter, "confident", "b", TRUE);
	rows_filter_titles(&filter, (const char *const *)options->patterns);
	return g_variant_dict_end(&filter);
}

/* Of each: a name is all that is needed of thousands of which nothing else is asked. */
static const char **fields_of(const Ctl *ctl, const ListOptions *options)
{
	static const char *const name[] = {"name", PROCDB_FIELD_PACKED};
	const gboolean is_name = options->names && !options->patterns[0] && !options->sort &&
				 !options->tier && !options->origin;
	const char **fields;

	if (ctl->json)
		return rows_json_fields();
	if (!is_name)
		return rows_fields();
	fields = g_new0(const char *, G_N_ELEMENTS(name) + 1);
	memcpy(fields, name, sizeof(name));
	return fields;
}

static int print(Ctl *ctl, const ListOptions *options, const int chosen[], guint columns)
{
	g_autofree const char **fields = fields_of(ctl, options);
	g_autoptr(GError) error = NULL;
	g_autoptr(Rows) rows = rows_query(ctl, filter_of(options), fields, NULL, &error);
	Counts all;

	if (!rows)
		return failure_report("QueryColumns", NULL, error);
	rows_keep(rows, wanted, (gpointer)options);
	order_sort(rows, order_of_column(order_column(options->sort ? options->sort : "name")),
		   options->reverse);
	if (ctl->json) {
		rows_json_print(rows);
	} else if (options->names) {
		print_names(rows);
	} else {
		all = count_rows(rows);
		hide_kernel_threads(rows, options);
		print_table(ctl, options, rows, chosen, columns, &all);
	}
	return CTL_OK;
}

int cmd_list(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(ListOptions) options = {NULL};
	g_auto(GStrv) args = NULL;
	const GOptionEntry entries[] = {
	    {"sort", 's', 0, G_OPTION_ARG_STRING, &options.sort, "Sort by a column", "COLUMN"},
	    {"reverse", 'r', 0, G_OPTION_ARG_NONE, &options.reverse, "Reverse the order", NULL},
	    {"tier", 't', 0, G_OPTION_ARG_STRING, &options.tier, "Only this tier, or brief",
	     "TIER"},
	    {"origin", 'o', 0, G_OPTION_ARG_STRING, &options.origin,
	     "Only live, retained or override", "ORIGIN"},
	    {"confident", 'c', 0, G_OPTION_ARG_NONE, &options.confident, "Only confident ones",
	     NULL},
	    {"names", 'n', 0, G_OPTION_ARG_NONE, &options.names,
	     "Print names only, one a line, for scripts", NULL},
	    {"all", 'a', 0, G_OPTION_ARG_NONE, &options.all, "Show kernel threads as well", NULL},
	    {"columns", 0, 0, G_OPTION_ARG_STRING, &options.columns,
	     "Show these, with commas between", "COLUMNS"},
	    {NULL},
	};
	int chosen[ROW_TEXTS];
	guint columns;
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	columns = choose_columns(command, &options, chosen);
	if (columns == 0 || !check(command, &options))
		return CTL_USAGE;
	options.patterns = name_patterns(args);

	status = bus_connect(ctl);
	return status == CTL_OK ? print(ctl, &options, chosen, columns) : status;
}
