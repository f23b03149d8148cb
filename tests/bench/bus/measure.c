/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "org.pandemonium.ProcDb"
#define INTERFACE "org.pandemonium.ProcDb1"
/* Calls under way at once when they are pipelined; fewer than the service lets one caller ask. */
#define PIPELINE 8
#define MAX_ROUNDS 100

/* What is called. */
typedef struct {
	const char *label;
	const char *path;
	const char *interface;
	const char *method;
	gboolean named; /* takes a task's name */
	guint share;	/* it is called this many times less often, since it takes longer */
	guint base;	/* what it is compared with */
} Kind;

enum { OPEN, GATED, ASKING, PING, LIST_BARE, LIST, LIST_OPEN, KINDS };

static const Kind kinds[KINDS] = {
    [OPEN] = {"GetConfidence, no authorization", BENCH_PATH_OPEN, INTERFACE, "GetConfidence", TRUE,
	      1, OPEN},
    [GATED] = {"GetConfidence", BENCH_PATH, INTERFACE, "GetConfidence", TRUE, 1, OPEN},
    [ASKING] = {"GetConfidence, polkit each time", BENCH_PATH_FORGETFUL, INTERFACE, "GetConfidence",
		TRUE, 8, OPEN},
    [PING] = {"Peer.Ping", BENCH_PATH, "org.freedesktop.DBus.Peer", "Ping", FALSE, 1, OPEN},
    [LIST_BARE] = {"512 rows, bare GDBus", BENCH_PATH_BARE, INTERFACE, "ListProfiles", FALSE, 8,
		   LIST_BARE},
    [LIST] = {"ListProfiles", BENCH_PATH, INTERFACE, "ListProfiles", FALSE, 8, LIST_BARE},
    [LIST_OPEN] = {"ListProfiles, no authorization", BENCH_PATH_OPEN, INTERFACE, "ListProfiles",
		   FALSE, 8, LIST_BARE},
};

typedef struct {
	GDBusConnection *connection;
	const Kind *kind;
	guint to_send;
	guint to_come;
} Run;

static void die(const Kind *kind, const GError *error)
{
	g_printerr("bench-bus: %s: %s\n", kind->label, error->message);
	exit(EXIT_FAILURE);
}

static void send_one(Run *run);

static void on_reply(GObject *source, GAsyncResult *result, gpointer data)
{
	Run *run = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
	    g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

	if (!reply)
		die(run->kind, error);
	run->to_come--;
	if (run->to_send > 0)
		send_one(run);
}

static void send_one(Run *run)
{
	const Kind *kind = run->kind;

	run->to_send--;
	g_dbus_connection_call(run->connection, NAME, kind->path, kind->interface, kind->method,
			       kind->named ? g_variant_new("(s)", "program-7") : NULL, NULL,
			       G_DBUS_CALL_FLAGS_NO_AUTO_START, 30000, NULL, on_reply, run);
}

/* µs for each of n calls, of which so many are under way at once. */
static double time_calls(GDBusConnection *connection, const Kind *kind, guint n, guint pipeline)
{
	Run run = {connection, kind, n, n};
	gint64 began = g_get_monotonic_time();

	for (guint i = 0; i < pipeline && run.to_send > 0; i++)
		send_one(&run);
	while (run.to_come > 0)
		g_main_context_iteration(NULL, TRUE);
	return (double)(g_get_monotonic_time() - began) / n;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

typedef struct {
	double median;
	double low;
	double high;
} Figure;

static Figure summarize(const double *values, guint n)
{
	double sorted[MAX_ROUNDS];

	g_assert(n > 0 && n <= MAX_ROUNDS);
	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	return (Figure){
	    n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2,
	    sorted[0],
	    sorted[n - 1],
	};
}

/* Throughput over that of the base, round by round: both were measured side by side. */
static Figure compare_rounds(const double *us, const double *base, guint n)
{
	double ratios[MAX_ROUNDS] = {0};

	for (guint i = 0; i < n; i++)
		ratios[i] = base[i] / us[i];
	return summarize(ratios, n);
}

static void report(double us[KINDS][MAX_ROUNDS], guint rounds, guint pipeline, FILE *json)
{
	printf("\n%u call%s under way at once\n%-34s %8s %19s   throughput, times that of\n",
	       pipeline, pipeline > 1 ? "s" : "", "", "µs/call", "(least – most)");
	for (guint i = 0; i < KINDS; i++) {
		Figure time = summarize(us[i], rounds);
		Figure ratio = compare_rounds(us[i], us[kinds[i].base], rounds);

		printf("%-34s %8.1f (%8.1f –%8.1f)", kinds[i].label, time.median, time.low,
		       time.high);
		if (kinds[i].base != i)
			printf("   %.3f (%.3f – %.3f) %s", ratio.median, ratio.low, ratio.high,
			       kinds[kinds[i].base].label);
		putchar('\n');
		if (json)
			fprintf(json,
				"%s    {\"name\": \"%s\", \"under_way\": %u, \"us\": {\"median\": "
				"%.2f, "
				"\"least\": %.2f, \"most\": %.2f}, \"throughput_of\": \"%s\", "
				"\"ratio\": {\"median\": %.4f, \"least\": %.4f, \"most\": %.4f}}",
				pipeline > 1 || i > 0 ? ",\n" : "", kinds[i].label, pipeline,
				time.median, time.low, time.high, kinds[kinds[i].base].label,
				ratio.median, ratio.low, ratio.high);
	}
}

static void measure(GDBusConnection *connection, guint rounds, guint calls, guint pipeline,
		    FILE *json)
{
	static double us[KINDS][MAX_ROUNDS];

	/* Interleaved, and each round from another one on, so that no kind has the quiet time. */
	for (guint round = 0; round < rounds; round++) {
		for (guint i = 0; i < KINDS; i++) {
			guint kind = (i + round) % KINDS;

			us[kind][round] = time_calls(connection, &kinds[kind],
						     MAX(calls / kinds[kind].share, 1), pipeline);
		}
	}
	report(us, rounds, pipeline, json);
}

int bench_measure(GDBusConnection *connection, guint rounds, guint calls, const char *path)
{
	FILE *json = NULL;

	rounds = MIN(rounds, MAX_ROUNDS);
	if (path && !(json = fopen(path, "w"))) {
		g_printerr("bench-bus: cannot write %s\n", path);
		return EXIT_FAILURE;
	}
	/* Connections, caches and code warm up. */
	for (guint i = 0; i < KINDS; i++)
		time_calls(connection, &kinds[i], 16, 1);
	if (json)
		fprintf(
		    json,
		    "{\n  \"benchmark\": \"bus\", \"cpus\": %u, \"rounds\": %u, \"calls\": %u,\n"
		    "  \"results\": [\n",
		    g_get_num_processors(), rounds, calls);
	printf("%u rounds of %u calls (fewer of the slow ones), %u CPUs: median, least and most\n",
	       rounds, calls, g_get_num_processors());
	measure(connection, rounds, calls, 1, json);
	measure(connection, rounds, calls, PIPELINE, json);
	if (json) {
		fprintf(json, "\n  ]\n}\n");
		if (fclose(json) != 0) {
			g_printerr("bench-bus: cannot write %s\n", path);
			return EXIT_FAILURE;
		}
	}
	return EXIT_SUCCESS;
}
