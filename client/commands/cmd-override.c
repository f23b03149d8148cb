/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "escape.h"
#include "failure.h"
#include "json.h"
#include "name.h"
#include "options.h"
#include "out-table.h"
#include "output.h"
#include "override-for.h"
#include "rules.h"

static void report_json(const GPtrArray *names, const char *tier)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < names->len; i++) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, "name", names->pdata[i]);
		if (tier)
			ctl_json_set_string(builder, "override", tier);
		else
			ctl_json_set(builder, "override", json_node_init_null(json_node_alloc()));
		json_array_add_element(array, ctl_json_end(builder));
	}
	/* Of one name the object itself, as it was before a command took several. */
	if (names->len == 1) {
		json_node_unref(node);
		node = json_node_ref(json_array_get_element(array, 0));
	} else {
		json_node_init_array(node, array);
	}
	json_array_unref(array);
	ctl_json_print(node);
}

/* A run, or another caller, is above what was set. What was never seen may be a script. */
static void report_set(Ctl *ctl, const char *name, const char *tier, GVariant *profile)
{
	guint32 observations = 1;
	const char *held;

	if (profile && g_variant_lookup(profile, "held", "&s", &held))
		printf("The override of \"%s\" is set; a caller, such as a run, holds new tasks at "
		       "%s until it ends.\n",
		       name, held);
	else
		printf("New tasks named \"%s\" start as %s from now on; those that run stay as "
		       "they are.\n",
		       name, tier);
	if (profile)
		g_variant_lookup(profile, "observations", "u", &observations);
	if (observations == 0)
		(void)name_say_runner(ctl, name, stdout);
}

/* Without a profile, as where the service does not say, what was learned counts. */
static void report_cleared(const char *name, GVariant *profile, gboolean is_known)
{
	guint32 observations = 1;
	const char *source = NULL;

	if (profile) {
		g_variant_lookup(profile, "observations", "u", &observations);
		g_variant_lookup(profile, "override_source", "&s", &source);
	}
	if (source)
		printf("\"%s\" has no override of an administrator now; that of %s counts.\n", name,
		       source);
	else
		printf("\"%s\" has no override now; %s.\n", name,
		       is_known && observations > 0 ? "what was learned about it counts"
						    : "nothing was learned about it");
}

static void report(Ctl *ctl, const char *name, const char *tier)
{
	g_autoptr(GVariant) profile = NULL;
	g_autoptr(GError) error = NULL;

	if (ctl->json)
		return;
	procdb_dbus_proc_db1_call_get_profile_sync(ctl->proxy, name, ctl->call_flags,
						   ctl->timeout_ms, &profile, NULL, &error);
	if (tier)
		report_set(ctl, name, tier, profile);
	else
		report_cleared(name, profile, !failure_is_unknown(error));
}

static gboolean call(Ctl *ctl, const char *name, const char *tier, GError **error)
{
	if (tier)
		return procdb_dbus_proc_db1_call_set_override_sync(
		    ctl->proxy, name, tier, ctl->call_flags, ctl->timeout_ms, NULL, error);
	return procdb_dbus_proc_db1_call_clear_override_sync(ctl->proxy, name, ctl->call_flags,
							     ctl->timeout_ms, NULL, error);
}

/* One after the other over one connection, so that the password is asked for once. */
static int change_all(Ctl *ctl, const GPtrArray *names, const char *tier)
{
	const char *method = tier ? "SetOverride" : "ClearOverride";
	int status = bus_connect_privileged(ctl);

	for (guint i = 0; status == CTL_OK && i < names->len; i++) {
		const char *name = names->pdata[i];
		g_autoptr(GError) error = NULL;

		if (call(ctl, name, tier, &error)) {
			report(ctl, name, tier);
			continue;
		}
		status = failure_unknown(ctl, method, name, error);
		if (i + 1 < names->len)
			g_printerr("The names after \"%s\" were not changed.\n", name);
	}
	if (status == CTL_OK && ctl->json)
		report_json(names, tier);
	else if (status == CTL_OK && tier)
		override_say_if_idle(ctl, TRUE);
	return status;
}

/* All names are looked at before the first is used. tier is NULL to clear. */
static int change(Ctl *ctl, const CtlCommand *command, char **typed, guint count, const char *tier,
		  gboolean literal)
{
	g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

	for (guint i = 0; i < count; i++) {
		/* An override that was set before can always be cleared. */
		char *name =
		    tier ? name_to_change(command, typed[i], literal) : escape_argument(typed[i]);

		if (!name)
			return CTL_USAGE;
		g_ptr_array_add(names, name);
	}
	return change_all(ctl, names, tier);
}

