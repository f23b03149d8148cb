/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <math.h>
#include <stdio.h>
#include <unistd.h>

#include <glib-unix.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

#define SECONDS_DEFAULT "60"
/* As the service has them; tests/sync compares. */
#define SECONDS_MIN 20
#define SECONDS_MAX 600
/* On a busy machine windows begin late: for so long it is waited for the end of the trial. */
#define PATIENCE_S(seconds) ((seconds) + (seconds) / 5 + 10)

typedef struct {
	Ctl *ctl;
	GMainLoop *loop;
	gboolean stopped;  /* by the user */
	gboolean left;	   /* the service ended */
	gboolean progress; /* a line of it is on the terminal */
} Trial;

static void end_progress(Trial *trial)
{
	if (trial->progress)
		g_printerr("\r\033[K");
	trial->progress = FALSE;
}

/* What is told may be the end of an earlier trial, from before this one began. */
static gboolean is_running(const Ctl *ctl)
{
	g_autoptr(GVariant) result = NULL;
	const char *state = "";

	/* Ctrl-C is not heard meanwhile. */
	if (!procdb_dbus_proc_db1_call_get_trial_sync(ctl->proxy, ctl->call_flags, BUS_ANSWER_MS,
						      &result, NULL, NULL))
		return FALSE;
	g_variant_lookup(result, "state", "&s", &state);
	return g_str_equal(state, "running");
}

static void on_properties_changed(GVariant *changed, gpointer data)
{
	Trial *trial = data;
	const char *state;
	guint32 percent;

	if (g_variant_lookup(changed, "TrialState", "&s", &state) &&
	    !g_str_equal(state, "running") && !is_running(trial->ctl)) {
		g_main_loop_quit(trial->loop);
		return;
	}
	if (!isatty(STDERR_FILENO) || !g_variant_lookup(changed, "TrialProgress", "u", &percent))
		return;
	g_printerr("\r%3u %%", percent);
	trial->progress = TRUE;
}

static void on_owner_changed(GObject *proxy, GParamSpec *pspec, gpointer data)
{
	Trial *trial = data;

	/* Whatever comes after it has no trial of ours. */
	trial->left = TRUE;
	g_main_loop_quit(trial->loop);
}

static gboolean on_stop(gpointer data)
{
	Trial *trial = data;

	trial->stopped = TRUE;
	g_main_loop_quit(trial->loop);
	return G_SOURCE_CONTINUE;
}

static gboolean on_late(gpointer data)
{
	g_main_loop_quit(((Trial *)data)->loop);
	return G_SOURCE_CONTINUE;
}

/* Runs the loop until the trial is over, the user stops it, or the service leaves. */
static void follow(Trial *trial, guint seconds)
{
	const guint sources[] = {
	    g_unix_signal_add(SIGINT, on_stop, trial),
	    g_unix_signal_add(SIGTERM, on_stop, trial),
	    g_timeout_add_seconds(PATIENCE_S(seconds), on_late, trial),
	};
	gulong handler = g_signal_connect(trial->ctl->proxy, "notify::g-name-owner",
					  G_CALLBACK(on_owner_changed), trial);

	/* An interrupt is handled from here on. */
	if (!trial->ctl->json)
		g_printerr(
		    "Trying for %u s whether it helps. Use the machine as always; Ctrl-C ends "
		    "it.\n",
		    seconds);
	g_main_loop_run(trial->loop);
	g_signal_handler_disconnect(trial->ctl->proxy, handler);
	for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
		g_source_remove(sources[i]);
	end_progress(trial);
}

/* "-12 %" for a ratio of 0.88. */
static char *change_of(double ratio)
{
	return g_strdup_printf("%+.0f %%", (ratio - 1) * 100);
}

/* "-12 % (-20 % to -3 %)", or "not known". */
static char *estimate_of(GVariant *result, const char *name)
{
	g_autofree char *low_name = g_strconcat(name, "_low", NULL);
	g_autofree char *high_name = g_strconcat(name, "_high", NULL);
	g_autofree char *change = NULL, *from = NULL, *to = NULL;
	double ratio, low, high;

	if (!g_variant_lookup(result, name, "d", &ratio) ||
	    !g_variant_lookup(result, low_name, "d", &low) ||
	    !g_variant_lookup(result, high_name, "d", &high))
		return g_strdup("not known");
	change = change_of(ratio);
	from = change_of(low);
	to = change_of(high);
	return g_strdup_printf("%s (%s to %s)", change, from, to);
}

/* printf() pads by bytes, and µ has two. */
static void print_right(const char *text)
{
	printf(" %*s%s", (int)MAX(10 - g_utf8_strlen(text, -1), 0), "", text);
}

