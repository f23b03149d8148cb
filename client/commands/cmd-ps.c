/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "name.h"
#include "options.h"
#include "out-table.h"
#include "output.h"
#include "tasks.h"

typedef struct {
	gboolean all;
	char *tier;
	char **patterns;
} PsOptions;

/* Whether a path, or the last part of it, is one of those. */
static gboolean is_of_file(const char *path, char **patterns)
{
	g_autofree char *base = path ? g_path_get_basename(path) : NULL;

	return path && (rows_match_any(patterns, path) || rows_match_any(patterns, base));
}

static gboolean is_named(const Task *task, char **patterns)
{
	g_autofree char *pid = g_strdup_printf("%u", task->pid);
	g_autofree char *tid = g_strdup_printf("%u", task->tid);

	return rows_match_any(patterns, task->name) || rows_match_any(patterns, pid) ||
	       rows_match_any(patterns, tid) || is_of_file(task->program, patterns) ||
	       is_of_file(task->script, patterns);
}

/* Without a name, those of which something was set. */
static gboolean is_wanted(const Task *task, const PsOptions *options)
{
	if (options->tier && g_strcmp0(task->decided, options->tier) != 0 &&
	    g_strcmp0(task->predicted, options->tier) != 0 &&
	    g_strcmp0(task->measured, options->tier) != 0)
		return FALSE;
	if (options->patterns[0])
		return is_named(task, options->patterns);
	return options->all || options->tier || !g_str_equal(task->set_by, TASK_SET_BY_KERNEL);
}

static void add_task(OutTable *table, const Task *task, const GHashTable *sources)
{
	g_autofree char *pid = g_strdup_printf("%u", task->pid);
	g_autofree char *tid = g_strdup_printf("%u", task->tid);
	g_autofree char *slice =
	    task->slice_ns > 0 ? out_duration_ns(task->slice_ns) : g_strdup("-");
	g_autofree char *nice = g_strdup_printf("%d", task->nice);
	g_autofree char *cpu = out_duration_ns(task->cpu_ns);
	g_autofree char *why = tasks_why(task, sources);
	const Row row = {.name = task->name, .program = task->program, .script = task->script};
	g_autofree char *title = rows_title(&row);
	const char *tier = tasks_tier(task);
	const char *texts[] = {pid, tid, title, tier ? tier : "-", slice, nice, cpu, why};
	const char *colours[] = {[3] = tier ? out_tier_colour(tier) : NULL, [7] = NULL};

	out_table_add(table, texts, colours);
}

/* Of the first name or number that no task has. */
static void say_none(const PsOptions *options)
{
	const char *first = options->patterns[0];

	if (!first)
		g_printerr("No task is of the tier \"%s\".\n", options->tier);
	else if (g_ascii_isdigit(*first) && strspn(first, "0123456789") == strlen(first))
		g_printerr("No process or thread has the ID %s, and no task that name.\n", first);
	else
		g_printerr("No task matches \"%s\".\n", first);
}

static void print_table(Ctl *ctl, const Tasks *tasks, const GHashTable *sources, guint hidden)
{
	g_autoptr(GVariant) properties = bus_properties(ctl, NULL);
	g_autofree char *trial = properties ? out_trial(properties) : NULL;
	static const OutColumn columns[] = {{"PID", SCOLS_FL_RIGHT},
					    {"TID", SCOLS_FL_RIGHT},
					    {"NAME", 0},
					    {"TIER", 0},
					    {"SLICE", SCOLS_FL_RIGHT},
					    {"NICE", SCOLS_FL_RIGHT},
					    {"CPU", SCOLS_FL_RIGHT},
					    {"WHY", 0},
					    {NULL}};
	g_autofree char *count = out_count(tasks->items->len, "task");
	g_autofree char *others = out_count(hidden, "task");
	out_open_pager(ctl);
	if (tasks->items->len > 0) {
		g_autoptr(OutTable) table = out_table_new(ctl, columns);
		for (guint i = 0; i < tasks->items->len; i++)
			add_task(table, tasks_get(tasks, i), sources);
		out_table_print(table, stdout);
		putchar('\n');
	}
	printf("%s", count);
	if (hidden > 0)
		printf("; beside %s that nothing was set of, which --all shows", others);
	puts(".");
	if (trial)
		printf("A trial runs: %s.\n", trial);
}

static int print(Ctl *ctl, const PsOptions *options)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Tasks) tasks = tasks_fetch(ctl, &error);
	g_autoptr(GHashTable) sources = NULL;
	const gboolean is_chosen = options->patterns[0] || options->tier;
	guint hidden;

	if (!tasks)
		return failure_report("ListTasks", NULL, error);
	hidden = tasks->items->len;
	for (guint i = tasks->items->len; i-- > 0;) {
		if (!is_wanted(tasks_get(tasks, i), options))
			g_array_remove_index(tasks->items, i);
	}
	hidden -= tasks->items->len;
	sources = tasks_sources(ctl, &error);
	if (!sources)
		return failure_report("QueryColumns", NULL, error);
	if (ctl->json)
		ctl_json_print(tasks_json(tasks, sources));
	if (is_chosen && tasks->items->len == 0) {
		say_none(options);
		return CTL_NO_PROFILE;
	}
	if (!ctl->json)
		print_table(ctl, tasks, sources, is_chosen ? 0 : hidden);
	return CTL_OK;
}

int cmd_ps(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_auto(GStrv) patterns = NULL;
	g_autofree char *tier = NULL;
	PsOptions options = {0};
	const GOptionEntry entries[] = {
	    {"tier", 't', 0, G_OPTION_ARG_STRING, &tier, "Only tasks of this tier", "TIER"},
	    {"all", 'a', 0, G_OPTION_ARG_NONE, &options.all,
	     "Show tasks that nothing was set of as well", NULL},
	    {NULL},
	};
	int status;

	if (!options_parse(ctl, command, entries, argv, &args) ||
	    (tier && !options_is_word(command, "tier", tier, procdb_tier_names)))
		return CTL_USAGE;
	patterns = name_patterns(args);
	options.patterns = patterns;
	options.tier = tier;
	status = bus_connect(ctl);
	return status == CTL_OK ? print(ctl, &options) : status;
}
