/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "commands.h"
#include "count.h"

int cmd_save(Ctl *ctl, const CtlCommand *command, char **argv)
{
	static const CountCommand save = {
	    .method = "Save",
	    .call = procdb_dbus_proc_db1_call_save_sync,
	    .key = "saved",
	    /* The service counts these; all else that is known is in the file as well. */
	    .before = "Saved: ",
	    .after = " with a prediction or an override, and what else is known.",
	};

	return count_run(ctl, command, argv, &save);
}
