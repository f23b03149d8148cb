/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rows.h"

#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "eviction.h"
#include "name.h"

/* The estimated bytes of a row, with a name and an origin of common lengths. */
#define ROW_SIZE 152
#define RECORD_SIZE 200
/* What a name of 16 bytes that are all escaped has more. */
#define ESCAPES 48

struct named {
	char *name;
	struct procdb_comm comm;
};

struct _ProcdbNames {
	gsize n;
	struct named items[];
};

static int compare_names(const void *a, const void *b)
{
	return strcmp(((const struct named *)a)->name, ((const struct named *)b)->name);
}

ProcdbNames *procdb_names_new(ProcdbEngine *engine)
{
	const struct procdb_table *table = procdb_engine_table(engine);
	gsize n = procdb_table_size(table);
	ProcdbNames *names = g_malloc(sizeof(*names) + n * sizeof(names->items[0]));

	names->n = n;
	for (gsize i = 0; i < n; i++) {
		names->items[i].comm = procdb_table_at(table, i)->comm;
		names->items[i].name = procdb_name_escape(&names->items[i].comm);
	}
	qsort(names->items, n, sizeof(names->items[0]), compare_names);
	return names;
}

void procdb_names_free(ProcdbNames *names)
{
	if (!names)
		return;
	for (gsize i = 0; i < names->n; i++)
		g_free(names->items[i].name);
	g_free(names);
}

static const char *tier_of(const struct procdb_profile *profile)
{
	return procdb_tier_name(procdb_profile_tier(profile));
}

const char *procdb_profile_origin(const struct procdb_entry *entry)
{
	if (entry->profile.override != PROCDB_NO_OVERRIDE)
		return PROCDB_ORIGIN_OVERRIDE;
	return entry->set == PROCDB_SET_LIVE ? PROCDB_ORIGIN_LIVE : PROCDB_ORIGIN_RETAINED;
}

static int append_row(sd_bus_message *message, ProcdbEngine *engine, const char *name,
		      const struct procdb_entry *entry)
{
	const struct procdb_rules *rules = &procdb_engine_settings(engine)->rules;
	const struct procdb_profile *profile = &entry->profile;

	return sd_bus_message_append(
	    message, PROCDB_ROW, name, tier_of(profile), procdb_profile_confidence(profile, rules),
	    (int)procdb_profile_is_confident(profile, rules), profile->observations,
	    profile->tier_votes[PROCDB_TIER_BATCH], profile->tier_votes[PROCDB_TIER_INTERACTIVE],
	    profile->tier_votes[PROCDB_TIER_LAT_CRITICAL], profile->avg_runtime_ns,
	    profile->runtime_dev_ns, profile->wakeup_freq, profile->csw_rate, profile->last_seen_us,
	    procdb_profile_origin(entry));
}

/* The fields that a record has after those of a row. */
static int append_rest(sd_bus_message *message, const struct procdb_profile *profile)
{
	return sd_bus_message_append(
	    message, "xttusu", profile->first_seen_us, profile->right, profile->wrong,
	    profile->withdrawals, procdb_teachers_name(profile->teachers), (guint32)profile->owner);
}

static const char *type_of(gboolean whole)
{
	return whole ? PROCDB_RECORD : PROCDB_ROW;
}

static int append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names,
		  gboolean whole)
{
	int result = sd_bus_message_open_container(
	    message, 'a', whole ? "(" PROCDB_RECORD ")" : "(" PROCDB_ROW ")");

	for (gsize i = 0; i < names->n && result >= 0; i++) {
		const struct named *named = &names->items[i];
		const struct procdb_entry *entry =
		    procdb_table_find(procdb_engine_table(engine), &named->comm);

		if (!entry)
			continue;
		result = sd_bus_message_open_container(message, 'r', type_of(whole));
		if (result >= 0)
			result = append_row(message, engine, named->name, entry);
		if (result >= 0 && whole)
			result = append_rest(message, &entry->profile);
		if (result >= 0)
			result = sd_bus_message_close_container(message);
	}
	return result < 0 ? result : sd_bus_message_close_container(message);
}

int procdb_rows_append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names)
{
	return append(message, engine, names, FALSE);
}

int procdb_records_append(sd_bus_message *message, ProcdbEngine *engine, const ProcdbNames *names)
{
	return append(message, engine, names, TRUE);
}

gsize procdb_rows_size(const ProcdbEngine *engine, gboolean whole)
{
	return procdb_table_size(procdb_engine_table(engine)) *
	       (whole ? RECORD_SIZE : (gsize)ROW_SIZE);
}

