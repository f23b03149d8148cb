/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "keys.h"

#include <stddef.h>

#define AT(member) offsetof(ProcdbConfig, member)

static const ProcdbConfigKey keys[] = {
    {"Service", "Backend", KEY_CHOICE, AT(backend),
     .choices = "auto|observer|sched-ext|pinned|none"},
    {"Service", "Compositors", KEY_NAMES, AT(observer.compositors)},
    {"Observer", "Maturity", KEY_FLAG, AT(observer.observing.from_maturity)},
    {"Observer", "Exit", KEY_FLAG, AT(observer.observing.from_exit)},
    {"Observer", "ReferenceRule", KEY_FLAG, AT(observer.observing.reference_rule)},
    {"Observer", "ExitMinUSec", KEY_TIME, AT(observer.observing.exit_min_ns), 0, 10000000,
     .unit = 1000},
    {"Observer", "RenewSec", KEY_TIME, AT(observer.observing.renew_ns), 0, 86400,
     .unit = 1000000000},
    {"Apply", "Mode", KEY_CHOICE, AT(apply_mode), .choices = "auto|slices|none"},
    {"Apply", "BatchSliceUSec", KEY_UINT, AT(apply.tiers[PROCDB_TIER_BATCH].slice_us), 0,
     PROCDB_SLICE_MAX_US, .least = PROCDB_SLICE_MIN_US},
    {"Apply", "InteractiveSliceUSec", KEY_UINT, AT(apply.tiers[PROCDB_TIER_INTERACTIVE].slice_us),
     0, PROCDB_SLICE_MAX_US, .least = PROCDB_SLICE_MIN_US},
    {"Apply", "LatCriticalSliceUSec", KEY_UINT, AT(apply.tiers[PROCDB_TIER_LAT_CRITICAL].slice_us),
     0, PROCDB_SLICE_MAX_US, .least = PROCDB_SLICE_MIN_US},
    {"Apply", "BatchNice", KEY_UINT, AT(apply.tiers[PROCDB_TIER_BATCH].nice), 0,
     PROCDB_SLICE_NICE_MAX},
    {"Apply", "InteractiveNice", KEY_UINT, AT(apply.tiers[PROCDB_TIER_INTERACTIVE].nice), 0,
     PROCDB_SLICE_NICE_MAX},
    {"Apply", "MaxPerSecond", KEY_UINT, AT(apply.max_per_second), 1, 1000000},
    {"Apply", "Guard", KEY_FLAG, AT(apply.guard)},
    {"Apply", "LongSliceAmongGroups", KEY_FLAG, AT(apply.long_among_groups)},
    {"Learning", "MinObservations", KEY_UINT, AT(engine.rules.min_observations), 1, 1000},
    {"Learning", "MinConfidence", KEY_DOUBLE, AT(engine.rules.min_confidence), 0, 1},
    {"Learning", "MaxProfiles", KEY_UINT, AT(engine.rules.max_profiles), 1, PROCDB_PROFILES_LIMIT},
    {"Learning", "StaleTicks", KEY_UINT64, AT(engine.rules.stale_ticks), 1, 604800},
    {"Learning", "MaxUserTier", KEY_TIER, AT(engine.max_user_tier)},
    /* As far as owners are users, not blocks of them: procdb_owner_of_uid(). */
    {"Learning", "ProtectBelowUID", KEY_UINT, AT(engine.protect_below_uid), 0, 60000},
    {"Database", "Path", KEY_PATH, AT(database)},
    {"Database", "RetentionDays", KEY_UINT, AT(engine.retention_days), 0, 36500},
    {"Database", "MaxRetained", KEY_UINT, AT(engine.max_retained), 0, PROCDB_RETAINED_LIMIT},
    {"Database", "MaxCandidates", KEY_UINT, AT(engine.max_candidates), 0, PROCDB_PROFILES_LIMIT},
    {"Database", "SaveIntervalSec", KEY_UINT, AT(engine.save_interval_s), 0, 86400},
};

const ProcdbConfigKey *procdb_config_key_find(const char *group, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].group, group) && g_str_equal(keys[i].name, name))
			return &keys[i];
	return NULL;
}

const ProcdbConfigKey *procdb_config_key_find_similar(const char *group, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_ascii_strcasecmp(keys[i].name, name) == 0 &&
		    (!group || g_ascii_strcasecmp(keys[i].group, group) == 0))
			return &keys[i];
	return NULL;
}

gboolean procdb_config_is_section(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].group, name))
			return TRUE;
	return FALSE;
}

char *procdb_config_key_value(const ProcdbConfig *config, const ProcdbConfigKey *key)
{
	const void *at = (const char *)config + key->offset;
	char buffer[G_ASCII_DTOSTR_BUF_SIZE];

	switch (key->type) {
	case KEY_FLAG:
		return g_strdup(*(const guint32 *)at ? "yes" : "no");
	case KEY_TIER:
		return g_strdup(procdb_tier_name(*(const guint *)at));
	case KEY_UINT:
		return g_strdup_printf("%u", *(const guint *)at);
	case KEY_UINT64:
		return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at);
	case KEY_TIME:
		return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at / key->unit);
	case KEY_DOUBLE:
		return g_strdup(g_ascii_formatd(buffer, sizeof(buffer), "%g", *(const double *)at));
	case KEY_NAMES:
		return g_strjoinv(";", *(const GStrv *)at);
	default:
		return g_strdup(*(char *const *)at);
	}
}

