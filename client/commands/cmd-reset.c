/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "commands.h"
#include "count.h"

int cmd_reset(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const CountCommand reset = {
	    .method = "Reset",
	    .call = procdb_dbus_proc_db1_call_reset_sync,
	    .key = "deleted",
	    .before = "Forgot ",
	    .after = ". Overrides stay.",
	    .question = "Forget everything that was learned? Overrides stay.",
	    .wants_yes = TRUE,
	    .left_alone = "Nothing was forgotten.",
	};

	return count_run(ctl, command, argv, &reset);
}
