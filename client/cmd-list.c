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

static gboolean wanted(const ListOptions *options, const Row *row)
{
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

static void keep_wanted(Rows *rows, const ListOptions *options)
{
	guint kept = 0;

	for (guint i = 0; i < rows->items->len; i++) {
		if (wanted(options, rows_get(rows, i)))
			g_array_index(rows->items, Row, kept++) = *rows_get(rows, i);
	}
	g_array_set_size(rows->items, kept);
}

static void print_json(const Rows *rows)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < rows->items->len; i++)
		json_array_add_element(array, ctl_json_from_row(rows_get(rows, i)));
	json_node_init_array(node, array);
	json_array_unref(array);
	ctl_json_print(node);
}

static void add_row(struct libscols_table *table, const Row *row, gint64 now)
{
	g_autofree char *confidence = g_strdup_printf("%.2f", row->confidence);
	g_autofree char *observations = g_strdup_printf("%u", row->observations);
	g_autofree char *runtime = out_duration_ns(row->avg_runtime_ns);
	g_autofree char *deviation = out_duration_ns(row->runtime_dev_ns);
	g_autofree char *wakeups = g_strdup_printf("%" G_GUINT64_FORMAT, row->wakeup_freq);
	g_autofree char *switches = g_strdup_printf("%" G_GUINT64_FORMAT, row->csw_rate);
	g_autofree char *seen = out_ago(row->last_seen_us, now);
	const char *texts[] = {row->name, row->tier, confidence, observations, runtime,
			       deviation, wakeups,   switches,	 seen,	       row->origin};
	const char *colours[G_N_ELEMENTS(texts)] = {
	    [1] = out_tier_colour(row->tier),
	    [2] = row->confident ? "green" : "brown",
	};

	out_table_add(table, texts, colours);
}

static void print_table(Ctl *ctl, const Rows *rows)
{
	static const OutColumn columns[] = {
	    {"NAME", 0, 0},
	    {"TIER", 0, 0},
	    {"CONF", 0, SCOLS_FL_RIGHT},
	    {"SEEN×", 0, SCOLS_FL_RIGHT},
	    {"RUNTIME", 0, SCOLS_FL_RIGHT},
	    {"±", 0, SCOLS_FL_RIGHT},
	    {"WAKEUPS", 0, SCOLS_FL_RIGHT},
	    {"SWITCHES", 0, SCOLS_FL_RIGHT},
	    {"LAST SEEN", 0, SCOLS_FL_RIGHT},
	    {"ORIGIN", 0, 0},
	    {NULL},
	};
	struct libscols_table *table = NULL;
	g_autofree char *count = out_count(rows->items->len, "profile");
	gint64 now = g_get_real_time();
	guint confident = 0;

	out_open_pager(ctl);
	if (rows->items->len > 0) {
		table = out_table_new(ctl, columns);
		for (guint i = 0; i < rows->items->len; i++) {
			add_row(table, rows_get(rows, i), now);
			confident += rows_get(rows, i)->confident;
		}
		out_table_print(table);
		putchar('\n');
	}
	printf("%s, %u confident.\n", count, confident);
}

static int print_names(const Rows *rows)
{
	for (guint i = 0; i < rows->items->len; i++)
		puts(rows_get(rows, i)->name);
	return CTL_OK;
}

static int check(const CtlCommand *command, const ListOptions *options)
{
	g_autofree char *keys = g_strjoinv(", ", (char **)rows_sort_keys());

	if (options->sort && !rows_order(options->sort))
		return options_usage(command, "cannot sort by \"%s\"; there are %s", options->sort,
				     keys);
	if (options->tier && rows_tier_rank(options->tier) < 0)
		return options_usage(command,
				     "there is no tier \"%s\"; there are batch, interactive and "
				     "lat-critical",
				     options->tier);
	if (options->origin && !g_str_equal(options->origin, "live") &&
	    !g_str_equal(options->origin, "retained") && !g_str_equal(options->origin, "override"))
		return options_usage(
		    command, "there is no origin \"%s\"; there are live, retained and override",
		    options->origin);
	return CTL_OK;
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
	    {"reverse", 'r', 0, G_OPTION_ARG_NONE, &options.reverse, "Turn the order round", NULL},
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
	status = check(command, &options);
	if (status != CTL_OK)
		return status;
	options.patterns = g_new0(char *, g_strv_length(args) + 1);
	for (guint i = 0; args[i]; i++)
		options.patterns[i] = escape_argument(args[i]);

	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	rows = rows_fetch(ctl, &error);
	if (!rows)
		return failure_report("ListProfiles", NULL, error);
	keep_wanted(rows, &options);
	rows_sort(rows, rows_order(options.sort ? options.sort : "name"), options.reverse);

	if (ctl->json)
		print_json(rows);
	else if (options.names)
		print_names(rows);
	else
		print_table(ctl, rows);
	return CTL_OK;
}
