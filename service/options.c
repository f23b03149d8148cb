/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "options.h"

#include "interface.h"

gboolean procdb_options_parse(ProcdbOptions *options, int argc, char **argv, GError **error)
{
	const GOptionEntry entries[] = {
	    {"config", 'c', 0, G_OPTION_ARG_FILENAME, &options->config_file,
	     "Read this configuration file only", "FILE"},
	    {"database", 'd', 0, G_OPTION_ARG_FILENAME, &options->database,
	     "Keep the profiles in this file", "FILE"},
	    {"backend", 'b', 0, G_OPTION_ARG_STRING, &options->backend,
	     "What observes: auto, observer, sched-ext, pinned or none", "BACKEND"},
	    {"check-config", 0, 0, G_OPTION_ARG_NONE, &options->check,
	     "Say what is wrong with the configuration and exit", NULL},
	    {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Show the version and exit",
	     NULL},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);

	g_option_context_set_summary(
	    context, "Learns how every program on this machine behaves and tells the scheduler.\n"
		     "It answers as " PROCDB_BUS_NAME " on the system bus.");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, error))
		return FALSE;
	if (options->database && *options->database == '\0') {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
			    "--database needs the path of a file");
		return FALSE;
	}
	if (argc > 1) {
		g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
			    "Unexpected argument '%s'", argv[1]);
		return FALSE;
	}
	return TRUE;
}

void procdb_options_clear(ProcdbOptions *options)
{
	g_clear_pointer(&options->config_file, g_free);
	g_clear_pointer(&options->database, g_free);
	g_clear_pointer(&options->backend, g_free);
}

char *procdb_options_apply(const ProcdbOptions *options, ProcdbConfig *config)
{
	char *problem = NULL;

	if (options->database) {
		g_autofree char *path = g_canonicalize_filename(options->database, NULL);

		problem = procdb_config_set(config, "Database", "Path", path);
	}
	if (!problem && options->backend)
		problem = procdb_config_set(config, "Service", "Backend", options->backend);
	return problem;
}

GStrv procdb_options_read_config(const ProcdbOptions *options, ProcdbConfig *config,
				 const ProcdbConfig *running, ProcdbVerdict *verdict)
{
	GStrv files = procdb_config_files(options->config_file, verdict->notes);
	g_autofree char *problem = NULL;

	procdb_config_read(config, running, (const char *const *)files, verdict);
	problem = procdb_options_apply(options, config);
	if (problem)
		g_ptr_array_add(verdict->problems, g_steal_pointer(&problem));
	return files;
}
