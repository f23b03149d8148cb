/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "name.h"
#include "options.h"

int cmd_confidence(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GError) error = NULL;
	double confidence;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	name = name_to_read(ctl, args[0], TRUE);
	if (!procdb_dbus_proc_db1_call_get_confidence_sync(
		ctl->proxy, name, ctl->call_flags, ctl->timeout_ms, &confidence, NULL, &error))
		return failure_unknown(ctl, "GetConfidence", name, error);
	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, "name", name);
		ctl_json_set(builder, "confidence",
			     json_node_init_double(json_node_alloc(), confidence));
		ctl_json_print(ctl_json_end(builder));
		return CTL_OK;
	}
	printf("%.3f\n", confidence);
	return CTL_OK;
}
