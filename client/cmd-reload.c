/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "ask.h"
#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

int cmd_reload(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *count = NULL;
	g_autoptr(GError) error = NULL;
	guint profiles;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_reload_sync(ctl->proxy, ctl->call_flags, ctl->timeout_ms,
						   &profiles, NULL, &error))
		return failure_report("Reload", NULL, error);
	if (ctl->json) {
		ctl_json_print_count("profiles", profiles);
		return CTL_OK;
	}
	count = out_count(profiles, "profile");
	printf("Read the configuration. What was learned stays: %s.\n", count);
	return CTL_OK;
}

/* A file that is empty forgets everything, and one that is missing nothing: either is said. */
static int report_nothing_loaded(Ctl *ctl)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) properties = bus_properties(ctl, &error);
	g_autofree char *count = NULL;
	guint32 known = 0;

	if (!properties)
		return failure_report(NULL, NULL, error);
	g_variant_lookup(properties, "Profiles", "u", &known);
	count = out_count(known, "profile");
	printf("The database is missing or empty; %s %s known now.\n", count,
	       known == 1 ? "is" : "are");
	return CTL_OK;
}

static int load(Ctl *ctl)
{
	g_autofree char *count = NULL;
	g_autoptr(GError) error = NULL;
	guint loaded;
	int status = bus_connect_privileged(ctl);

	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_load_database_sync(ctl->proxy, ctl->call_flags,
							  ctl->timeout_ms, &loaded, NULL, &error))
		return failure_report("LoadDatabase", NULL, error);
	if (ctl->json) {
		ctl_json_print_count("loaded", loaded);
		return CTL_OK;
	}
	if (loaded == 0)
		return report_nothing_loaded(ctl);
	count = out_count(loaded, "profile");
	printf("Read %s from the database.\n", count);
	return CTL_OK;
}

int cmd_load(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	gboolean yes = FALSE;
	const GOptionEntry entries[] = {
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {NULL},
	};

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	if (!yes && !ask_confirm("Forget what was learned since the last save, and read the "
				 "database?")) {
		g_printerr("Nothing was read.\n");
		return CTL_FAILED;
	}
	return load(ctl);
}
