/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "commands.h"

#define COLUMNS                                                                                    \
	"name, tier, confidence, cpu, slice, runtime, seen,\n"                                     \
	"deviation, observed, wakeups and origin"

const CtlCommand ctl_commands[] = {
    {"status", NULL, "Show whether it learns, and if anything is wrong", NULL, 0, 0, cmd_status},
    {"list", "[PATTERN...]", "List what was learned about programs",
     "Patterns, of names or programs beside them, may hold * and ?. Without one,\n"
     "everything is listed but kernel threads. Columns to show and to sort by:\n" COLUMNS ".",
     0, -1, cmd_list},
    {"show", "NAME", "Show everything known about a program", NULL, 1, 1, cmd_show},
    {"explain", "NAME|PID", "Say why a program has the tier that it has",
     "A number is the ID of a running process or thread, if there is one.", 1, 1, cmd_explain},
    {"confidence", "NAME", "Print how sure what was learned of a program is, 0 to 1", NULL, 1, 1,
     cmd_confidence},
    {"delete", "NAME|PATTERN...", "Forget what was learned about programs",
     "Their overrides go, too. Patterns may hold * and ?. If a name is unknown, or a\n"
     "pattern matches nothing, nothing is forgotten.",
     1, -1, cmd_delete},
    {"reset", NULL, "Forget everything that was learned", "Overrides stay.", 0, 0, cmd_reset},
    {"override", "set NAME... TIER | clear NAME... | list", "Decide the tier of a program",
     "An override wins over what was learned, and stays until it is cleared or its\n"
     "program is deleted. Learning goes on underneath it. Tiers are batch, interactive\n"
     "and lat-critical. Of several names all are asked for with one password.\n"
     "--program tells train.py from other scripts, --unit tells where a program runs;\n"
     "* and ? stand for other characters there. A program is above a unit, that above\n"
     "a name.",
     1, -1, cmd_override},
    {"save", NULL, "Write the database to disk now", NULL, 0, 0, cmd_save},
    {"reload", NULL, "Read the configuration again",
     "What was learned stays. If the configuration is wrong, everything stays as it\n"
     "was.",
     0, 0, cmd_reload},
    {"load", NULL, "Read the database again, in place of what is known",
     "What was learned since the last save is forgotten for what the file says. If it\n"
     "cannot be read, everything stays as it was; without a file, what is known stays.",
     0, 0, cmd_load},
    {"backend", "BACKEND", "Choose what observes, for now",
     "Until the next start or reload. Backends are auto, observer, sched-ext, pinned\n"
     "and none.",
     1, 1, cmd_backend},
    {"apply", "MODE", "Choose how predictions are applied, for now",
     "Until the next start or reload. Modes are auto (slices, unless a sched_ext\n"
     "scheduler runs), slices and none.",
     1, 1, cmd_apply},
    {"ps", "[PATTERN|PID...]", "Show which tasks have a slice that was set, and why",
     "Without an argument: those whose slice the service or another program set.", 0, -1, cmd_ps},
    {"run", "--tier=TIER PROGRAM [ARGUMENT...]", "Run a program in a tier",
     "As long as it runs, new tasks of its name start in this tier. Ends with its exit\n"
     "status.",
     1, -1, cmd_run, .takes_command = TRUE, .no_json = TRUE},
    {"trial", "[SECONDS]", "Find out whether it helps on this machine",
     "For 60 seconds, or from 20 to 600. Slices are given and taken back in turn, and\n"
     "it is compared how long programs waited for a CPU. Use the machine as always\n"
     "meanwhile. Ctrl-C ends it.",
     0, 1, cmd_trial},
    {"monitor", "[PATTERN...]", "Follow changes as they happen",
     "Until it is interrupted. Says what a change of tier, prediction or override\n"
     "changed. With --json, one object a line.",
     0, -1, cmd_monitor},
    {"top", NULL, "Watch what is learned, live",
     "Keys: h or ? shows them, q quits.\n"
     "Columns to sort by are " COLUMNS ".",
     0, 0, cmd_top, .no_json = TRUE},
    {"metrics", NULL, "Print metrics for Prometheus",
     "In the format that node_exporter reads from files. Does not start the service:\n"
     "that it does not run is a metric.",
     0, 0, cmd_metrics, .no_json = TRUE},
    {"panel", NULL, "Print a line of JSON for a panel at each change",
     "For a custom module of Waybar and its like, until it is interrupted. Does not\n"
     "start the service, and goes on when that stops and starts.",
     0, 0, cmd_panel, .no_json = TRUE},
    {"export", "[FILE]", "Write all profiles as JSON",
     "To a file that only its owner can read, or to standard output.", 0, 1, cmd_export},
    {"import", "FILE|-...", "Take over profiles that were exported",
     "What was learned of the same names is replaced; other profiles stay, unless\n"
     "--replace is given. Overrides stay unless the file has others. With --merge\n"
     "exports of several machines are added up, and what is known of the same names.",
     1, -1, cmd_import},
    {"farm", "push | pull | sync | audit [NAME] | forget HOST", "Learn with other machines",
     "Push adds what was learned since the last push to the farm's store, a Redis or\n"
     "Valkey. Pull takes over what the farm knows, as a prior that yields to what this\n"
     "machine sees. Sync does both. Audit shows what each machine gave, and forget\n"
     "takes that out again.",
     1, 2, cmd_farm},
    {"doctor", NULL, "Check what the service needs, and say what to do", NULL, 0, 0, cmd_doctor},
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
