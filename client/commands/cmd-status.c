/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>
#include <string.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "rows.h"
#include "waits.h"

/* With fewer wake-ups a percentile is chance, and with fewer predictions a share of them. */
#define CHANCE_MIN 100
/* Below this the histogram of waits has steps of 1 µs (bpf/delays.h). */
#define WAIT_EXACT_NS 8000

/* Status of the service in its own words; the strings belong to dict. */
typedef struct {
	const char *version;
	const char *backend;
	const char *state;  /* in words */
	const char *token;  /* "active", "waiting" or "failed" */
	const char *reason; /* why it is so; "" when there is nothing to say */
	const char *in_use; /* what observes; "" for nothing */
	const char *path;
	const char *save_error;
	const char *flood;
	guint32 profiles;
	guint32 confident;
	guint32 overrides;
	guint32 min_observations;
	double min_confidence;
	guint64 tick;
	guint64 observations;
	guint64 lost;
	guint64 map_errors;
	gint64 last_save;
	gboolean dirty;
} Status;

static void status_read(GVariantDict *dict, Status *status)
{
	*status = (Status){.version = "?",
			   .backend = "?",
			   .state = "?",
			   .reason = "",
			   .in_use = "",
			   .path = "?",
			   .save_error = "",
			   .flood = ""};
	g_variant_dict_lookup(dict, "Version", "&s", &status->version);
	g_variant_dict_lookup(dict, "Backend", "&s", &status->backend);
	g_variant_dict_lookup(dict, "BackendState", "&s", &status->state);
	/* Services before ApiVersion 2 say no more than that. */
	status->token = status->state;
	g_variant_dict_lookup(dict, "BackendStatus", "&s", &status->token);
	g_variant_dict_lookup(dict, "BackendReason", "&s", &status->reason);
	g_variant_dict_lookup(dict, "BackendInUse", "&s", &status->in_use);
	g_variant_dict_lookup(dict, "DatabasePath", "&s", &status->path);
	g_variant_dict_lookup(dict, "LastSaveError", "&s", &status->save_error);
	g_variant_dict_lookup(dict, "Flood", "&s", &status->flood);
	g_variant_dict_lookup(dict, "Profiles", "u", &status->profiles);
	g_variant_dict_lookup(dict, "Confident", "u", &status->confident);
	g_variant_dict_lookup(dict, "Overrides", "u", &status->overrides);
	g_variant_dict_lookup(dict, "MinObservations", "u", &status->min_observations);
	g_variant_dict_lookup(dict, "MinConfidence", "d", &status->min_confidence);
	g_variant_dict_lookup(dict, "Tick", "t", &status->tick);
	g_variant_dict_lookup(dict, "Observations", "t", &status->observations);
	g_variant_dict_lookup(dict, "ObservationsLost", "t", &status->lost);
	g_variant_dict_lookup(dict, "MapErrors", "t", &status->map_errors);
	g_variant_dict_lookup(dict, "LastSave", "x", &status->last_save);
	g_variant_dict_lookup(dict, "Dirty", "b", &status->dirty);
}

/* Another backend stands in for it as long as it cannot run itself. */
static gboolean replaced(const Status *status)
{
	return *status->in_use && !g_str_equal(status->in_use, status->backend) &&
	       !g_str_equal(status->backend, "none");
}

static gboolean is(const Status *status, const char *token)
{
	return g_str_equal(status->token, token);
}

static gboolean learning(const Status *status)
{
	return !g_str_equal(status->backend, "none") && (is(status, "active") || replaced(status));
}

static const char *source(const Status *status)
{
	if (g_str_equal(status->backend, "observer"))
		return "its own BPF observer";
	if (g_str_equal(status->backend, "pinned"))
		return "the maps that another scheduler pinned";
	if (g_str_equal(status->backend, "sched-ext"))
		return "its own sched_ext scheduler";
	return status->backend;
}

static char *headline(const Status *status)
{
	if (g_str_equal(status->backend, "none"))
		return g_strdup("does not learn: no backend is in use");
	if (replaced(status))
		return g_strdup_printf("learns, but %s does not run", source(status));
	if (learning(status))
		return g_strdup_printf("learns from %s", source(status));
	if (is(status, "failed"))
		return g_strdup_printf("does not learn: %s failed", source(status));
	return g_strdup_printf("does not learn: %s: %s", source(status), status->state);
}

