/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "output.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gio/gunixoutputstream.h>

gboolean out_colour(const Ctl *ctl)
{
	const char *no_color = g_getenv("NO_COLOR");
	gboolean terminal = ctl->pager || isatty(STDOUT_FILENO);

	return terminal && !(no_color && *no_color) && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

static const char *pager_command(void)
{
	const char *pager = g_getenv("PANDEMONIUM_PAGER");

	if (!pager)
		pager = g_getenv("PAGER");
	if (!pager)
		pager = "less";
	return g_str_equal(pager, "") || g_str_equal(pager, "cat") ? NULL : pager;
}

void out_open_pager(Ctl *ctl)
{
	g_autoptr(GSubprocessLauncher) launcher = NULL;
	g_auto(GStrv) argv = NULL;
	g_autoptr(GError) error = NULL;
	const char *command = pager_command();
	int saved;

	if (ctl->pager || ctl->json || ctl->no_pager || !command || !isatty(STDOUT_FILENO))
		return;
	if (!g_shell_parse_argv(command, NULL, &argv, &error)) {
		g_printerr("Cannot start the pager: %s\n", error->message);
		return;
	}
	launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE);
	g_subprocess_launcher_setenv(launcher, "LESS", "FRSXMK", FALSE);
	/* Under sudo, a pager that starts shells would give away more than was granted. */
	g_subprocess_launcher_setenv(launcher, "LESSSECURE", "1", TRUE);
	ctl->pager = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, &error);
	if (!ctl->pager) {
		if (!g_error_matches(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT))
			g_printerr("Cannot start the pager: %s\n", error->message);
		return;
	}

	/* Interrupting the pager is its own affair. */
	signal(SIGINT, SIG_IGN);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	dup2(g_unix_output_stream_get_fd(
		 G_UNIX_OUTPUT_STREAM(g_subprocess_get_stdin_pipe(ctl->pager))),
	     STDOUT_FILENO);
	ctl->saved_stdout = saved;
}

void out_close_pager(Ctl *ctl)
{
	if (!ctl->pager)
		return;
	fflush(stdout);
	clearerr(stdout); /* it may have been quit before the end */
	dup2(ctl->saved_stdout, STDOUT_FILENO);
	close(ctl->saved_stdout);
	g_output_stream_close(g_subprocess_get_stdin_pipe(ctl->pager), NULL, NULL);
	g_subprocess_wait(ctl->pager, NULL, NULL);
	g_clear_object(&ctl->pager);
}

const char *out_tier_colour(const char *tier)
{
	if (g_str_equal(tier, "batch"))
		return "blue";
	if (g_str_equal(tier, "interactive"))
		return "green";
	if (g_str_equal(tier, "lat-critical"))
		return "magenta";
	return NULL;
}

static gboolean fail_to_write(const char *path, int reason, GError **error)
{
	g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(reason), "%s: %s", path,
		    g_strerror(reason));
	return FALSE;
}

/* A file that took the place of a device or a pipe would be neither. */
static gboolean write_in_place(const char *path, const char *content, GError **error)
{
	FILE *file = fopen(path, "we");
	gboolean written = file && fputs(content, file) >= 0;

	if (file && fclose(file) != 0)
		written = FALSE;
	return written || fail_to_write(path, errno, error);
}

/*
 * What the kernel asks before it follows a link (may_follow_link() in fs/namei.c), which it does
 * not where a file is renamed over what the link leads to.
 */
static gboolean may_follow(const char *path, const struct stat *link, GError **error)
{
	g_autofree char *directory = g_path_get_dirname(path);
	struct stat parent;

	if (link->st_uid == geteuid() || stat(directory, &parent) != 0 ||
	    !(parent.st_mode & S_IWOTH) || link->st_uid == parent.st_uid)
		return TRUE;
	g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_ACCES,
		    "%s is a link of another user (%u), in a directory where any user can make one",
		    path, link->st_uid);
	return FALSE;
}

gboolean out_write_file(const char *path, const char *content, int mode, gboolean *in_place,
			GError **error)
{
	g_autofree char *real = NULL;
	g_autoptr(GError) reason = NULL;
	struct stat st;
	const char *why;

	*in_place = stat(path, &st) == 0 && !S_ISREG(st.st_mode);
	if (*in_place)
		return write_in_place(path, content, error);
	/* What is no link now is not followed if it becomes one: a rename replaces it. */
	if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
		if (!may_follow(path, &st, error))
			return FALSE;
		real = realpath(path, NULL);
	}
	if (g_file_set_contents_full(real ? real : path, content, -1,
				     G_FILE_SET_CONTENTS_CONSISTENT, mode, &reason))
		return TRUE;
	/* GLib names the file that it renames, which is none of the caller's. */
	why = strrchr(reason->message, ':');
	g_set_error(error, reason->domain, reason->code, "%s%s", path, why ? why : "");
	return FALSE;
}