gboolean procdb_rows_fit(const ProcdbEngine *engine, gboolean whole, GError **error)
{
	const gsize number = procdb_table_size(procdb_engine_table(engine));

	if (procdb_rows_size(engine, whole) + number * ESCAPES <= PROCDB_MAX_ANSWER)
		return TRUE;
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
		    "One answer has no room for %" G_GSIZE_FORMAT
		    " profiles: QueryColumns lists them in parts",
		    number);
	return FALSE;
}

static gboolean refuse(GError **error, ProcdbBusError code, const char *name, const char *why)
{
	g_set_error(error, PROCDB_BUS_ERROR, (gint)code, "The profile of '%s' %s", name, why);
	return FALSE;
}

/* The texts of a row. */
typedef struct {
	const char *name;
	const char *tier;
	const char *origin;
	const char *teachers; /* NULL: a row without teachers */
} Texts;

static int read_row(sd_bus_message *message, Texts *texts, struct procdb_profile *profile)
{
	guint32 observations, *votes = profile->tier_votes;
	guint64 avg, dev, freq, csw;
	gint64 last_seen;
	int result = sd_bus_message_read(message, PROCDB_ROW, &texts->name, &texts->tier, NULL,
					 NULL, &observations, &votes[0], &votes[1], &votes[2], &avg,
					 &dev, &freq, &csw, &last_seen, &texts->origin);

	if (result < 0)
		return result;
	profile->observations = observations;
	profile->avg_runtime_ns = avg;
	profile->runtime_dev_ns = dev;
	profile->wakeup_freq = freq;
	profile->csw_rate = csw;
	profile->last_seen_us = MAX(last_seen, 0);
	return 0;
}

/* The fields that a record has after those of a row. */
static int read_rest(sd_bus_message *message, Texts *texts, struct procdb_profile *profile)
{
	guint32 withdrawals, owner;
	guint64 right, wrong;
	gint64 first_seen;
	int result = sd_bus_message_read(message, "xttusu", &first_seen, &right, &wrong,
					 &withdrawals, &texts->teachers, &owner);

	if (result < 0)
		return result;
	profile->first_seen_us = MAX(first_seen, 0);
	profile->right = right;
	profile->wrong = wrong;
	profile->withdrawals = withdrawals;
	profile->owner = procdb_owner_of_uid(owner);
	return 0;
}

/* Reads a row. 0: the end of the array; negative: malformed. The message owns the texts. */
static int read_one(sd_bus_message *message, gboolean whole, Texts *texts,
		    struct procdb_profile *profile)
{
	int result = sd_bus_message_enter_container(message, 'r', type_of(whole));

	if (result <= 0)
		return result;
	result = read_row(message, texts, profile);
	if (result >= 0 && whole)
		result = read_rest(message, texts, profile);
	if (result >= 0)
		result = sd_bus_message_exit_container(message);
	return result < 0 ? result : 1;
}

static gboolean check_row(const Texts *texts, GHashTable *names, struct procdb_record *record,
			  GError **error)
{
	struct procdb_profile *profile = &record->profile;
	enum procdb_tier tier;

	if (!procdb_name_unescape(texts->name, &record->comm, error)) {
		procdb_name_blame(error, texts->name);
		return FALSE;
	}
	if (!g_hash_table_add(names, g_bytes_new(&record->comm, sizeof(record->comm))))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, texts->name,
			      "is given twice");
	if (!procdb_tier_parse(texts->tier, &tier))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_TIER, texts->name,
			      "has a tier other than batch, interactive and lat-critical");
	if (g_str_equal(texts->origin, PROCDB_ORIGIN_OVERRIDE)) {
		if (!procdb_name_can_match(&record->comm, error)) {
			procdb_name_blame(error, texts->name);
			return FALSE;
		}
		profile->override = (guint8)tier;
	} else if (!g_str_equal(texts->origin, PROCDB_ORIGIN_LIVE) &&
		   !g_str_equal(texts->origin, PROCDB_ORIGIN_RETAINED))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, texts->name,
			      "has an origin other than live, retained and override");
	if (texts->teachers && !procdb_teachers_parse(texts->teachers, &profile->teachers))
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, texts->name,
			      "is taught by others than root, users and farm, or unknown");
	/* A counter at its maximum may have missed observations: it can be less than the sum. */
	if (procdb_profile_votes(profile) > profile->observations &&
	    profile->observations < G_MAXUINT32)
		return refuse(error, PROCDB_BUS_ERROR_INVALID_PROFILE, texts->name,
			      "has more votes than observations");
	return TRUE;
}

