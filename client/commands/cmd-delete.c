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
#include "tasks.h"

/* More names than this are not listed one by one in the question. */
#define NAMES_SHOWN 10

#define ERROR_NO_SUCH_PROFILE PROCDB_BUS_INTERFACE ".Error.NoSuchProfile"
#define ERROR_SAVE_FAILED PROCDB_BUS_INTERFACE ".Error.SaveFailed"

/* The names to delete: first those given literally, then those that patterns matched. */
typedef struct {
	GPtrArray *all;
	GHashTable *seen; /* the same, each once */
	guint given;
	GHashTable *decided; /* those whose override goes with them */
} Names;

static void names_clear(Names *names)
{
	g_hash_table_unref(names->decided);
	g_hash_table_unref(names->seen);
	g_ptr_array_unref(names->all);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Names, names_clear)

static void add_name(Names *names, const char *name)
{
	char *copy;

	if (g_hash_table_contains(names->seen, name))
		return;
	copy = g_strdup(name);
	g_ptr_array_add(names->all, copy);
	g_hash_table_add(names->seen, copy);
}

/* Adds the names that match; FALSE, after an error message, if there are none. */
static gboolean add_matches(Names *names, const Rows *rows, const char *pattern)
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

/* Adds the names that the arguments stand for. */
static int collect(Ctl *ctl, char **args, gboolean literal, Names *names)
{
	g_autoptr(GPtrArray) patterns = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;

	for (; *args; args++) {
		g_autofree char *name = escape_argument(*args);

		if (literal || !rows_is_pattern(name))
			add_name(names, name);
		else
			g_ptr_array_add(patterns, g_steal_pointer(&name));
	}
	names->given = names->all->len;
	if (patterns->len > 0)
		rows = rows_fetch(ctl, &error);
	if (error)
		return failure_report("ListProfiles", NULL, error);
	for (guint i = 0; i < patterns->len; i++) {
		if (!add_matches(names, rows, patterns->pdata[i]))
			return CTL_NO_PROFILE;
	}
	return CTL_OK;
}

static gboolean is_error(const GError *error, const char *name)
{
	g_autofree char *remote = g_dbus_error_get_remote_error(error);

	return g_strcmp0(remote, name) == 0;
}

/*
 * Finds the names with an override of an administrator; one that a file declares comes back. It is
 * for what is said alone: no password is asked for, and an older service does not know.
 */
static void find_decided(Ctl *ctl, Names *names)
{
	g_autoptr(GVariant) reply = NULL;
	GVariantIter iter;
	GVariant *map;

	if (!procdb_dbus_proc_db1_call_list_overrides_sync(ctl->proxy, G_DBUS_CALL_FLAGS_NONE,
							   ctl->timeout_ms, &reply, NULL, NULL))
		return;
	g_variant_iter_init(&iter, reply);
	while (g_variant_iter_loop(&iter, "@a{sv}", &map)) {
		const char *name, *source;

		if (g_variant_lookup(map, "name", "&s", &name) &&
		    g_variant_lookup(map, "source", "&s", &source) &&
		    g_str_equal(source, "administrator") &&
		    g_hash_table_contains(names->seen, name))
			g_hash_table_add(names->decided, g_strdup(name));
	}
}

/* ", and its override" of what is asked; "" where there is none. Free with g_free(). */
static char *overrides_text(const Names *names)
{
	const guint count = g_hash_table_size(names->decided);
	g_autofree char *overrides = out_count(count, "override");

	if (count == 0)
		return g_strdup("");
	return names->all->len == 1 ? g_strdup(", and its override")
				    : g_strdup_printf(", and %s of them", overrides);
}

static gboolean confirm(const Names *all)
{
	const GPtrArray *names = all->all;
	guint count = names->len;
	g_autofree char *overrides = overrides_text(all);
	g_autofree char *text = out_count(count, "program");
	g_autofree char *question = NULL;

	for (guint i = 0; count > 1 && i < MIN(count, NAMES_SHOWN); i++)
		g_printerr("  %s%s\n", (const char *)names->pdata[i],
			   g_hash_table_contains(all->decided, names->pdata[i]) ? " (override)"
										: "");
	if (count > NAMES_SHOWN)
		g_printerr("  ... and %u more\n", count - NAMES_SHOWN);
	if (count == 1)
		question = g_strdup_printf("Forget what was learned about \"%s\"%s?",
					   (const char *)names->pdata[0], overrides);
	else
		question =
		    g_strdup_printf("Forget what was learned about these %s%s?", text, overrides);
	return ask_confirm(question);
}

/* Of what runs, so that its coming back is no surprise. */
static void say_running(Ctl *ctl, const GPtrArray *names)
{
	g_autoptr(Tasks) tasks = tasks_fetch(ctl, NULL);
	const char *last = NULL;
	guint running = 0;

	if (!tasks)
		return;
	for (guint i = 0; i < names->len; i++) {
		if (!tasks_have(tasks, names->pdata[i]))
			continue;
		last = names->pdata[i];
		running++;
	}
	if (running == 1)
		printf("\"%s\" runs, and is learned anew.\n", last);
	else if (running > 1)
		printf("%u of them run, and are learned anew.\n", running);
}

