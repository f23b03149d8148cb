/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "measure.h"

#include <bpf/bpf.h>
#include <gio/gio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

#define BUS_NAME "org.pandemonium.ProcDb"
#define PROFILES 512
#define STARTS 15
#define MANY 16384
#define LISTS 9
/* 10 ms a minute. */
#define AT_REST_PERCENT (10.0 / 600)
#define START_LIMIT_NS (G_GINT64_CONSTANT(10) * 1000000000)
/* A program may need so long to come to rest. */
#define SETTLE_S 3
/* BPF watches and has nothing to report, as on a machine on which nothing runs. */
#define NOTHING_TO_REPORT "[Observer]\nMaturity=no\nExit=no\nRenewSec=0\n"

static void fail(const char *what, const GError *error) G_GNUC_NORETURN;

static void fail(const char *what, const GError *error)
{
	g_printerr("bench-cost: %s%s%s\n", what, error ? ": " : "", error ? error->message : "");
	exit(EXIT_FAILURE);
}

static gboolean is_owned(GDBusConnection *bus)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
	    "NameHasOwner", g_variant_new("(s)", BUS_NAME), G_VARIANT_TYPE("(b)"),
	    G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);
	gboolean owned;

	if (!reply)
		fail("the bus", error);
	g_variant_get(reply, "(b)", &owned);
	return owned;
}

/* The number of predictions that the running service has published. */
static guint predictions(void)
{
	static struct procdb_comm keys[2 * PROFILES];
	static struct procdb_class values[2 * PROFILES];
	__u32 count = G_N_ELEMENTS(keys), cursor;
	int fd = bpf_obj_get(PROCDB_PIN_INIT);

	if (fd < 0)
		return 0;
	bpf_map_lookup_batch(fd, NULL, &cursor, keys, values, &count, NULL);
	close(fd);
	return count;
}

static GSubprocess *start(GDBusConnection *bus, const char *program, const char *database,
			  const char *config, double *ms)
{
	g_autoptr(GError) error = NULL;
	gint64 begin = now_ns();
	GSubprocess *service =
	    g_subprocess_new(G_SUBPROCESS_FLAGS_STDERR_SILENCE, &error, program, "--database",
			     database, "--config", config, "--backend", "auto", NULL);

	if (!service)
		fail(program, error);
	while (predictions() < PROFILES || !is_owned(bus)) {
		if (now_ns() - begin > START_LIMIT_NS)
			fail("the service did not start", NULL);
		g_usleep(200);
	}
	*ms = (double)(now_ns() - begin) / 1e6;
	return service;
}

static void stop(GDBusConnection *bus, GSubprocess *service)
{
	g_autoptr(GError) error = NULL;

	g_subprocess_send_signal(service, SIGTERM);
	if (!g_subprocess_wait_check(service, NULL, &error))
		fail("the service", error);
	g_object_unref(service);
	/* The bus may be behind. */
	while (is_owned(bus))
		g_usleep(200);
}

/* A number from a line of a file of /proc; 0 if it is not there. */
static guint64 proc_number(const char *path, const char *label)
{
	g_autofree char *text = NULL;
	const char *line;

	if (!g_file_get_contents(path, &text, NULL, NULL) || !(line = strstr(text, label)))
		return 0;
	return g_ascii_strtoull(line + strlen(label), NULL, 10);
}

typedef struct {
	guint64 cpu_ns;
	guint64 switches; /* times that a thread went to sleep of itself */
} Usage;

static Usage usage_of(const char *pid)
{
	g_autofree char *directory = g_strdup_printf("/proc/%s/task", pid);
	g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
	Usage usage = {0};
	const char *thread;

	while (dir && (thread = g_dir_read_name(dir))) {
		g_autofree char *sched = g_build_filename(directory, thread, "schedstat", NULL);
		g_autofree char *status = g_build_filename(directory, thread, "status", NULL);

		usage.cpu_ns += proc_number(sched, "");
		usage.switches += proc_number(status, "\nvoluntary_ctxt_switches:");
	}
	return usage;
}