static void print_percentile(GVariant *result, const char *name)
{
	g_autofree char *with_name = g_strconcat(name, "_with", NULL);
	g_autofree char *without_name = g_strconcat(name, "_without", NULL);
	g_autofree char *ratio_name = g_strconcat(name, "_ratio", NULL);
	g_autofree char *with = NULL, *without = NULL, *difference = NULL;
	guint64 with_ns = 0, without_ns = 0;

	g_variant_lookup(result, with_name, "t", &with_ns);
	g_variant_lookup(result, without_name, "t", &without_ns);
	with = out_duration_ns(with_ns);
	without = out_duration_ns(without_ns);
	difference = estimate_of(result, ratio_name);
	printf("  %s %% ", name + 1);
	print_right(with);
	print_right(without);
	printf("  %s\n", difference);
}

/* The exit code: that of a trial that ended early is a failure. */
static int print_result(GVariant *result)
{
	const char *state = "?", *reason = "", *verdict = "?", *because = "";
	g_autofree char *batch = estimate_of(result, "batch_ratio");
	guint32 pairs = 0;
	guint64 waits = 0;

	g_variant_lookup(result, "state", "&s", &state);
	g_variant_lookup(result, "reason", "&s", &reason);
	g_variant_lookup(result, "verdict", "&s", &verdict);
	g_variant_lookup(result, "because", "&s", &because);
	g_variant_lookup(result, "pairs", "u", &pairs);
	g_variant_lookup(result, "waits", "t", &waits);
	if (g_str_equal(state, "running")) {
		g_printerr(
		    "The service did not end the trial in time; it ends now, without a verdict.\n");
		return CTL_FAILED;
	}
	if (!g_str_equal(state, "done")) {
		g_printerr("The trial ended early%s%s. Applying is as configured again.\n",
			   *reason ? ": " : "", reason);
		return CTL_FAILED;
	}
	printf("Verdict: %s: %s.\n", verdict, because);
	if (waits > 0) {
		g_autofree char *wakeups = out_count(waits, "wake-up");
		g_autofree char *compared = out_count(pairs, "pair");

		puts("Waits for a CPU, of latency-critical tasks:");
		puts("              with    without  difference, with a certainty of 99 %");
		print_percentile(result, "p50");
		print_percentile(result, "p90");
		print_percentile(result, "p99");
		printf("CPU time of batch tasks: %s\n", batch);
		printf("From %s, in %s of windows.\n", wakeups, compared);
	}
	return CTL_OK;
}

static const char *state_of(GVariant *result)
{
	const char *state = "";

	g_variant_lookup(result, "state", "&s", &state);
	return state;
}

static int report_left(void)
{
	g_printerr("The service stopped, and the trial with it.\n");
	return CTL_UNREACHABLE;
}

static int report(const Trial *trial)
{
	g_autoptr(GVariant) result = NULL;
	g_autoptr(GError) error = NULL;

	if (trial->left)
		return report_left();
	if (trial->stopped) {
		/* It would end with this connection as well. */
		procdb_dbus_proc_db1_call_stop_trial_sync(trial->ctl->proxy,
							  G_DBUS_CALL_FLAGS_NO_AUTO_START,
							  trial->ctl->timeout_ms, NULL, NULL);
		g_printerr("The trial was ended. Applying is as configured again.\n");
		return CTL_FAILED;
	}
	if (!procdb_dbus_proc_db1_call_get_trial_sync(trial->ctl->proxy, trial->ctl->call_flags,
						      trial->ctl->timeout_ms, &result, NULL,
						      &error))
		return bus_is_gone(error) ? report_left() : failure_report("GetTrial", NULL, error);
	/* Another service has had none. */
	if (g_str_equal(state_of(result), "none"))
		return report_left();
	if (!trial->ctl->json)
		return print_result(result);
	ctl_json_print(ctl_json_from_variant(result));
	return g_str_equal(state_of(result), "done") ? CTL_OK : CTL_FAILED;
}

static gboolean parse_seconds(const char *text, guint *seconds)
{
	guint64 number;

	if (!g_ascii_string_to_unsigned(text, 10, SECONDS_MIN, SECONDS_MAX, &number, NULL))
		return FALSE;
	*seconds = (guint)number;
	return TRUE;
}

int cmd_trial(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Trial trial = {.ctl = ctl, .loop = loop};
	g_autoptr(GError) error = NULL;
	g_auto(GStrv) args = NULL;
	guint seconds, properties;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	if (!parse_seconds(args[0] ? args[0] : SECONDS_DEFAULT, &seconds))
		return options_usage(command, "a trial takes from %d to %d seconds, not \"%s\"",
				     SECONDS_MIN, SECONDS_MAX, args[0]);
	status = bus_connect_privileged(ctl);
	if (status != CTL_OK)
		return status;
	properties = bus_follow_properties(ctl, on_properties_changed, &trial);
	if (!procdb_dbus_proc_db1_call_start_trial_sync(ctl->proxy, seconds, ctl->call_flags,
							ctl->timeout_ms, NULL, &error)) {
		status = failure_report("StartTrial", NULL, error);
	} else {
		/* A service that is stopped from here on stays stopped. */
		ctl->call_flags |= G_DBUS_CALL_FLAGS_NO_AUTO_START;
		follow(&trial, seconds);
		status = report(&trial);
	}
	g_dbus_connection_signal_unsubscribe(g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy)),
					     properties);
	return status;
}
