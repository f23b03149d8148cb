/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "options.h"
#include "output.h"
#include "profiles-json.h"

static int write_file(const char *path, JsonNode *node, guint count)
{
	g_autofree char *text = json_to_string(node, TRUE);
	g_autofree char *content = g_strconcat(text, "\n", NULL);
	g_autofree char *profiles = out_count(count, "profile");
	g_autoptr(GError) error = NULL;

	/* The lengths and habits of all programs that ran here are for their owner. */
	if (!g_file_set_contents_full(path, content, (gssize)strlen(content),
				      G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error)) {
		g_printerr("Cannot write the export: %s\n", error->message);
		return CTL_FAILED;
	}
	printf("Wrote %s to %s.\n", profiles, path);
	return CTL_OK;
}

int cmd_export(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(Rows) rows = NULL;
	g_autoptr(JsonNode) node = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	rows = rows_fetch(ctl, &error);
	if (!rows)
		return failure_report("ListProfiles", NULL, error);
	node = profiles_to_json(rows);
	if (args[0] && !g_str_equal(args[0], "-"))
		return write_file(args[0], node, rows->items->len);
	ctl_json_print(g_steal_pointer(&node));
	return CTL_OK;
}
