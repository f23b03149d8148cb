/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "profile.h"

#include "classify.h"
#include "out-table.h"
#include "output.h"
#include "tiers.h"

typedef char *(*Format)(GVariant *value);

static char *as_is(GVariant *value)
{
	if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
		return g_variant_dup_string(value, NULL);
	return g_variant_print(value, FALSE);
}

static char *as_ratio(GVariant *value)
{
	return g_strdup_printf("%.3f", g_variant_get_double(value));
}

static char *as_answer(GVariant *value)
{
	return g_strdup(g_variant_get_boolean(value) ? "yes" : "no");
}

static char *as_duration(GVariant *value)
{
	return out_duration_ns(g_variant_get_uint64(value));
}

static char *as_wakeups(GVariant *value)
{
	return out_rate(g_variant_get_uint64(value), PROCDB_WAKEUP_FREQ_MAX);
}

static char *as_switches(GVariant *value)
{
	return out_rate(g_variant_get_uint64(value), PROCDB_CSW_RATE_MAX);
}

static char *as_true_rate(GVariant *value)
{
	return out_true_rate(g_variant_get_double(value));
}

static char *as_share(GVariant *value)
{
	return g_strdup_printf("%.1f %% of a CPU", 100 * g_variant_get_double(value));
}

static char *as_pids(GVariant *value)
{
	GString *text = g_string_new(NULL);
	gsize count;
	const guint32 *pids = g_variant_get_fixed_array(value, &count, sizeof(*pids));

	for (gsize i = 0; i < count; i++)
		g_string_append_printf(text, "%s%u", i > 0 ? ", " : "", pids[i]);
	return g_string_free(text, FALSE);
}

static char *as_time(GVariant *value)
{
	gint64 time_us = g_variant_get_int64(value);
	g_autofree char *ago = out_ago(time_us, g_get_real_time());
	g_autoptr(GDateTime) time = NULL;
	g_autofree char *stamp = NULL;

	if (time_us > 0)
		time = g_date_time_new_from_unix_local(time_us / G_USEC_PER_SEC);
	if (time)
		stamp = g_date_time_format(time, "%F %T");
	return stamp ? g_strdup_printf("%s (%s)", stamp, ago) : g_steal_pointer(&ago);
}

static char *as_votes(GVariant *value)
{
	guint32 votes[3];

	g_variant_get(value, "(uuu)", &votes[0], &votes[1], &votes[2]);
	return g_strdup_printf("batch %u, interactive %u, lat-critical %u", votes[0], votes[1],
			       votes[2]);
}

static char *as_prediction(GVariant *value)
{
	guint64 average, deviation, wakeups, switches;
	const char *tier;

	g_variant_get(value, "(&stttt)", &tier, &average, &deviation, &wakeups, &switches);

	g_autofree char *runs = out_duration_ns(average);
	g_autofree char *varies = out_duration_ns(deviation);
	g_autofree char *wakes = out_rate(wakeups, PROCDB_WAKEUP_FREQ_MAX);
	g_autofree char *leaves = out_rate(switches, PROCDB_CSW_RATE_MAX);

	return g_strdup_printf("%s, runs %s ± %s, %s wake-ups, %s switches", tier, runs, varies,
			       wakes, leaves);
}

