/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* pandemonium-monitor: what programs behave like, in a window. */

#include "contract.h"
#include "window.h"

static void on_proxy(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(MonitorWindow) window = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(ProcdbDBusProcDb1) proxy =
	    procdb_dbus_proc_db1_proxy_new_for_bus_finish(result, &error);

	if (proxy)
		monitor_window_follow(window, proxy);
	else
		monitor_window_fail(window, "The System Bus Cannot Be Reached", error->message);
}

static void on_activate(AdwApplication *application, gpointer data)
{
	GtkWindow *window = gtk_application_get_active_window(GTK_APPLICATION(application));

	if (!window) {
		window = GTK_WINDOW(monitor_window_new(application));
		procdb_dbus_proc_db1_proxy_new_for_bus(
		    G_BUS_TYPE_SYSTEM, G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START, PROCDB_BUS_NAME,
		    PROCDB_BUS_PATH, NULL, on_proxy, g_object_ref(window));
	}
	gtk_window_present(window);
}

static void on_quit(GSimpleAction *action, GVariant *parameter, gpointer application)
{
	g_application_quit(application);
}

static void add_keys(GtkApplication *application)
{
	static const struct {
		const char *action;
		const char *keys[3];
	} keys[] = {
	    {"app.quit", {"<Control>q", NULL}},
	    {"win.search", {"<Control>f", NULL}},
	    {"win.override-menu", {"Menu", "<Shift>F10", NULL}},
	    {"win.override::lat-critical", {"<Control>1", NULL}},
	    {"win.override::interactive", {"<Control>2", NULL}},
	    {"win.override::batch", {"<Control>3", NULL}},
	    {"win.override::none", {"<Control>0", NULL}},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(keys); i++)
		gtk_application_set_accels_for_action(application, keys[i].action, keys[i].keys);
}

int main(int argc, char **argv)
{
	static const GActionEntry actions[] = {{.name = "quit", .activate = on_quit}};
	g_autoptr(AdwApplication) application =
	    adw_application_new("org.pandemonium.Monitor", G_APPLICATION_DEFAULT_FLAGS);

	g_set_application_name("ProcDb Monitor");
	g_action_map_add_action_entries(G_ACTION_MAP(application), actions, G_N_ELEMENTS(actions),
					application);
	add_keys(GTK_APPLICATION(application));
	g_signal_connect(application, "activate", G_CALLBACK(on_activate), NULL);
	return g_application_run(G_APPLICATION(application), argc, argv);
}