static void print_headline(const Ctl *ctl, const Status *status)
{
	g_autofree char *text = headline(status);
	const char *colour = "\033[1;33m";

	if (learning(status) && !replaced(status))
		colour = "\033[1;32m";
	else if (!learning(status) && is(status, "failed"))
		colour = "\033[1;31m";
	if (out_colour(ctl))
		printf("%s●\033[0m", colour);
	else
		printf("●");
	printf(" ProcDb %s %s\n", status->version, text);
}

static void print_facts(const Status *status)
{
	g_autofree char *observations = out_count(status->observations, "observation");
	g_autofree char *profiles = out_count(status->profiles, "profile");
	g_autofree char *confident = out_number(status->confident);
	g_autofree char *overrides = out_number(status->overrides);
	g_autofree char *running = out_span(status->tick);
	g_autofree char *saved = out_ago(status->last_save, g_get_real_time());

	printf("   Observed: %s in %s", observations, running);
	if (status->lost > 0)
		printf(", %" G_GUINT64_FORMAT " lost", status->lost);
	printf("\n    Learned: %s, %s confident (%u or more observations, confidence %g or "
	       "more)\n",
	       profiles, confident, status->min_observations, status->min_confidence);
	printf("  Overrides: %s\n", overrides);
	printf("   Database: %s, %s%s%s\n", status->path,
	       status->last_save > 0 ? "saved " : "not saved since the start",
	       status->last_save > 0 ? saved : "", status->dirty ? ", changed since" : "");
}

/* One of ApplyStatistics; 0 where the service does not know it. */
static guint64 statistic(GVariantDict *dict, const char *name)
{
	g_autoptr(GVariant) counts =
	    g_variant_dict_lookup_value(dict, "ApplyStatistics", G_VARIANT_TYPE("a{st}"));
	guint64 value = 0;

	if (counts)
		g_variant_lookup(counts, name, "t", &value);
	return value;
}

/* The percentage of fewer than least would say nothing. */
static void print_part(const char *title, guint64 part, guint64 all, const char *what,
		       guint64 least)
{
	g_autofree char *some = out_number(part);
	g_autofree char *total = out_number(all);
	g_autofree char *percent = out_percent(part, all);

	printf("%s: %s of %s%s", title, some, total, what);
	if (all >= least)
		printf(" (%s)", percent);
	putchar('\n');
}

/* Beside the whole: each tier, and what a guess that is always the same would have got. */
static void print_outcomes(GVariantDict *dict)
{
	g_autoptr(GVariant) outcomes =
	    g_variant_dict_lookup_value(dict, "PredictionOutcomes", G_VARIANT_TYPE("a(sttt)"));
	guint64 turned[PROCDB_TIERS] = {0}, all = 0;
	const char *names[PROCDB_TIERS] = {0}, *separator = "            ";
	g_autofree char *percent = NULL;
	guint best = 0;

	if (!outcomes || g_variant_n_children(outcomes) != PROCDB_TIERS)
		return;
	for (guint i = 0; i < PROCDB_TIERS; i++) {
		guint64 row[PROCDB_TIERS], predicted;

		g_variant_get_child(outcomes, i, "(&sttt)", &names[i], &row[0], &row[1], &row[2]);
		predicted = row[0] + row[1] + row[2];
		all += predicted;
		for (guint j = 0; j < PROCDB_TIERS; j++)
			turned[j] += row[j];
		if (predicted == 0)
			continue;
		printf("%s %s %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT, separator, names[i],
		       row[i], predicted);
		separator = ",";
	}
	for (guint j = 1; j < PROCDB_TIERS; j++)
		best = turned[j] > turned[best] ? j : best;
	percent = out_percent(turned[best], all);
	if (all >= CHANCE_MIN)
		printf("; a guess of \"%s\" for all would be right for %s\n", names[best], percent);
	else if (all > 0)
		puts("; too few to tell more");
}

