/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* pandemoniumctl: looks into the process database, and manages it. */

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus.h"
#include "options.h"
#include "output.h"

/* A longer command has its summary on the next line. */
#define USAGE_WIDTH 22

static char *command_help(void)
{
	GString *text = g_string_new("Commands:\n");

	for (const CtlCommand *command = ctl_commands; command->name; command++) {
		g_autofree char *usage = g_strdup_printf(
		    "%s %s", command->name, command->parameters ? command->parameters : "");

		g_strchomp(usage);
		g_string_append_printf(text, "  %-*s", USAGE_WIDTH, usage);
		if (strlen(usage) > USAGE_WIDTH)
			g_string_append_printf(text, "\n  %-*s", USAGE_WIDTH, "");
		g_string_append_printf(text, " %s\n", command->summary);
	}
	g_string_append(text, "\nEach command has a --help of its own. Without a command, the "
			      "status is shown.\nSee pandemoniumctl(1) for more.");
	return g_string_free(text, FALSE);
}

/* Reads the options before the command, and leaves the command and its own in *argv. */
static int parse_global(Ctl *ctl, char ***argv)
{
	g_autoptr(GOptionContext) context = g_option_context_new("COMMAND [ARGUMENT...]");
	g_autofree GOptionEntry *common = options_common(ctl, TRUE);
	g_autofree char *help = command_help();
	g_autoptr(GError) error = NULL;
	gboolean version = FALSE;
	const GOptionEntry entries[] = {
	    {"version", 0, 0, G_OPTION_ARG_NONE, &version, "Print the version", NULL},
	    {NULL},
	};

	g_option_context_set_summary(context, "Look into the process database, and manage it.");
	g_option_context_set_description(context, help);
	g_option_context_set_strict_posix(context, TRUE);
	g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	if (!g_option_context_parse_strv(context, argv, &error)) {
		g_printerr("pandemoniumctl: %s\nSee \"pandemoniumctl --help\".\n", error->message);
		return CTL_USAGE;
	}
	if (version) {
		puts("pandemoniumctl " PROCDB_VERSION);
		return -1;
	}
	return CTL_OK;
}

/* "help" is --help, and "help COMMAND" is COMMAND --help, whatever follows, as in "override set".
 */
static void take_help(Ctl *ctl, char ***argv)
{
	char **words = *argv;
	char *swapped[4] = {NULL};

	if (!words[0] || !words[1] || !g_str_equal(words[1], "help"))
		return;
	swapped[0] = words[0];
	swapped[1] = words[2] ? words[2] : (char *)"--help";
	swapped[2] = words[2] ? (char *)"--help" : NULL;
	*argv = g_strdupv(swapped);
	g_strfreev(words);
	if (!swapped[2])
		parse_global(ctl, argv);
}

static int run(Ctl *ctl, char **argv)
{
	static char *no_command[] = {(char *)"status", NULL};
	char **rest = argv[0] && argv[1] ? argv + 1 : no_command;
	const CtlCommand *command;

	if (g_str_equal(rest[0], "--") && rest[1])
		rest++;
	command = ctl_command_find(rest[0]);
	if (!command) {
		g_printerr("pandemoniumctl: there is no command \"%s\".\n"
			   "See \"pandemoniumctl --help\".\n",
			   rest[0]);
		return CTL_USAGE;
	}
	return command->run(ctl, command, rest);
}

static gboolean reader_left(void)
{
	struct pollfd pfd = {.fd = STDOUT_FILENO, .events = POLLOUT};

	return poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLERR | POLLHUP));
}

/*
 * At every exit, also that of --help in GLib: output that could not be written is a failure,
 * unless the reader of a pipe has closed it.
 */
static void check_output(void)
{
	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_left())
		return;
	fprintf(stderr, "Cannot write the output: %s\n",
		errno ? g_strerror(errno) : "it is not complete");
	_exit(CTL_FAILED);
}

int main(int argc, char **argv)
{
	g_auto(GStrv) arguments = g_strdupv(argv);
	Ctl ctl = {.saved_stdout = -1};
	int status;

	setlocale(LC_ALL, "");
	/* The rest of the text is English, and so are the numbers in it. */
	setlocale(LC_NUMERIC, "C");
	/* Without a locale, as under sudo or ssh, terminals are UTF-8 all the same. */
	if (g_str_equal(nl_langinfo(CODESET), "ANSI_X3.4-1968"))
		setlocale(LC_CTYPE, "C.UTF-8");
	g_set_prgname("pandemoniumctl");
	/* As GIO does later: check_output() says what it means. */
	signal(SIGPIPE, SIG_IGN);
	atexit(check_output);

	status = parse_global(&ctl, &arguments);
	if (status == -1)
		return CTL_OK;
	if (status == CTL_OK) {
		take_help(&ctl, &arguments);
		status = run(&ctl, arguments);
	}
	out_close_pager(&ctl);
	bus_disconnect(&ctl);
	return status;
}
