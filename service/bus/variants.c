/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "variants.h"

#include <stdlib.h>
#include <string.h>

#include "name.h"

/* Names and types of the columns: members of a row, keys of GetProfile. */
static const char *const columns[] = {
    "name",	      "tier",		"confidence",  "confident", "observations", "votes",
    "avg_runtime_ns", "runtime_dev_ns", "wakeup_freq", "csw_rate",  "last_seen_us", "origin",
};

static const char *origin_of(const struct procdb_entry *entry)
{
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		return "override";
	return entry->set == PROCDB_SET_LIVE ? "live" : "retained";
}

static GVariant *votes_of(const struct procdb_profile *profile)
{
	return g_variant_new("(uuu)", profile->tier_votes[PROCDB_TIER_BATCH],
			     profile->tier_votes[PROCDB_TIER_INTERACTIVE],
			     profile->tier_votes[PROCDB_TIER_LAT_CRITICAL]);
}

/* One row of ListProfiles, (ssdbu(uuu)ttttxs). Takes the escaped name over. */
static GVariant *row_of(ProcdbEngine *engine, const struct procdb_entry *entry, char *name)
{
	const struct procdb_rules *rules = &procdb_engine_settings(engine)->rules;
	const struct procdb_profile *profile = &entry->profile;
	double confidence = procdb_profile_confidence(profile, rules);
	GVariant *members[G_N_ELEMENTS(columns)] = {
	    g_variant_new_take_string(name),
	    g_variant_new_string(procdb_tier_name(procdb_profile_tier(profile))),
	    g_variant_new_double(confidence),
	    g_variant_new_boolean(procdb_profile_is_confident(profile, rules)),
	    g_variant_new_uint32(profile->observations),
	    votes_of(profile),
	    g_variant_new_uint64(profile->avg_runtime_ns),
	    g_variant_new_uint64(profile->runtime_dev_ns),
	    g_variant_new_uint64(profile->wakeup_freq),
	    g_variant_new_uint64(profile->csw_rate),
	    g_variant_new_int64(profile->last_seen_us),
	    g_variant_new_string(origin_of(entry)),
	};

	return g_variant_new_tuple(members, G_N_ELEMENTS(members));
}

struct named {
	char *name;
	const struct procdb_entry *entry;
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

GVariant *procdb_variant_list(ProcdbEngine *engine)
{
	const struct procdb_table *table = procdb_engine_table(engine);
	gsize n = procdb_table_size(table);
	g_autofree struct named *named = g_new(struct named, n + 1);
	g_autofree GVariant **rows = g_new(GVariant *, n + 1);
	GVariant *list;

	for (gsize i = 0; i < n; i++) {
		named[i].entry = procdb_table_at(table, i);
		named[i].name = procdb_name_escape(&named[i].entry->comm);
	}
	qsort(named, n, sizeof(*named), compare_names);
	for (gsize i = 0; i < n; i++) {
		rows[i] = row_of(engine, named[i].entry, named[i].name);
		/* As bytes: the values of a row take ten times as much memory. */
		(void)g_variant_get_data(rows[i]);
	}
	list = g_variant_new_array(G_VARIANT_TYPE("(ssdbu(uuu)ttttxs)"), rows, n);
	list = g_variant_new_tuple(&list, 1);
	(void)g_variant_get_data(list);
	return list;
}

static void add_columns(GVariantBuilder *dict, ProcdbEngine *engine,
			const struct procdb_entry *entry)
{
	g_autoptr(GVariant) row =
	    g_variant_ref_sink(row_of(engine, entry, procdb_name_escape(&entry->comm)));

	for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
		g_autoptr(GVariant) value = g_variant_get_child_value(row, i);

		g_variant_builder_add(dict, "{sv}", columns[i], value);
	}
}

static const char *taught_by(const struct procdb_profile *profile)
{
	static const char *const teachers[] = {"unknown", "root", "users", "root and users"};

	return teachers[profile->teachers & (PROCDB_TAUGHT_BY_ROOT | PROCDB_TAUGHT_BY_USERS)];
}

static void add(GVariantBuilder *dict, const char *key, GVariant *value)
{
	g_variant_builder_add(dict, "{sv}", key, value);
}

/* The override of an entry, and where it comes from. */
static void add_override(GVariantBuilder *dict, const ProcdbEngine *engine,
			 const struct procdb_entry *entry)
{
	const ProcdbDeclaration *declaration = procdb_engine_declaration(engine, &entry->comm);
	const struct procdb_profile *profile = &entry->profile;

	if (profile->override == PROCDB_NO_OVERRIDE)
		return;
	add(dict, "override",
	    g_variant_new("s", procdb_tier_name((enum procdb_tier)profile->override)));
	add(dict, "override_source",
	    g_variant_new("s", profile->declared && declaration ? declaration->source
								: "administrator"));
}