static gboolean set_number(void *at, const ProcdbConfigKey *key, const char *value)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, (guint64)key->min, (guint64)key->max, &number,
					NULL))
		return FALSE;
	if (number > 0 && number < key->least)
		return FALSE;
	if (key->type == KEY_UINT)
		*(guint *)at = (guint)number;
	else
		*(guint64 *)at = key->type == KEY_TIME ? number * key->unit : number;
	return TRUE;
}

static gboolean set_flag(guint32 *at, const char *value)
{
	static const char *const yes[] = {"yes", "true", "on", "1", NULL};
	static const char *const no[] = {"no", "false", "off", "0", NULL};

	if (!g_strv_contains(yes, value) && !g_strv_contains(no, value))
		return FALSE;
	*at = g_strv_contains(yes, value);
	return TRUE;
}

static gboolean set_tier(guint *at, const char *value)
{
	enum procdb_tier tier;

	if (!procdb_tier_parse(value, &tier))
		return FALSE;
	*at = tier;
	return TRUE;
}

static gboolean set_double(double *at, const ProcdbConfigKey *key, const char *value)
{
	char *end;
	double number = g_ascii_strtod(value, &end);

	/* Written so that a NaN is refused. */
	if (end == value || *end || !(number >= key->min && number <= key->max))
		return FALSE;
	*at = number;
	return TRUE;
}

static gboolean set_string(char **at, const ProcdbConfigKey *key, const char *value)
{
	/* It is shown on the bus, where text is UTF-8. */
	if (key->type == KEY_PATH &&
	    !(g_path_is_absolute(value) && g_utf8_validate(value, -1, NULL)))
		return FALSE;
	if (key->type == KEY_CHOICE) {
		g_auto(GStrv) choices = g_strsplit(key->choices, "|", -1);

		if (!g_strv_contains((const char *const *)choices, value))
			return FALSE;
	}
	g_free(*at);
	*at = g_strdup(value);
	return TRUE;
}

static gboolean set_names(GStrv *at, const char *value)
{
	g_auto(GStrv) names = g_strsplit(value, ";", -1);
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	for (guint i = 0; names[i]; i++)
		if (*g_strstrip(names[i]))
			g_strv_builder_add(builder, names[i]);
	g_strfreev(*at);
	*at = g_strv_builder_end(builder);
	return TRUE;
}

static gboolean set_key(ProcdbConfig *config, const ProcdbConfigKey *key, const char *value)
{
	void *at = (char *)config + key->offset;

	switch (key->type) {
	case KEY_FLAG:
		return set_flag(at, value);
	case KEY_TIER:
		return set_tier(at, value);
	case KEY_UINT:
	case KEY_UINT64:
	case KEY_TIME:
		return set_number(at, key, value);
	case KEY_DOUBLE:
		return set_double(at, key, value);
	case KEY_NAMES:
		return set_names(at, value);
	default:
		return set_string(at, key, value);
	}
}

static char *one_of(const char *choices)
{
	g_auto(GStrv) words = g_strsplit(choices, "|", -1);
	g_autofree char *known = g_strjoinv(", ", words);

	return g_strconcat("one of ", known, NULL);
}

static char *numbers(const ProcdbConfigKey *key)
{
	if (key->least == 0)
		return g_strdup_printf("a whole number from %.0f to %.0f", key->min, key->max);
	return g_strdup_printf("0, or a whole number from %" G_GUINT64_FORMAT " to %.0f",
			       key->least, key->max);
}

static char *allowed(const ProcdbConfigKey *key)
{
	switch (key->type) {
	case KEY_FLAG:
		return g_strdup("yes or no");
	case KEY_TIER:
		return g_strdup("one of batch, interactive, lat-critical");
	case KEY_CHOICE:
		return one_of(key->choices);
	case KEY_PATH:
		return g_strdup("an absolute path in UTF-8");
	case KEY_DOUBLE:
		return g_strdup_printf("a number from %g to %g", key->min, key->max);
	default:
		return numbers(key);
	}
}

char *procdb_config_set(ProcdbConfig *config, const char *group, const char *name,
			const char *value)
{
	const ProcdbConfigKey *key = procdb_config_key_find(group, name);
	g_autofree char *escaped = g_strescape(value, NULL);
	g_autofree char *want = NULL;

	if (!key)
		return g_strdup_printf("[%s] %s is not a known setting", group, name);
	if (set_key(config, key, value))
		return NULL;
	want = allowed(key);
	return g_strdup_printf("[%s] %s=%s is not allowed: it has to be %s", group, name, escaped,
			       want);
}

char *procdb_config_get(const ProcdbConfig *config, const char *group, const char *name)
{
	const ProcdbConfigKey *key = procdb_config_key_find(group, name);

	return key ? procdb_config_key_value(config, key) : NULL;
}

gboolean procdb_config_key(guint i, const char **group, const char **name)
{
	if (i >= G_N_ELEMENTS(keys))
		return FALSE;
	*group = keys[i].group;
	*name = keys[i].name;
	return TRUE;
}