/* What the service has observed so far. */
static guint64 observations(GDBusConnection *bus)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) value = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    bus, BUS_NAME, "/org/pandemonium/ProcDb", "org.freedesktop.DBus.Properties", "Get",
	    g_variant_new("(ss)", "org.pandemonium.ProcDb1", "Observations"), G_VARIANT_TYPE("(v)"),
	    G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

	if (!reply)
		fail("Observations", error);
	g_variant_get(reply, "(v)", &value);
	return g_variant_get_uint64(value);
}

static void add_mib(Figures *figures, const char *pid, const char *line, const char *id,
		    const char *what, double goal)
{
	g_autofree char *status = g_strdup_printf("/proc/%s/status", pid);
	double mib = (double)proc_number(status, line) / 1024;

	figures_add(
	    figures,
	    &(Figure){
		.id = id, .what = what, .unit = "MiB", .value = {mib, mib, mib, 1}, .goal = goal});
}

/* CPU and wake-ups of a service that no client calls; ids and names of the figures begin with
 * these.
 */
static void measure_alone(Figures *figures, GDBusConnection *bus, GSubprocess *service,
			  guint seconds, const char *id, const char *what)
{
	const char *pid = g_subprocess_get_identifier(service);
	g_autofree char *cpu_id = g_strconcat(id, "-cpu", NULL);
	g_autofree char *cpu_what = g_strconcat(what, ": CPU", NULL);
	g_autofree char *wakeups_id = g_strconcat(id, "-wakeups", NULL);
	g_autofree char *observed_id = g_strconcat(id, "-observed", NULL);
	g_autoptr(GArray) percents = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GArray) wakeups = g_array_new(FALSE, FALSE, sizeof(double));
	guint64 before_all;
	double observed;

	g_usleep(SETTLE_S * G_USEC_PER_SEC);
	before_all = observations(bus);
	g_usleep(G_USEC_PER_SEC);
	for (guint i = 0; i < seconds; i += 5) {
		Usage before = usage_of(pid), after;
		double percent, rate;

		g_usleep(5 * G_USEC_PER_SEC);
		after = usage_of(pid);
		percent = (double)(after.cpu_ns - before.cpu_ns) / 5e9 * 100;
		rate = (double)(after.switches - before.switches) / 5;
		g_array_append_val(percents, percent);
		g_array_append_val(wakeups, rate);
	}
	observed = (double)(observations(bus) - before_all) / (seconds + 1);
	figures_add(figures, &(Figure){.id = cpu_id,
				       .what = cpu_what,
				       .unit = "%",
				       .value = summarize(percents),
				       .goal = AT_REST_PERCENT});
	figures_add(figures, &(Figure){.id = wakeups_id,
				       .what = "  wake-ups a second, all threads",
				       .unit = "",
				       .value = summarize(wakeups),
				       .goal = 1.1});
	figures_add(figures, &(Figure){.id = observed_id,
				       .what = "  observations a second meanwhile",
				       .unit = "",
				       .value = {observed, observed, observed, 1}});
}

/* Runs the client; ms until its output has ended, which *output gets. */
static double run_client(const char *client, const char *const arguments[], char **output)
{
	g_autoptr(GPtrArray) argv = g_ptr_array_new();
	g_autoptr(GError) error = NULL;
	g_autoptr(GSubprocess) process = NULL;
	gint64 begin;

	g_ptr_array_add(argv, (gpointer)client);
	for (; *arguments; arguments++)
		g_ptr_array_add(argv, (gpointer)*arguments);
	g_ptr_array_add(argv, NULL);
	begin = now_ns();
	process = g_subprocess_newv((const char *const *)argv->pdata,
				    G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
	if (!process || !g_subprocess_communicate_utf8(process, NULL, NULL, output, NULL, &error) ||
	    !g_subprocess_wait_check(process, NULL, &error))
		fail(client, error);
	return (double)(now_ns() - begin) / 1e6;
}

static void measure_lists(Figures *figures, const char *client)
{
	static const struct {
		const char *id, *what;
		const char *const arguments[3];
	} lists[] = {
	    {"list-many", "list of 16,384 from the client", {"list", NULL}},
	    {"list-many-json", "  the same as JSON", {"list", "--json", NULL}},
	};

	for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
		g_autoptr(GArray) samples = g_array_new(FALSE, FALSE, sizeof(double));

		for (guint k = 0; k < LISTS; k++) {
			g_autofree char *output = NULL;
			double ms = run_client(client, lists[i].arguments, &output);

			g_array_append_val(samples, ms);
		}
		figures_add(figures, &(Figure){.id = lists[i].id,
					       .what = lists[i].what,
					       .unit = "ms",
					       .value = summarize(samples),
					       .goal = 150});
	}
}

