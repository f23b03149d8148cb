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
	char *path;
	char *application;
	GIcon *icon;
	double cpu; /* of one CPU */
	double wakeups;
	double shown_cpu;
	double shown_wakeups;
	double sorted_cpu; /* as the list is sorted */
	double sorted_wakeups;
	int rank;
	gboolean predicts;
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
	PROP_ICON,
	PROP_CPU,
	PROP_WAKEUPS,
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
	case PROP_ICON:
		g_value_set_object(value, self->icon);
		break;
	case PROP_CPU:
		g_value_set_double(value, self->sorted_cpu);
		break;
	case PROP_WAKEUPS:
		g_value_set_double(value, self->sorted_wakeups);
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
	g_free(self->path);
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
		{PROP_NAME, "name"}, {PROP_TITLE, "title"},   {PROP_WORD, "word"},
		{PROP_TIER, "tier"}, {PROP_ORIGIN, "origin"},
	    },
	  numbers[] = {
	      {PROP_CPU, "cpu"},
	      {PROP_WAKEUPS, "wakeups"},
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

/* Returns whether it is another text. */
static gboolean set_text(MonitorProgram *self, guint id, char **to, const char *text)
{
	if (g_strcmp0(*to, text) == 0)
		return FALSE;
	g_free(*to);
	*to = g_strdup(text);
	notify(self, id);
	return TRUE;
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
	const char *application = row->application;
	GIcon *icon = NULL;

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

/* Its title, of its name and of the program that runs under it. */
static gboolean set_title(MonitorProgram *self, const Row *row)
{
	g_autofree char *title = NULL;

	if (self->title && g_strcmp0(self->path, row->program) == 0)
		return FALSE;
	g_free(self->path);
	self->path = g_strdup(row->program);
	title = rows_title(row);
	return set_text(self, PROP_TITLE, &self->title, title);
}

static gboolean set_tier(MonitorProgram *self, const Row *row)
{
	const gboolean predicts = rows_predicts(row);
	const gboolean is_other = set_text(self, PROP_WORD, &self->word, rows_word(row));
	g_autofree char *tier = NULL;

	if (!is_other && self->tier && predicts == self->predicts)
		return FALSE;
	self->predicts = predicts;
	self->rank = rows_tier_rank(self->word);
	tier = g_strconcat(self->word, predicts ? "" : "?", NULL);
	set_text(self, PROP_TIER, &self->tier, tier);
	return is_other;
}

static gboolean set_kernel_thread(MonitorProgram *self, const Row *row)
{
	if (self->is_kernel_thread == rows_is_kernel_thread(row))
		return FALSE;
	self->is_kernel_thread = !self->is_kernel_thread;
	notify(self, PROP_IS_KERNEL_THREAD);
	return TRUE;
}

/* What is shown of a number: the one before, unless it differs by a twentieth, and by least. */
static double steady(double now, double shown, double least)
{
	return now < least || fabs(now - shown) > MAX(0.05 * shown, least) ? now : shown;
}

MonitorChanges monitor_program_take(MonitorProgram *self, const Row *row)
{
	guint changes = 0;

	self->taken_us = g_get_monotonic_time();
	set_icon(self, row);
	if (set_title(self, row))
		changes |= MONITOR_CHANGES_CHOICE;
	if (set_kernel_thread(self, row))
		changes |= MONITOR_CHANGES_CHOICE;
	if (set_tier(self, row))
		changes |= MONITOR_CHANGES_CHOICE | MONITOR_CHANGES_TIER;
	if (set_text(self, PROP_ORIGIN, &self->origin, origin_of(row)))
		changes |= MONITOR_CHANGES_ORIGIN;
	self->is_overridden = g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE);
	self->cpu = MAX(row->cpu_share, 0);
	self->wakeups = MAX(row->wakeups_per_second, 0);
	self->shown_cpu = steady(self->cpu, self->shown_cpu, MONITOR_LEAST_SHARE);
	self->shown_wakeups = steady(self->wakeups, self->shown_wakeups, 0.05);
	return changes;
}

/* As top has it (client/model/order.c): what is nearly equal stays where it is. */
static gboolean is_clearly_other(double now, double then, double slack)
{
	return fabs(now - then) > slack + 0.25 * then;
}

MonitorChanges monitor_program_moves(MonitorProgram *self)
{
	guint changes = 0;

	if (is_clearly_other(self->cpu, self->sorted_cpu, 0.01))
		changes |= MONITOR_CHANGES_CPU;
	if (is_clearly_other(self->wakeups, self->sorted_wakeups, 10))
		changes |= MONITOR_CHANGES_WAKEUPS;
	return changes;
}

void monitor_program_settle(MonitorProgram *self, MonitorChanges moves)
{
	if (moves & MONITOR_CHANGES_CPU)
		self->sorted_cpu = self->cpu;
	if (moves & MONITOR_CHANGES_WAKEUPS)
		self->sorted_wakeups = self->wakeups;
}

char *monitor_program_cpu_text(MonitorProgram *self)
{
	return self->shown_cpu < MONITOR_LEAST_SHARE
		   ? g_strdup("")
		   : g_strdup_printf("%.1f %%", self->shown_cpu * 100);
}

char *monitor_program_wakeups_text(MonitorProgram *self)
{
	return self->shown_wakeups < 0.05 ? g_strdup("") : out_true_rate(self->shown_wakeups);
}

void monitor_program_rest(MonitorProgram *self, double most)
{
	if (self->cpu > most)
		self->cpu = self->shown_cpu = 0;
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
