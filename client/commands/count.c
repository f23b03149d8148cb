/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "count.h"

#include <stdio.h>

#include "ask.h"
#include "bus.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

int count_run(Ctl *ctl, const CtlCommand *command, char **argv, const CountCommand *what)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	gboolean yes = !what->question;
	const GOptionEntry entries[] = {
	    {"yes", 'y', 0, G_OPTION_ARG_NONE, &yes, "Do not ask", NULL},
	    {NULL},
	};
	guint count;
	int status;

	if (!options_parse(ctl, command, what->question ? entries : NULL, argv, &args))
		return CTL_USAGE;
	if (!yes && what->wants_yes && !ask_possible())
		return options_usage(command, "without a terminal to ask on it needs --yes");
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	if (!yes && !ask_confirm(what->question)) {
		g_printerr("%s\n", what->left_alone);
		return CTL_FAILED;
	}
	if (!what->call(ctl->proxy, ctl->call_flags, ctl->timeout_ms, &count, NULL, &error))
		return failure_report(what->method, NULL, error);
	if (ctl->json) {
		ctl_json_print_count(what->key, count);
		return CTL_OK;
	}
	if (count == 0 && what->none)
		return what->none(ctl);
	text = out_count(count, "profile");
	printf("%s%s%s\n", what->before, text, what->after);
	return CTL_OK;
}
