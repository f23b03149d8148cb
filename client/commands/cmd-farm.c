/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "commands.h"
#include "farm.h"
#include "options.h"

#define TIMEOUT_S 5
/* A machine alone says nothing of a farm. */
#define QUORUM 2

static const char *const verbs[] = {"push", "pull", "sync", "audit", "forget", NULL};

#ifdef PROCDB_FARM
/* What this machine knows goes out before what others know comes in. */
static int sync_both(Ctl *ctl, const FarmOptions *options)
{
	const int status = farm_push(ctl, options);

	return status == CTL_OK ? farm_pull(ctl, options) : status;
}

static int run(Ctl *ctl, const FarmOptions *options, char **args)
{
	if (g_str_equal(args[0], "push"))
		return farm_push(ctl, options);
	if (g_str_equal(args[0], "pull"))
		return farm_pull(ctl, options);
	if (g_str_equal(args[0], "sync"))
		return sync_both(ctl, options);
	if (g_str_equal(args[0], "audit"))
		return farm_audit(ctl, options, args[1]);
	return farm_forget(ctl, options, args[1]);
}
#else
static int run(Ctl *ctl, const FarmOptions *options, char **args)
{
	g_printerr("This pandemoniumctl was built without hiredis, and reaches no farm.\n"
		   "Exports do the same by hand: \"pandemoniumctl import --merge\".\n");
	return CTL_FAILED;
}
#endif

static gboolean check(const CtlCommand *command, const FarmOptions *options, char **args)
{
	const guint given = g_strv_length(args) - 1;

	if (!options_is_word(command, "action", args[0], verbs))
		return FALSE;
	if (g_str_equal(args[0], "forget") ? given != 1 : given > g_str_equal(args[0], "audit")) {
		options_usage(command, "\"%s\" takes %s", args[0],
			      g_str_equal(args[0], "forget")  ? "the name of a machine"
			      : g_str_equal(args[0], "audit") ? "one name at most"
							      : "nothing more");
		return FALSE;
	}
	if (options->overrides &&
	    (g_str_equal(args[0], "audit") || g_str_equal(args[0], "forget"))) {
		options_usage(command, "--overrides is for push, pull and sync");
		return FALSE;
	}
	if (options->timeout_s < 1 || options->quorum < 1) {
		options_usage(command, "--timeout and --quorum are 1 or more");
		return FALSE;
	}
	return TRUE;
}

int cmd_farm(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *store = NULL;
	g_autofree char *label = NULL;
	g_autofree char *host = NULL;
	g_autofree char *password_file = NULL;
	g_autofree char *ca_file = NULL;
	g_autofree char *directory = NULL;
	FarmOptions options = {.timeout_s = TIMEOUT_S, .quorum = QUORUM};
	const GOptionEntry entries[] = {
	    {"store", 's', 0, G_OPTION_ARG_STRING, &store,
	     "redis://HOST, rediss://HOST or unix:/PATH", "URL"},
	    {"label", 0, 0, G_OPTION_ARG_STRING, &label, "Share with machines of this label only",
	     "LABEL"},
	    {"host", 0, 0, G_OPTION_ARG_STRING, &host, "Name of this machine in the farm", "NAME"},
	    {"quorum", 0, 0, G_OPTION_ARG_INT, &options.quorum,
	     "Pull what this many machines have seen (2)", "MACHINES"},
	    {"overrides", 0, 0, G_OPTION_ARG_NONE, &options.overrides,
	     "Push or pull overrides, too", NULL},
	    {"password-file", 0, 0, G_OPTION_ARG_FILENAME, &password_file,
	     "File that holds the password", "FILE"},
	    {"ca-file", 0, 0, G_OPTION_ARG_FILENAME, &ca_file,
	     "Certificates to trust, in place of the system's", "FILE"},
	    {"state", 0, 0, G_OPTION_ARG_FILENAME, &directory,
	     "Directory that remembers what was pushed", "DIRECTORY"},
	    {"timeout", 0, 0, G_OPTION_ARG_INT, &options.timeout_s,
	     "Wait this long for an answer of the store (5)", "SECONDS"},
	    {NULL},
	};
	int status = CTL_USAGE;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	options.store = store;
	options.label = label;
	options.host = host;
	options.password_file = password_file;
	options.ca_file = ca_file;
	options.directory = directory;
	if (check(command, &options, args))
		status = run(ctl, &options, args);
	return status;
}
