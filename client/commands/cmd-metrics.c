/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "metrics-text.h"
#include "options.h"
#include "output.h"

#define PREFIX "pandemonium_"
#define TOP_DEFAULT 20
/* Each program is two series. */
#define TOP_MAX 500

#define LABELS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A property that becomes a metric as it is. */
typedef struct {
	const char *property;
	const char *name;
	const char *type;
	const char *help;
} Simple;

static const Simple simple[] = {
    {"Profiles", PREFIX "profiles", "gauge", "Programs that are known."},
    {"Confident", PREFIX "confident_profiles", "gauge", "Programs whose profile is confident."},
    {"Overrides", PREFIX "overrides", "gauge", "Overrides of names, programs and units."},
    {"Observations", PREFIX "observations", "counter", "Observations since the start."},
    {"ObservationsLost", PREFIX "observations_lost", "counter", "Observations without room."},
    {"MapErrors", PREFIX "map_errors", "counter", "Map operations that failed."},
    {"Applied", PREFIX "applied_tasks", "counter", "Tasks given the slice of their tier."},
    {"ApplyActive", PREFIX "apply_active", "gauge", "Whether tasks are given slices now."},
    {"Dirty", PREFIX "unsaved", "gauge", "Whether something known is not in the file yet."},
};

/* A number or truth of any type; 0 for what is not there. */
static guint64 number_of(GVariantDict *dict, const char *name)
{
	g_autoptr(GVariant) value = g_variant_dict_lookup_value(dict, name, NULL);

	if (!value)
		return 0;
	switch (g_variant_classify(value)) {
	case G_VARIANT_CLASS_BOOLEAN:
		return g_variant_get_boolean(value);
	case G_VARIANT_CLASS_UINT32:
		return g_variant_get_uint32(value);
	case G_VARIANT_CLASS_UINT64:
		return g_variant_get_uint64(value);
	case G_VARIANT_CLASS_INT64:
		return (guint64)MAX(g_variant_get_int64(value), 0);
	default:
		return 0;
	}
}

static const char *text_of(GVariantDict *dict, const char *name)
{
	const char *text = "";

	g_variant_dict_lookup(dict, name, "&s", &text);
	return text;
}

/* One series for each state that there is, of which one is 1. */
static void add_state(Metrics *metrics, const char *name, const char *help, const char *state,
		      const char *const *states)
{
	metrics_family(metrics, name, "gauge", help);
	for (; *states; states++)
		metrics_add_count(metrics, LABELS("state", *states), g_str_equal(*states, state));
}

static void add_properties(Metrics *metrics, GVariantDict *dict)
{
	g_autofree const char **problems = NULL;

	metrics_family(metrics, PREFIX "service", "info", "The service and what observes.");
	metrics_add_count(metrics,
			  LABELS("version", text_of(dict, "Version"), "backend",
				 text_of(dict, "BackendInUse"), "apply", text_of(dict, "Apply")),
			  1);
	add_state(metrics, PREFIX "backend_state", "The state of what observes.",
		  text_of(dict, "BackendStatus"), LABELS("active", "waiting", "failed"));
	add_state(metrics, PREFIX "guard_state", "The state of the guard of applying.",
		  text_of(dict, "GuardState"), LABELS("off", "watching", "looking", "paused"));
	for (gsize i = 0; i < G_N_ELEMENTS(simple); i++) {
		metrics_family(metrics, simple[i].name, simple[i].type, simple[i].help);
		metrics_add_count(metrics, NULL, number_of(dict, simple[i].property));
	}
	metrics_family(metrics, PREFIX "program_starts", "counter",
		       "Programs that started, by whether they were predicted.");
	metrics_add_count(metrics, LABELS("predicted", "yes"), number_of(dict, "PredictionHits"));
	metrics_add_count(metrics, LABELS("predicted", "no"), number_of(dict, "PredictionMisses"));
	metrics_family(metrics, PREFIX "predictions_judged", "counter",
		       "Predictions that could be judged, by what they turned out to be.");
	metrics_add_count(metrics, LABELS("result", "right"), number_of(dict, "PredictionsRight"));
	metrics_add_count(metrics, LABELS("result", "wrong"), number_of(dict, "PredictionsWrong"));
	metrics_family(metrics, PREFIX "last_save_timestamp_seconds", "gauge",
		       "When the database was last written; 0 is not since the start.");
	metrics_add(metrics, NULL, (double)number_of(dict, "LastSave") / 1e6);
	metrics_family(metrics, PREFIX "save_failed", "gauge", "Whether the last save failed.");
	metrics_add_count(metrics, NULL, *text_of(dict, "LastSaveError") != '\0');
	g_variant_dict_lookup(dict, "ConfigurationProblems", "^a&s", &problems);
	metrics_family(metrics, PREFIX "configuration_problems", "gauge",
		       "Mistakes of the configuration.");
	metrics_add_count(metrics, NULL, problems ? g_strv_length((GStrv)problems) : 0);
}

static void add_delays(Metrics *metrics, GVariant *rows)
{
	metrics_family(metrics, PREFIX "wait_seconds", "histogram",
		       "How long tasks waited from a wake-up to a CPU, by tier and by whether they "
		       "had a slice; the sum is an estimate.");
	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		g_autoptr(GVariant) buckets =
		    g_variant_lookup_value(row, "buckets", G_VARIANT_TYPE("a(tt)"));
		const char *tier;
		gboolean applied;

		if (buckets && g_variant_lookup(row, "tier", "&s", &tier) &&
		    g_variant_lookup(row, "applied", "b", &applied))
			metrics_add_waits(metrics,
					  LABELS("tier", tier, "slice", applied ? "yes" : "no"),
					  buckets);
	}
}