gboolean procdb_rows_read(sd_bus_message *message, gboolean whole, GArray *records, GError **error)
{
	g_autoptr(GHashTable) names =
	    g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
	int result = sd_bus_message_enter_container(
	    message, 'a', whole ? "(" PROCDB_RECORD ")" : "(" PROCDB_ROW ")");

	while (result >= 0) {
		struct procdb_record record = {0};
		Texts texts = {0};

		procdb_profile_init(&record.profile);
		result = read_one(message, whole, &texts, &record.profile);
		if (result == 0)
			break;
		if (result > 0 && !check_row(&texts, names, &record, error))
			return FALSE;
		if (result > 0)
			g_array_append_val(records, record);
	}
	if (result >= 0)
		result = sd_bus_message_exit_container(message);
	if (result < 0)
		g_set_error_literal(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_INVALID_PROFILE,
				    "The rows cannot be read");
	return result >= 0;
}

static int open_columns(sd_bus_message *message, ProcdbEngine *engine,
			const struct procdb_entry *entry)
{
	const struct procdb_rules *rules = &procdb_engine_settings(engine)->rules;
	const struct procdb_profile *profile = &entry->profile;
	g_autofree char *name = procdb_name_escape(&entry->comm);
	int result = sd_bus_message_open_container(message, 'a', "{sv}");

	result = PROCDB_ADD(result, message, "name", "s", name);
	result =
	    PROCDB_ADD(result, message, "tier", "s", procdb_tier_name(procdb_entry_tier(entry)));
	result = PROCDB_ADD(result, message, "confidence", "d",
			    procdb_profile_confidence(profile, rules));
	result = PROCDB_ADD(result, message, "confident", "b",
			    (int)procdb_profile_is_confident(profile, rules));
	result = PROCDB_ADD(result, message, "observations", "u", profile->observations);
	result =
	    PROCDB_ADD(result, message, "votes", "(uuu)", profile->tier_votes[PROCDB_TIER_BATCH],
		       profile->tier_votes[PROCDB_TIER_INTERACTIVE],
		       profile->tier_votes[PROCDB_TIER_LAT_CRITICAL]);
	result = PROCDB_ADD(result, message, "avg_runtime_ns", "t", profile->avg_runtime_ns);
	result = PROCDB_ADD(result, message, "runtime_dev_ns", "t", profile->runtime_dev_ns);
	result = PROCDB_ADD(result, message, "wakeup_freq", "t", profile->wakeup_freq);
	result = PROCDB_ADD(result, message, "csw_rate", "t", profile->csw_rate);
	result = PROCDB_ADD(result, message, "last_seen_us", "x", profile->last_seen_us);
	return PROCDB_ADD(result, message, "origin", "s", procdb_profile_origin(entry));
}

const char *procdb_override_source(const ProcdbEngine *engine, const struct procdb_entry *entry)
{
	const ProcdbDeclaration *declaration = procdb_engine_declaration(engine, &entry->comm);

	return entry->profile.declared && declaration ? declaration->source : "administrator";
}

/* Appends the override of an entry and its source. */
static int add_override(int result, sd_bus_message *message, const ProcdbEngine *engine,
			const struct procdb_entry *entry)
{
	const struct procdb_profile *profile = &entry->profile;

	if (profile->override == PROCDB_NO_OVERRIDE)
		return result;
	result = PROCDB_ADD(result, message, "override", "s",
			    procdb_tier_name((enum procdb_tier)profile->override));
	return PROCDB_ADD(result, message, "override_source", "s",
			  procdb_override_source(engine, entry));
}

int procdb_profile_open(sd_bus_message *message, ProcdbEngine *engine,
			const struct procdb_entry *entry)
{
	const struct procdb_profile *profile = &entry->profile;
	int result = open_columns(message, engine, entry);

	result = PROCDB_ADD(result, message, "first_seen_us", "x", profile->first_seen_us);
	result = PROCDB_ADD(result, message, "predicted", "b", (int)entry->published);
	result =
	    PROCDB_ADD(result, message, "taught_by", "s", procdb_teachers_name(profile->teachers));
	result = PROCDB_ADD(result, message, "found", "t", (guint64)entry->found);
	result = PROCDB_ADD(result, message, "missed", "t", (guint64)entry->missed);
	result = PROCDB_ADD(result, message, "right", "t", (guint64)profile->right);
	result = PROCDB_ADD(result, message, "wrong", "t", (guint64)profile->wrong);
	result = PROCDB_ADD(result, message, "withdrawals", "u", (guint32)profile->withdrawals);
	return add_override(result, message, engine, entry);
}

const char *procdb_prediction_source(const ProcdbEngine *engine, const struct procdb_entry *entry)
{
	const struct procdb_rules *rules = &procdb_engine_settings(engine)->rules;

	return entry->held					     ? "hold"
	       : entry->profile.override != PROCDB_NO_OVERRIDE	     ? "override"
	       : procdb_profile_is_confident(&entry->profile, rules) ? "learned"
								     : "none";
}

