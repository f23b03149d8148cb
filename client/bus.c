/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "bus.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "ask.h"
#include "failure.h"

/* How long an agent may take to register before we go on without it. */
#define AGENT_WAIT_MS 5000

/* How long a service may hang before the user at a terminal is told. */
#define ALIVE_WAIT_MS 10000

gboolean bus_may_ask(const Ctl *ctl)
{
	return !ctl->no_ask_password && geteuid() != 0;
}

/*
 * pkttyagent serves its parent, and closes the descriptor when it is ready. On
 * a desktop it steps back where the session has an agent of its own; elsewhere
 * it must not (--fallback), as polkit forgets such an agent when the caller has
 * no session.
 */
void bus_start_agent(Ctl *ctl)
{
	g_autoptr(GSubprocessLauncher) launcher = NULL;
	g_autofree char *program = g_find_program_in_path("pkttyagent");
	gboolean desktop = g_getenv("WAYLAND_DISPLAY") || g_getenv("DISPLAY");
	g_autoptr(GError) error = NULL;
	int ready[2];

	if (!program || !ask_has_terminal())
		return;
	if (!g_unix_open_pipe(ready, FD_CLOEXEC, &error)) {
		g_printerr("Cannot start the password agent: %s\n", error->message);
		return;
	}
	launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_INHERIT);
	g_subprocess_launcher_take_fd(launcher, ready[1], 3);
	ctl->agent = g_subprocess_launcher_spawn(launcher, &error, program, "--notify-fd", "3",
						 desktop ? "--fallback" : NULL, NULL);
	g_clear_object(&launcher);
	if (ctl->agent) {
		struct pollfd pfd = {.fd = ready[0], .events = POLLIN};

		poll(&pfd, 1, AGENT_WAIT_MS);
	} else {
		g_printerr("Cannot start the password agent: %s\n", error->message);
	}
	close(ready[0]);
}

/*
 * A call may take minutes while a person searches for a password, and nothing
 * tells that from a service that hangs; so one that needs none comes first.
 * What else may be wrong the call itself says.
 */
static int check_alive(const Ctl *ctl)
{
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;

	if (!ask_possible() && !bus_may_ask(ctl))
		return CTL_OK;
	reply = g_dbus_connection_call_sync(
	    g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy)), PROCDB_BUS_NAME, PROCDB_BUS_PATH,
	    "org.freedesktop.DBus.Properties", "Get",
	    g_variant_new("(ss)", PROCDB_BUS_INTERFACE, "Version"), NULL,
	    G_DBUS_CALL_FLAGS_NO_AUTO_START, ALIVE_WAIT_MS, NULL, &error);
	if (!reply && g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
		return failure_report(NULL, NULL, error);
	return CTL_OK;
}

/*
 * Starts the service if it does not run. A proxy would do it as well, but put words of its own in
 * front of the error, and lose its name. That the bus cannot start it at all the call says later,
 * by its own name.
 */
static int start_service(GDBusConnection *bus)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_connection_call_sync(
	    bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
	    "StartServiceByName", g_variant_new("(su)", PROCDB_BUS_NAME, 0), NULL,
	    G_DBUS_CALL_FLAGS_NONE, -1, NULL, &error);

	if (reply || g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
	    g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER))
		return CTL_OK;
	return failure_to_start(error);
}

static int connect_service(Ctl *ctl, gboolean privileged)
{
	g_autoptr(GDBusConnection) bus = NULL;
	g_autoptr(GError) error = NULL;
	int status;

	bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
	if (!bus)
		return failure_no_bus(error);

	status = start_service(bus);
	if (status != CTL_OK)
		return status;
	ctl->proxy = procdb_dbus_proc_db1_proxy_new_sync(
	    bus,
	    G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES |
		G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START_AT_CONSTRUCTION,
	    PROCDB_BUS_NAME, PROCDB_BUS_PATH, NULL, &error);
	if (!ctl->proxy)
		return failure_report(NULL, NULL, error);
	status = check_alive(ctl);
	if (status != CTL_OK)
		return status;
	ctl->call_flags = G_DBUS_CALL_FLAGS_NONE;
	ctl->timeout_ms = -1;
	if (bus_may_ask(ctl)) {
		/* A person may need longer than any default to find the password. */
		ctl->call_flags = G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION;
		ctl->timeout_ms = G_MAXINT;
		/* It asks on the terminal of the process itself. */
		if (privileged)
			bus_start_agent(ctl);
	}
	return CTL_OK;
}

