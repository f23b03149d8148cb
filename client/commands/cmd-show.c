/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <string.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "farm-known.h"
#include "name.h"
#include "options.h"
#include "profile.h"

/* With what the farm said of it, if it did. */
static GVariant *with_farm(GVariant *profile, const char *name)
{
	g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(profile);
	g_autofree char *farm = farm_known_to_text(name);
	const char *teachers;

	if (g_variant_dict_lookup(&dict, "taught_by", "&s", &teachers) && strstr(teachers, "farm"))
		g_variant_dict_insert(&dict, "known_from", "s", farm);
	return g_variant_ref_sink(g_variant_dict_end(&dict));
}

static void print(const Ctl *ctl, GVariant *profile, const char *name)
{
	g_autoptr(GVariant) whole = with_farm(profile, name);

	profile_print(ctl, whole);
}

int cmd_show(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GVariant) profile = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	name = name_to_read(ctl, args[0], TRUE);
	if (!procdb_dbus_proc_db1_call_get_profile_sync(ctl->proxy, name, ctl->call_flags,
							ctl->timeout_ms, &profile, NULL, &error))
		return failure_unknown(ctl, "GetProfile", name, error);
	if (ctl->json)
		ctl_json_print(ctl_json_from_variant(profile));
	else
		print(ctl, profile, name);
	return CTL_OK;
}
