/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

int cmd_save(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *count = NULL;
	g_autoptr(GError) error = NULL;
	guint saved;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_save_sync(ctl->proxy, ctl->call_flags, ctl->timeout_ms,
						 &saved, NULL, &error))
		return failure_report("Save", NULL, error);
	if (ctl->json) {
		ctl_json_print_count("saved", saved);
		return CTL_OK;
	}
	count = out_count(saved, "profile");
	printf("Saved %s.\n", count);
	return CTL_OK;
}
