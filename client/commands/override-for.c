/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "override-for.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bus.h"
#include "escape.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "script.h"

static gboolean is_executable_file(const char *path)
{
	char magic[4] = "";
	FILE *file = fopen(path, "re");
	const gboolean is = file && fread(magic, sizeof(magic), 1, file) == 1 &&
			    memcmp(magic, "\177ELF", sizeof(magic)) == 0;

	if (file)
		(void)fclose(file);
	return is;
}

/* Whether an interpreter reads it: any file that is there, and is none for the kernel. */
static gboolean is_script(const char *path)
{
	return g_file_test(path, G_FILE_TEST_IS_REGULAR) && !is_executable_file(path);
}

/* A path is that from the root, and of an executable that of the file, to which links lead. */
static char *absolute_path(const char *typed)
{
	g_autofree char *path = g_canonicalize_filename(typed, NULL);
	g_autofree char *real = is_executable_file(path) ? realpath(path, NULL) : NULL;

	return g_strdup(real ? real : path);
}

/* As the service takes it. What begins with a * may be any path. */
static char *text_of(const char *kind, const char *typed)
{
	g_autofree char *path = g_str_equal(kind, "program") && strchr(typed, '/') && *typed != '*'
				    ? absolute_path(typed)
				    : g_strdup(typed);

	return escape_argument(path);
}

gboolean override_for_call(Ctl *ctl, const char *kind, const char *text, const char *tier,
			   GError **error)
{
	GVariantDict what;

	g_variant_dict_init(&what, NULL);
	g_variant_dict_insert(&what, kind, "s", text);
	if (tier)
		return procdb_dbus_proc_db1_call_set_override_for_sync(
		    ctl->proxy, g_variant_dict_end(&what), tier, ctl->call_flags, ctl->timeout_ms,
		    NULL, error);
	return procdb_dbus_proc_db1_call_clear_override_for_sync(
	    ctl->proxy, g_variant_dict_end(&what), ctl->call_flags, ctl->timeout_ms, NULL, error);
}

/* The service compares a path with what the interpreter was given, which may be without one. */
static void say_how_it_is_given(const char *typed, const char *text)
{
	g_autofree char *path = g_canonicalize_filename(typed, NULL);

	if (*text == '/' && is_script(path))
		printf(
		    "A script is meant where it is started by that path; \"%s\" alone means each "
		    "script of that name.\n",
		    procdb_script_base(text));
}

static void report(const char *kind, const char *text, const char *tier)
{
	if (!tier)
		printf("The override of the %s \"%s\" is cleared; tasks that it decided stay as "
		       "they are.\n",
		       kind, text);
	else if (g_str_equal(kind, "program"))
		printf("Tasks that begin to run \"%s\" start as %s from now on; those that run "
		       "stay as they are.\n",
		       text, tier);
	else
		printf(
		    "Programs that begin in the unit \"%s\", or come into it, are %s from now on; "
		    "those that are there stay as they are.\n",
		    text, tier);
}

/* By slices alone a program or unit works; a name is in the maps of a scheduler as well. */
char *override_idle_text(Ctl *ctl, gboolean is_of_name)
{
	static const char *const schedulers[] = {"sched-ext", "pinned", NULL};
	g_autoptr(GVariant) properties = bus_properties(ctl, NULL);
	const char *reason = "", *backend = "";
	gboolean active = TRUE;

	if (!properties)
		return NULL;
	g_variant_lookup(properties, "ApplyActive", "b", &active);
	g_variant_lookup(properties, "ApplyReason", "&s", &reason);
	g_variant_lookup(properties, "BackendInUse", "&s", &backend);
	if (active || (is_of_name && g_strv_contains(schedulers, backend)))
		return NULL;
	return g_strdup_printf("No slices are given now%s%s: until they are, it changes nothing.",
			       *reason ? ", since " : "", reason);
}

void override_say_if_idle(Ctl *ctl, gboolean is_of_name)
{
	g_autofree char *text = override_idle_text(ctl, is_of_name);

	if (text)
		puts(text);
}

static JsonNode *to_json(const char *kind, const char *text, const char *tier)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_string(builder, kind, text);
	if (tier)
		ctl_json_set_string(builder, "override", tier);
	else
		ctl_json_set(builder, "override", json_node_init_null(json_node_alloc()));
	return ctl_json_end(builder);
}

static int fail(const char *kind, const char *text, const char *tier, const GError *error)
{
	if (tier || !failure_is_unknown(error))
		return failure_report(tier ? "SetOverrideFor" : "ClearOverrideFor", text, error);
	g_printerr("There is no override of the %s \"%s\"; \"pandemoniumctl override list\" has "
		   "those that there are.\n",
		   kind, text);
	return CTL_NO_PROFILE;
}

/* Refuses what no program is called, and a person means: an interpreter with its arguments. */
static gboolean check_program(const CtlCommand *command, const char *typed)
{
	g_auto(GStrv) words = g_strsplit(typed, " ", -1);
	guint script = 1;

	if (!words[0] || !words[1] || !procdb_script_is_interpreter(words[0]))
		return TRUE;
	while (words[script] && *words[script] == '-')
		script++;
	options_usage(command, "\"%s\" is a command line; of a script give the name alone: \"%s\"",
		      typed, words[script] && *words[script] ? words[script] : "train.py");
	return FALSE;
}

int override_for(Ctl *ctl, const CtlCommand *command, const char *kind, char **typed, guint count,
		 const char *tier)
{
	JsonArray *array;
	JsonNode *node;
	int status;

	for (guint i = 0; tier && g_str_equal(kind, "program") && i < count; i++) {
		if (!check_program(command, typed[i]))
			return CTL_USAGE;
	}
	status = bus_connect_privileged(ctl);
	array = json_array_new();
	node = json_node_alloc();

	for (guint i = 0; status == CTL_OK && i < count; i++) {
		g_autofree char *text = text_of(kind, typed[i]);
		g_autoptr(GError) error = NULL;

		if (override_for_call(ctl, kind, text, tier, &error)) {
			if (!ctl->json)
				report(kind, text, tier);
			if (!ctl->json && tier && g_str_equal(kind, "program"))
				say_how_it_is_given(typed[i], text);
		} else {
			status = fail(kind, text, tier, error);
			if (i + 1 < count)
				g_printerr("The %ss after \"%s\" were not changed.\n", kind, text);
		}
		json_array_add_element(array, to_json(kind, text, tier));
	}
	json_node_init_array(node, array);
	json_array_unref(array);
	if (status == CTL_OK && ctl->json)
		/* Of one the object itself, as for names. */
		ctl_json_print(count == 1 ? json_array_dup_element(json_node_get_array(node), 0)
					  : json_node_ref(node));
	else if (status == CTL_OK && tier)
		override_say_if_idle(ctl, FALSE);
	json_node_unref(node);
	return status;
}
