/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "commands.h"

const CtlCommand ctl_commands[] = {
    {"status", NULL, "Show whether the service learns, from what, and if anything is wrong", NULL,
     0, 0, cmd_status},
    {"list", "[PATTERN...]", "List what was learned about programs",
     "Patterns may hold * and ?. Without one, everything is listed.", 0, -1, cmd_list},
    {"show", "NAME", "Show everything known about a program", NULL, 1, 1, cmd_show},
    {"confidence", "NAME", "Print how sure the prediction for a program is, 0 to 1", NULL, 1, 1,
     cmd_confidence},
    {"delete", "NAME|PATTERN...", "Forget what was learned about programs",
     "Either all of them are forgotten or, if a name is unknown, none.", 1, -1, cmd_delete},
    {"save", NULL, "Write the database to disk now", NULL, 0, 0, cmd_save},
    {NULL},
};

const CtlCommand *ctl_command_find(const char *name)
{
	for (const CtlCommand *command = ctl_commands; command->name; command++) {
		if (g_str_equal(command->name, name))
			return command;
	}
	return NULL;
}
