/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"

/* With "auto", whether anything is applied depends on the machine. */
static int report(Ctl *ctl)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) properties = bus_properties(ctl, &error);
	g_autoptr(GVariantDict) dict = NULL;
	const char *mode = "?", *reason = "";
	gboolean is_said;
	gboolean active = FALSE;

	if (!properties)
		return failure_report(NULL, NULL, error);
	dict = g_variant_dict_new(properties);
	g_variant_dict_lookup(dict, "Apply", "&s", &mode);
	g_variant_dict_lookup(dict, "ApplyActive", "b", &active);
	if (ctl->json) {
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, "apply", mode);
		ctl_json_set(builder, "apply_active",
			     json_node_init_boolean(json_node_alloc(), active));
		ctl_json_print(ctl_json_end(builder));
		return CTL_OK;
	}
	g_variant_dict_lookup(dict, "ApplyReason", "&s", &reason);
	/* Where none is the mode, that is the reason. */
	is_said = active || !*reason || g_str_equal(mode, "none");
	printf("The mode is %s: predictions %s%s%s.\n", mode,
	       active ? "set the slices of tasks" : "change nothing now", is_said ? "" : ", since ",
	       is_said ? "" : reason);
	return CTL_OK;
}

int cmd_apply(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const char *const modes[] = {"auto", "slices", "none", NULL};
	g_auto(GStrv) args = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	if (!options_is_word(command, "mode", args[0], modes))
		return CTL_USAGE;
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	if (!procdb_dbus_proc_db1_call_set_apply_sync(ctl->proxy, args[0], ctl->call_flags,
						      ctl->timeout_ms, NULL, &error))
		return failure_report("SetApply", NULL, error);
	return report(ctl);
}
