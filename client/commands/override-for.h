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

/*
 * The sentence that no slices are given now, and so a tier that was decided changes nothing; NULL
 * where it does: slices are given, or a sched_ext scheduler reads names. Free with g_free().
 */
char *override_idle_text(Ctl *ctl, gboolean is_of_name);

/* Prints it, if there is one. */
void override_say_if_idle(Ctl *ctl, gboolean is_of_name);

/* Sets one, of a text as the service takes it, to a tier; NULL clears it. */
gboolean override_for_call(Ctl *ctl, const char *kind, const char *text, const char *tier,
			   GError **error);