static int add_prediction(int result, sd_bus_message *message, ProcdbEngine *engine,
			  const struct procdb_entry *entry)
{
	struct procdb_class now;

	if (!procdb_engine_prediction(engine, &entry->comm, &now))
		return result;
	return PROCDB_ADD(result, message, "in_kernel", "(stttt)",
			  procdb_tier_name((enum procdb_tier)now.tier), (guint64)now.avg_runtime,
			  (guint64)now.runtime_dev, (guint64)now.wakeup_freq,
			  (guint64)now.csw_rate);
}

int procdb_explanation_append(sd_bus_message *message, ProcdbEngine *engine,
			      const struct procdb_entry *entry)
{
	const struct procdb_rules *rules = &procdb_engine_settings(engine)->rules;
	const struct procdb_profile *profile = &entry->profile;
	double confidence = procdb_profile_confidence(profile, rules);
	const guint32 missing = procdb_profile_missing(profile, rules);
	int result = open_columns(message, engine, entry);

	result = PROCDB_ADD(result, message, "learned_tier", "s",
			    procdb_tier_name(procdb_profile_dominant_tier(profile)));
	result = PROCDB_ADD(result, message, "agreement", "d", procdb_profile_agreement(profile));
	result = PROCDB_ADD(result, message, "confidence_rule", "s",
			    rules->by_evidence ? "evidence" : "reference");
	result = PROCDB_ADD(result, message, "stability", "d", procdb_profile_stability(profile));
	result = PROCDB_ADD(result, message, "min_observations", "u", rules->min_observations);
	result = PROCDB_ADD(result, message, "min_confidence", "d", rules->min_confidence);
	result = PROCDB_ADD(result, message, "missing_observations", "u", missing);
	result = PROCDB_ADD(result, message, "missing_confidence", "d",
			    MAX(rules->min_confidence - confidence, 0.0));
	result = PROCDB_ADD(result, message, "first_seen_us", "x", profile->first_seen_us);
	result =
	    PROCDB_ADD(result, message, "taught_by", "s", procdb_teachers_name(profile->teachers));
	result = PROCDB_ADD(result, message, "right", "t", (guint64)profile->right);
	result = PROCDB_ADD(result, message, "wrong", "t", (guint64)profile->wrong);
	result = PROCDB_ADD(result, message, "withdrawals", "u", (guint32)profile->withdrawals);
	result = PROCDB_ADD(result, message, "prediction_source", "s",
			    procdb_prediction_source(engine, entry));
	result = add_override(result, message, engine, entry);
	result = add_prediction(result, message, engine, entry);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

int procdb_apply_statistics_append(sd_bus_message *message, const ProcdbApplyStatus *apply,
				   guint64 lost)
{
	const struct {
		const char *name;
		guint64 value;
	} counts[] = {
	    {"set", apply->results[PROCDB_APPLY_SET]},
	    {"restored", apply->results[PROCDB_APPLY_RESTORED]},
	    {"policy", apply->results[PROCDB_APPLY_REFUSED_POLICY]},
	    {"nice", apply->results[PROCDB_APPLY_REFUSED_NICE]},
	    {"slice", apply->results[PROCDB_APPLY_REFUSED_SLICE]},
	    {"second", apply->results[PROCDB_APPLY_REFUSED_LIMIT]},
	    {"gone", apply->results[PROCDB_APPLY_REFUSED_GONE]},
	    {"failed", apply->results[PROCDB_APPLY_FAILED]},
	    {"lost", lost},
	    {"kept", apply->kept},
	    {"held", apply->held},
	    {"latency-mean", apply->latency_mean_ns},
	    {"latency-p50", apply->latency_p50_ns},
	    {"latency-p99", apply->latency_p99_ns},
	    {"latency-max", apply->latency_max_ns},
	};
	int result = sd_bus_message_open_container(message, 'a', "{st}");

	for (gsize i = 0; i < G_N_ELEMENTS(counts) && result >= 0; i++)
		result = sd_bus_message_append(message, "{st}", counts[i].name, counts[i].value);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

int procdb_outcomes_append(sd_bus_message *message, const ProcdbEngineStatus *status)
{
	int result = sd_bus_message_open_container(message, 'a', "(sttt)");

	for (guint i = 0; i < PROCDB_TIERS && result >= 0; i++)
		result =
		    sd_bus_message_append(message, "(sttt)", procdb_tier_name((enum procdb_tier)i),
					  status->outcomes[i][PROCDB_TIER_BATCH],
					  status->outcomes[i][PROCDB_TIER_INTERACTIVE],
					  status->outcomes[i][PROCDB_TIER_LAT_CRITICAL]);
	return result < 0 ? result : sd_bus_message_close_container(message);
}

GStrv procdb_comms_escape(const GArray *comms)
{
	GStrv names = g_new0(char *, comms->len + 1);

	for (guint i = 0; i < comms->len; i++)
		names[i] = procdb_name_escape(&g_array_index(comms, struct procdb_comm, i));
	return names;
}
