/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "count.h"
#include "failure.h"
#include "output.h"

int cmd_reload(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const CountCommand reload = {
	    .method = "Reload",
	    .call = procdb_dbus_proc_db1_call_reload_sync,
	    .key = "profiles",
	    .before = "Read the configuration. What was learned stays: ",
	    .after = ".",
	};

	return count_run(ctl, command, argv, &reload);
}

/* An empty file forgets everything, a missing one nothing: says what is known now. */
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

int cmd_load(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const CountCommand load = {
	    .method = "LoadDatabase",
	    .call = procdb_dbus_proc_db1_call_load_database_sync,
	    .key = "loaded",
	    .before = "Read ",
	    .after = " from the database.",
	    .question = "Forget what was learned since the last save, and read the database?",
	    .left_alone = "Nothing was read.",
	    .none = report_nothing_loaded,
	};

	return count_run(ctl, command, argv, &load);
}
