/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "observer-settings.h"

#include <string.h>

void procdb_observer_settings_copy(ProcdbObserverSettings *to, const ProcdbObserverSettings *from)
{
	*to = *from;
	to->compositors = g_strdupv(from->compositors);
}

void procdb_observer_settings_clear(ProcdbObserverSettings *settings)
{
	g_clear_pointer(&settings->compositors, g_strfreev);
}

static gboolean equal_names(GStrv a, GStrv b)
{
	static const char *const none[] = {NULL};

	return g_strv_equal(a ? (const char *const *)a : none, b ? (const char *const *)b : none);
}

gboolean procdb_observer_settings_equal(const ProcdbObserverSettings *a,
					const ProcdbObserverSettings *b)
{
	return memcmp(&a->observing, &b->observing, sizeof(a->observing)) == 0 &&
	       equal_names(a->compositors, b->compositors);
}
