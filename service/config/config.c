/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "config.h"

#include <stddef.h>
#include <string.h>

#include "syntax.h"

typedef enum {
	KEY_UINT,   /* guint */
	KEY_UINT64, /* guint64 */
	KEY_TIME,   /* guint64, ns; files say it in units */
	KEY_FLAG,   /* guint32, 0 or 1, of a struct that BPF reads */
	KEY_DOUBLE,
	KEY_TIER,   /* guint, enum procdb_tier */
	KEY_CHOICE, /* char *, one of choices */
	KEY_PATH,   /* char *, absolute */
	KEY_NAMES,  /* GStrv of task names */
} KeyType;

typedef struct {
	const char *group;
	const char *name;
	KeyType type;
	size_t offset; /* in ProcdbConfig */
	double min;    /* of numbers */
	double max;
	const char *choices; /* separated by "|" */
	guint64 unit;	     /* of KEY_TIME, in ns */
} Key;

#define AT(member) offsetof(ProcdbConfig, member)

static const Key keys[] = {
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
     PROCDB_SLICE_MAX_US},
    {"Apply", "InteractiveSliceUSec", KEY_UINT, AT(apply.tiers[PROCDB_TIER_INTERACTIVE].slice_us),
     0, PROCDB_SLICE_MAX_US},
    {"Apply", "LatCriticalSliceUSec", KEY_UINT, AT(apply.tiers[PROCDB_TIER_LAT_CRITICAL].slice_us),
     0, PROCDB_SLICE_MAX_US},
    {"Apply", "BatchNice", KEY_UINT, AT(apply.tiers[PROCDB_TIER_BATCH].nice), 0,
     PROCDB_SLICE_NICE_MAX},
    {"Apply", "InteractiveNice", KEY_UINT, AT(apply.tiers[PROCDB_TIER_INTERACTIVE].nice), 0,
     PROCDB_SLICE_NICE_MAX},
    {"Apply", "MaxPerSecond", KEY_UINT, AT(apply.max_per_second), 1, 1000000},
    {"Learning", "MinObservations", KEY_UINT, AT(engine.rules.min_observations), 1, 1000},
    {"Learning", "MinConfidence", KEY_DOUBLE, AT(engine.rules.min_confidence), 0, 1},
    {"Learning", "MaxProfiles", KEY_UINT, AT(engine.rules.max_profiles), 1, PROCDB_PROFILES_LIMIT},
    {"Learning", "StaleTicks", KEY_UINT64, AT(engine.rules.stale_ticks), 1, 604800},
    {"Learning", "MaxUserTier", KEY_TIER, AT(engine.max_user_tier)},
    {"Database", "Path", KEY_PATH, AT(database)},
    {"Database", "RetentionDays", KEY_UINT, AT(engine.retention_days), 0, 36500},
    {"Database", "MaxRetained", KEY_UINT, AT(engine.max_retained), 0, PROCDB_RETAINED_LIMIT},
    {"Database", "MaxCandidates", KEY_UINT, AT(engine.max_candidates), 0, PROCDB_PROFILES_LIMIT},
    {"Database", "SaveIntervalSec", KEY_UINT, AT(engine.save_interval_s), 0, 86400},
};

static const char *const default_compositors[] = {
    "gnome-shell", "kwin_wayland", "kwin_x11", "sway",	"Hyprland",    "weston",
    "labwc",	   "wayfire",	   "niri",     "river", "cosmic-comp", "mutter",
    "xfwm4",	   "Xorg",	   "Xwayland", NULL,
};

void procdb_config_init(ProcdbConfig *config)
{
	*config = (ProcdbConfig){
	    .engine = procdb_engine_default_settings,
	    .apply = procdb_apply_default_settings,
	    .apply_mode = g_strdup(procdb_apply_mode_name(PROCDB_APPLY_AUTO)),
	    .backend = g_strdup("auto"),
	    .database = g_strdup(PROCDB_DEFAULT_DATABASE),
	    .observer = {PROCDB_OBSERVING_DEFAULTS, g_strdupv((GStrv)default_compositors)},
	    .overrides = procdb_declarations_new(),
	};
}

