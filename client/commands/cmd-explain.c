/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "known.h"
#include "name.h"
#include "options.h"
#include "output.h"
#include "profile.h"

/* Below these, agreement or stability is named as the reason of a low confidence. */
#define AGREEMENT_GOOD 0.8
#define STABILITY_GOOD 0.5

/* The members of an explanation that the sentence needs; the strings belong to the dict. */
typedef struct {
	const char *name;
	const char *tier;
	const char *learned;
	const char *source;
	const char *rule; /* of the confidence: "evidence" or "reference" */
	double confidence;
	double needed;
	double agreement;
	double stability;
	guint64 runtime;
	guint64 deviation;
	guint32 observations;
	guint32 missing;
	guint64 votes;
} Reasons;

static void reasons_read(GVariantDict *dict, Reasons *why)
{
	guint32 votes[PROCDB_TIERS] = {0};

	*why = (Reasons){.name = "", .tier = "", .source = "", .rule = "reference"};
	g_variant_dict_lookup(dict, "name", "&s", &why->name);
	g_variant_dict_lookup(dict, "tier", "&s", &why->tier);
	why->learned = why->tier;
	g_variant_dict_lookup(dict, "learned_tier", "&s", &why->learned);
	g_variant_dict_lookup(dict, "prediction_source", "&s", &why->source);
	g_variant_dict_lookup(dict, "confidence_rule", "&s", &why->rule);
	g_variant_dict_lookup(dict, "confidence", "d", &why->confidence);
	g_variant_dict_lookup(dict, "min_confidence", "d", &why->needed);
	g_variant_dict_lookup(dict, "agreement", "d", &why->agreement);
	g_variant_dict_lookup(dict, "stability", "d", &why->stability);
	g_variant_dict_lookup(dict, "observations", "u", &why->observations);
	g_variant_dict_lookup(dict, "missing_observations", "u", &why->missing);
	g_variant_dict_lookup(dict, "avg_runtime_ns", "t", &why->runtime);
	g_variant_dict_lookup(dict, "runtime_dev_ns", "t", &why->deviation);
	g_variant_dict_lookup(dict, "votes", "(uuu)", &votes[0], &votes[1], &votes[2]);
	why->votes = (guint64)votes[0] + votes[1] + votes[2];
}

static void say_override(const Reasons *why)
{
	printf("New tasks named \"%s\" start as %s because an administrator decided so.\n",
	       why->name, why->tier);
	if (why->observations == 0)
		puts("Nothing was learned about it yet.");
	else
		printf("Without the override it would be %s, with a confidence of %.2f.\n",
		       why->learned, why->confidence);
}

static void say_learned(const Reasons *why)
{
	g_autofree char *runs = out_duration_ns(why->runtime);
	g_autofree char *varies = out_duration_ns(why->deviation);

	printf("New tasks named \"%s\" start as %s: %.0f %% of %" G_GUINT64_FORMAT
	       " votes say so.\nA run takes %s, give or take %s.\n"
	       "That makes a confidence of %.2f, and %.2f is needed.\n",
	       why->name, why->tier, 100 * why->agreement, why->votes, runs, varies,
	       why->confidence, why->needed);
}

static void say_too_few(const Reasons *why)
{
	printf("Nothing is predicted for \"%s\" yet: it was observed %u time%s, and %u more %s "
	       "needed.\n",
	       why->name, why->observations, why->observations == 1 ? "" : "s", why->missing,
	       why->missing == 1 ? "is" : "are");
}

static void say_unsure(const Reasons *why)
{
	printf("Nothing is predicted for \"%s\": the confidence is %.2f, and %.2f is needed.\n",
	       why->name, why->confidence, why->needed);
	if (why->agreement < AGREEMENT_GOOD)
		printf("Its tasks disagree: only %.0f %% of %" G_GUINT64_FORMAT
		       " votes are for %s.\n",
		       100 * why->agreement, why->votes, why->learned);
	if (g_str_equal(why->rule, "reference") && why->stability < STABILITY_GOOD)
		puts("Its runs vary in length by more than half of their average.");
	puts("More observations may settle it; \"pandemoniumctl override set\" decides it now.");
}

/* What other machines have to do with it. */
static void say_farm(GVariantDict *dict, const Reasons *why)
{
	g_autofree char *farm = NULL;
	const char *teachers;

	if (!g_variant_dict_lookup(dict, "taught_by", "&s", &teachers) || !strstr(teachers, "farm"))
		return;
	farm = farm_known_to_text(why->name);
	if (g_str_equal(teachers, "farm"))
		printf("It is known from %s, and was not seen here yet.\n", farm);
	else
		printf("It is known from %s, and nothing here contradicted that.\n", farm);
}

static void say_in_kernel(GVariantDict *dict, const Reasons *why)
{
	gboolean predicted = !g_str_equal(why->source, "none");
	gboolean in_kernel = g_variant_dict_contains(dict, "in_kernel");

	if (predicted && !in_kernel)
		puts("The kernel does not have the prediction, for example because nothing\n"
		     "observes now; see \"pandemoniumctl status\".");
	else if (!predicted && in_kernel)
		puts("The kernel still has an earlier prediction.");
}

static void print_explanation(const Ctl *ctl, GVariant *explanation)
{
	g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(explanation);
	Reasons why;

	reasons_read(&dict, &why);
	if (g_str_equal(why.source, "override"))
		say_override(&why);
	else if (g_str_equal(why.source, "learned"))
		say_learned(&why);
	else if (why.missing > 0)
		say_too_few(&why);
	else
		say_unsure(&why);
	say_farm(&dict, &why);
	say_in_kernel(&dict, &why);
	putchar('\n');
	profile_print(ctl, explanation);
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
		return failure_unknown(ctl, "Explain", name, error);
	if (ctl->json)
		ctl_json_print(ctl_json_from_variant(explanation));
	else
		print_explanation(ctl, explanation);
	return CTL_OK;
}
