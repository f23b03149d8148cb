/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include <glib-unix.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "known.h"
#include "name.h"
#include "options.h"

typedef struct {
	Ctl *ctl;
	GMainLoop *loop;
	char **patterns;
	char *tier;
	gboolean all;
	Known *known;
	int status;
} Monitor;

static JsonBuilder *event_begin(const char *event)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_string(builder, "event", event);
	ctl_json_set(builder, "time_us", json_node_init_int(json_node_alloc(), g_get_real_time()));
	return builder;
}

/* Flush after each event, into a pipe as well; exit when the pipe has no reader any more. */
static void line_end(Monitor *monitor)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		g_main_loop_quit(monitor->loop);
}

static void print_time(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *stamp = g_date_time_format(now, "%T");

	printf("%s  ", stamp);
}

/* The options choose profiles, not other events. */
static gboolean is_filtered(const Monitor *monitor)
{
	return monitor->tier || monitor->patterns[0];
}

static gboolean is_wanted(const Monitor *monitor, const Change *change)
{
	if (!rows_match_any(monitor->patterns, change->name))
		return FALSE;
	return !monitor->tier || known_is_of(change->before, monitor->tier) ||
	       known_is_of(change->after, monitor->tier);
}

static void print_change(const Monitor *monitor, const Change *change)
{
	const KnownProfile *profile = change->after ? change->after : change->before;
	g_autofree char *text = change_text(change, monitor->all);

	if (profile->is_kernel_thread && !monitor->all && !monitor->patterns[0])
		return;
	/* Only figures moved. */
	if (!text)
		return;
	print_time();
	printf("%-8s %s%s\n",
	       !change->after	 ? "removed"
	       : !change->before ? "new"
				 : "changed",
	       change->name, text);
}

/* Names as the signal has them, or, where rows were chosen, those of the changes. */
static JsonNode *names_of(const GPtrArray *changes, gboolean removed)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < changes->len; i++) {
		const Change *change = changes->pdata[i];

		if ((change->after == NULL) == removed)
			json_array_add_string_element(array, change->name);
	}
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}

static void print_json(const Monitor *monitor, guint64 serial, const char *const *changed,
		       const char *const *removed, const GPtrArray *changes)
{
	JsonBuilder *builder = event_begin("profiles-changed");
	JsonArray *array = json_array_new();

	ctl_json_set_uint(builder, "serial", serial);
	if (is_filtered(monitor)) {
		ctl_json_set(builder, "changed", names_of(changes, FALSE));
		ctl_json_set(builder, "removed", names_of(changes, TRUE));
	} else {
		ctl_json_set(builder, "changed", ctl_json_from_strings(changed));
		ctl_json_set(builder, "removed", ctl_json_from_strings(removed));
	}
	for (guint i = 0; i < changes->len; i++)
		json_array_add_element(array, change_json(changes->pdata[i]));
	ctl_json_set(builder, "changes", json_node_init_array(json_node_alloc(), array));
	json_array_unref(array);
	ctl_json_print_line(ctl_json_end(builder));
}

static void keep_wanted(const Monitor *monitor, GPtrArray *changes)
{
	for (guint i = changes->len; i-- > 0;) {
		if (!is_wanted(monitor, changes->pdata[i]))
			g_ptr_array_remove_index(changes, i);
	}
}

/* That the service left is told by its owner. */
static void print_failure(const GError *error)
{
	if (error && !bus_is_gone(error))
		failure_report("QueryProfiles", NULL, error);
}

static void on_profiles_changed(ProcdbDBusProcDb1 *proxy, guint64 serial,
				const char *const *changed, const char *const *removed,
				gpointer user_data)
{
	Monitor *monitor = user_data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) changes =
	    known_update(monitor->known, monitor->ctl, serial, changed, removed, &error);

	print_failure(error);
	keep_wanted(monitor, changes);
	if (monitor->ctl->json) {
		if (!is_filtered(monitor) || changes->len > 0)
			print_json(monitor, serial, changed, removed, changes);
	} else {
		for (guint i = 0; i < changes->len; i++)
			print_change(monitor, changes->pdata[i]);
	}
	line_end(monitor);
}

/* Another service knows other profiles, and tells of changes only those that have called it. */
static void read_again(Monitor *monitor)
{
	static const char *const none[] = {NULL};
	g_autoptr(GError) error = NULL;
	g_autoptr(GPtrArray) changes = known_read_again(monitor->known, monitor->ctl, &error);

	print_failure(error);
	keep_wanted(monitor, changes);
	if (monitor->ctl->json && changes->len > 0)
		print_json(monitor, known_serial(monitor->known), none, none, changes);
	for (guint i = 0; i < changes->len && !monitor->ctl->json; i++)
		print_change(monitor, changes->pdata[i]);
}

/* What moves with the profiles, or is a figure. */
static gboolean is_figure(const char *property)
{
	static const char *const figures[] = {"Profiles", "Confident",	   "Overrides", "Dirty",
					      "LastSave", "TrialProgress", NULL};

	return g_strv_contains(figures, property);
}

