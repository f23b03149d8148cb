/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Shared by all commands of pandemoniumctl. */

#include <gio/gio.h>

#include "contract.h"
#include "procdb-dbus.h"

/* Exit codes, as pandemoniumctl(1) lists them. */
enum {
	CTL_OK = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NO_PROFILE = 3,
	CTL_DENIED = 4,
	CTL_UNREACHABLE = 5,
};

typedef struct {
	/* From the command line. */
	gboolean json;
	gboolean no_pager;
	gboolean no_ask_password;

	/* Set by bus_connect() and those beside it. */
	ProcdbDBusProcDb1 *proxy;
	GDBusCallFlags call_flags;
	int timeout_ms;
	GSubprocess *agent;

	/* Set by out_open_pager(). */
	GSubprocess *pager;
	int saved_stdout;
} Ctl;

typedef struct CtlCommand CtlCommand;

struct CtlCommand {
	const char *name;
	const char *parameters; /* as --help shows them, or NULL */
	const char *summary;
	const char *description; /* more for --help, or NULL */
	int min_args;
	int max_args; /* -1: any number */
	/* argv starts with the command's own name. Returns an exit code. */
	int (*run)(Ctl *ctl, const CtlCommand *command, char **argv);
	gboolean takes_command; /* options end at the first argument, which is another program */
	gboolean no_json;	/* --json is not offered, and refused by options_parse() */
};

/* Every command, in the order of --help; ends with one without a name. */
extern const CtlCommand ctl_commands[];

/* The command of that name, or NULL. */
const CtlCommand *ctl_command_find(const char *name);
