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

int cmd_reset(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *count = NULL;
	g_autoptr(GError) error = NULL;
	gboolean yes = FALSE;
	const GOptionEntry entries[] = {
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {NULL},
	};
	guint deleted;
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	if (!yes && !ask_confirm("Forget everything that was learned? Overrides stay.")) {
		g_printerr("Nothing was forgotten.\n");
		return CTL_FAILED;
	}
	if (!procdb_dbus_proc_db1_call_reset_sync(ctl->proxy, ctl->call_flags, ctl->timeout_ms,
						  &deleted, NULL, &error))
		return failure_report("Reset", NULL, error);
	if (ctl->json) {
		ctl_json_print_count("deleted", deleted);
		return CTL_OK;
	}
	count = out_count(deleted, "profile");
	printf("Forgot %s. Overrides stay.\n", count);
	return CTL_OK;
}
