/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "doctor.h"

#include <stdlib.h>
#include <string.h>

#include "output.h"

#define BUS "org.freedesktop.DBus"
#define POLKIT "org.freedesktop.PolicyKit1"
#define RESTART "Run: systemctl restart pandemonium-procdbd"

/* A check answers at once or not at all. */
#define TIMEOUT_MS 10000

static GVariant *call(GDBusConnection *bus, const char *name, const char *path,
		      const char *interface, const char *method, GVariant *parameters,
		      const char *reply, GError **error)
{
	return g_dbus_connection_call_sync(bus, name, path, interface, method, parameters,
					   G_VARIANT_TYPE(reply), G_DBUS_CALL_FLAGS_NONE,
					   TIMEOUT_MS, NULL, error);
}

static gboolean has_owner(GDBusConnection *bus, const char *name)
{
	g_autoptr(GVariant) reply = call(bus, BUS, "/org/freedesktop/DBus", BUS, "NameHasOwner",
					 g_variant_new("(s)", name), "(b)", NULL);
	gboolean owned = FALSE;

	if (reply)
		g_variant_get(reply, "(b)", &owned);
	return owned;
}

static gboolean can_start(GDBusConnection *bus, const char *name)
{
	g_autoptr(GVariant) reply = call(bus, BUS, "/org/freedesktop/DBus", BUS,
					 "ListActivatableNames", NULL, "(as)", NULL);
	g_autofree const char **names = NULL;

	if (!reply)
		return FALSE;
	g_variant_get(reply, "(^a&s)", &names);
	return g_strv_contains(names, name);
}

static guint count_actions(GVariant *reply)
{
	g_autoptr(GVariant) actions = g_variant_get_child_value(reply, 0);
	guint count = 0;

	for (gsize i = 0; i < g_variant_n_children(actions); i++) {
		g_autoptr(GVariant) action = g_variant_get_child_value(actions, i);
		const char *id;

		g_variant_get_child(action, 0, "&s", &id);
		count += g_str_has_prefix(id, PROCDB_ACTION_PREFIX) ? 1 : 0;
	}
	return count;
}

static void check_polkit(Doctor *doctor, GDBusConnection *bus)
{
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;

	if (!has_owner(bus, POLKIT) && !can_start(bus, POLKIT)) {
		doctor_say(doctor, "polkit", DOCTOR_PROBLEM,
			   "Install polkitd; without it only root can use the service.",
			   "polkit is not on the bus");
		return;
	}
	reply = call(bus, POLKIT, "/org/freedesktop/PolicyKit1/Authority", POLKIT ".Authority",
		     "EnumerateActions", g_variant_new("(s)", ""), "(a(ssssssuuua{ss}))", &error);
	if (!reply)
		doctor_say(doctor, "polkit", DOCTOR_PROBLEM, "Run: systemctl restart polkit",
			   "polkit does not answer: %s", error->message);
	else if (count_actions(reply) == 0)
		doctor_say(doctor, "polkit", DOCTOR_PROBLEM,
			   "Install org.pandemonium.procdb.policy to share/polkit-1/actions.",
			   "polkit knows no action " PROCDB_ACTION_PREFIX "*");
	else
		doctor_say(doctor, "polkit", DOCTOR_OK, NULL,
			   "it answers, and knows the %u actions of the service",
			   count_actions(reply));
}