GVariant *procdb_variant_profile(ProcdbEngine *engine, const struct procdb_entry *entry)
{
	const struct procdb_profile *profile = &entry->profile;
	GVariantBuilder dict;

	g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
	add_columns(&dict, engine, entry);
	add(&dict, "first_seen_us", g_variant_new("x", profile->first_seen_us));
	add(&dict, "predicted", g_variant_new("b", (gboolean)entry->published));
	add(&dict, "taught_by", g_variant_new("s", taught_by(profile)));
	add(&dict, "found", g_variant_new("t", entry->found));
	add(&dict, "missed", g_variant_new("t", entry->missed));
	add(&dict, "right", g_variant_new("t", profile->right));
	add(&dict, "wrong", g_variant_new("t", profile->wrong));
	add(&dict, "withdrawals", g_variant_new("u", profile->withdrawals));
	add_override(&dict, engine, entry);
	return g_variant_builder_end(&dict);
}

GVariant *procdb_variant_explanation(ProcdbEngine *engine, const struct procdb_entry *entry)
{
	const struct procdb_rules *rules = &procdb_engine_settings(engine)->rules;
	const struct procdb_profile *profile = &entry->profile;
	double confidence = procdb_profile_confidence(profile, rules);
	guint missing = profile->observations < rules->min_observations
			    ? rules->min_observations - profile->observations
			    : 0;
	struct procdb_class now;
	GVariantBuilder dict;

	g_variant_builder_init(&dict, G_VARIANT_TYPE_VARDICT);
	add_columns(&dict, engine, entry);
	add(&dict, "learned_tier",
	    g_variant_new("s", procdb_tier_name(procdb_profile_dominant_tier(profile))));
	add(&dict, "agreement", g_variant_new("d", procdb_profile_agreement(profile)));
	add(&dict, "confidence_rule",
	    g_variant_new("s", procdb_engine_settings(engine)->rules.by_evidence ? "evidence"
										 : "reference"));
	add(&dict, "stability", g_variant_new("d", procdb_profile_stability(profile)));
	add(&dict, "min_observations", g_variant_new("u", rules->min_observations));
	add(&dict, "min_confidence", g_variant_new("d", rules->min_confidence));
	add(&dict, "missing_observations", g_variant_new("u", missing));
	add(&dict, "missing_confidence",
	    g_variant_new("d", MAX(rules->min_confidence - confidence, 0.0)));
	add(&dict, "first_seen_us", g_variant_new("x", profile->first_seen_us));
	add(&dict, "taught_by", g_variant_new("s", taught_by(profile)));
	add(&dict, "right", g_variant_new("t", profile->right));
	add(&dict, "wrong", g_variant_new("t", profile->wrong));
	add(&dict, "withdrawals", g_variant_new("u", profile->withdrawals));
	add(&dict, "prediction_source",
	    g_variant_new("s", profile->override != PROCDB_NO_OVERRIDE	     ? "override"
			       : procdb_profile_is_confident(profile, rules) ? "learned"
									     : "none"));
	add_override(&dict, engine, entry);
	if (procdb_engine_prediction(engine, &entry->comm, &now))
		add(&dict, "in_kernel",
		    g_variant_new("(stttt)", procdb_tier_name((enum procdb_tier)now.tier),
				  now.avg_runtime, now.runtime_dev, now.wakeup_freq, now.csw_rate));
	return g_variant_builder_end(&dict);
}

GVariant *procdb_variant_apply_statistics(const ProcdbApplyStatus *apply, guint64 lost)
{
	static const struct {
		const char *name;
		ProcdbApplyResult result;
	} counts[] = {
	    {"set", PROCDB_APPLY_SET},
	    {"restored", PROCDB_APPLY_RESTORED},
	    {"policy", PROCDB_APPLY_REFUSED_POLICY},
	    {"nice", PROCDB_APPLY_REFUSED_NICE},
	    {"slice", PROCDB_APPLY_REFUSED_SLICE},
	    {"second", PROCDB_APPLY_REFUSED_LIMIT},
	    {"gone", PROCDB_APPLY_REFUSED_GONE},
	    {"failed", PROCDB_APPLY_FAILED},
	};
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a{st}"));
	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++)
		g_variant_builder_add(&builder, "{st}", counts[i].name,
				      apply->results[counts[i].result]);
	g_variant_builder_add(&builder, "{st}", "lost", lost);
	g_variant_builder_add(&builder, "{st}", "latency-mean", apply->latency_mean_ns);
	g_variant_builder_add(&builder, "{st}", "latency-p50", apply->latency_p50_ns);
	g_variant_builder_add(&builder, "{st}", "latency-p99", apply->latency_p99_ns);
	g_variant_builder_add(&builder, "{st}", "latency-max", apply->latency_max_ns);
	return g_variant_builder_end(&builder);
}

GVariant *procdb_variant_outcomes(const ProcdbEngineStatus *status)
{
	GVariantBuilder builder;

	g_variant_builder_init(&builder, G_VARIANT_TYPE("a(sttt)"));
	for (guint i = 0; i < PROCDB_TIERS; i++)
		g_variant_builder_add(&builder, "(sttt)", procdb_tier_name((enum procdb_tier)i),
				      status->outcomes[i][PROCDB_TIER_BATCH],
				      status->outcomes[i][PROCDB_TIER_INTERACTIVE],
				      status->outcomes[i][PROCDB_TIER_LAT_CRITICAL]);
	return g_variant_builder_end(&builder);
}

GStrv procdb_variant_names(const GArray *comms)
{
	GStrv names = g_new0(char *, comms->len + 1);

	for (guint i = 0; i < comms->len; i++)
		names[i] = procdb_name_escape(&g_array_index(comms, struct procdb_comm, i));
	return names;
}
