/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "config.h"

#include <stddef.h>
#include <string.h>

#define FILE_NAME "procdb.conf"

typedef enum {
	KEY_BOOL,   /* gboolean */
	KEY_UINT,   /* guint */
	KEY_UINT64, /* guint64 */
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
} Key;

#define AT(member) offsetof(ProcdbConfig, member)

static const Key keys[] = {
    {"Service", "Backend", KEY_CHOICE, AT(backend),
     .choices = "auto|observer|sched-ext|pinned|none"},
    {"Service", "Compositors", KEY_NAMES, AT(compositors)},
    {"Observer", "Maturity", KEY_BOOL, AT(observe_maturity)},
    {"Observer", "Exit", KEY_BOOL, AT(observe_exit)},
    {"Observer", "ReferenceRule", KEY_BOOL, AT(reference_rule)},
    {"Observer", "ExitMinUSec", KEY_UINT, AT(exit_min_us), 0, 10000000},
    {"Observer", "RenewSec", KEY_UINT, AT(renew_s), 0, 86400},
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
	    .compositors = g_strdupv((GStrv)default_compositors),
	    .observe_maturity = TRUE,
	    .observe_exit = TRUE,
	    .exit_min_us = 250,
	    .renew_s = 10,
	};
}

void procdb_config_clear(ProcdbConfig *config)
{
	g_clear_pointer(&config->apply_mode, g_free);
	g_clear_pointer(&config->backend, g_free);
	g_clear_pointer(&config->database, g_free);
	g_clear_pointer(&config->compositors, g_strfreev);
}

void procdb_config_copy(ProcdbConfig *to, const ProcdbConfig *from)
{
	*to = *from;
	to->apply_mode = g_strdup(from->apply_mode);
	to->backend = g_strdup(from->backend);
	to->database = g_strdup(from->database);
	to->compositors = g_strdupv(from->compositors);
}

gboolean procdb_config_same_maps(const ProcdbConfig *a, const ProcdbConfig *b)
{
	return g_str_equal(a->backend, b->backend) &&
	       g_strv_equal((const char *const *)a->compositors,
			    (const char *const *)b->compositors) &&
	       a->observe_maturity == b->observe_maturity && a->observe_exit == b->observe_exit &&
	       a->reference_rule == b->reference_rule && a->exit_min_us == b->exit_min_us && a->renew_s == b->renew_s &&
	       a->engine.max_user_tier == b->engine.max_user_tier;
}

static void add_if_there(GPtrArray *files, char *path)
{
	if (g_file_test(path, G_FILE_TEST_EXISTS))
		g_ptr_array_add(files, path);
	else
		g_free(path);
}

static int compare_paths(gconstpointer a, gconstpointer b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void add_drop_ins(GPtrArray *files, const char *folder)
{
	g_autoptr(GPtrArray) found = g_ptr_array_new();
	g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
	const char *name;

	/* Names with a dot in front are what editors leave while they are open. */
	while (dir && (name = g_dir_read_name(dir)))
		if (g_str_has_suffix(name, ".conf") && *name != '.')
			g_ptr_array_add(found, g_build_filename(folder, name, NULL));
	g_ptr_array_sort(found, compare_paths);
	g_ptr_array_extend_and_steal(files, g_steal_pointer(&found));
}

GStrv procdb_config_files(const char *explicit_file)
{
	GPtrArray *files = g_ptr_array_new();

	if (explicit_file) {
		g_ptr_array_add(files, g_strdup(explicit_file));
	} else {
		add_if_there(files, g_build_filename(PROCDB_VENDORDIR, FILE_NAME, NULL));
		add_if_there(files, g_build_filename(PROCDB_CONFDIR, FILE_NAME, NULL));
		add_drop_ins(files, PROCDB_CONFDIR "/" FILE_NAME ".d");
	}
	g_ptr_array_add(files, NULL);
	return (GStrv)g_ptr_array_free(files, FALSE);
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
	case KEY_BOOL:
		return g_strdup(*(const gboolean *)at ? "yes" : "no");
	case KEY_TIER:
		return g_strdup(procdb_tier_name(*(const guint *)at));
	case KEY_UINT:
		return g_strdup_printf("%u", *(const guint *)at);
	case KEY_UINT64:
		return g_strdup_printf("%" G_GUINT64_FORMAT, *(const guint64 *)at);
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
		*(guint64 *)at = number;
	return TRUE;
}

static gboolean set_bool(gboolean *at, const char *value)
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
	case KEY_BOOL:
		return set_bool(at, value);
	case KEY_TIER:
		return set_tier(at, value);
	case KEY_UINT:
	case KEY_UINT64:
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
	case KEY_BOOL:
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
		return g_strdup_printf("[%s] %s is no setting", group, name);
	if (set_key(config, key, value))
		return NULL;
	want = allowed(key);
	return g_strdup_printf("[%s] %s=%s is not allowed: it has to be %s", group, name, escaped,
			       want);
}

/* What comes of a problem with a key (NULL: no such key), to follow the problem. */
static char *consequence(const ProcdbConfig *config, const ProcdbConfig *running, const Key *key)
{
	g_autofree char *in_force = key ? value_of(running ? running : config, key) : NULL;

	if (in_force)
		return g_strdup_printf("; %s stays in force", in_force);
	return g_strdup(running ? "" : "; it is ignored");
}

/* Adds a sentence to problems, with \xNN for what a terminal or the bus could not take. */
static void add_problem(GPtrArray *problems, const char *path, const char *what)
{
	g_autofree char *raw = g_strdup_printf("%s: %s", path, what);
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
	g_ptr_array_add(problems, g_string_free(text, FALSE));
}

static void read_group(ProcdbConfig *config, const ProcdbConfig *running, GKeyFile *file,
		       const char *path, const char *group, GPtrArray *problems)
{
	g_auto(GStrv) names = g_key_file_get_keys(file, group, NULL, NULL);

	for (guint i = 0; names && names[i]; i++) {
		g_autofree char *value = g_key_file_get_value(file, group, names[i], NULL);
		g_autofree char *problem =
		    procdb_config_set(config, group, names[i], g_strstrip(value));

		if (problem) {
			g_autofree char *then =
			    consequence(config, running, find_key(group, names[i]));
			g_autofree char *sentence = g_strconcat(problem, then, NULL);

			add_problem(problems, path, sentence);
		}
	}
}

/* Others may never end: a FIFO waits for a writer. */
static gboolean load(GKeyFile *file, const char *path, GError **error)
{
	if (g_file_test(path, G_FILE_TEST_EXISTS) && !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
		g_set_error_literal(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
				    "it is not a regular file");
		return FALSE;
	}
	return g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, error);
}

void procdb_config_read(ProcdbConfig *config, const ProcdbConfig *running, const char *const *files,
			GPtrArray *problems)
{
	for (; *files; files++) {
		g_autoptr(GKeyFile) file = g_key_file_new();
		g_autoptr(GError) error = NULL;
		g_auto(GStrv) groups = NULL;

		if (!load(file, *files, &error)) {
			g_autofree char *what = g_strdup_printf(
			    "%s%s", error->message, running ? "" : "; it is ignored as a whole");

			add_problem(problems, *files, what);
			continue;
		}
		groups = g_key_file_get_groups(file, NULL);
		for (guint i = 0; groups[i]; i++)
			read_group(config, running, file, *files, groups[i], problems);
	}
}