static int report(Ctl *ctl, const Names *all, GPtrArray *names, guint deleted)
{
	g_autofree char *count = out_count(deleted, "profile");
	guint decided = 0;

	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		g_ptr_array_add(names, NULL);
		ctl_json_set_uint(builder, "deleted", deleted);
		ctl_json_set(builder, "names",
			     ctl_json_from_strings((const char *const *)names->pdata));
		ctl_json_print(ctl_json_end(builder));
		return CTL_OK;
	}
	for (guint i = 0; i < names->len; i++)
		decided += g_hash_table_contains(all->decided, names->pdata[i]) ? 1 : 0;
	printf("Deleted %s", count);
	if (decided > 0) {
		g_autofree char *overrides = out_count(decided, "override");

		printf(", and %s with %s", overrides, deleted == 1 ? "it" : "them");
	}
	puts(".");
	say_running(ctl, names);
	return CTL_OK;
}

/*
 * Drops names from a portion whose profiles left the service since they were listed. FALSE if none
 * did, or if one of the first names did, which the user typed.
 */
static gboolean drop_gone(Ctl *ctl, GPtrArray *portion, guint given)
{
	g_autoptr(Rows) rows = rows_fetch(ctl, NULL);
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	guint before = portion->len;

	if (!rows)
		return FALSE;
	for (guint i = 0; i < rows->items->len; i++)
		g_hash_table_add(there, (gpointer)rows_get(rows, i)->name);
	for (guint i = portion->len - 1; i-- > 0;) {
		if (g_hash_table_contains(there, portion->pdata[i]))
			continue;
		if (i < given)
			return FALSE;
		g_ptr_array_remove_index(portion, i);
	}
	return portion->len < before;
}

/* Deletes the names of a portion, NULL at its end, and drops those that were gone. */
static gboolean delete_portion(Ctl *ctl, GPtrArray *portion, guint given, guint *deleted,
			       GError **error)
{
	g_autoptr(GError) reason = NULL;

	while (!procdb_dbus_proc_db1_call_delete_profiles_sync(
	    ctl->proxy, (const char *const *)portion->pdata, ctl->call_flags, ctl->timeout_ms,
	    deleted, NULL, &reason)) {
		if (!is_error(reason, ERROR_NO_SUCH_PROFILE) || !drop_gone(ctl, portion, given)) {
			g_propagate_error(error, g_steal_pointer(&reason));
			return FALSE;
		}
		g_clear_error(&reason);
	}
	return TRUE;
}

/*
 * Also prints how many profiles are left, if some are gone: those are deleted even where the save
 * failed.
 */
static int report_failure(const GError *error, guint begin, guint end, guint all)
{
	guint gone = is_error(error, ERROR_SAVE_FAILED) ? end : begin;
	int status = failure_report("DeleteProfiles", NULL, error);

	if (gone > 0 && gone < all)
		g_printerr("%u of %u programs were not forgotten.\n", all - gone, all);
	return status;
}

static int delete_one(Ctl *ctl, const Names *names)
{
	const char *name = names->all->pdata[0];
	g_autoptr(GPtrArray) done = g_ptr_array_new();
	g_autoptr(GError) error = NULL;

	if (!procdb_dbus_proc_db1_call_delete_profile_sync(ctl->proxy, name, ctl->call_flags,
							   ctl->timeout_ms, NULL, &error))
		return failure_unknown(ctl, "DeleteProfile", name, error);
	g_ptr_array_add(done, (gpointer)name);
	return report(ctl, names, done, 1);
}

/*
 * All that was given in one call, which the service may refuse: it is all or
 * nothing. What patterns matched fills it up, and then goes in calls of its own.
 */
static int delete_all(Ctl *ctl, const Names *names)
{
	g_autoptr(GPtrArray) done = g_ptr_array_new();
	guint all = names->all->len;
	guint deleted = 0;
	guint end;

	for (guint begin = 0; begin < all; begin = end) {
		g_autoptr(GPtrArray) portion = g_ptr_array_new();
		g_autoptr(GError) error = NULL;
		guint given = begin == 0 ? names->given : 0;
		guint count = 0;

		end = MIN(all, begin + MAX(given, PROCDB_MAX_NAMES_IN));
		for (guint i = begin; i < end; i++)
			g_ptr_array_add(portion, names->all->pdata[i]);
		g_ptr_array_add(portion, NULL);
		if (!delete_portion(ctl, portion, given, &count, &error))
			return report_failure(error, begin, end, all);
		deleted += count;
		for (guint i = 0; i + 1 < portion->len; i++)
			g_ptr_array_add(done, portion->pdata[i]);
	}
	return report(ctl, names, done, deleted);
}

int cmd_delete(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(Names)
	    names = {.all = g_ptr_array_new_with_free_func(g_free),
		     .seen = g_hash_table_new(g_str_hash, g_str_equal),
		     .decided = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
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
		status = collect(ctl, args, literal, &names);
	if (status != CTL_OK)
		return status;
	find_decided(ctl, &names);
	if (!yes && ask_possible() && !confirm(&names)) {
		g_printerr("Nothing was deleted.\n");
		return CTL_FAILED;
	}
	return names.all->len == 1 ? delete_one(ctl, &names) : delete_all(ctl, &names);
}