static const struct {
	const char *key;
	const char *label;
	const char *type;
	Format format;
	gboolean learned; /* says nothing before the first observation */
} fields[] = {
    {"name", "Name", "s", as_is},
    {"program", "Program", "s", as_is},
    {"script", "Script now", "s", as_is},
    {"scripts", "Scripts now", "u", as_is},
    {"application", "Application", "s", as_is},
    {"unit", "Unit", "s", as_is},
    {"kind", "Kind", "s", as_is},
    {"user", "User", "s", as_is},
    {"uid", "User ID", "u", as_is},
    {"pids", "Tasks now", "au", as_pids},
    {"cpu_share", "CPU now", "d", as_share},
    {"cpu_ns", "CPU time", "t", as_duration},
    {"runs", "Starts", "t", as_is},
    {"held", "Held in tier", "s", as_is},
    {"held_by", "Held by", "s", as_is},
    {"held_uid", "Held by user", "u", as_is},
    {"held_reason", "Held because", "s", as_is},
    {"tier", "Tier", "s", as_is},
    {"origin", "Origin", "s", as_is},
    {"override", "Override", "s", as_is},
    {"override_source", "Override from", "s", as_is},
    {"learned_tier", "Learned tier", "s", as_is, TRUE},
    {"confidence", "Confidence", "d", as_ratio},
    {"confidence_rule", "Confidence by", "s", as_is},
    {"confident", "Confident", "b", as_answer},
    {"min_confidence", "Confidence needed", "d", as_ratio},
    {"missing_confidence", "Confidence missing", "d", as_ratio},
    {"observations", "Observations", "u", as_is},
    {"min_observations", "Votes needed", "u", as_is},
    {"missing_observations", "Observations missing", "u", as_is},
    {"votes", "Votes", "(uuu)", as_votes},
    {"agreement", "Agreement of votes", "d", as_ratio, TRUE},
    {"stability", "Stability of runs", "d", as_ratio, TRUE},
    {"avg_runtime_ns", "Run time", "t", as_duration, TRUE},
    {"runtime_dev_ns", "Run time varies by", "t", as_duration, TRUE},
    {"wakeups_per_second", "Wake-ups", "d", as_true_rate},
    {"switches_per_second", "Voluntary switches", "d", as_true_rate},
    {"wait_p50_with", "Wait with slice, p50", "t", as_duration},
    {"wait_p90_with", "Wait with slice, p90", "t", as_duration},
    {"wait_p99_with", "Wait with slice, p99", "t", as_duration},
    {"waits_with", "Wake-ups with slice", "t", as_is},
    {"wait_p50_without", "Wait without slice, p50", "t", as_duration},
    {"wait_p90_without", "Wait without slice, p90", "t", as_duration},
    {"wait_p99_without", "Wait without slice, p99", "t", as_duration},
    {"waits_without", "Wake-ups without slice", "t", as_is},
    {"wakeup_freq", "Wake-ups", "t", as_wakeups, TRUE},
    {"csw_rate", "Voluntary switches", "t", as_switches, TRUE},
    {"taught_by", "Taught by", "s", as_is, TRUE},
    {"known_from", "Known from", "s", as_is},
    {"first_seen_us", "First seen", "x", as_time},
    {"last_seen_us", "Last seen", "x", as_time},
    {"predicted", "Predicted", "b", as_answer},
    {"predicted_tier", "Predicted tier", "s", as_is},
    {"prediction_source", "Prediction from", "s", as_is},
    {"in_kernel", "Prediction in kernel", "(stttt)", as_prediction},
    {"found", "Starts predicted", "t", as_is},
    {"missed", "Starts not predicted", "t", as_is},
    {"right", "Predictions right", "t", as_is},
    {"wrong", "Predictions wrong", "t", as_is},
    {"withdrawals", "Times withdrawn", "u", as_is},
};

/* Where wake-ups and switches are counted, what was worked out of them in the past is less true. */
static gboolean is_counted(const char *key, GVariant *profile)
{
	const char *better = g_str_equal(key, "wakeup_freq") ? "wakeups_per_second"
			     : g_str_equal(key, "csw_rate")  ? "switches_per_second"
							     : NULL;
	double ignored;

	return better && g_variant_lookup(profile, better, "d", &ignored);
}

/* Whether a field is left out: of a profile without observations, or of one that lacks none. */
static gboolean is_moot(size_t field, GVariant *value, gboolean learned, GVariant *profile)
{
	const char *key = fields[field].key;

	if (is_counted(key, profile))
		return TRUE;

	if (fields[field].learned && !learned)
		return TRUE;
	if (g_str_equal(key, "missing_observations"))
		return g_variant_get_uint32(value) == 0;
	return g_str_equal(key, "missing_confidence") && g_variant_get_double(value) <= 0;
}