void procdb_config_clear(ProcdbConfig *config)
{
	g_clear_pointer(&config->apply_mode, g_free);
	g_clear_pointer(&config->backend, g_free);
	g_clear_pointer(&config->database, g_free);
	procdb_observer_settings_clear(&config->observer);
	g_clear_pointer(&config->overrides, g_hash_table_unref);
}

void procdb_config_copy(ProcdbConfig *to, const ProcdbConfig *from)
{
	*to = *from;
	to->apply_mode = g_strdup(from->apply_mode);
	to->backend = g_strdup(from->backend);
	to->database = g_strdup(from->database);
	procdb_observer_settings_copy(&to->observer, &from->observer);
	to->overrides = procdb_declarations_copy(from->overrides);
}

ProcdbObserverSettings procdb_config_observer(const ProcdbConfig *config)
{
	ProcdbObserverSettings settings = config->observer;

	settings.observing.max_user_tier = config->engine.max_user_tier;
	return settings;
}

gboolean procdb_config_same_backend(const ProcdbConfig *a, const ProcdbConfig *b)
{
	const ProcdbObserverSettings x = procdb_config_observer(a), y = procdb_config_observer(b);

	return g_str_equal(a->backend, b->backend) && procdb_observer_settings_equal(&x, &y);
}

void procdb_verdict_init(ProcdbVerdict *verdict)
{
	*verdict = (ProcdbVerdict){.problems = g_ptr_array_new_with_free_func(g_free),
				   .notes = g_ptr_array_new_with_free_func(g_free)};
}

void procdb_verdict_clear(ProcdbVerdict *verdict)
{
	g_clear_pointer(&verdict->problems, g_ptr_array_unref);
	g_clear_pointer(&verdict->notes, g_ptr_array_unref);
}

static const Key *find_key(const char *group, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].group, group) && g_str_equal(keys[i].name, name))
			return &keys[i];
	return NULL;
}

/* The value in force, as a file would say it. */
static char *value_of(const ProcdbConfig *config, const Key *key)
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

static gboolean set_number(void *at, const Key *key, const char *value)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(value, 10, (guint64)key->min, (guint64)key->max, &number,
					NULL))
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

static gboolean set_double(double *at, const Key *key, const char *value)
{
	char *end;
	double number = g_ascii_strtod(value, &end);

	/* Written so that a NaN is refused. */
	if (end == value || *end || !(number >= key->min && number <= key->max))
		return FALSE;
	*at = number;
	return TRUE;
}

static gboolean set_string(char **at, const Key *key, const char *value)
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

static gboolean set_key(ProcdbConfig *config, const Key *key, const char *value)
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

static char *allowed(const Key *key)
{
	switch (key->type) {
	case KEY_FLAG:
		return g_strdup("yes or no");
	case KEY_TIER:
		return g_strdup("one of batch interactive lat-critical");
	case KEY_CHOICE:
		return g_strdelimit(g_strdup_printf("one of %s", key->choices), "|", ' ');
	case KEY_PATH:
		return g_strdup("an absolute path in UTF-8");
	case KEY_DOUBLE:
		return g_strdup_printf("a number from %g to %g", key->min, key->max);
	default:
		return g_strdup_printf("a whole number from %.0f to %.0f", key->min, key->max);
	}
}

char *procdb_config_set(ProcdbConfig *config, const char *group, const char *name,
			const char *value)
{
	const Key *key = find_key(group, name);
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
	const Key *key = find_key(group, name);

	return key ? value_of(config, key) : NULL;
}

gboolean procdb_config_key(guint i, const char **group, const char **name)
{
	if (i >= G_N_ELEMENTS(keys))
		return FALSE;
	*group = keys[i].group;
	*name = keys[i].name;
	return TRUE;
}