static void check_backend(Doctor *doctor, GVariantDict *properties)
{
	const char *backend = "?", *state = "?", *token = "", *reason = "";
	guint64 errors = 0;

	g_variant_dict_lookup(properties, "Backend", "&s", &backend);
	g_variant_dict_lookup(properties, "BackendState", "&s", &state);
	g_variant_dict_lookup(properties, "BackendStatus", "&s", &token);
	g_variant_dict_lookup(properties, "BackendReason", "&s", &reason);
	g_variant_dict_lookup(properties, "MapErrors", "t", &errors);
	if (g_str_equal(backend, "none"))
		doctor_say(doctor, "backend", DOCTOR_NOTE,
			   "To learn for now, run: pandemoniumctl backend auto; "
			   "for good, set Backend= in procdb.conf",
			   "nothing observes tasks (%s)", state);
	else if (g_str_equal(token, "failed"))
		doctor_say(doctor, "backend", DOCTOR_PROBLEM,
			   g_str_equal(backend, "sched-ext")
			       ? "To do without its own scheduler, run: pandemoniumctl backend auto"
			       : "Fix the problems above, and restart the service.",
			   "%s %s", backend, state);
	else if (g_str_equal(token, "active") && *reason)
		/* It works, and something is worth knowing. */
		doctor_say(doctor, "backend", DOCTOR_NOTE, NULL, "%s is %s", backend, state);
	else if (errors > 0)
		doctor_say(doctor, "backend", DOCTOR_NOTE,
			   "See the log: journalctl -u pandemonium-procdbd",
			   "%s is %s, with %" G_GUINT64_FORMAT " failed map operations", backend,
			   state, errors);
	else
		doctor_say(doctor, "backend", DOCTOR_OK, NULL, "%s is %s", backend, state);
}

static void check_apply(Doctor *doctor, GVariantDict *properties)
{
	const char *apply = "?", *reason = "";
	gboolean active = FALSE;

	g_variant_dict_lookup(properties, "Apply", "&s", &apply);
	g_variant_dict_lookup(properties, "ApplyActive", "b", &active);
	/* Older services do not say why. */
	if (!g_variant_dict_lookup(properties, "ApplyReason", "&s", &reason))
		return;
	if (active)
		doctor_say(doctor, "apply", DOCTOR_OK, NULL, "tasks get the slice of their tier");
	else
		doctor_say(doctor, "apply", g_str_equal(apply, "none") ? DOCTOR_OK : DOCTOR_NOTE,
			   NULL, "no task is changed: %s", reason);
}

static void check_flood(Doctor *doctor, GVariantDict *properties)
{
	const char *flood = "";

	g_variant_dict_lookup(properties, "Flood", "&s", &flood);
	if (*flood)
		doctor_say(doctor, "names", DOCTOR_NOTE,
			   "The profiles of that user are forgotten first; look at the programs of "
			   "that user.",
			   "%s", flood);
}

static void check_database(Doctor *doctor, GVariantDict *properties)
{
	const char *path = "?", *save_error = "", *problem = "";
	gint64 last_save = 0;

	g_variant_dict_lookup(properties, "DatabasePath", "&s", &path);
	/* Older services do not say. */
	g_variant_dict_lookup(properties, "DatabaseProblem", "&s", &problem);
	g_variant_dict_lookup(properties, "LastSaveError", "&s", &save_error);
	g_variant_dict_lookup(properties, "LastSave", "x", &last_save);
	if (*problem)
		doctor_say(doctor, "database", DOCTOR_NOTE,
			   "An export brings profiles back: pandemoniumctl import FILE. Look at "
			   "the disk, too.",
			   "%s", problem);
	if (*save_error) {
		doctor_say(doctor, "database", DOCTOR_PROBLEM,
			   "Until that is mended, what is learned is only in memory.", "%s",
			   save_error);
	} else if (!*problem) {
		g_autofree char *ago = out_ago(last_save, g_get_real_time());

		doctor_say(doctor, "database", DOCTOR_OK, NULL, "%s, %s%s", path,
			   last_save > 0 ? "saved " : "not saved since the start",
			   last_save > 0 ? ago : "");
	}
}

static void check_configuration(Doctor *doctor, GVariantDict *properties)
{
	g_autofree const char **problems = NULL;

	/* Older services do not say. */
	if (!g_variant_dict_lookup(properties, "ConfigurationProblems", "^a&s", &problems))
		return;
	for (guint i = 0; problems[i]; i++)
		doctor_say(doctor, "config", DOCTOR_PROBLEM,
			   "Fix it, and run: pandemoniumctl reload", "%s", problems[i]);
	if (!problems[0])
		doctor_say(doctor, "config", DOCTOR_OK, NULL, "every setting is understood");
}

