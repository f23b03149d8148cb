/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "program.h"

#include <math.h>

#include <gio/gdesktopappinfo.h>

#include "figures.h"

struct _MonitorProgram {
	GObject parent;
	char *name;
	char *title;
	char *word; /* a tier or "brief" */
	char *tier; /* the same as it is shown */
	char *origin;
	char *cpu_text;
	char *wakeups_text;
	char *application;
	GIcon *icon;
	double cpu; /* of one CPU, to a thousandth */
	double wakeups;
	double confidence;
	int rank;
	gboolean is_kernel_thread;
	gboolean is_overridden;
	gint64 taken_us;
};

G_DEFINE_FINAL_TYPE(MonitorProgram, monitor_program, G_TYPE_OBJECT)

enum {
	PROP_NAME = 1,
	PROP_TITLE,
	PROP_WORD,
	PROP_TIER,
	PROP_ORIGIN,
	PROP_CPU_TEXT,
	PROP_WAKEUPS_TEXT,
	PROP_ICON,
	PROP_CPU,
	PROP_WAKEUPS,
	PROP_CONFIDENCE,
	PROP_RANK,
	PROP_IS_KERNEL_THREAD,
	PROP_COUNT,
};

static GParamSpec *properties[PROP_COUNT];

static void get_property(GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
	MonitorProgram *self = MONITOR_PROGRAM(object);

	switch (id) {
	case PROP_NAME:
		g_value_set_string(value, self->name);
		break;
	case PROP_TITLE:
		g_value_set_string(value, self->title);
		break;
	case PROP_WORD:
		g_value_set_string(value, self->word);
		break;
	case PROP_TIER:
		g_value_set_string(value, self->tier);
		break;
	case PROP_ORIGIN:
		g_value_set_string(value, self->origin);
		break;
	case PROP_CPU_TEXT:
		g_value_set_string(value, self->cpu_text);
		break;
	case PROP_WAKEUPS_TEXT:
		g_value_set_string(value, self->wakeups_text);
		break;
	case PROP_ICON:
		g_value_set_object(value, self->icon);
		break;
	case PROP_CPU:
		g_value_set_double(value, self->cpu);
		break;
	case PROP_WAKEUPS:
		g_value_set_double(value, self->wakeups);
		break;
	case PROP_CONFIDENCE:
		g_value_set_double(value, self->confidence);
		break;
	case PROP_RANK:
		g_value_set_int(value, self->rank);
		break;
	case PROP_IS_KERNEL_THREAD:
		g_value_set_boolean(value, self->is_kernel_thread);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, pspec);
	}
}

static void finalize(GObject *object)
{
	MonitorProgram *self = MONITOR_PROGRAM(object);

	g_free(self->name);
	g_free(self->title);
	g_free(self->word);
	g_free(self->tier);
	g_free(self->origin);
	g_free(self->cpu_text);
	g_free(self->wakeups_text);
	g_free(self->application);
	g_clear_object(&self->icon);
	G_OBJECT_CLASS(monitor_program_parent_class)->finalize(object);
}

static void install(GObjectClass *class, guint id, GParamSpec *pspec)
{
	properties[id] = pspec;
	g_object_class_install_property(class, id, pspec);
}

static void monitor_program_class_init(MonitorProgramClass *class)
{
	GObjectClass *object_class = G_OBJECT_CLASS(class);
	const GParamFlags flags =
	    G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY;
	static const struct {
		guint id;
		const char *name;
	} texts[] =
	    {
		{PROP_NAME, "name"},
		{PROP_TITLE, "title"},
		{PROP_WORD, "word"},
		{PROP_TIER, "tier"},
		{PROP_ORIGIN, "origin"},
		{PROP_CPU_TEXT, "cpu-text"},
		{PROP_WAKEUPS_TEXT, "wakeups-text"},
	    },
	  numbers[] = {
	      {PROP_CPU, "cpu"},
	      {PROP_WAKEUPS, "wakeups"},
	      {PROP_CONFIDENCE, "confidence"},
	  };

	object_class->get_property = get_property;
	object_class->finalize = finalize;
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
		install(object_class, texts[i].id,
			g_param_spec_string(texts[i].name, NULL, NULL, NULL, flags));
	for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
		install(object_class, numbers[i].id,
			g_param_spec_double(numbers[i].name, NULL, NULL, -G_MAXDOUBLE, G_MAXDOUBLE,
					    0, flags));
	install(object_class, PROP_ICON,
		g_param_spec_object("icon", NULL, NULL, G_TYPE_ICON, flags));
	install(object_class, PROP_RANK,
		g_param_spec_int("rank", NULL, NULL, G_MININT, G_MAXINT, 0, flags));
	install(object_class, PROP_IS_KERNEL_THREAD,
		g_param_spec_boolean("is-kernel-thread", NULL, NULL, FALSE, flags));
}