/* When a pause of the guard ends, and how to end it now. */
static void print_guard(GVariantDict *dict, const char *mode)
{
	g_autoptr(GDateTime) retry = NULL;
	g_autofree char *when = NULL;
	const char *state;
	gint64 retry_us;

	if (!g_variant_dict_lookup(dict, "GuardState", "&s", &state) ||
	    !g_variant_dict_lookup(dict, "GuardRetry", "x", &retry_us) ||
	    !g_str_equal(state, "paused"))
		return;
	retry = g_date_time_new_from_unix_local(retry_us / G_USEC_PER_SEC);
	/* Then it waits for load. */
	when = retry && retry_us > g_get_real_time() ? g_date_time_format(retry, "at %F %R")
						     : g_strdup("when programs have to wait");
	printf("             The guard tries again %s; \"pandemoniumctl apply %s\" does at once.\n",
	       when, mode);
}

static const char held_text[] =
    "             Batch tasks have the kernel's slice now: several groups of tasks\n"
    "             (services, containers, sessions) want the CPUs, and a long one\n"
    "             would make others in the same group wait.\n";

/* Counters of later versions of the service; shown when there are any. */
static void print_predictions(GVariantDict *dict)
{
	guint64 hits, misses, right, wrong, applied;
	const char *apply, *reason = "";
	gboolean active = FALSE;

	if (g_variant_dict_lookup(dict, "PredictionHits", "t", &hits) &&
	    g_variant_dict_lookup(dict, "PredictionMisses", "t", &misses))
		print_part("  Predicted", hits, hits + misses, " programs that started", 1);
	if (g_variant_dict_lookup(dict, "PredictionsRight", "t", &right) &&
	    g_variant_dict_lookup(dict, "PredictionsWrong", "t", &wrong) && right + wrong > 0) {
		print_part("      Right", right, right + wrong, " predictions that could be judged",
			   CHANCE_MIN);
		print_outcomes(dict);
	}
	if (g_variant_dict_lookup(dict, "Apply", "&s", &apply) &&
	    g_variant_dict_lookup(dict, "Applied", "t", &applied)) {
		g_autofree char *tasks = out_count(applied, "task");

		g_variant_dict_lookup(dict, "ApplyActive", "b", &active);
		g_variant_dict_lookup(dict, "ApplyReason", "&s", &reason);
		printf(
		    "    Applied: %s got the slice of their tier since the start (Mode=%s, %s)\n",
		    tasks, apply,
		    active			  ? "active"
		    : statistic(dict, "kept") > 0 ? "observing only"
						  : "observing only; no task has one now");
		if (!active && *reason && !g_str_equal(apply, "none"))
			printf("             It changes no task: %s.\n", reason);
		if (active && statistic(dict, "held") > 0)
			fputs(held_text, stdout);
		print_guard(dict, apply);
	}
}

/*
 * The line of how long latency-critical tasks wait for a CPU; none where that is not known yet. Of
 * all of them, with a slice and without: these are other tasks, and only a trial tells what a slice
 * changes.
 */
static void print_delays(Ctl *ctl)
{
	g_autoptr(GVariant) rows = NULL;
	g_autofree char *wait = NULL;
	GVariant *histograms[2] = {NULL};
	gsize n = 0;
	guint64 ns;

	/* Services before ApiVersion 4 do not know. */
	if (!procdb_dbus_proc_db1_call_get_delays_sync(ctl->proxy, ctl->call_flags, ctl->timeout_ms,
						       &rows, NULL, NULL))
		return;
	for (gsize i = 0; i < g_variant_n_children(rows) && n < G_N_ELEMENTS(histograms); i++) {
		g_autoptr(GVariant) row = g_variant_get_child_value(rows, i);
		const char *tier;

		if (g_variant_lookup(row, "tier", "&s", &tier) &&
		    g_str_equal(tier, "lat-critical") &&
		    g_variant_lookup(row, "buckets", "@a(tt)", &histograms[n]))
			n++;
	}
	ns = waits_percentile(histograms, n, .9, CHANCE_MIN);
	for (gsize i = 0; i < n; i++)
		g_variant_unref(histograms[i]);
	if (ns == 0)
		return;
	wait = ns < WAIT_EXACT_NS ? g_strdup_printf("%u µs", (guint)(ns / 1000) + 1)
				  : out_duration_ns(ns);
	printf("      Waits: nine of ten wake-ups of latency-critical programs waited less than %s "
	       "since the observer began\n",
	       wait);
}