/* A copy of a sentence, with \\xNN for what a terminal or the bus could not take. */
static char *printable(const char *raw)
{
	GString *text = g_string_new(NULL);

	for (const char *c = raw; *c;) {
		gunichar character = g_utf8_get_char_validated(c, -1);

		/* (gunichar)-1 and -2, for invalid ones, are not printable either. */
		if (g_unichar_isprint(character)) {
			g_string_append_unichar(text, character);
			c = g_utf8_next_char(c);
		} else {
			g_string_append_printf(text, "\\x%02x", (guchar)*c++);
		}
	}
	return g_string_free(text, FALSE);
}

static void take_sentence(GPtrArray *sentences, char *raw)
{
	g_ptr_array_add(sentences, printable(raw));
	g_free(raw);
}

/* What the lines of one file are read with. */
typedef struct {
	ProcdbConfig *config;
	const ProcdbConfig *running;
	const char *path;
	ProcdbVerdict *verdict;
} Reading;

static const Key *find_similar(const char *group, const char *name)
{
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		if (g_ascii_strcasecmp(keys[i].name, name) == 0 &&
		    (!group || g_ascii_strcasecmp(keys[i].group, group) == 0))
			return &keys[i];
	return NULL;
}

static gboolean is_group(const char *name)
{
	for (gsize i = 0; name && i < G_N_ELEMENTS(keys); i++)
		if (g_str_equal(keys[i].group, name))
			return TRUE;
	return FALSE;
}

/* Whether a line that is wrong may have been meant to say what is applied. */
static gboolean may_concern_apply(const ProcdbConfigLine *line)
{
	g_autofree char *section = g_ascii_strdown(line->section ? line->section : "", -1);
	const Key *key;

	if (line->section && g_str_equal(line->section, "Overrides"))
		return FALSE;
	if (line->section && is_group(line->section))
		return g_str_equal(line->section, "Apply");
	if (!line->key || strstr(section, "apply"))
		return TRUE;
	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
		key = &keys[i];
		if (g_str_equal(key->group, "Apply") &&
		    g_ascii_strcasecmp(key->name, line->key) == 0)
			return TRUE;
	}
	return FALSE;
}

/* What comes of a line that is wrong, to follow what is said of it. The caller frees it. */
static char *consequence(const Reading *reading, const ProcdbConfigLine *line, const Key *key)
{
	g_autofree char *in_force = NULL;

	if (!reading->running && may_concern_apply(line))
		return g_strdup("; nothing is applied until it is fixed");
	if (!key)
		return g_strdup(reading->running ? "" : "; it is ignored");
	in_force = value_of(reading->running ? reading->running : reading->config, key);
	return g_strdup_printf("; %s stays in force", in_force);
}

/* What the author of a wrong line may have had in mind; "" if it is not plain. */
static char *hint(const ProcdbConfigLine *line, const Key *key)
{
	const Key *similar;

	if (!line->key)
		return g_strdup("");
	if (key) {
		if (strpbrk(line->value, "#;"))
			return g_strdup(" (a comment needs a line of its own)");
		return g_strdup(*line->value == '"' || *line->value == '\''
				    ? " (without quotation marks)"
				    : "");
	}
	similar = find_similar(line->section, line->key);
	if (!similar && !is_group(line->section))
		similar = find_similar(NULL, line->key);
	return similar ? g_strdup_printf(" (there is [%s] %s=)", similar->group, similar->name)
		       : g_strdup("");
}

/* A file in /etc comes before one in /run, and that before one of a package. */
static guint rank_of(const char *path)
{
	return g_str_has_prefix(path, PROCDB_VENDORDIR "/") ? 0
	       : g_str_has_prefix(path, PROCDB_RUNDIR "/")  ? 1
							    : 2;
}

