/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "statistics.h"

gboolean procdb_statistics_enter(sd_bus_message *reply, const char *key, const char *type)
{
	const char *found;

	if (sd_bus_message_enter_container(reply, 'a', "{sv}") <= 0)
		return FALSE;
	while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
		if (sd_bus_message_read_basic(reply, 's', &found) <= 0)
			return FALSE;
		if (g_str_equal(found, key))
			return sd_bus_message_enter_container(reply, 'v', type) > 0;
		if (sd_bus_message_skip(reply, "v") < 0 || sd_bus_message_exit_container(reply) < 0)
			return FALSE;
	}
	return FALSE;
}
