/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* bench-bus ROUNDS CALLS ADDRESS...: what calls cost on each of these buses; see run.sh. */

#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME "org.pandemonium.ProcDb"
#define PATH "/org/pandemonium/ProcDb"
#define INTERFACE "org.pandemonium.ProcDb1"
#define PROFILES 512
/* Calls under way at once when they are pipelined: the oldest service compared allows 16. */
#define PIPELINE 8
#define MAX_ROUNDS 100
#define MAX_BUSES 4

/* What is called. */
typedef struct {
	const char *label;
	const char *interface;
	const char *method;
	gboolean named; /* takes a task's name */
	guint share;	/* it is called this many times less often, since it takes longer */
	guint pipeline;
} Kind;

static const Kind kinds[] = {
    {"GetConfidence", INTERFACE, "GetConfidence", TRUE, 1, 1},
    {"GetConfidence, pipelined", INTERFACE, "GetConfidence", TRUE, 1, PIPELINE},
    {"ListProfiles", INTERFACE, "ListProfiles", FALSE, 8, 1},
    {"ListProfiles, pipelined", INTERFACE, "ListProfiles", FALSE, 8, PIPELINE},
    {"Peer.Ping", "org.freedesktop.DBus.Peer", "Ping", FALSE, 1, 1},
};

typedef struct {
	GDBusConnection *connection;
	const Kind *kind;
	guint to_send;
	guint to_come;
} Run;

static void die(const char *what, const GError *error)
{
	g_printerr("bench-bus: %s: %s\n", what, error->message);
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
		die(run->kind->label, error);
	run->to_come--;
	if (run->to_send > 0)
		send_one(run);
}

static void send_one(Run *run)
{
	run->to_send--;
	g_dbus_connection_call(run->connection, NAME, PATH, run->kind->interface, run->kind->method,
			       run->kind->named ? g_variant_new("(s)", "program-7") : NULL, NULL,
			       G_DBUS_CALL_FLAGS_NO_AUTO_START, 30000, NULL, on_reply, run);
}

/* µs for each of n calls. */
static double time_calls(GDBusConnection *connection, const Kind *kind, guint n)
{
	Run run = {connection, kind, n, n};
	gint64 began = g_get_monotonic_time();

	for (guint i = 0; i < kind->pipeline && run.to_send > 0; i++)
		send_one(&run);
	while (run.to_come > 0)
		g_main_context_iteration(NULL, TRUE);
	return (double)(g_get_monotonic_time() - began) / n;
}

static GVariant *rows(void)
{
	g_auto(GVariantBuilder) rows;

	g_variant_builder_init(&rows, G_VARIANT_TYPE("a(ssdbu(uuu)ttttxs)"));
	for (guint i = 0; i < PROFILES; i++) {
		g_autofree char *name = g_strdup_printf("program-%u", i);

		g_variant_builder_add(&rows, "(ssdbu(uuu)ttttxs)", name, "batch", 1.0, TRUE, 10, 10,
				      0, 0, (guint64)1000000 + i, (guint64)1000, (guint64)20,
				      (guint64)30, (gint64)0, "live");
	}
	return g_variant_builder_end(&rows);
}

/* A connection to a service that knows so many profiles. */
static GDBusConnection *connect_to(const char *address)
{
	g_autoptr(GError) error = NULL;
	GDBusConnection *connection = g_dbus_connection_new_for_address_sync(
	    address,
	    G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
		G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
	    NULL, NULL, &error);
	GVariant *reply;

	if (!connection)
		die(address, error);
	reply =
	    g_dbus_connection_call_sync(connection, NAME, PATH, INTERFACE, "Import",
					g_variant_new("(@a(ssdbu(uuu)ttttxs)b)", rows(), TRUE),
					NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, 30000, NULL, &error);
	if (!reply)
		die("Import", error);
	g_variant_unref(reply);
	return connection;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(const double *values, guint n)
{
	double sorted[MAX_ROUNDS];

	memcpy(sorted, values, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), compare);
	return n % 2 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
}

/* The first bus beside the others, round by round: they were measured in turn. */
static void report(double us[MAX_BUSES][G_N_ELEMENTS(kinds)][MAX_ROUNDS], guint buses, guint rounds)
{
	for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
		printf("%-26s %8.1f µs", kinds[k].label, median(us[0][k], rounds));
		for (guint b = 1; b < buses; b++) {
			double ratios[MAX_ROUNDS] = {0};

			for (guint i = 0; i < rounds; i++)
				ratios[i] = us[b][k][i] / us[0][k][i];
			printf("   %8.1f µs, so %.2f times as many calls", median(us[b][k], rounds),
			       median(ratios, rounds));
		}
		putchar('\n');
	}
}

static guint number(const char *text)
{
	guint64 value;

	if (!g_ascii_string_to_unsigned(text, 10, 1, 1000000, &value, NULL)) {
		g_printerr("bench-bus: expected a number, not '%s'\n", text);
		exit(2);
	}
	return (guint)value;
}

int main(int argc, char **argv)
{
	static double us[MAX_BUSES][G_N_ELEMENTS(kinds)][MAX_ROUNDS];
	GDBusConnection *buses[MAX_BUSES];
	guint n, rounds, calls;

	if (argc < 4 || argc - 3 > MAX_BUSES) {
		g_printerr("usage: bench-bus ROUNDS CALLS ADDRESS...\n");
		return 2;
	}
	rounds = MIN(number(argv[1]), MAX_ROUNDS);
	calls = number(argv[2]);
	n = (guint)argc - 3;
	for (guint b = 0; b < n; b++) {
		buses[b] = connect_to(argv[3 + b]);
		/* Connections, caches and code warm up. */
		for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
			time_calls(buses[b], &kinds[k], 16);
	}
	for (guint round = 0; round < rounds; round++)
		for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
			for (guint i = 0; i < n; i++) {
				guint b = (i + round) % n;

				us[b][k][round] =
				    time_calls(buses[b], &kinds[k], MAX(calls / kinds[k].share, 1));
			}
	report(us, n, rounds);
	for (guint b = 0; b < n; b++)
		g_object_unref(buses[b]);
	return EXIT_SUCCESS;
}
