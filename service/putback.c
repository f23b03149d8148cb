/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "putback.h"

#include "log.h"

void procdb_putback_leftovers(ProcdbApply *apply)
{
	const guint leftovers = procdb_apply_recover(apply);

	if (leftovers > 0)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_TASKS,
			   "%u tasks still had slices of a service that did not stop cleanly; "
			   "they have the kernel's own again",
			   leftovers);
}

void procdb_putback_all(ProcdbApply *apply)
{
	ProcdbApplyStatus status;

	procdb_apply_restore(apply);
	procdb_apply_status(apply, &status);
	if (status.unlisted)
		procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_TASKS,
			   "The kernel did not list the tasks that have a slice of ours; they keep "
			   "it until they end, or until the service starts again");
	else if (status.kept > 0)
		procdb_log(
		    G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_TASKS,
		    "%u task%s could not be put back: real-time and idle tasks keep the slice "
		    "that they had before, and show it when they are neither any more",
		    status.kept, status.kept == 1 ? "" : "s");
}