/* Where an override comes from; older services know only of administrators. */
static char *source_of(Ctl *ctl, const char *name)
{
	g_autoptr(GVariant) profile = NULL;
	char *source = NULL;

	if (procdb_dbus_proc_db1_call_get_profile_sync(ctl->proxy, name, ctl->call_flags,
						       ctl->timeout_ms, &profile, NULL, NULL))
		g_variant_lookup(profile, "override_source", "s", &source);
	return source ? source : g_strdup("administrator");
}

static void add_line(OutTable *table, const char *of, const char *text, const char *tier,
		     const char *source)
{
	const char *texts[] = {of, text, tier, source};
	const char *colours[] = {NULL, NULL, out_tier_colour(tier), NULL};

	out_table_add(table, texts, colours);
}

static void print_table(Ctl *ctl, const Rows *rows, const Rules *rules)
{
	static const OutColumn columns[] = {
	    {"OF", 0}, {"NAME", 0}, {"TIER", 0}, {"SOURCE", 0}, {NULL}};
	g_autoptr(OutTable) table = NULL;

	if (rows->items->len + rules->items->len == 0) {
		puts("There are no overrides.");
		return;
	}
	out_open_pager(ctl);
	table = out_table_new(ctl, columns);
	for (guint i = 0; i < rules->items->len; i++) {
		const Rule *rule = rules_get(rules, i);

		add_line(table, rule->kind, rule->text, rule->tier, rule->source);
	}
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		g_autofree char *source = source_of(ctl, row->name);

		add_line(table, "name", row->name, row->tier, source);
	}
	out_table_print(table, stdout);
}

static void print_json(Ctl *ctl, const Rows *rows, const Rules *rules)
{
	JsonNode *node = ctl_json_from_rows(rows);
	JsonArray *array = json_node_get_array(node);

	for (guint i = 0; i < rows->items->len; i++) {
		g_autofree char *source = source_of(ctl, rows_get(rows, i)->name);

		json_object_set_string_member(json_array_get_object_element(array, i),
					      "override_source", source);
	}
	for (guint i = 0; i < rules->items->len; i++) {
		const Rule *rule = rules_get(rules, i);
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, rule->kind, rule->text);
		ctl_json_set_string(builder, "tier", rule->tier);
		ctl_json_set_string(builder, "override_source", rule->source);
		json_array_add_element(array, ctl_json_end(builder));
	}
	ctl_json_print(node);
}

static gboolean is_override(const Row *row, gpointer user_data)
{
	return g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE);
}

static int list(Ctl *ctl)
{
	g_autoptr(Rules) rules = NULL;
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;
	int status = bus_connect(ctl);

	if (status != CTL_OK)
		return status;
	rows = rows_fetch(ctl, &error);
	if (!rows)
		return failure_report("ListProfiles", NULL, error);
	rows_keep(rows, is_override, NULL);
	rules = rules_fetch(ctl, &error);
	if (!rules)
		return failure_report("ListOverrides", NULL, error);
	if (ctl->json)
		print_json(ctl, rows, rules);
	else
		print_table(ctl, rows, rules);
	return CTL_OK;
}

int cmd_override(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	gboolean literal = FALSE, program = FALSE, unit = FALSE;
	const GOptionEntry entries[] = {
	    {"literal", 'l', 0, G_OPTION_ARG_NONE, &literal, "Treat a number or a path as a name",
	     NULL},
	    {"program", 'p', 0, G_OPTION_ARG_NONE, &program,
	     "Names are those of programs or scripts, or their paths", NULL},
	    {"unit", 'u', 0, G_OPTION_ARG_NONE, &unit, "Names are those of systemd units", NULL},
	    {NULL},
	};
	guint count;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	count = g_strv_length(args);
	if (program && unit)
		return options_usage(command, "--program and --unit exclude each other");
	if (g_str_equal(args[0], "list") && count == 1)
		return list(ctl);
	if (g_str_equal(args[0], "clear") && count >= 2 && (program || unit))
		return override_for(ctl, command, program ? "program" : "unit", args + 1, count - 1,
				    NULL);
	if (g_str_equal(args[0], "clear") && count >= 2)
		return change(ctl, command, args + 1, count - 1, NULL, literal);
	if (g_str_equal(args[0], "set") && count >= 3) {
		if (!options_is_word(command, "tier", args[count - 1], procdb_tier_names))
			return CTL_USAGE;
		if (program || unit)
			return override_for(ctl, command, program ? "program" : "unit", args + 1,
					    count - 2, args[count - 1]);
		return change(ctl, command, args + 1, count - 2, args[count - 1], literal);
	}
	return options_usage(command, "it takes %s", command->parameters);
}
