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

static gboolean is_wanted(const Row *row, gpointer names)
{
	return g_hash_table_contains(names, row->name);
}

static int import(Ctl *ctl, GVariant *profiles, gboolean replace)
{
	g_autoptr(GError) error = NULL;
	guint imported;
	int status = bus_connect_privileged(ctl);

	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_import_sync(ctl->proxy, profiles, replace, ctl->call_flags,
						   ctl->timeout_ms, &imported, NULL, &error))
		return failure_report("Import", NULL, error);
	return report(ctl, imported, replace);
}

/* Reads one file, or standard input; NULL after an error message. */
static GVariant *take_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	GVariant *profiles = read_profiles(path, &error);
	g_autofree char *name = NULL;

	if (profiles)
		return g_variant_ref_sink(profiles);
	name = g_str_equal(path, "-") ? g_strdup("standard input") : g_filename_display_name(path);
	g_printerr("Cannot import %s: %s.\n", name, error->message);
	return NULL;
}

static gboolean add_file(Merge *merge, const char *path)
{
	g_autoptr(GVariant) profiles = take_file(path);
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;

	if (!profiles)
		return FALSE;
	rows = rows_from_variant(profiles);
	if (merge_add(merge, rows, &error))
		return TRUE;
	g_printerr("Cannot import %s: %s.\n", path, error->message);
	return FALSE;
}

/* Adds what the service knows of the same names. */
static int add_known(Ctl *ctl, Merge *merge, GVariant *sum)
{
	g_autoptr(GHashTable) wanted = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(Rows) summed = rows_from_variant(sum);
	g_autoptr(Rows) known = NULL;
	g_autoptr(GError) error = NULL;
	int status = bus_connect(ctl);

	if (status != CTL_OK)
		return status;
	known = rows_fetch(ctl, &error);
	if (!known)
		return failure_report("ListProfiles", NULL, error);
	for (guint i = 0; i < summed->items->len; i++)
		g_hash_table_add(wanted, (gpointer)rows_get(summed, i)->name);
	rows_keep(known, is_wanted, wanted);
	if (merge_add(merge, known, &error))
		return CTL_OK;
	g_printerr("Nothing was imported: %s; clear one of them.\n", error->message);
	return CTL_FAILED;
}

/* The sum of all files, and of what is known unless that is forgotten. */
static int merge_files(Ctl *ctl, char **paths, gboolean replace, GVariant **profiles)
{
	g_autoptr(Merge) merge = merge_new();
	int status = CTL_OK;

	for (; *paths; paths++)
		if (!add_file(merge, *paths))
			return CTL_FAILED;
	if (!replace) {
		g_autoptr(GVariant) sum = g_variant_ref_sink(merge_sum(merge));

		status = add_known(ctl, merge, sum);
		bus_disconnect(ctl);
	}
	*profiles = g_variant_ref_sink(merge_sum(merge));
	return status;
}

int cmd_import(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(GVariant) profiles = NULL;
	gboolean replace = FALSE;
	gboolean merge = FALSE;
	gboolean yes = FALSE;
	const GOptionEntry entries[] = {
	    {"merge", 'm', 0, G_OPTION_ARG_NONE, &merge,
	     "Add up all files and what is known of the same names", NULL},
	    {"replace", 'r', 0, G_OPTION_ARG_NONE, &replace,
	     "Forget everything learned first; overrides stay", NULL},
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {NULL},
	};
	int status = CTL_OK;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	if (args[1] && !merge)
		return options_usage(command, "several files need --merge");
	if (merge)
		status = merge_files(ctl, args, replace, &profiles);
	else
		profiles = take_file(args[0]);
	if (status != CTL_OK || !profiles)
		return status != CTL_OK ? status : CTL_FAILED;
	if (replace && !yes &&
	    !ask_confirm("Forget everything that was learned, and import? Overrides stay.")) {
		g_printerr("Nothing was imported.\n");
		return CTL_FAILED;
	}
	return import(ctl, profiles, replace);
}
