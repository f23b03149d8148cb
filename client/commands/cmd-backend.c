/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"

/* Switching takes effect at once; what came of it is a property. */
static int report(Ctl *ctl)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) properties = bus_properties(ctl, &error);
	g_autoptr(GVariantDict) dict = NULL;
	const char *backend = "?", *state = "?", *token = "";
	gboolean failed;

	if (!properties)
		return failure_report(NULL, NULL, error);
	dict = g_variant_dict_new(properties);
	g_variant_dict_lookup(dict, "Backend", "&s", &backend);
	g_variant_dict_lookup(dict, "BackendState", "&s", &state);
	g_variant_dict_lookup(dict, "BackendStatus", "&s", &token);
	failed = g_str_equal(token, "failed");
	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, "backend", backend);
		ctl_json_set_string(builder, "backend_state", state);
		ctl_json_print(ctl_json_end(builder));
	} else if (failed) {
		g_printerr("The backend %s failed: %s.\n"
			   "\"pandemoniumctl doctor\" checks what it needs.\n",
			   backend, bus_without_token(state, token));
	} else {
		printf("The backend is %s: %s.\n", backend, state);
	}
	return failed ? CTL_FAILED : CTL_OK;
}

int cmd_backend(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const char *const backends[] = {"auto",	 "observer", "sched-ext",
					       "pinned", "none",     NULL};
	g_auto(GStrv) args = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	if (!options_is_word(command, "backend", args[0], backends))
		return CTL_USAGE;
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_set_backend_sync(ctl->proxy, args[0], ctl->call_flags,
							ctl->timeout_ms, NULL, &error))
		return failure_report("SetBackend", args[0], error);
	return report(ctl);
}