/* A line of [Overrides]: the name of a task, and its tier. */
static char *take_override(const Reading *reading, const ProcdbConfigLine *line)
{
	const gsize length = strlen(line->key);
	const ProcdbDeclaration *before;
	struct procdb_comm comm = {0};
	enum procdb_tier tier;

	/* The kernel keeps 15 bytes (TASK_COMM_LEN in include/linux/sched.h of Linux). */
	if (length >= PROCDB_COMM_LEN)
		return g_strdup_printf(
		    "[Overrides] no task is named %s: the kernel keeps 15 bytes, "
		    "%.15s",
		    line->key, line->key);
	if (!procdb_tier_parse(line->value, &tier))
		return g_strdup_printf(
		    "[Overrides] %s=%s is not allowed: it has to be one of batch "
		    "interactive lat-critical",
		    line->key, line->value);
	memcpy(comm.bytes, line->key, length);
	before = g_hash_table_lookup(reading->config->overrides, &comm);
	if (before && rank_of(before->source) > rank_of(reading->path))
		return NULL;
	if (!before && g_hash_table_size(reading->config->overrides) >= PROCDB_MAX_OVERRIDES)
		return g_strdup_printf("[Overrides] %s is beyond the limit of %u overrides",
				       line->key, PROCDB_MAX_OVERRIDES);
	procdb_declarations_set(reading->config->overrides, &comm, tier, reading->path);
	return NULL;
}

/* What is wrong with a line, NULL if nothing is. The caller frees it. */
static char *take_line(const Reading *reading, const ProcdbConfigLine *line)
{
	if (!line->key && *line->text == '[')
		return g_strdup_printf("the section %s does not end with ]", line->text);
	if (!line->key)
		return g_strdup_printf("\"%s\" is neither Key=value nor a comment", line->text);
	if (!line->section)
		return g_strdup_printf("%s= comes before the first section", line->key);
	if (g_str_equal(line->section, "Overrides"))
		return take_override(reading, line);
	return procdb_config_set(reading->config, line->section, line->key, line->value);
}

static void read_line(const ProcdbConfigLine *line, gpointer user_data)
{
	const Reading *reading = user_data;
	const Key *key = line->section && line->key ? find_key(line->section, line->key) : NULL;
	g_autofree char *problem = NULL;
	g_autofree char *meant = NULL;
	g_autofree char *then = NULL;

	/* As for systemd: notes of other programs. */
	if ((line->section && g_str_has_prefix(line->section, "X-")) ||
	    (line->key && g_str_has_prefix(line->key, "X-")))
		return;
	problem = take_line(reading, line);
	if (!problem)
		return;
	meant = hint(line, key);
	then = consequence(reading, line, key);
	reading->verdict->apply_unclear |= may_concern_apply(line);
	take_sentence(
	    reading->verdict->problems,
	    g_strdup_printf("%s:%u: %s%s%s", reading->path, line->number, problem, meant, then));
}

static void read_file(const Reading *reading)
{
	g_autoptr(GError) error = NULL;
	gsize len;
	g_autofree char *text = procdb_config_read_file(reading->path, &len, &error);

	if (text) {
		if (len == 0)
			take_sentence(reading->verdict->notes,
				      g_strdup_printf("%s: the file is empty", reading->path));
		procdb_config_parse(text, len, read_line, (gpointer)reading);
		return;
	}
	/* A file that cannot be read may contain [Apply]. */
	reading->verdict->apply_unclear = TRUE;
	take_sentence(reading->verdict->problems,
		      g_strdup_printf("%s: %s%s", reading->path, error->message,
				      reading->running
					  ? ""
					  : "; it is ignored as a whole, and nothing is "
					    "applied until it is fixed"));
}

void procdb_config_read(ProcdbConfig *config, const ProcdbConfig *running, const char *const *files,
			ProcdbVerdict *verdict)
{
	for (; *files; files++) {
		const Reading reading = {config, running, *files, verdict};

		read_file(&reading);
	}
	if (running || !verdict->apply_unclear)
		return;
	g_free(config->apply_mode);
	config->apply_mode = g_strdup(procdb_apply_mode_name(PROCDB_APPLY_NONE));
}
