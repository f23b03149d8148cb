/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>

#include "ask.h"
#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "merge.h"
#include "options.h"
#include "output.h"
#include "profiles-json.h"

/* Everything up to the limit, and one byte more so that what is larger can be told. */
static GByteArray *read_all(const char *path, GError **error)
{
	g_autoptr(GFile) file = NULL;
	g_autoptr(GInputStream) in = NULL;
	g_autoptr(GByteArray) all = g_byte_array_new();
	guint8 buffer[65536];
	gssize got;

	if (g_str_equal(path, "-")) {
		in = g_unix_input_stream_new(STDIN_FILENO, FALSE);
	} else {
		file = g_file_new_for_path(path);
		in = G_INPUT_STREAM(g_file_read(file, NULL, error));
		if (!in)
			return NULL;
	}
	while (all->len <= PROFILES_JSON_MAX_BYTES &&
	       (got = g_input_stream_read(in, buffer, sizeof(buffer), NULL, error)) != 0) {
		if (got < 0)
			return NULL;
		g_byte_array_append(all, buffer, (guint)got);
	}
	return g_steal_pointer(&all);
}

static GVariant *read_profiles(const char *path, GError **error)
{
	g_autoptr(GByteArray) bytes = read_all(path, error);

	if (!bytes)
		return NULL;
	return profiles_from_json(bytes->data ? (const char *)bytes->data : "", bytes->len, error);
}

/* The names that are confident; NULL if the service does not say. */
static GHashTable *confident_names(Ctl *ctl)
{
	g_autoptr(Rows) rows = rows_fetch(ctl, NULL);
	GHashTable *names;

	if (!rows)
		return NULL;
	names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	for (guint i = 0; i < rows->items->len; i++)
		if (rows_get(rows, i)->confident)
			g_hash_table_add(names, g_strdup(rows_get(rows, i)->name));
	return names;
}

/* A sum predicts what none of its parts did: that has to be seen. */
static void report_confident(Ctl *ctl, GHashTable *before)
{
	g_autoptr(GHashTable) after = confident_names(ctl);
	g_autofree char *count = NULL;
	GHashTableIter iter;
	gpointer name;
	guint more = 0;

	if (!before || !after)
		return;
	g_hash_table_iter_init(&iter, after);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		more += !g_hash_table_contains(before, name);
	count = out_count(more, "profile");
	printf("%s %s confident that %s not.\n", count, more == 1 ? "is" : "are",
	       more == 1 ? "was" : "were");
}

static int report(Ctl *ctl, guint imported, gboolean replace)
{
	g_autofree char *count = out_count(imported, "profile");

	if (ctl->json) {
		ctl_json_print_count("imported", imported);
		return CTL_OK;
	}
	printf("Imported %s%s.\n", count, replace ? ", in place of everything learned" : "");
	return CTL_OK;
}

static int import(Ctl *ctl, GVariant *profiles, gboolean replace, gboolean merge)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) before = NULL;
	guint imported;
	int status = bus_connect_privileged(ctl);

	if (status != CTL_OK)
		return status;
	if (merge && !ctl->json)
		before = confident_names(ctl);
	if (!procdb_dbus_proc_db1_call_import_profiles_sync(ctl->proxy, profiles, replace, merge,
							    ctl->call_flags, ctl->timeout_ms,
							    &imported, NULL, &error))
		return failure_report("ImportProfiles", NULL, error);
	status = report(ctl, imported, replace);
	if (merge && !ctl->json)
		report_confident(ctl, before);
	return status;
}

/* The same without overrides: what was learned says the tier. */
static GVariant *without_overrides(GVariant *profiles)
{
	g_autoptr(Records) records = records_new();
	g_autoptr(Rows) rows = rows_from_variant(profiles);

	for (guint i = 0; i < rows->items->len; i++) {
		Row row = *rows_get(rows, i);

		if (g_str_equal(row.origin, PROCDB_ORIGIN_OVERRIDE)) {
			row.origin = PROCDB_ORIGIN_RETAINED;
			row.tier = procdb_tier_name(procdb_tier_of_votes(row.votes));
			/* Nothing was learned of it. */
			if (row.observations == 0)
				continue;
		}
		records_add(records, &row);
	}
	return g_variant_ref_sink(records_end(records));
}

/* Reads one file, or standard input; NULL after an error message. */
static GVariant *take_file(const char *path, gboolean no_overrides)
{
	g_autoptr(GVariant) profiles = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *name = NULL;

	profiles = read_profiles(path, &error);
	if (profiles) {
		g_variant_ref_sink(profiles);
		return no_overrides ? without_overrides(profiles) : g_steal_pointer(&profiles);
	}
	name = g_str_equal(path, "-") ? g_strdup("standard input") : g_filename_display_name(path);
	g_printerr("Cannot import %s: %s.\n", name, error->message);
	return NULL;
}

/* The same export, under whatever name, would count twice. */
static gboolean is_new(GPtrArray *files, GVariant *profiles, const char *path)
{
	for (guint i = 0; i < files->len; i++) {
		if (g_variant_n_children(profiles) == 0 ||
		    !g_variant_equal(files->pdata[i], profiles))
			continue;
		g_printerr("Cannot import %s: it says the same as another file that was given, and "
			   "would count twice.\n",
			   path);
		return FALSE;
	}
	g_ptr_array_add(files, g_variant_ref(profiles));
	return TRUE;
}

static gboolean add_file(Merge *merge, GPtrArray *files, const char *path, gboolean no_overrides)
{
	g_autoptr(GVariant) whole = take_file(path, FALSE);
	g_autoptr(GVariant) profiles = NULL;
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;

	if (!whole || !is_new(files, whole, path))
		return FALSE;
	profiles = no_overrides ? without_overrides(whole) : g_variant_ref(whole);
	rows = rows_from_variant(profiles);
	if (merge_add(merge, rows, &error))
		return TRUE;
	g_printerr("Cannot import %s: %s.\n", path, error->message);
	return FALSE;
}

/* The sum of all files; NULL after an error message. */
static GVariant *merge_files(char **paths, gboolean no_overrides)
{
	g_autoptr(GPtrArray) files =
	    g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
	g_autoptr(Merge) merge = merge_new();

	for (; *paths; paths++)
		if (!add_file(merge, files, *paths, no_overrides))
			return NULL;
	return g_variant_ref_sink(merge_sum(merge));
}

int cmd_import(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(GVariant) profiles = NULL;
	gboolean replace = FALSE;
	gboolean merge = FALSE;
	gboolean no_overrides = FALSE;
	gboolean yes = FALSE;
	const GOptionEntry entries[] = {
	    {"merge", 'm', 0, G_OPTION_ARG_NONE, &merge,
	     "Add up all files and what is known of the same names", NULL},
	    {"replace", 'r', 0, G_OPTION_ARG_NONE, &replace,
	     "Forget everything learned first; overrides stay", NULL},
	    {"no-overrides", 0, 0, G_OPTION_ARG_NONE, &no_overrides,
	     "Take over what was learned only", NULL},
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {NULL},
	};

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	if (args[1] && !merge)
		return options_usage(command, "several files need --merge");
	profiles = merge ? merge_files(args, no_overrides) : take_file(args[0], no_overrides);
	if (!profiles)
		return CTL_FAILED;
	if (replace && !yes &&
	    !ask_confirm("Forget everything that was learned, and import? Overrides stay.")) {
		g_printerr("Nothing was imported.\n");
		return CTL_FAILED;
	}
	return import(ctl, profiles, replace, merge);
}
