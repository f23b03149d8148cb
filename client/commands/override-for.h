/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Overrides of tasks by what they run, or by the unit that they run in. */

#include "commands.h"

/*
 * Sets those of so many programs or units (kind), as they were typed, to a tier; NULL clears them.
 * Returns an exit status, after a message.
 */
int override_for(Ctl *ctl, const CtlCommand *command, const char *kind, char **typed, guint count,
		 const char *tier);

/* Sets one, of a text as the service takes it, to a tier; NULL clears it. */
gboolean override_for_call(Ctl *ctl, const char *kind, const char *text, const char *tier,
			   GError **error);
