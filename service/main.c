/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* pandemonium-procdbd: the command line. */

#include <locale.h>
#include <malloc.h>
#include <stdlib.h>

#include "daemon.h"
#include "limit.h"

/*
 * Any user may send a call of up to 32 MiB, the limit of the bus. The memory of larger blocks than
 * this is returned to the system at once; by default malloc would keep it after the first of them
 * (M_MMAP_THRESHOLD in mallopt(3)).
 */
#define LARGE_MEMORY (256 << 10)
/* What malloc may keep of smaller blocks that were freed, and how often that is looked at. */
#define SPARE_MEMORY ((size_t)1 << 20)
#define SPARE_S 5

/*
 * Returns to the system what a flood of calls, or an import, has left behind. data: a size_t, the
 * bytes that malloc had when it last did.
 */
static gboolean return_memory(gpointer data)
{
	size_t *spare = data;
	const size_t now = mallinfo2().fordblks;

	*spare = MIN(*spare, now);
	if (now - *spare <= SPARE_MEMORY)
		return G_SOURCE_CONTINUE;
	(void)malloc_trim(0);
	/* It counts what has gone as well. */
	*spare = now;
	return G_SOURCE_CONTINUE;
}

/* Prints the verdict of --check-config; the exit status. */
static int check_config(const ProcdbOptions *options)
{
	g_auto(ProcdbVerdict) verdict;
	g_auto(ProcdbConfig) config;
	g_auto(GStrv) files = NULL;

	procdb_config_init(&config);
	procdb_verdict_init(&verdict);
	files = procdb_options_read_config(options, &config, NULL, &verdict);
	for (guint i = 0; files[i]; i++)
		g_print("read     %s\n", files[i]);
	for (guint i = 0; i < verdict.notes->len; i++)
		g_print("note     %s\n", (const char *)verdict.notes->pdata[i]);
	for (guint i = 0; i < verdict.problems->len; i++)
		g_print("problem  %s\n", (const char *)verdict.problems->pdata[i]);
	g_print("in force [Apply] Mode=%s\n", config.apply_mode);
	return verdict.problems->len > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* The fault of the options themselves, which no reload can mend; the caller frees. */
static char *wrong_option(const ProcdbOptions *options)
{
	const ProcdbOptions backend = {.backend = options->backend};
	g_auto(ProcdbConfig) config;

	procdb_config_init(&config);
	return procdb_options_apply(&backend, &config);
}

int main(int argc, char **argv)
{
	g_auto(ProcdbOptions) options = {0};
	g_autoptr(GError) error = NULL;
	g_autofree char *problem = NULL;
	size_t spare = 0;

	(void)setlocale(LC_ALL, "");
	(void)mallopt(M_MMAP_THRESHOLD, LARGE_MEMORY);
	/* Until the process ends: other threads may still log at its end. */
	g_log_set_writer_func(procdb_log_write, procdb_log_limit_new(), NULL);
	if (!procdb_options_parse(&options, argc, argv, &error)) {
		g_printerr("pandemonium-procdbd: %s. Try --help.\n", error->message);
		return 2;
	}
	if (options.version) {
		g_print("pandemonium-procdbd %s\n", PROCDB_VERSION);
		return EXIT_SUCCESS;
	}
	problem = wrong_option(&options);
	if (problem) {
		g_printerr("pandemonium-procdbd: --backend: %s\n", problem);
		return 2;
	}
	if (options.check)
		return check_config(&options);
	(void)g_timeout_add_seconds(SPARE_S, return_memory, &spare);
	return procdb_daemon_run(&options);
}
