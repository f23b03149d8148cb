/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "explanation.h"

#include "output.h"
#include "rows.h"
#include "tiers.h"

/* Below these, agreement or stability is named as the reason of a low confidence. */
#define AGREEMENT_GOOD 0.8
#define STABILITY_GOOD 0.5

/* The members of an explanation that the sentence needs; the strings belong to the dict. */
typedef struct {
	const char *name;
	const char *tier;
	const char *learned;
	const char *source;
	const char *program;
	const char *rule;     /* of the confidence: "evidence" or "reference" */
	const char *declared; /* the file that decided it, or "administrator" */
	const char *kind;
	double confidence;
	double needed;
	double agreement;
	double stability;
	guint64 runtime;
	guint64 deviation;
	guint32 observations;
	guint32 missing;
	guint64 votes;
	gboolean is_brief;
} Reasons;

static void reasons_read(GVariantDict *dict, Reasons *why)
{
	guint32 votes[PROCDB_TIERS] = {0};

	*why = (Reasons){.name = "",
			 .tier = "",
			 .source = "",
			 .rule = "reference",
			 .declared = "administrator",
			 .kind = ""};
	g_variant_dict_lookup(dict, "name", "&s", &why->name);
	g_variant_dict_lookup(dict, "program", "&s", &why->program);
	g_variant_dict_lookup(dict, "tier", "&s", &why->tier);
	why->learned = why->tier;
	g_variant_dict_lookup(dict, "learned_tier", "&s", &why->learned);
	g_variant_dict_lookup(dict, "prediction_source", "&s", &why->source);
	g_variant_dict_lookup(dict, "confidence_rule", "&s", &why->rule);
	g_variant_dict_lookup(dict, "override_source", "&s", &why->declared);
	g_variant_dict_lookup(dict, "kind", "&s", &why->kind);
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

static void say_override(GString *out, const Reasons *why)
{
	const gboolean is_declared = g_path_is_absolute(why->declared);

	g_string_append_printf(
	    out, "New tasks named \"%s\" start as %s because %s %s so.\n", why->name, why->tier,
	    is_declared ? why->declared : "an administrator", is_declared ? "says" : "decided");
	if (why->observations == 0)
		g_string_append(out, "Nothing was learned about it yet.\n");
	else if (why->confidence < why->needed || why->missing > 0)
		g_string_append(out, "Without the override nothing would be predicted.\n");
	else
		g_string_append_printf(
		    out, "Without the override it would be %s, with a confidence of %.2f.\n",
		    why->learned, why->confidence);
}

/* A hold is above an override, which comes back when it ends. */
static void say_hold(GString *out, const Reasons *why)
{
	g_string_append_printf(out,
			       "New tasks named \"%s\" start as %s as long as a caller holds them "
			       "there, whatever else is known.\n",
			       why->name, why->tier);
}

static void say_learned(GString *out, const Reasons *why)
{
	g_autofree char *runs = out_duration_ns(why->runtime);
	g_autofree char *varies = out_duration_ns(why->deviation);

	g_string_append_printf(out,
			       "New tasks named \"%s\" start as %s: %.0f %% of %" G_GUINT64_FORMAT
			       " votes say so.\n"
			       "The confidence is %.2f, and %.2f is needed.\n"
			       "A run takes %s, give or take %s.\n",
			       why->name, why->tier, 100 * why->agreement, why->votes,
			       why->confidence, why->needed, runs, varies);
	if (!g_str_equal(why->tier, procdb_tier_name(PROCDB_TIER_INTERACTIVE)))
		return;
	if (why->is_brief)
		g_string_append(out,
				"It is brief: over before a slice would matter, and left alone.\n");
	else
		g_string_append(out,
				"It is left alone, unless InteractiveSliceUSec= says otherwise.\n");
}

static void say_too_few(GString *out, const Reasons *why)
{
	g_string_append_printf(
	    out,
	    "Nothing is predicted for \"%s\" yet: it was observed %u time%s, and %u more %s "
	    "needed.\n",
	    why->name, why->observations, why->observations == 1 ? "" : "s", why->missing,
	    why->missing == 1 ? "is" : "are");
}

static void say_unsure(GString *out, const Reasons *why)
{
	g_string_append_printf(
	    out, "Nothing is predicted for \"%s\": the confidence is %.2f, and %.2f is needed.\n",
	    why->name, why->confidence, why->needed);
	if (why->agreement < AGREEMENT_GOOD)
		g_string_append_printf(out,
				       "Its tasks disagree: only %.0f %% of %" G_GUINT64_FORMAT
				       " votes are for %s.\n",
				       100 * why->agreement, why->votes, why->learned);
	if (g_str_equal(why->rule, "reference") && why->stability < STABILITY_GOOD)
		g_string_append(out,
				"Its runs vary in length by more than half of their average.\n");
	g_string_append(
	    out,
	    "More observations may settle it; \"pandemoniumctl override set\" decides it now.\n");
}

/* Where a name does not say whose tasks they are. */
static void say_program(GString *out, const Reasons *why)
{
	const Row row = {.name = why->name, .program = why->program};
	g_autofree char *title = rows_title(&row);

	if (!g_str_equal(title, why->name))
		g_string_append_printf(out, "Its last task ran %s.\n", why->program);
}

static void say_kind(GString *out, const Reasons *why)
{
	if (g_str_equal(why->kind, "kernel"))
		g_string_append(out, "It is a kernel thread, which is never given a slice.\n");
}

static void say_in_kernel(GString *out, GVariantDict *dict, const Reasons *why)
{
	gboolean predicted = !g_str_equal(why->source, "none");
	gboolean in_kernel = g_variant_dict_contains(dict, "in_kernel");

	if (predicted && !in_kernel)
		g_string_append(
		    out, "The kernel does not have the prediction, for example because nothing\n"
			 "observes now; see \"pandemoniumctl status\".\n");
	else if (!predicted && in_kernel)
		g_string_append(out, "The kernel still has an earlier prediction.\n");
}

char *explanation_text(GVariant *explanation)
{
	g_auto(GVariantDict) dict = G_VARIANT_DICT_INIT(explanation);
	GString *out = g_string_new(NULL);
	Reasons why;
	Row row;

	reasons_read(&dict, &why);
	rows_row_of_map(explanation, &row);
	why.is_brief = rows_is_brief(&row);
	if (g_str_equal(why.source, "hold"))
		say_hold(out, &why);
	else if (g_str_equal(why.source, "override"))
		say_override(out, &why);
	else if (g_str_equal(why.source, "learned"))
		say_learned(out, &why);
	else if (why.missing > 0)
		say_too_few(out, &why);
	else
		say_unsure(out, &why);
	if (g_str_equal(why.source, "none"))
		g_string_append(out, "Until then each of its tasks is judged by what it does.\n");
	say_kind(out, &why);
	say_program(out, &why);
	say_in_kernel(out, &dict, &why);
	return g_string_free(out, FALSE);
}
