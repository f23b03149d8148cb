/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "options.h"

#include <string.h>

GOptionEntry *options_common(Ctl *ctl, gboolean json)
{
	const GOptionEntry entries[] = {
	    {"json", 0, json ? 0 : G_OPTION_FLAG_HIDDEN, G_OPTION_ARG_NONE, &ctl->json,
	     "Print JSON", NULL},
	    {"no-pager", 0, 0, G_OPTION_ARG_NONE, &ctl->no_pager, "Do not pipe output into a pager",
	     NULL},
	    {"no-ask-password", 0, 0, G_OPTION_ARG_NONE, &ctl->no_ask_password,
	     "Fail where a password would be asked for", NULL},
	    {NULL},
	};

	return g_memdup2(entries, sizeof(entries));
}

int options_usage(const CtlCommand *command, const char *format, ...)
{
	g_autofree char *text = NULL;
	va_list args;

	va_start(args, format);
	text = g_strdup_vprintf(format, args);
	va_end(args);
	g_printerr("pandemoniumctl %s: %s\n"
		   "See \"pandemoniumctl %s --help\".\n",
		   command->name, text, command->name);
	return CTL_USAGE;
}

gboolean options_is_word(const CtlCommand *command, const char *kind, const char *word,
			 const char *const *words)
{
	GString *known;

	if (g_strv_contains(words, word))
		return TRUE;
	known = g_string_new(words[0]);
	for (gsize i = 1; words[i]; i++)
		g_string_append_printf(known, "%s%s", words[i + 1] ? ", " : " and ", words[i]);
	options_usage(command, "there is no %s \"%s\"; there are %s", kind, word, known->str);
	g_string_free(known, TRUE);
	return FALSE;
}

static gboolean check_count(const CtlCommand *command, int count)
{
	if (count < command->min_args) {
		options_usage(command, "arguments are missing: %s", command->parameters);
		return FALSE;
	}
	if (command->max_args >= 0 && count > command->max_args) {
		if (command->max_args == 0)
			options_usage(command, "it takes no arguments");
		else
			options_usage(command, "too many arguments; it takes %d at most",
				      command->max_args);
		return FALSE;
	}
	return TRUE;
}

gboolean options_parse(Ctl *ctl, const CtlCommand *command, const GOptionEntry *entries,
		       char **argv, char ***args)
{
	g_autoptr(GOptionContext) context = g_option_context_new(command->parameters);
	g_autofree GOptionEntry *common = options_common(ctl, !command->no_json);
	g_auto(GStrv) mutable_argv = g_strdupv(argv);
	g_autofree char *program = NULL;
	g_auto(GStrv) rest = NULL;
	g_autoptr(GError) error = NULL;
	const GOptionEntry remaining[] = {
	    {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &rest, NULL, NULL},
	    {NULL},
	};

	/* For the line of usage in --help. */
	program = g_strdup_printf("pandemoniumctl %s", command->name);
	g_set_prgname(program);
	g_option_context_set_summary(context, command->summary);
	g_option_context_set_description(context, command->description);
	g_option_context_set_strict_posix(context, command->takes_command);
	if (entries)
		g_option_context_add_main_entries(context, entries, NULL);
	g_option_context_add_main_entries(context, common, NULL);
	g_option_context_add_main_entries(context, remaining, NULL);

	if (!g_option_context_parse_strv(context, &mutable_argv, &error)) {
		options_usage(command, "%s", error->message);
		return FALSE;
	}
	if (ctl->json && command->no_json) {
		options_usage(command, "it has no --json");
		return FALSE;
	}
	if (!rest)
		rest = g_new0(char *, 1);
	if (!check_count(command, (int)g_strv_length(rest)))
		return FALSE;
	*args = g_steal_pointer(&rest);
	return TRUE;
}
