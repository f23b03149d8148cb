/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "config.h"

#include <string.h>

#include "escape.h"
#include "keys.h"
#include "syntax.h"

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

/* Takes a sentence, which may have bytes of a file that a terminal or the bus could not take. */
static void take_sentence(GPtrArray *sentences, char *raw)
{
	g_ptr_array_add(sentences, escape_plain(raw));
	g_free(raw);
}

/* The state while the lines of one file are read. */
typedef struct {
	ProcdbConfig *config;
	const ProcdbConfig *running;
	const char *path;
	ProcdbVerdict *verdict;
} Reading;

/* Whether a line that is wrong may have been meant to say what is applied. */
static gboolean may_concern_apply(const ProcdbConfigLine *line)
{
	g_autofree char *section = g_ascii_strdown(line->section ? line->section : "", -1);

	if (line->section && g_str_equal(line->section, "Overrides"))
		return FALSE;
	if (line->section && procdb_config_is_section(line->section))
		return g_str_equal(line->section, "Apply");
	if (!line->key || strstr(section, "apply"))
		return TRUE;
	return procdb_config_key_find_similar("Apply", line->key) != NULL;
}

/*
 * The consequence of a wrong line, the second half of the sentence about it. The caller frees it.
 */
static char *consequence(const Reading *reading, const ProcdbConfigLine *line,
			 const ProcdbConfigKey *key)
{
	g_autofree char *in_force = NULL;

	if (!reading->running && may_concern_apply(line))
		return g_strdup("; nothing is applied until it is fixed");
	if (!key)
		return g_strdup(reading->running ? "" : "; it is ignored");
	in_force =
	    procdb_config_key_value(reading->running ? reading->running : reading->config, key);
	return g_strdup_printf("; %s stays in force", in_force);
}

/* A hint at what a wrong line may have been meant to be; "" if there is none. */
static char *hint(const ProcdbConfigLine *line, const ProcdbConfigKey *key)
{
	const ProcdbConfigKey *similar;

	if (!line->key)
		return g_strdup("");
	if (key) {
		if (strpbrk(line->value, "#;"))
			return g_strdup(" (a comment needs a line of its own)");
		return g_strdup(*line->value == '"' || *line->value == '\''
				    ? " (without quotation marks)"
				    : "");
	}
	similar = procdb_config_key_find_similar(line->section, line->key);
	if (!similar && !procdb_config_is_section(line->section))
		similar = procdb_config_key_find_similar(NULL, line->key);
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
		    "[Overrides] %s=%s is not allowed: it has to be one of batch, "
		    "interactive, lat-critical",
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

/* The fault of a line, or NULL for a good one. The caller frees it. */
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
	const ProcdbConfigKey *key =
	    line->section && line->key ? procdb_config_key_find(line->section, line->key) : NULL;
	g_autofree char *problem = NULL;
	g_autofree char *meant = NULL;
	g_autofree char *then = NULL;

	/* As for systemd: notes of other programs. Where keys are names of tasks, X-Plane is one.
	 */
	if ((line->section && g_str_has_prefix(line->section, "X-")) ||
	    (line->key && g_str_has_prefix(line->key, "X-") &&
	     !(line->section && g_str_equal(line->section, "Overrides"))))
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