int bus_connect_running(Ctl *ctl)
{
	g_autoptr(GDBusConnection) bus = NULL;
	g_autoptr(GError) error = NULL;

	bus = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);
	if (!bus)
		return failure_no_bus(error);
	ctl->proxy = procdb_dbus_proc_db1_proxy_new_sync(
	    bus, G_DBUS_PROXY_FLAGS_DO_NOT_LOAD_PROPERTIES | G_DBUS_PROXY_FLAGS_DO_NOT_AUTO_START,
	    PROCDB_BUS_NAME, PROCDB_BUS_PATH, NULL, &error);
	if (!ctl->proxy)
		return failure_report(NULL, NULL, error);
	ctl->call_flags = G_DBUS_CALL_FLAGS_NO_AUTO_START;
	ctl->timeout_ms = -1;
	return CTL_OK;
}

int bus_connect(Ctl *ctl)
{
	return connect_service(ctl, FALSE);
}

int bus_connect_privileged(Ctl *ctl)
{
	return connect_service(ctl, TRUE);
}

GVariant *bus_properties(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) reply = NULL;

	reply = g_dbus_connection_call_sync(
	    g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy)), PROCDB_BUS_NAME, PROCDB_BUS_PATH,
	    "org.freedesktop.DBus.Properties", "GetAll", g_variant_new("(s)", PROCDB_BUS_INTERFACE),
	    G_VARIANT_TYPE("(a{sv})"), ctl->call_flags, ctl->timeout_ms, NULL, error);
	return reply ? g_variant_get_child_value(reply, 0) : NULL;
}

gboolean bus_is_gone(const GError *error)
{
	return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NO_REPLY) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN) ||
	       g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
	       g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CLOSED);
}

typedef struct {
	Ctl *ctl;
	BusPropertiesFunc func;
	gpointer user_data;
} Follower;

static void on_properties_changed(GDBusConnection *bus, const char *sender, const char *path,
				  const char *interface, const char *signal, GVariant *parameters,
				  gpointer user_data)
{
	Follower *follower = user_data;
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(follower->ctl->proxy));
	g_autoptr(GVariant) changed = NULL;

	/* Any connection could send this signal. */
	if (g_strcmp0(owner, sender) != 0 ||
	    !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(sa{sv}as)")))
		return;
	changed = g_variant_get_child_value(parameters, 1);
	if (g_variant_n_children(changed) > 0)
		follower->func(changed, follower->user_data);
}

guint bus_follow_properties(Ctl *ctl, BusPropertiesFunc func, gpointer user_data)
{
	Follower *follower = g_new(Follower, 1);

	*follower = (Follower){.ctl = ctl, .func = func, .user_data = user_data};
	return g_dbus_connection_signal_subscribe(
	    g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy)), PROCDB_BUS_NAME,
	    "org.freedesktop.DBus.Properties", "PropertiesChanged", PROCDB_BUS_PATH,
	    PROCDB_BUS_INTERFACE, G_DBUS_SIGNAL_FLAGS_NONE, on_properties_changed, follower,
	    g_free);
}

void bus_stop_agent(Ctl *ctl)
{
	if (!ctl->agent)
		return;
	g_subprocess_send_signal(ctl->agent, SIGTERM);
	g_subprocess_wait(ctl->agent, NULL, NULL);
	g_clear_object(&ctl->agent);
}

void bus_disconnect(Ctl *ctl)
{
	g_clear_object(&ctl->proxy);
	bus_stop_agent(ctl);
}

const char *bus_without_token(const char *state, const char *token)
{
	gsize length = strlen(token);

	return g_str_has_prefix(state, token) && g_str_has_prefix(state + length, ": ")
		   ? state + length + 2
		   : state;
}
