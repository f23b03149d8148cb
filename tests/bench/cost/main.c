/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * bench-cost: what the service costs, each figure beside what it is measured
 * against, from one run. Needs root, a private bpffs and a private system bus:
 * run.sh gives it those.
 */

#include <locale.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "measure.h"

int main(int argc, char **argv)
{
	g_autofree char *json = NULL;
	g_autofree char *service = NULL;
	g_autofree char *client = NULL;
	g_autofree char *directory = NULL;
	g_autofree char *only = NULL;
	gboolean guard = FALSE;
	int idle_s = 30;
	const GOptionEntry entries[] = {
	    {"json", 0, 0, G_OPTION_ARG_FILENAME, &json, "Write the figures to this file", "FILE"},
	    {"service", 0, 0, G_OPTION_ARG_FILENAME, &service, "Measure this service, too",
	     "PROGRAM"},
	    {"client", 0, 0, G_OPTION_ARG_FILENAME, &client, "Let this client list profiles",
	     "PROGRAM"},
	    {"directory", 0, 0, G_OPTION_ARG_FILENAME, &directory,
	     "Save below this directory (on a real file system)", "DIRECTORY"},
	    {"only", 0, 0, G_OPTION_ARG_STRING, &only, "Only the steps whose id begins so",
	     "PREFIX"},
	    {"idle", 0, 0, G_OPTION_ARG_INT, &idle_s, "Watch the idle service for so long (30)",
	     "SECONDS"},
	    {"guard", 0, 0, G_OPTION_ARG_NONE, &guard,
	     "Only check that no step takes more system calls than it may", NULL},
	    G_OPTION_ENTRY_NULL,
	};
	g_autoptr(GOptionContext) context = g_option_context_new(NULL);
	g_autoptr(Figures) figures = figures_new();
	g_autoptr(GError) error = NULL;

	setlocale(LC_ALL, "");
	g_option_context_add_main_entries(context, entries, NULL);
	if (!g_option_context_parse(context, &argc, &argv, &error) || argc > 1) {
		g_printerr("bench-cost: %s\n", error ? error->message : "unexpected argument");
		return 2;
	}
	if (geteuid() != 0) {
		g_printerr("bench-cost: SKIP: needs root\n");
		return 77;
	}
	g_log_set_debug_enabled(FALSE);
	if (guard)
		return guard_steps() ? EXIT_SUCCESS : EXIT_FAILURE;
	measure_steps(figures, only);
	if (directory && !only)
		measure_saves(figures, directory);
	if (service && directory && !only)
		measure_service(figures, service, client, directory, (guint)MAX(idle_s, 1));
	if (json && !figures_write(figures, json, &error)) {
		g_printerr("bench-cost: %s: %s\n", json, error->message);
		return EXIT_FAILURE;
	}
	g_print("%u goals missed\n", figures_missed(figures));
	return EXIT_SUCCESS;
}