static void print_problem(const Ctl *ctl, const char *what, const char *remedy)
{
	gboolean colour = out_colour(ctl);

	printf("%s    Problem:%s %s\n", colour ? "\033[1;31m" : "", colour ? "\033[0m" : "", what);
	printf("             %s\n", remedy);
}

/* Each with its file and line; the rest is the business of doctor. */
static gboolean print_configuration(const Ctl *ctl, GVariantDict *dict)
{
	g_autofree const char **problems = NULL;

	if (!g_variant_dict_lookup(dict, "ConfigurationProblems", "^a&s", &problems) ||
	    !problems[0])
		return FALSE;
	print_problem(ctl, problems[0],
		      problems[1] ? "\"pandemoniumctl doctor\" has more of them."
				  : "Fix it, and run: pandemoniumctl reload");
	return TRUE;
}

static gboolean print_problems(const Ctl *ctl, const Status *status, GVariantDict *dict)
{
	gboolean any = print_configuration(ctl, dict);

	if (is(status, "failed")) {
		print_problem(ctl, bus_without_token(status->state, status->token),
			      "\"pandemoniumctl doctor\" checks what it needs.");
		any = TRUE;
	}
	if (is(status, "active") && *status->reason) {
		print_problem(ctl, status->reason,
			      "\"pandemoniumctl doctor\" checks what it needs.");
		any = TRUE;
	}
	if (*status->save_error) {
		g_autofree char *text =
		    g_strdup_printf("the database is not saved: %s", status->save_error);

		print_problem(ctl, text,
			      "Until that is mended, what is learned is only in memory.");
		any = TRUE;
	}
	if (statistic(dict, "kept") > 0) {
		guint64 kept = statistic(dict, "kept");
		g_autofree char *tasks = out_count(kept, "task");
		g_autofree char *text = g_strdup_printf("%s could not be put back", tasks);

		print_problem(ctl, text,
			      "Real-time and idle tasks keep the slice that they had before, until "
			      "they end.");
		any = TRUE;
	}
	if (*status->flood) {
		print_problem(ctl, status->flood,
			      "The profiles of that user are forgotten first; look at "
			      "what runs there.");
		any = TRUE;
	}
	if (status->map_errors > 0) {
		g_autofree char *what = out_count(status->map_errors, "map operation");
		g_autofree char *text = g_strdup_printf("%s failed", what);

		print_problem(ctl, text, "The log of pandemonium-procdbd says which.");
		any = TRUE;
	}
	return any;
}

static void print_next(const Status *status)
{
	if (g_str_equal(status->backend, "none"))
		puts("       Next: \"pandemoniumctl backend auto\" for now, or Backend= in "
		     "procdb.conf for good.");
	else if (replaced(status))
		printf("       Next: nothing to do; %s.\n",
		       bus_without_token(status->state, status->token));
	else if (is(status, "waiting"))
		puts("       Next: nothing to do; it goes on when the scheduler pins its maps.");
	else if (status->profiles == 0)
		puts("       Next: use the machine; a program is learned after a few runs.");
	else if (status->confident == 0)
		puts("       Next: \"pandemoniumctl explain NAME\" says what a program lacks to "
		     "be confident.");
	else
		puts("       Next: \"pandemoniumctl top\" shows what is known, live.");
}

int cmd_status(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_auto(GStrv) args = NULL;
	g_autoptr(GVariant) properties = NULL;
	g_autoptr(GVariantDict) dict = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *trial = NULL;
	Status status;
	int code;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	code = bus_connect(ctl);
	if (code != CTL_OK)
		return code;
	properties = bus_properties(ctl, &error);
	if (!properties)
		return failure_report(NULL, NULL, error);
	if (ctl->json) {
		ctl_json_print(ctl_json_from_properties(properties));
		return CTL_OK;
	}
	dict = g_variant_dict_new(properties);
	status_read(dict, &status);
	print_headline(ctl, &status);
	print_facts(&status);
	print_predictions(dict);
	print_delays(ctl);
	trial = out_trial(properties);
	if (trial)
		printf("      Trial: %s\n", trial);
	if (!print_problems(ctl, &status, dict))
		print_next(&status);
	return CTL_OK;
}