static const char *colour_of(const char *key, GVariant *value, gboolean predicts)
{
	if (g_str_equal(key, "confident"))
		return g_variant_get_boolean(value) ? "green" : "brown";
	if (g_str_has_suffix(key, "tier"))
		return predicts ? out_tier_colour(g_variant_get_string(value, NULL)) : "darkgray";
	return NULL;
}

/* As in tables, a tier that is not predicted is a guess. */
static gboolean is_predicted(GVariantDict *profile)
{
	const char *source;
	gboolean confident = FALSE;

	if (g_variant_dict_lookup(profile, "prediction_source", "&s", &source))
		return !g_str_equal(source, "none");
	g_variant_dict_lookup(profile, "confident", "b", &confident);
	return confident || g_variant_dict_contains(profile, "override");
}

/* Votes fade, and those of brief lives may count for nothing: why they are not the observations. */
static void explain_votes(GString *text, GVariant *votes, guint32 observations)
{
	guint32 of[PROCDB_TIERS];

	g_variant_get(votes, "(uuu)", &of[0], &of[1], &of[2]);
	if ((guint64)of[0] + of[1] + of[2] < observations)
		g_string_append(text, " (old ones have faded, brief ones may not count)");
}

static void each_other(GVariantDict *rest, ProfileField field, gpointer user_data)
{
	g_autoptr(GVariant) others = g_variant_ref_sink(g_variant_dict_end(rest));
	GVariantIter iter;
	const char *key;
	GVariant *value;

	g_variant_iter_init(&iter, others);
	while (g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
		g_autofree char *text = as_is(value);

		field(key, text, NULL, user_data);
	}
}

GVariant *profile_join(GVariant *profile, GVariant *more)
{
	g_auto(GVariantDict) joined = G_VARIANT_DICT_INIT(profile);
	GVariantIter iter;
	const char *key;
	GVariant *value;

	if (more)
		g_variant_iter_init(&iter, more);
	while (more && g_variant_iter_loop(&iter, "{&sv}", &key, &value)) {
		if (!g_variant_dict_contains(&joined, key))
			g_variant_dict_insert_value(&joined, key, value);
	}
	return g_variant_ref_sink(g_variant_dict_end(&joined));
}

void profile_each(GVariant *profile, ProfileField field, gpointer user_data)
{
	g_auto(GVariantDict) rest = G_VARIANT_DICT_INIT(profile);
	guint32 observations = 1;
	const gboolean predicts = is_predicted(&rest);

	g_variant_dict_lookup(&rest, "observations", "u", &observations);
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		g_autoptr(GVariant) value = g_variant_dict_lookup_value(
		    &rest, fields[i].key, G_VARIANT_TYPE(fields[i].type));
		g_autofree char *plain = value ? fields[i].format(value) : NULL;
		g_autoptr(GString) text = g_string_new(plain);

		if (!value)
			continue;
		if (g_str_equal(fields[i].key, "tier") && !predicts)
			g_string_append_c(text, '?');
		if (g_str_equal(fields[i].key, "votes"))
			explain_votes(text, value, observations);
		if (!is_moot(i, value, observations > 0, profile))
			field(fields[i].label, text->str, colour_of(fields[i].key, value, predicts),
			      user_data);
		g_variant_dict_remove(&rest, fields[i].key);
	}
	each_other(&rest, field, user_data);
}

static void add_to_table(const char *label, const char *text, const char *colour,
			 gpointer user_data)
{
	const char *texts[] = {label, text};
	const char *colours[] = {NULL, colour};

	out_table_add(user_data, texts, colours);
}

void profile_print(const Ctl *ctl, GVariant *profile)
{
	static const OutColumn columns[] = {{"KEY", 0}, {"VALUE", SCOLS_FL_WRAP}, {NULL}};
	g_autoptr(OutTable) table = out_table_new(ctl, columns);

	out_table_hide_titles(table);
	profile_each(profile, add_to_table, table);
	out_table_print(table, stdout);
}
