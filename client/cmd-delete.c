/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "ask.h"
#include "bus.h"
#include "commands.h"
#include "escape.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

/* More names than this are not listed one by one in the question. */
#define NAMES_SHOWN 10

static void add_name(GPtrArray *names, const char *name)
{
	if (!g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
		g_ptr_array_add(names, g_strdup(name));
}

/* Adds what matches; FALSE, and said so, if nothing does. */
static gboolean add_matches(GPtrArray *names, const Rows *rows, const char *pattern)
{
	gboolean found = FALSE;

	for (guint i = 0; i < rows->items->len; i++) {
		if (!rows_match(pattern, rows_get(rows, i)->name))
			continue;
		add_name(names, rows_get(rows, i)->name);
		found = TRUE;
	}
	if (!found)
		g_printerr("Nothing matches \"%s\"; nothing was deleted.\n", pattern);
	return found;
}

/* The names that the arguments stand for, NULL at the end. */
static int collect(Ctl *ctl, char **args, gboolean literal, GPtrArray *names)
{
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;

	for (; *args; args++) {
		g_autofree char *name = escape_argument(*args);

		if (literal || !rows_is_pattern(name)) {
			add_name(names, name);
			continue;
		}
		if (!rows)
			rows = rows_fetch(ctl, &error);
		if (!rows)
			return failure_report("ListProfiles", NULL, error);
		if (!add_matches(names, rows, name))
			return CTL_NO_PROFILE;
	}
	g_ptr_array_add(names, NULL);
	return CTL_OK;
}

static gboolean was_given(char **args, const char *name)
{
	for (; *args; args++) {
		g_autofree char *given = escape_argument(*args);

		if (g_str_equal(given, name))
			return TRUE;
	}
	return FALSE;
}

static gboolean is_no_such_profile(const GError *error)
{
	g_autofree char *remote = g_dbus_error_get_remote_error(error);

	return g_strcmp0(remote, CTL_INTERFACE ".Error.NoSuchProfile") == 0;
}

static gboolean confirm(const GPtrArray *names)
{
	guint count = names->len - 1;
	g_autofree char *text = out_count(count, "program");
	g_autofree char *question = NULL;

	for (guint i = 0; count > 1 && i < MIN(count, NAMES_SHOWN); i++)
		g_printerr("  %s\n", (const char *)names->pdata[i]);
	if (count > NAMES_SHOWN)
		g_printerr("  ... and %u more\n", count - NAMES_SHOWN);
	if (count == 1)
		question = g_strdup_printf("Forget what was learned about \"%s\"?",
					   (const char *)names->pdata[0]);
	else
		question = g_strdup_printf("Forget what was learned about these %s?", text);
	return ask_confirm(question);
}

static int report(Ctl *ctl, const GPtrArray *names, guint deleted)
{
	g_autofree char *count = out_count(deleted, "profile");

	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_uint(builder, "deleted", deleted);
		ctl_json_set(builder, "names",
			     ctl_json_from_strings((const char *const *)names->pdata));
		ctl_json_print(ctl_json_end(builder));
		return CTL_OK;
	}
	printf("Deleted %s.\n", count);
	return CTL_OK;
}

/*
 * Drops the names that left by themselves since they were listed. FALSE if that
 * is none, or if it is one that was given as such.
 */
static gboolean drop_gone(Ctl *ctl, GPtrArray *names, char **args)
{
	g_autoptr(Rows) rows = rows_fetch(ctl, NULL);
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	guint before = names->len;

	if (!rows)
		return FALSE;
	for (guint i = 0; i < rows->items->len; i++)
		g_hash_table_add(there, (gpointer)rows_get(rows, i)->name);
	for (guint i = names->len - 1; i-- > 0;) {
		const char *name = names->pdata[i];

		if (g_hash_table_contains(there, name))
			continue;
		if (was_given(args, name))
			return FALSE;
		g_ptr_array_remove_index(names, i);
	}
	return names->len < before && names->len > 1;
}

static int delete_names(Ctl *ctl, GPtrArray *names, char **args)
{
	const char *only = names->len == 2 ? names->pdata[0] : NULL;
	g_autoptr(GError) error = NULL;
	guint deleted = 1;

	if (only) {
		if (!procdb_dbus_proc_db1_call_delete_profile_sync(
			ctl->proxy, only, ctl->call_flags, ctl->timeout_ms, NULL, &error))
			return failure_report("DeleteProfile", only, error);
	} else if (!procdb_dbus_proc_db1_call_delete_profiles_sync(
		       ctl->proxy, (const char *const *)names->pdata, ctl->call_flags,
		       ctl->timeout_ms, &deleted, NULL, &error)) {
		if (is_no_such_profile(error) && drop_gone(ctl, names, args))
			return delete_names(ctl, names, args);
		return failure_report("DeleteProfiles", NULL, error);
	}
	return report(ctl, names, deleted);
}

int cmd_delete(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
	g_auto(GStrv) args = NULL;
	gboolean yes = FALSE;
	gboolean literal = FALSE;
	const GOptionEntry entries[] = {
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {"literal", 'l', 0, G_OPTION_ARG_NONE, &literal, "Take * and ? for themselves", NULL},
	    {NULL},
	};
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	status = bus_connect_privileged(ctl);
	if (status == CTL_OK)
		status = collect(ctl, args, literal, names);
	if (status != CTL_OK)
		return status;
	if (!yes && ask_possible() && !confirm(names)) {
		g_printerr("Nothing was deleted.\n");
		return CTL_FAILED;
	}
	return delete_names(ctl, names, args);
}
