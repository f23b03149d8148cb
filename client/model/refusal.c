/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "refusal.h"

#include <gio/gio.h>

#include "contract.h"
#include "escape.h"

char *refusal_line(const GError *error)
{
	g_autoptr(GError) plain = g_error_copy(error);
	g_autofree char *remote = g_dbus_error_get_remote_error(error);
	g_autofree char *text = NULL;

	g_dbus_error_strip_remote_error(plain);
	text = escape_plain(plain->message);
	if (g_strcmp0(remote, "org.freedesktop.DBus.Error.AccessDenied") == 0)
		return g_strdup_printf("Nothing was changed, access denied: %s", text);
	if (g_strcmp0(remote, PROCDB_BUS_INTERFACE ".Error.SaveFailed") == 0)
		return g_strdup_printf("Changed, but not saved to disk yet: %s", text);
	return g_strdup_printf("Nothing was changed: %s", text);
}
