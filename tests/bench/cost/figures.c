/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "figures.h"

#include <json-glib/json-glib.h>
#include <sys/utsname.h>
#include <unistd.h>

struct _Figures {
	JsonBuilder *json;
	guint missed;
};

static int compare_doubles(gconstpointer a, gconstpointer b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const GArray *sorted, guint percent)
{
	return g_array_index(sorted, double, (sorted->len - 1) * percent / 100);
}

Summary summarize(GArray *samples)
{
	g_assert_cmpuint(samples->len, >, 0);
	g_array_sort(samples, compare_doubles);
	return (Summary){percentile(samples, 50), percentile(samples, 10), percentile(samples, 90),
			 samples->len};
}

Figures *figures_new(void)
{
	Figures *figures = g_new0(Figures, 1);

	figures->json = json_builder_new();
	json_builder_begin_object(figures->json);
	json_builder_set_member_name(figures->json, "figures");
	json_builder_begin_array(figures->json);
	return figures;
}

void figures_free(Figures *figures)
{
	g_object_unref(figures->json);
	g_free(figures);
}

static void member_double(JsonBuilder *json, const char *name, double value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_double_value(json, value);
}

static void member_string(JsonBuilder *json, const char *name, const char *value)
{
	json_builder_set_member_name(json, name);
	json_builder_add_string_value(json, value);
}

void figures_add(Figures *figures, const Figure *f)
{
	gboolean missed = f->goal > 0 && (f->goal_is_ratio ? f->ratio : f->value.median) > f->goal;
	JsonBuilder *json = figures->json;

	figures->missed += missed;
	g_print("%-52s %10.5g %-8s [%.5g … %.5g]", f->what, f->value.median, f->unit, f->value.low,
		f->value.high);
	if (f->against)
		g_print("  %.3g × %s", f->ratio, f->against);
	if (f->goal > 0)
		g_print("  goal ≤ %g%s: %s", f->goal, f->goal_is_ratio ? " ×" : "",
			missed ? "MISSED" : "met");
	g_print("\n");

	json_builder_begin_object(json);
	member_string(json, "id", f->id);
	member_string(json, "what", f->what);
	member_string(json, "unit", f->unit);
	member_double(json, "median", f->value.median);
	member_double(json, "p10", f->value.low);
	member_double(json, "p90", f->value.high);
	member_double(json, "samples", f->value.samples);
	if (f->against) {
		member_string(json, "against", f->against);
		member_double(json, "ratio", f->ratio);
	}
	if (f->goal > 0) {
		member_double(json, "goal", f->goal);
		json_builder_set_member_name(json, "goal_is_ratio");
		json_builder_add_boolean_value(json, f->goal_is_ratio);
		json_builder_set_member_name(json, "goal_met");
		json_builder_add_boolean_value(json, !missed);
	}
	json_builder_end_object(json);
}

guint figures_missed(const Figures *figures)
{
	return figures->missed;
}

static void add_machine(JsonBuilder *json)
{
	g_autofree char *load = NULL;
	struct utsname name;

	json_builder_set_member_name(json, "machine");
	json_builder_begin_object(json);
	if (uname(&name) == 0) {
		member_string(json, "kernel", name.release);
		member_string(json, "architecture", name.machine);
	}
	member_double(json, "cpus", (double)sysconf(_SC_NPROCESSORS_ONLN));
	if (g_file_get_contents("/proc/loadavg", &load, NULL, NULL))
		member_string(json, "load", g_strchomp(load));
	json_builder_end_object(json);
}

gboolean figures_write(Figures *figures, const char *path, GError **error)
{
	g_autoptr(JsonGenerator) generator = json_generator_new();
	g_autoptr(JsonNode) root = NULL;

	json_builder_end_array(figures->json);
	add_machine(figures->json);
	json_builder_end_object(figures->json);
	root = json_builder_get_root(figures->json);
	json_generator_set_pretty(generator, TRUE);
	json_generator_set_root(generator, root);
	return json_generator_to_file(generator, path, error);
}