/* All that it remembers is taken out, and in again. */
static void import_all(const char *client, const char *directory)
{
	g_autofree char *file = g_build_filename(directory, "export.json", NULL);
	const char *const export[] = {"export", file, NULL};
	const char *const import[] = {"import", file, NULL};
	g_autofree char *none = NULL, *told = NULL;

	run_client(client, export, &none);
	run_client(client, import, &told);
}

/* A service that remembers as much as it may. client may be NULL. */
static void measure_many(Figures *figures, GDBusConnection *bus, const char *program,
			 const char *client, const char *directory)
{
	g_autofree char *database = g_build_filename(directory, "many.bin", NULL);
	g_autofree char *config = g_build_filename(directory, "service.conf", NULL);
	g_autoptr(ProcdbStore) store = procdb_store_new(database);
	g_autoptr(GArray) records = confident_records(MANY);
	g_autoptr(GError) error = NULL;
	GSubprocess *service;
	const char *pid;
	double ms;

	if (!procdb_store_save(store, (const struct procdb_record *)records->data, records->len,
			       &error))
		fail(database, error);
	service = start(bus, program, database, config, &ms);
	pid = g_subprocess_get_identifier(service);
	g_usleep(SETTLE_S * G_USEC_PER_SEC);
	add_mib(figures, pid, "VmRSS:", "resident-many",
		"resident memory, 16,384 profiles remembered", 12);
	if (client) {
		measure_lists(figures, client);
		import_all(client, directory);
		add_mib(figures, pid, "VmHWM:", "resident-import",
			"resident memory at most, all of them imported", 32);
	}
	stop(bus, service);
}

void measure_service(Figures *figures, const char *program, const char *client,
		     const char *directory, guint idle_s)
{
	g_autofree char *database = g_build_filename(directory, "service.bin", NULL);
	g_autofree char *config = g_build_filename(directory, "service.conf", NULL);
	g_autoptr(ProcdbStore) store = procdb_store_new(database);
	g_autoptr(GArray) records = confident_records(PROFILES);
	g_autoptr(GArray) starts = g_array_new(FALSE, FALSE, sizeof(double));
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
	GSubprocess *service = NULL;
	double ms;

	if (!bus)
		fail("the system bus", error);
	if (!procdb_store_save(store, (const struct procdb_record *)records->data, records->len,
			       &error))
		fail(database, error);
	if (!g_file_set_contents(config, "", -1, &error))
		fail(config, error);
	for (guint i = 0; i < STARTS; i++) {
		if (service)
			stop(bus, service);
		service = start(bus, program, database, config, &ms);
		g_array_append_val(starts, ms);
	}
	figures_add(figures, &(Figure){.id = "start",
				       .what = "start to name owned, 512 predictions published",
				       .unit = "ms",
				       .value = summarize(starts),
				       .goal = 100});
	add_mib(figures, g_subprocess_get_identifier(service), "VmRSS:", "resident",
		"resident memory, observing, 512 profiles", 5);
	add_mib(figures, g_subprocess_get_identifier(service), "RssAnon:", "resident-anonymous",
		"  of which not shared with files", 0);
	measure_alone(figures, bus, service, idle_s, "quiet",
		      "no client asks, the machine does little");
	stop(bus, service);

	if (!g_file_set_contents(config, NOTHING_TO_REPORT, -1, &error))
		fail(config, error);
	service = start(bus, program, database, config, &ms);
	measure_alone(figures, bus, service, idle_s, "idle", "no client asks, nothing is observed");
	stop(bus, service);
	measure_many(figures, bus, program, client, directory);
}