static void monitor_program_init(MonitorProgram *self)
{
	self->rank = -1;
}

MonitorProgram *monitor_program_new(const char *name)
{
	MonitorProgram *self = g_object_new(MONITOR_TYPE_PROGRAM, NULL);

	self->name = g_strdup(name);
	return self;
}

static void notify(MonitorProgram *self, guint id)
{
	g_object_notify_by_pspec(G_OBJECT(self), properties[id]);
}

/* Takes text over. */
static void set_text(MonitorProgram *self, guint id, char **to, char *text)
{
	if (g_strcmp0(*to, text) == 0) {
		g_free(text);
		return;
	}
	g_free(*to);
	*to = text;
	notify(self, id);
}

/* No two of the numbers that are compared here differ by less than what is shown. */
static void set_number(MonitorProgram *self, guint id, double *to, double number)
{
	if (fabs(*to - number) < 1e-6)
		return;
	*to = number;
	notify(self, id);
}

static void set_cpu(MonitorProgram *self, double share)
{
	const double cpu = round(MAX(share, 0) * 1000) / 1000;

	set_number(self, PROP_CPU, &self->cpu, cpu);
	set_text(self, PROP_CPU_TEXT, &self->cpu_text,
		 cpu > 0 ? g_strdup_printf("%.1f %%", cpu * 100) : g_strdup(""));
}

static void set_wakeups(MonitorProgram *self, double per_second)
{
	const double wakeups = per_second < 10 ? round(per_second * 10) / 10 : round(per_second);

	set_number(self, PROP_WAKEUPS, &self->wakeups, wakeups);
	set_text(self, PROP_WAKEUPS_TEXT, &self->wakeups_text,
		 wakeups <= 0 ? g_strdup("") : out_true_rate(wakeups));
}

/* The icon of a desktop application, by the name of its desktop file; NULL if it has none. */
static GIcon *icon_of(const char *application)
{
	g_autofree char *file = g_strconcat(application, ".desktop", NULL);
	g_autoptr(GDesktopAppInfo) info = g_desktop_app_info_new(file);
	GIcon *icon = info ? g_app_info_get_icon(G_APP_INFO(info)) : NULL;

	return icon ? g_object_ref(icon) : NULL;
}

static void set_icon(MonitorProgram *self, const Row *row)
{
	const char *application = NULL;
	GIcon *icon = NULL;

	if (row->members)
		g_variant_lookup(row->members, "application", "&s", &application);
	if (self->icon && g_strcmp0(application, self->application) == 0)
		return;
	g_free(self->application);
	self->application = g_strdup(application);
	if (application)
		icon = icon_of(application);
	if (!icon)
		icon = g_themed_icon_new(rows_is_kernel_thread(row)
					     ? "emblem-system-symbolic"
					     : "application-x-executable-symbolic");
	g_set_object(&self->icon, icon);
	g_object_unref(icon);
	notify(self, PROP_ICON);
}

static const char *origin_of(const Row *row)
{
	if (row->held)
		return "held";
	if (g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE))
		return "override";
	return rows_predicts(row) ? "learned" : "";
}

void monitor_program_take(MonitorProgram *self, const Row *row)
{
	const char *word = rows_word(row);
	const int rank = rows_tier_rank(word);

	g_object_freeze_notify(G_OBJECT(self));
	self->taken_us = g_get_monotonic_time();
	set_icon(self, row);
	set_text(self, PROP_TITLE, &self->title, rows_title(row));
	set_text(self, PROP_WORD, &self->word, g_strdup(word));
	set_text(self, PROP_TIER, &self->tier,
		 g_strconcat(word, rows_predicts(row) ? "" : "?", NULL));
	set_text(self, PROP_ORIGIN, &self->origin, g_strdup(origin_of(row)));
	set_number(self, PROP_CONFIDENCE, &self->confidence, round(row->confidence * 100) / 100);
	set_cpu(self, row->cpu_share);
	set_wakeups(self, row->wakeups_per_second);
	if (self->rank != rank) {
		self->rank = rank;
		notify(self, PROP_RANK);
	}
	if (self->is_kernel_thread != rows_is_kernel_thread(row)) {
		self->is_kernel_thread = !self->is_kernel_thread;
		notify(self, PROP_IS_KERNEL_THREAD);
	}
	self->is_overridden = g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE);
	g_object_thaw_notify(G_OBJECT(self));
}

void monitor_program_rest(MonitorProgram *self)
{
	set_cpu(self, 0);
}

gint64 monitor_program_taken_us(MonitorProgram *self)
{
	return self->taken_us;
}

const char *monitor_program_name(MonitorProgram *self)
{
	return self->name;
}

const char *monitor_program_tier(MonitorProgram *self)
{
	return self->tier;
}

gboolean monitor_program_is_overridden(MonitorProgram *self)
{
	return self->is_overridden;
}
