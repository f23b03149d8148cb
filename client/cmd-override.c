/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "escape.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

static int report(Ctl *ctl, const char *name, const char *tier)
{
	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, "name", name);
		if (tier)
			ctl_json_set_string(builder, "override", tier);
		else
			ctl_json_set(builder, "override", json_node_init_null(json_node_alloc()));
		ctl_json_print(ctl_json_end(builder));
		return CTL_OK;
	}
	if (tier)
		printf("New tasks named \"%s\" start as %s from now on.\n", name, tier);
	else
		printf("Nothing overrides what is learned about \"%s\" now.\n", name);
	return CTL_OK;
}

static int set(Ctl *ctl, const char *argument, const char *tier)
{
	g_autofree char *name = escape_argument(argument);
	g_autoptr(GError) error = NULL;
	int status = bus_connect_privileged(ctl);

	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_set_override_sync(ctl->proxy, name, tier, ctl->call_flags,
							 ctl->timeout_ms, NULL, &error))
		return failure_report("SetOverride", name, error);
	return report(ctl, name, tier);
}

static int clear(Ctl *ctl, const char *argument)
{
	g_autofree char *name = escape_argument(argument);
	g_autoptr(GError) error = NULL;
	int status = bus_connect_privileged(ctl);

	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_clear_override_sync(ctl->proxy, name, ctl->call_flags,
							   ctl->timeout_ms, NULL, &error))
		return failure_report("ClearOverride", name, error);
	return report(ctl, name, NULL);
}

static void print_table(Ctl *ctl, const Rows *rows)
{
	static const OutColumn columns[] = {{"NAME", 0, 0}, {"TIER", 0, 0}, {NULL}};
	struct libscols_table *table;

	if (rows->items->len == 0) {
		puts("There are no overrides.");
		return;
	}
	out_open_pager(ctl);
	table = out_table_new(ctl, columns);
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		const char *texts[] = {row->name, row->tier};
		const char *colours[] = {NULL, out_tier_colour(row->tier)};

		out_table_add(table, texts, colours);
	}
	out_table_print(table);
}

static gboolean is_override(const Row *row, gpointer user_data)
{
	return g_str_equal(row->origin, "override");
}

static int list(Ctl *ctl)
{
	g_autoptr(Rows) rows = NULL;
	g_autoptr(GError) error = NULL;
	int status = bus_connect(ctl);

	if (status != CTL_OK)
		return status;
	rows = rows_fetch(ctl, &error);
	if (!rows)
		return failure_report("ListProfiles", NULL, error);
	rows_keep(rows, is_override, NULL);
	if (ctl->json)
		ctl_json_print(ctl_json_from_rows(rows));
	else
		print_table(ctl, rows);
	return CTL_OK;
}

int cmd_override(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	guint count;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	count = g_strv_length(args);
	if (g_str_equal(args[0], "list") && count == 1)
		return list(ctl);
	if (g_str_equal(args[0], "clear") && count == 2)
		return clear(ctl, args[1]);
	if (g_str_equal(args[0], "set") && count == 3) {
		if (!options_is_word(command, "tier", args[2], rows_tiers))
			return CTL_USAGE;
		return set(ctl, args[1], args[2]);
	}
	return options_usage(command, "it takes %s", command->parameters);
}
