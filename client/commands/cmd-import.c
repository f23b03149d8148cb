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
#include "override-for.h"
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

static Export *read_export(const char *path, GError **error)
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

/* Rows of programs in one call: with the longest paths they are below the 6 MiB of the service. */
#define PROGRAMS_AT_ONCE 2048

/* Of each file: what its profiles are of. */
static gboolean import_programs_of(Ctl *ctl, GVariant *programs, gboolean merge, GError **error)
{
	const gsize count = g_variant_n_children(programs);

	for (gsize from = 0; from < count; from += PROGRAMS_AT_ONCE) {
		g_auto(GVariantBuilder) rows = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE("aa{sv}"));
		guint imported;

		for (gsize i = from; i < MIN(from + PROGRAMS_AT_ONCE, count); i++) {
			g_autoptr(GVariant) row = g_variant_get_child_value(programs, i);

			g_variant_builder_add_value(&rows, row);
		}
		if (!procdb_dbus_proc_db1_call_import_programs_sync(
			ctl->proxy, g_variant_builder_end(&rows), merge, ctl->call_flags,
			ctl->timeout_ms, &imported, NULL, error))
			return FALSE;
	}
	return TRUE;
}

static int import_programs(Ctl *ctl, const GPtrArray *files, gboolean merge)
{
	for (guint i = 0; i < files->len; i++) {
		const Export *export = files->pdata[i];
		g_autoptr(GError) error = NULL;

		if (import_programs_of(ctl, export->programs, merge, &error))
			continue;
		/* An older service has no use for it. */
		return rows_is_unknown_method(error)
			   ? CTL_OK
			   : failure_report("ImportPrograms", NULL, error);
	}
	return CTL_OK;
}

static int import_rules(Ctl *ctl, const GPtrArray *files)
{
	int status = CTL_OK;

	for (guint i = 0; i < files->len; i++) {
		const Export *export = files->pdata[i];
		const char *kind, *text, *tier;
		GVariantIter iter;

		g_variant_iter_init(&iter, export->rules);
		while (status == CTL_OK &&
		       g_variant_iter_next(&iter, "(&s&s&s)", &kind, &text, &tier)) {
			g_autoptr(GError) error = NULL;

			if (!override_for_call(ctl, kind, text, tier, &error))
				status = failure_report("SetOverrideFor", text, error);
		}
	}
	return status;
}

static gboolean is_other(const char *kind, const char *text, const char *here,
			 const char *elsewhere, GError **error)
{
	if (!here || !elsewhere || g_str_equal(here, elsewhere))
		return FALSE;
	g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
		    "the %s \"%s\" has an override to %s here and to %s elsewhere", kind, text,
		    here, elsewhere);
	return TRUE;
}

/* Takes an override by program or unit; FALSE with error set if there is one to another tier. */
static gboolean agree(GHashTable *tiers, const char *kind, const char *text, const char *tier,
		      GError **error)
{
	g_autofree char *key = g_strconcat(kind, " ", text, NULL);

	if (is_other(kind, text, tier, g_hash_table_lookup(tiers, key), error))
		return FALSE;
	g_hash_table_insert(tiers, g_steal_pointer(&key), (gpointer)tier);
	return TRUE;
}

static gboolean agree_all(GHashTable *tiers, const Export *export, GError **error)
{
	const char *kind, *text, *tier;
	GVariantIter iter;

	g_variant_iter_init(&iter, export->rules);
	while (g_variant_iter_next(&iter, "(&s&s&s)", &kind, &text, &tier))
		if (!agree(tiers, kind, text, tier, error))
			return FALSE;
	return TRUE;
}

/*
 * As of names: where they are merged, what the service decided already is not changed. tiers has
 * the overrides of all files.
 */
static gboolean agree_with_service(Ctl *ctl, GHashTable *tiers)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(Rules) rules = rules_fetch(ctl, &error);

	if (!rules) {
		failure_report("ListOverrides", NULL, error);
		return FALSE;
	}
	for (guint i = 0; i < rules->items->len; i++) {
		const Rule *rule = rules_get(rules, i);
		g_autofree char *key = g_strconcat(rule->kind, " ", rule->text, NULL);

		if (is_other(rule->kind, rule->text, g_hash_table_lookup(tiers, key), rule->tier,
			     &error)) {
			g_printerr("Nothing was imported: %s; clear one of them.\n",
				   error->message);
			return FALSE;
		}
	}
	return TRUE;
}

/* The change is in effect: the rest belongs to it. */
static gboolean is_not_saved(const GError *error)
{
	g_autofree char *name = g_dbus_error_get_remote_error(error);

	return name && g_str_has_suffix(name, ".SaveFailed");
}