static void on_properties_changed(GVariant *changed, gpointer user_data)
{
	Monitor *monitor = user_data;
	GVariantIter iter;
	const char *name;
	GVariant *value;

	if (monitor->ctl->json) {
		JsonBuilder *builder = event_begin("properties-changed");

		ctl_json_set(builder, "properties", ctl_json_from_properties(changed));
		ctl_json_print_line(ctl_json_end(builder));
		line_end(monitor);
		return;
	}
	if (is_filtered(monitor))
		return;
	g_variant_iter_init(&iter, changed);
	while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
		g_autofree char *text = g_variant_print(value, FALSE);

		if (is_figure(name) && !monitor->all)
			continue;
		print_time();
		printf("%-8s %s = %s\n", "property", name, text);
	}
	line_end(monitor);
}

static void on_owner_changed(GObject *proxy, GParamSpec *pspec, gpointer user_data)
{
	Monitor *monitor = user_data;
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(proxy));

	if (monitor->ctl->json) {
		ctl_json_print_line(
		    ctl_json_end(event_begin(owner ? "service-started" : "service-stopped")));
	} else {
		print_time();
		printf("the service %s\n", owner ? "started" : "stopped");
	}
	if (owner)
		read_again(monitor);
	line_end(monitor);
}

static void on_bus_closed(GDBusConnection *bus, gboolean remote, GError *error, gpointer user_data)
{
	Monitor *monitor = user_data;

	g_printerr("The connection to the system bus broke.\n");
	monitor->status = CTL_UNREACHABLE;
	g_main_loop_quit(monitor->loop);
}

static gboolean on_stop(gpointer user_data)
{
	g_main_loop_quit(((Monitor *)user_data)->loop);
	return G_SOURCE_CONTINUE;
}

static void follow(Monitor *monitor)
{
	Ctl *ctl = monitor->ctl;
	const guint sources[] = {
	    g_unix_signal_add(SIGINT, on_stop, monitor),
	    g_unix_signal_add(SIGTERM, on_stop, monitor),
	};

	/* No event is missed from here on: a program that keeps a list reads it after this line. */
	if (ctl->json)
		ctl_json_print_line(ctl_json_end(event_begin("following")));
	else
		g_printerr("Following changes; end with Ctrl-C.\n");
	if (fflush(stdout) == 0)
		g_main_loop_run(monitor->loop);
	g_source_remove(sources[0]);
	g_source_remove(sources[1]);
}

static int run(Monitor *monitor)
{
	Ctl *ctl = monitor->ctl;
	GDBusConnection *bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy));
	g_autoptr(GError) error = NULL;
	guint properties;

	g_dbus_connection_set_exit_on_close(bus, FALSE);
	g_signal_connect(bus, "closed", G_CALLBACK(on_bus_closed), monitor);
	g_signal_connect(ctl->proxy, "profiles-changed", G_CALLBACK(on_profiles_changed), monitor);
	g_signal_connect(ctl->proxy, "notify::g-name-owner", G_CALLBACK(on_owner_changed), monitor);
	properties = bus_follow_properties(ctl, on_properties_changed, monitor);
	/* Fails now, with a reason, rather than wait for signals of a service that is not there. */
	monitor->known = known_new(ctl, ctl->json, &error);
	/* A service that is stopped from here on stays stopped. */
	ctl->call_flags |= G_DBUS_CALL_FLAGS_NO_AUTO_START;
	if (monitor->known)
		follow(monitor);
	else
		monitor->status = failure_report("ListProfiles", NULL, error);
	g_dbus_connection_signal_unsubscribe(bus, properties);
	g_signal_handlers_disconnect_by_data(bus, monitor);
	g_signal_handlers_disconnect_by_data(ctl->proxy, monitor);
	g_clear_pointer(&monitor->known, known_free);
	return monitor->status;
}

int cmd_monitor(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Monitor monitor = {.ctl = ctl, .loop = loop, .status = CTL_OK};
	g_auto(GStrv) args = NULL;
	g_auto(GStrv) patterns = NULL;
	g_autofree char *tier = NULL;
	const GOptionEntry entries[] = {
	    {"tier", 't', 0, G_OPTION_ARG_STRING, &tier,
	     "Only programs of this tier, or brief, before or after", "TIER"},
	    {"all", 'a', 0, G_OPTION_ARG_NONE, &monitor.all,
	     "Also print changes of figures, and kernel threads", NULL},
	    {NULL},
	};
	int status;

	if (!options_parse(ctl, command, entries, argv, &args) ||
	    (tier && !options_is_word(command, "tier", tier, rows_words)))
		return CTL_USAGE;
	patterns = name_patterns(args);
	monitor.patterns = patterns;
	monitor.tier = tier;
	status = bus_connect(ctl);
	return status == CTL_OK ? run(&monitor) : status;
}
