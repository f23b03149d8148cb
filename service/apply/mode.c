/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The words for the modes of applying. */

#include "apply.h"

static const char *const mode_names[] = {
    [PROCDB_APPLY_AUTO] = "auto",
    [PROCDB_APPLY_SLICES] = "slices",
    [PROCDB_APPLY_NONE] = "none",
};

gboolean procdb_apply_mode_parse(const char *text, ProcdbApplyMode *mode)
{
	for (gsize i = 0; i < G_N_ELEMENTS(mode_names); i++) {
		if (g_strcmp0(text, mode_names[i]) == 0) {
			*mode = (ProcdbApplyMode)i;
			return TRUE;
		}
	}
	return FALSE;
}

const char *procdb_apply_mode_name(ProcdbApplyMode mode)
{
	g_return_val_if_fail(mode < G_N_ELEMENTS(mode_names), "");
	return mode_names[mode];
}