/* The value of a "Key:\tvalue" line of /proc/PID/status, or NULL. */
static char *status_value(const char *status, const char *key)
{
	g_autofree char *start = g_strdup_printf("\n%s:\t", key);
	const char *at = strstr(status, start);

	if (!at)
		return NULL;
	at += strlen(start);
	return g_strndup(at, strcspn(at, "\n"));
}

static void check_sandbox(Doctor *doctor, GDBusConnection *bus)
{
	g_autoptr(GVariant) reply =
	    call(bus, BUS, "/org/freedesktop/DBus", BUS, "GetConnectionUnixProcessID",
		 g_variant_new("(s)", PROCDB_BUS_NAME), "(u)", NULL);
	g_autofree char *path = NULL, *status = NULL, *filter = NULL, *no_new = NULL;
	guint32 pid = 0;

	if (reply)
		g_variant_get(reply, "(u)", &pid);
	path = g_strdup_printf("/proc/%u/status", pid);
	if (!g_file_get_contents(path, &status, NULL, NULL)) {
		doctor_say(doctor, "sandbox", DOCTOR_NOTE, "Run this as root to see it.",
			   "the sandbox of the service cannot be read from /proc");
		return;
	}
	filter = status_value(status, "Seccomp");
	no_new = status_value(status, "NoNewPrivs");
	if (g_strcmp0(filter, "2") == 0 && g_strcmp0(no_new, "1") == 0)
		doctor_say(doctor, "sandbox", DOCTOR_OK, NULL,
			   "system calls are filtered, and no privileges can be gained");
	else
		doctor_say(doctor, "sandbox", DOCTOR_NOTE,
			   "Start it by its unit: systemctl start pandemonium-procdbd",
			   "the service (process %u) runs without the sandbox of its unit", pid);
}

static void check_version(Doctor *doctor, GVariantDict *properties)
{
	const char *version = "?";

	g_variant_dict_lookup(properties, "Version", "&s", &version);
	if (g_str_equal(version, PROCDB_VERSION))
		doctor_say(doctor, "service", DOCTOR_OK, NULL, "version %s answers", version);
	else
		doctor_say(doctor, "service", DOCTOR_NOTE, RESTART,
			   "version %s answers, and this program is of version %s", version,
			   PROCDB_VERSION);
}

static void check_running(Doctor *doctor, GDBusConnection *bus)
{
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GVariant) values = NULL;
	g_autoptr(GVariantDict) properties = NULL;
	g_autoptr(GError) error = NULL;

	if (!has_owner(bus, PROCDB_BUS_NAME) && !can_start(bus, PROCDB_BUS_NAME)) {
		doctor_say(doctor, "service", DOCTOR_PROBLEM,
			   "Install it completely, or start pandemonium-procdbd by hand.",
			   "it does not run, and the bus does not know how to start it");
		return;
	}
	reply = call(bus, PROCDB_BUS_NAME, PROCDB_BUS_PATH, BUS ".Properties", "GetAll",
		     g_variant_new("(s)", PROCDB_BUS_INTERFACE), "(a{sv})", &error);
	if (!reply) {
		g_dbus_error_strip_remote_error(error);
		doctor_say(doctor, "service", DOCTOR_PROBLEM,
			   "See its log: journalctl -u pandemonium-procdbd",
			   "it does not answer: %s", error->message);
		return;
	}
	values = g_variant_get_child_value(reply, 0);
	properties = g_variant_dict_new(values);
	check_version(doctor, properties);
	check_backend(doctor, properties);
	check_apply(doctor, properties);
	check_configuration(doctor, properties);
	check_database(doctor, properties);
	check_flood(doctor, properties);
	check_sandbox(doctor, bus);
}

void doctor_check_service(Doctor *doctor)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

	if (!bus) {
		doctor_say(doctor, "bus", DOCTOR_PROBLEM, "Start dbus.service, or dbus-daemon.",
			   "the system bus cannot be reached: %s", error->message);
		return;
	}
	doctor_say(doctor, "bus", DOCTOR_OK, NULL, "the system bus answers");
	check_polkit(doctor, bus);
	check_running(doctor, bus);
}
