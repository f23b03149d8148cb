/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "name.h"

#include <string.h>

#include "escape.h"
#include "options.h"
#include "rows.h"
#include "script.h"
#include "task.h"

/* Names that are suggested at most, and how many changes of a letter make them similar. */
#define SUGGESTIONS 3
#define MOST_CHANGES 2
#define LONGEST 64

static gboolean is_path(const char *typed)
{
	return g_path_is_absolute(typed) || g_str_has_prefix(typed, "./") ||
	       g_str_has_prefix(typed, "../") || g_str_has_prefix(typed, "~/");
}

char *name_of_typed(const char *typed, gboolean literal)
{
	g_autofree char *last =
	    !literal && is_path(typed) ? g_path_get_basename(typed) : g_strdup(typed);
	g_autofree char *escaped = escape_argument(last);
	gsize length;
	g_autofree char *bytes = escape_undo(escaped, &length);

	/* The service says what is wrong with it. */
	if (!bytes || length <= TASK_NAME_MAX)
		return g_steal_pointer(&escaped);
	return escape_raw(bytes, TASK_NAME_MAX);
}

/* Any program may call itself "../x", and files of others may hold names of 16 bytes. */
static gboolean is_known(Ctl *ctl, const char *name)
{
	double ignored;

	return procdb_dbus_proc_db1_call_get_confidence_sync(ctl->proxy, name, ctl->call_flags,
							     ctl->timeout_ms, &ignored, NULL, NULL);
}

char *name_to_read(Ctl *ctl, const char *typed, gboolean literal)
{
	g_autofree char *as_typed = escape_argument(typed);
	char *name = literal ? NULL : task_name_of_pid(typed);

	if (name) {
		g_printerr("%s is a process or thread named \"%s\".\n", typed, name);
		return name;
	}
	if (!literal && task_is_hidden(typed) && !is_known(ctl, as_typed)) {
		g_printerr("%s is a process or thread that /proc does not show you (it is mounted "
			   "with hidepid), so its name is not known.\n"
			   "Run this as root, or give its name.\n",
			   typed);
		return NULL;
	}
	name = name_of_typed(typed, FALSE);
	if (g_str_equal(name, as_typed))
		return name;
	if (is_known(ctl, as_typed)) {
		g_free(name);
		return g_steal_pointer(&as_typed);
	}
	g_printerr("Tasks of \"%s\" are named \"%s\".\n", as_typed, name);
	return name;
}

char *name_to_change(const CtlCommand *command, const char *typed, gboolean literal)
{
	g_autofree char *as_typed = escape_argument(typed);
	g_autofree char *of_pid = literal ? NULL : task_name_of_pid(typed);
	g_autofree char *name = name_of_typed(typed, literal);

	if (!literal && !*typed) {
		options_usage(command, "the name is empty");
		return NULL;
	}
	if (!literal && rows_is_pattern(typed)) {
		options_usage(command,
			      "\"%s\" is a pattern, and an override is of one name; --program and "
			      "--unit take patterns, --literal takes it for a name",
			      as_typed);
		return NULL;
	}
	if (of_pid) {
		options_usage(command,
			      "%s is a process or thread named \"%s\"; give that name, or "
			      "--literal before a number that is meant as a name",
			      typed, of_pid);
		return NULL;
	}
	if (g_str_equal(name, as_typed))
		return g_steal_pointer(&name);
	options_usage(command,
		      "no task is named \"%s\": the kernel keeps the last part of a path, and "
		      "%d bytes of it; give \"%s\"",
		      as_typed, TASK_NAME_MAX, name);
	return NULL;
}

char **name_patterns(char *const *typed)
{
	g_autoptr(GPtrArray) patterns = g_ptr_array_new();

	for (; *typed; typed++)
		g_ptr_array_add(patterns, escape_argument(*typed));
	g_ptr_array_add(patterns, NULL);
	return (char **)g_ptr_array_free(g_steal_pointer(&patterns), FALSE);
}

/* How many letters have to be put in, taken out or changed; more than are counted: the most. */
static guint changes(const char *a, const char *b)
{
	const gsize m = strlen(a), n = strlen(b);
	guint row[LONGEST + 1];

	if (m > LONGEST || n > LONGEST)
		return G_MAXUINT;
	for (gsize j = 0; j <= n; j++)
		row[j] = (guint)j;
	for (gsize i = 1; i <= m; i++) {
		guint diagonal = row[0];

		row[0] = (guint)i;
		for (gsize j = 1; j <= n; j++) {
			const guint above = row[j];
			const guint change = diagonal + (a[i - 1] != b[j - 1]);

			row[j] = MIN(change, MIN(above, row[j - 1]) + 1);
			diagonal = above;
		}
	}
	return row[n];
}

/* 0: the same but for its case. Greater is less similar; G_MAXUINT: it is not. */
static guint distance(const char *wanted, const char *known)
{
	g_autofree char *a = g_utf8_casefold(wanted, -1);
	g_autofree char *b = g_utf8_casefold(known, -1);
	guint count;

	if (g_str_equal(a, b))
		return 0;
	if (strlen(a) >= 3 && strlen(b) >= 3 && (g_str_has_prefix(b, a) || g_str_has_prefix(a, b)))
		return 1;
	count = changes(a, b);
	return count <= MOST_CHANGES && count < strlen(a) ? count + 1 : G_MAXUINT;
}

static gboolean is_file_of(const char *path, const char *name)
{
	return path && g_str_equal(procdb_script_base(path), name);
}

gboolean name_say_runner(Ctl *ctl, const char *program, FILE *stream)
{
	static const char *const fields[] = {"name", "program", "script", NULL};
	static const char plain[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._/+-";
	const char *const titles[] = {program, NULL};
	g_autofree char *quoted = g_shell_quote(program);
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);
	g_autoptr(Rows) rows = NULL;

	rows_filter_titles(&filter, titles);
	rows = rows_query(ctl, g_variant_dict_end(&filter), fields, NULL, NULL);
	for (guint i = 0; rows && i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);

		if (g_str_equal(row->name, program) ||
		    !(is_file_of(row->script, program) || is_file_of(row->program, program)))
			continue;
		fprintf(stream,
			"\"%s\" is run by tasks named \"%s\"; \"pandemoniumctl override set "
			"--program %s TIER\" decides for it alone.\n",
			program, row->name, program[strspn(program, plain)] ? quoted : program);
		return TRUE;
	}
	return FALSE;
}

void name_suggest(Ctl *ctl, const char *name)
{
	/* Of a path, which commands that change something do not take, the name that is meant. */
	g_autofree char *wanted = name_of_typed(name, FALSE);
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GString) text = g_string_new(NULL);
	guint found = 0;

	if (name_say_runner(ctl, wanted, stderr))
		return;
	rows = rows_fetch(ctl, NULL);

	for (guint level = 0; rows && found == 0 && level <= MOST_CHANGES + 1; level++) {
		for (guint i = 0; i < rows->items->len && found < SUGGESTIONS; i++) {
			const char *known = rows_get(rows, i)->name;

			if (distance(wanted, known) == level && !g_str_equal(name, known))
				g_string_append_printf(text, "%s\"%s\"", found++ ? ", " : "",
						       known);
		}
	}
	if (found > 0)
		g_printerr("Did you mean %s?\n", text->str);
}
