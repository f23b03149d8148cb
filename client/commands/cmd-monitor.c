/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include <stdio.h>

#include <glib-unix.h>

#include "bus.h"
#include "commands.h"
#include "failure.h"
#include "json.h"
#include "options.h"
#include "output.h"

typedef struct {
	Ctl *ctl;
	GMainLoop *loop;
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

static void print_names(const char *what, const char *const *names)
{
	for (; *names; names++) {
		print_time();
		printf("%-8s %s\n", what, *names);
	}
}

static void on_profiles_changed(ProcdbDBusProcDb1 *proxy, guint64 serial,
				const char *const *changed, const char *const *removed,
				gpointer user_data)
{
	Monitor *monitor = user_data;
	JsonBuilder *builder;

	if (monitor->ctl->json) {
		builder = event_begin("profiles-changed");
		ctl_json_set_uint(builder, "serial", serial);
		ctl_json_set(builder, "changed", ctl_json_from_strings(changed));
		ctl_json_set(builder, "removed", ctl_json_from_strings(removed));
		ctl_json_print_line(ctl_json_end(builder));
	} else if (!*changed && !*removed) {
		print_time();
		puts("changed  more than can be named");
	} else {
		print_names("changed", changed);
		print_names("removed", removed);
	}
	line_end(monitor);
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
	g_variant_iter_init(&iter, changed);
	while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
		g_autofree char *text = g_variant_print(value, FALSE);

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

/* Fails now, with a reason, rather than wait for signals of a service that is not there. */
static int check_service(Ctl *ctl)
{
	g_autoptr(GVariant) properties = NULL;
	g_autoptr(GError) error = NULL;

	properties = bus_properties(ctl, &error);
	return properties ? CTL_OK : failure_report(NULL, NULL, error);
}

int cmd_monitor(Ctl *ctl, const CtlCommand *command, char **argv)
{
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	Monitor monitor = {.ctl = ctl, .loop = loop, .status = CTL_OK};
	g_auto(GStrv) args = NULL;
	GDBusConnection *bus;
	guint sources[2];
	guint properties;
	int status;

	if (!options_parse(ctl, command, NULL, argv, &args))
		return CTL_USAGE;
	status = bus_connect(ctl);
	if (status != CTL_OK)
		return status;
	bus = g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy));
	g_dbus_connection_set_exit_on_close(bus, FALSE);
	g_signal_connect(bus, "closed", G_CALLBACK(on_bus_closed), &monitor);
	g_signal_connect(ctl->proxy, "profiles-changed", G_CALLBACK(on_profiles_changed), &monitor);
	g_signal_connect(ctl->proxy, "notify::g-name-owner", G_CALLBACK(on_owner_changed),
			 &monitor);
	properties = bus_follow_properties(ctl, on_properties_changed, &monitor);
	status = check_service(ctl);
	if (status != CTL_OK)
		return status;
	sources[0] = g_unix_signal_add(SIGINT, on_stop, &monitor);
	sources[1] = g_unix_signal_add(SIGTERM, on_stop, &monitor);
	/* No event is missed from here on: a program that keeps a list reads it after this line. */
	if (ctl->json)
		ctl_json_print_line(ctl_json_end(event_begin("following")));
	else
		g_printerr("Following changes; end with Ctrl-C.\n");
	if (fflush(stdout) == 0)
		g_main_loop_run(loop);
	g_source_remove(sources[0]);
	g_source_remove(sources[1]);
	g_dbus_connection_signal_unsubscribe(bus, properties);
	g_signal_handlers_disconnect_by_data(bus, &monitor);
	g_signal_handlers_disconnect_by_data(ctl->proxy, &monitor);
	return monitor.status;
}