static void add_programs(Metrics *metrics, GVariant *rows)
{
	metrics_family(metrics, PREFIX "program_cpu_share", "gauge",
		       "CPUs that the programs that use most had lately.");
	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		const char *name, *tier;
		double share = 0;

		g_variant_lookup(row, "cpu_share", "d", &share);
		if (g_variant_lookup(row, "name", "&s", &name) &&
		    g_variant_lookup(row, "tier", "&s", &tier))
			metrics_add(metrics, LABELS("name", name, "tier", tier), share);
	}
	metrics_family(metrics, PREFIX "program_confidence", "gauge",
		       "How sure the predictions of these programs are.");
	for (gsize i = 0; i < g_variant_n_children(rows); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		double confidence;
		const char *name;

		if (g_variant_lookup(row, "name", "&s", &name) &&
		    g_variant_lookup(row, "confidence", "d", &confidence))
			metrics_add(metrics, LABELS("name", name), confidence);
	}
}

/*
 * No kernel threads: kworkers have a number in their names that is another one on each machine and
 * at each start, and each name is two series for good.
 */
static GVariant *query_top(Ctl *ctl, guint top, GError **error)
{
	static const char *const kinds[] = {"process", "thread", NULL};
	g_auto(GVariantDict) filter = G_VARIANT_DICT_INIT(NULL);
	GVariant *rows = NULL;
	guint64 serial;

	g_variant_dict_insert(&filter, "sort", "s", "cpu");
	g_variant_dict_insert(&filter, "kinds", "^as", kinds);
	return procdb_dbus_proc_db1_call_query_profiles_sync(
		   ctl->proxy, g_variant_dict_end(&filter), top, ctl->call_flags, ctl->timeout_ms,
		   &rows, &serial, NULL, error)
		   ? rows
		   : NULL;
}

/* Asks the service; 0 programs are none. FALSE with error set when it does not answer. */
static gboolean add_all(Metrics *metrics, Ctl *ctl, guint top, GError **error)
{
	g_autoptr(GVariant) properties = bus_properties(ctl, error);
	g_autoptr(GVariantDict) dict = NULL;
	g_autoptr(GVariant) delays = NULL, programs = NULL;

	if (!properties || !procdb_dbus_proc_db1_call_get_delays_sync(
			       ctl->proxy, ctl->call_flags, ctl->timeout_ms, &delays, NULL, error))
		return FALSE;
	/* In the contract 0 are all. */
	programs = top > 0 ? query_top(ctl, top, error) : NULL;
	if (top > 0 && !programs)
		return FALSE;
	dict = g_variant_dict_new(properties);
	add_properties(metrics, dict);
	add_delays(metrics, delays);
	if (programs)
		add_programs(metrics, programs);
	return TRUE;
}

/* What is read from a file is never half of it. */
static int write_text(const char *text, const char *path)
{
	g_autoptr(GError) error = NULL;
	gboolean in_place;

	if (!path || g_str_equal(path, "-")) {
		fputs(text, stdout);
		return CTL_OK;
	}
	if (out_write_file(path, text, 0644, &in_place, &error))
		return CTL_OK;
	g_printerr("Cannot write the metrics: %s\n", error->message);
	return CTL_FAILED;
}

static void begin(Metrics *metrics, gboolean openmetrics, gboolean up)
{
	metrics_begin(metrics, openmetrics);
	metrics_family(metrics, PREFIX "up", "gauge", "Whether the service runs and answers.");
	metrics_add_count(metrics, NULL, up);
}

/* A file that stayed would go on saying that the service answers. Returns status. */
static int give_up(const char *path, gboolean openmetrics, int status)
{
	g_autofree char *text = NULL;
	Metrics metrics;

	if (!path || g_str_equal(path, "-"))
		return status;
	begin(&metrics, openmetrics, FALSE);
	text = metrics_end(&metrics);
	(void)write_text(text, path);
	return status;
}

/* A service that does not run is a metric, and no failure: it may have been stopped for good. */
static int print(Ctl *ctl, guint top, gboolean openmetrics, const char *path)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(ctl->proxy));
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;
	Metrics metrics;
	gboolean known = TRUE;

	begin(&metrics, openmetrics, owner != NULL);
	if (owner)
		known = add_all(&metrics, ctl, top, &error);
	text = metrics_end(&metrics);
	return known ? write_text(text, path)
		     : give_up(path, openmetrics, failure_report("GetDelays", NULL, error));
}

int cmd_metrics(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autofree char *path = NULL;
	gboolean openmetrics = FALSE;
	int top = TOP_DEFAULT, status;
	const GOptionEntry entries[] = {
	    {"top", 'n', 0, G_OPTION_ARG_INT, &top,
	     "Only this many programs, by their CPU time (20)", "NUMBER"},
	    {"output", 'o', 0, G_OPTION_ARG_FILENAME, &path, "Replace this file at once", "FILE"},
	    {"openmetrics", 0, 0, G_OPTION_ARG_NONE, &openmetrics,
	     "In the format of OpenMetrics 1.0", NULL},
	    {NULL},
	};

	if (!options_parse(ctl, command, entries, argv, &args))
		return CTL_USAGE;
	if (top < 0 || top > TOP_MAX)
		return options_usage(command, "not a number of programs from 0 to %d: %d", TOP_MAX,
				     top);
	status = bus_connect_running(ctl);
	return status == CTL_OK ? print(ctl, (guint)top, openmetrics, path)
				: give_up(path, openmetrics, status);
}
