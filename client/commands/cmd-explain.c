/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "commands.h"
#include "explanation.h"
#include "failure.h"
#include "farm-known.h"
#include "json.h"
#include "known.h"
#include "name.h"
#include "options.h"
#include "profile.h"
#include "rules.h"
#include "tasks.h"

/* What other machines have to do with it. */
static void say_farm(GVariant *explanation, const char *name)
{
	g_autofree char *farm = NULL;
	const char *teachers;

	if (!g_variant_lookup(explanation, "taught_by", "&s", &teachers) ||
	    !strstr(teachers, "farm"))
		return;
	farm = farm_known_to_text(name);
	if (g_str_equal(teachers, "farm"))
		printf("It is known from %s, and was not seen here yet.\n", farm);
	else
		printf("It is known from %s, and nothing here contradicted that.\n", farm);
}

/*
 * What is above the name: of one task, if an ID was typed, and else how many tasks of the name an
 * override of something else decides. Tasks are listed only where there is such an override.
 */
static void say_decided(Ctl *ctl, const char *name, guint64 id)
{
	g_autoptr(Rules) rules = rules_fetch(ctl, NULL);
	g_autoptr(Tasks) tasks = rules && rules->items->len > 0 ? tasks_fetch(ctl, NULL) : NULL;
	guint count = 0;

	for (guint i = 0; tasks && i < tasks->items->len; i++) {
		const Task *task = tasks_get(tasks, i);

		if (!task->decided || !g_str_equal(task->name, name))
			continue;
		count++;
		if (task->tid == id)
			printf("Task %u is %s, since an override of its %s says so.\n", task->tid,
			       task->decided, task->decided_by);
	}
	if (count > 0 && id == 0)
		printf("Of %u of its tasks, an override of their program or unit decides; see "
		       "\"pandemoniumctl ps\".\n",
		       count);
}

/* With what the profile has beside that: whose program it is. */
static void print_explanation(Ctl *ctl, const char *name, GVariant *explanation, guint64 id)
{
	g_autoptr(GVariant) profile = NULL;
	g_autoptr(GVariant) joined = NULL;
	g_autofree char *text = NULL;

	procdb_dbus_proc_db1_call_get_profile_sync(ctl->proxy, name, ctl->call_flags,
						   ctl->timeout_ms, &profile, NULL, NULL);
	joined = profile_join(explanation, profile);
	text = explanation_text(joined);
	puts(text);
	say_decided(ctl, name, id);
	say_farm(joined, name);
	profile_print(ctl, joined);
}

static gboolean is_id(const char *typed)
{
	return *typed && strspn(typed, "0123456789") == strlen(typed);
}

/* Why there is nothing to explain, if that can be said. */
static int not_explained(Ctl *ctl, const char *typed, gboolean literal, const char *name,
			 const GError *error)
{
	g_autoptr(Tasks) tasks = failure_is_unknown(error) ? tasks_fetch(ctl, NULL) : NULL;

	if (tasks && tasks_have(tasks, name)) {
		g_printerr("There is no profile of \"%s\" yet: it runs, but has not run enough to "
			   "be learned.\n",
			   name);
		return CTL_NO_PROFILE;
	}
	if (failure_is_unknown(error) && !literal && is_id(typed) && g_str_equal(typed, name)) {
		g_printerr("No process or thread has the ID %s, and there is no profile of that "
			   "name.\n",
			   typed);
		return CTL_NO_PROFILE;
	}
	return failure_unknown(ctl, "Explain", name, error);
}

int cmd_explain(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *name = NULL;
	g_autoptr(GVariant) explanation = NULL;
	g_autoptr(GError) error = NULL;
	gboolean literal = FALSE;
	const GOptionEntry entries[] = {
	    {"literal", 'l', 0, G_OPTION_ARG_NONE, &literal,
	     "Treat a number as a name, not as a PID", NULL},
	    {NULL},
	};
	int status;

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	name = name_to_read(ctl, args[0], literal);
	if (!name)
		return CTL_NO_PROFILE;
	if (!procdb_dbus_proc_db1_call_explain_sync(ctl->proxy, name, ctl->call_flags,
						    ctl->timeout_ms, &explanation, NULL, &error))
		return not_explained(ctl, args[0], literal, name, error);
	if (ctl->json)
		ctl_json_print(ctl_json_from_variant(explanation));
	else
		print_explanation(ctl, name, explanation,
				  is_id(args[0]) && !literal && !g_str_equal(args[0], name)
				      ? g_ascii_strtoull(args[0], NULL, 10)
				      : 0);
	return CTL_OK;
}
