/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>

#include "ask.h"
#include "bus.h"
#include "commands.h"
#include "failure.h"
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

int cmd_import(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(GVariant) profiles = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GError) error = NULL;
	gboolean replace = FALSE;
	gboolean yes = FALSE;
	const GOptionEntry entries[] = {
	    {"replace", 'r', 0, G_OPTION_ARG_NONE, &replace,
	     "Forget everything learned first; overrides stay", NULL},
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {NULL},
	};

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	name = g_str_equal(args[0], "-") ? g_strdup("standard input")
					 : g_filename_display_name(args[0]);
	profiles = read_profiles(args[0], &error);
	if (!profiles) {
		g_printerr("Cannot import %s: %s.\n", name, error->message);
		return CTL_FAILED;
	}
	g_variant_ref_sink(profiles);
	if (replace && !yes &&
	    !ask_confirm("Forget everything that was learned, and import? Overrides stay.")) {
		g_printerr("Nothing was imported.\n");
		return CTL_FAILED;
	}
	return import(ctl, profiles, replace);
}
