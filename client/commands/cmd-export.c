/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "options.h"
#include "output.h"
#include "profiles-json.h"

static int report(const Ctl *ctl, const char *path, guint count)
{
	g_autofree char *profiles = out_count(count, "profile");
	g_autofree char *name = g_filename_display_name(path);

	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_uint(builder, "exported", count);
		ctl_json_set_string(builder, "file", name);
		ctl_json_print(ctl_json_end(builder));
		return CTL_OK;
	}
	printf("Wrote %s to %s.\n", profiles, name);
	return CTL_OK;
}

static int write_file(const Ctl *ctl, const char *path, JsonNode *node, guint count)
{
	g_autofree char *text = ctl_json_to_text(node, TRUE);
	g_autofree char *content = g_strconcat(text, "\n", NULL);
	g_autoptr(GError) error = NULL;
	gboolean in_place;

	/* Only the owner may read the file: it tells which programs ran here, and how. */
	if (!out_write_file(path, content, 0600, &in_place, &error)) {
		g_printerr("Cannot write the export: %s\n", error->message);
		return CTL_FAILED;
	}
	/* The export itself may go to standard output. */
	return in_place ? CTL_OK : report(ctl, path, count);
}

int cmd_export(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(Rows) rows = NULL, programs = NULL;
	g_autoptr(Rules) rules = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	rows = rows_fetch_whole(ctl, &error);
	if (!rows)
		return failure_report("ExportProfiles", NULL, error);
	programs = rows_query(ctl, NULL, NULL, NULL, &error);
	if (!programs)
		return failure_report("QueryProfiles", NULL, error);
	rules = rules_fetch(ctl, &error);
	if (!rules)
		return failure_report("ListOverrides", NULL, error);
	node = profiles_to_json(rows, programs, rules);
	if (args[0] && !g_str_equal(args[0], "-"))
		return write_file(ctl, args[0], node, rows->items->len);
	ctl_json_print(g_steal_pointer(&node));
	return CTL_OK;
}