/* A sum takes what is already in once more, and without --merge the file replaces it. */
static void report_rest(gboolean merge)
{
	g_printerr("The profiles are in, but not all of what programs they are of, or of the "
		   "overrides by program and unit. ");
	if (merge)
		g_printerr(
		    "Do not import the files again, which would count twice: what programs "
		    "they are of is learned as they run, and \"pandemoniumctl override set\" "
		    "with --program or --unit sets the overrides that \"override list\" has "
		    "not.\n");
	else
		g_printerr("Import the file again for the rest.\n");
}

/* The profiles, and then what else the files have of them. tiers: see agree_with_service(). */
static int import(Ctl *ctl, GVariant *profiles, const GPtrArray *files, GHashTable *tiers,
		  gboolean replace, gboolean merge)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) before = NULL;
	guint imported;
	int status = bus_connect_privileged(ctl), failed = CTL_OK;

	if (status != CTL_OK)
		return status;
	if (merge && !agree_with_service(ctl, tiers))
		return CTL_FAILED;
	if (merge && !ctl->json)
		before = confident_names(ctl);
	if (!procdb_dbus_proc_db1_call_import_profiles_sync(ctl->proxy, profiles, replace, merge,
							    ctl->call_flags, ctl->timeout_ms,
							    &imported, NULL, &error))
		failed = failure_report("ImportProfiles", NULL, error);
	if (error && !is_not_saved(error))
		return failed;
	status = import_programs(ctl, files, merge);
	if (status == CTL_OK)
		status = import_rules(ctl, files);
	if (status != CTL_OK) {
		report_rest(merge);
		return status;
	}
	if (error)
		return failed;
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
static Export *take_file(const char *path)
{
	g_autoptr(GError) error = NULL;
	g_autofree char *name = NULL;
	Export *export = read_export(path, &error);

	if (export)
		return export;
	name = g_str_equal(path, "-") ? g_strdup("standard input") : g_filename_display_name(path);
	g_printerr("Cannot import %s: %s.\n", name, error->message);
	return NULL;
}

/* The same export, under whatever name, would count twice. */
static gboolean is_new(const GPtrArray *files, const Export *export, const char *path)
{
	for (guint i = 0; i < files->len; i++) {
		const Export *before = files->pdata[i];

		if (g_variant_n_children(export->profiles) == 0 ||
		    !g_variant_equal(before->profiles, export->profiles))
			continue;
		g_printerr("Cannot import %s: it says the same as another file that was given, and "
			   "would count twice.\n",
			   path);
		return FALSE;
	}
	return TRUE;
}

/* All files; NULL after an error message. */
static GPtrArray *take_files(char **paths)
{
	g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func((GDestroyNotify)export_free);

	for (; *paths; paths++) {
		Export *export = take_file(*paths);

		if (!export)
			return NULL;
		if (!is_new(files, export, *paths)) {
			export_free(export);
			return NULL;
		}
		g_ptr_array_add(files, export);
	}
	return g_steal_pointer(&files);
}

static void drop_overrides(Export *export)
{
	GVariant *profiles = without_overrides(export->profiles);

	g_variant_unref(export->profiles);
	g_variant_unref(export->rules);
	export->profiles = profiles;
	export->rules = g_variant_ref_sink(g_variant_new("a(sss)", NULL));
}

/* The sum of all files, and their overrides; NULL after an error message. */
static GVariant *merge_files(const GPtrArray *files, char **paths, GHashTable *tiers)
{
	g_autoptr(Merge) merge = merge_new();

	for (guint i = 0; i < files->len; i++) {
		const Export *export = files->pdata[i];
		g_autoptr(Rows) rows = rows_from_variant(export->profiles);
		g_autoptr(GError) error = NULL;

		if (merge_add(merge, rows, &error) && agree_all(tiers, export, &error))
			continue;
		g_printerr("Cannot import %s: %s.\n", paths[i], error->message);
		return NULL;
	}
	return g_variant_ref_sink(merge_sum(merge));
}

int cmd_import(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(GPtrArray) files = NULL;
	g_autoptr(GVariant) profiles = NULL;
	/* Of the files' overrides by program and unit, whose texts these are. */
	g_autoptr(GHashTable) tiers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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
	if (replace && !yes && !ask_possible())
		return options_usage(command, "without a terminal to ask on --replace needs --yes");
	files = take_files(args);
	if (!files)
		return CTL_FAILED;
	if (no_overrides)
		for (guint i = 0; i < files->len; i++)
			drop_overrides(files->pdata[i]);
	profiles = merge ? merge_files(files, args, tiers)
			 : g_variant_ref(((const Export *)files->pdata[0])->profiles);
	if (!profiles)
		return CTL_FAILED;
	if (replace && !yes &&
	    !ask_confirm("Forget everything that was learned, and import? Overrides stay.")) {
		g_printerr("Nothing was imported.\n");
		return CTL_FAILED;
	}
	return import(ctl, profiles, files, tiers, replace, merge);
}
