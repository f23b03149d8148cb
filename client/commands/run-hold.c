/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "run-hold.h"

#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glib-unix.h>

#include "bus.h"
#include "escape.h"
#include "failure.h"
#include "name.h"
#include "override-for.h"
#include "script.h"

/* How long the service may take to let go of what ends with our connection anyway. */
#define RELEASE_WAIT_MS 1000

struct RunHold {
	Ctl *ctl;
	char *name;
	char *tier;
	gboolean is_held;
	guint32 cookie;		   /* of what is held */
	GCancellable *cancellable; /* of a hold that is asked for again; NULL: none is */
};

static void hold_free(RunHold *hold)
{
	g_free(hold->name);
	g_free(hold->tier);
	g_free(hold);
}

static GVariant *arguments(const RunHold *hold)
{
	g_autofree char *reason = g_strdup_printf("pandemoniumctl run, process %d", (int)getpid());

	return g_variant_new("(sss)", hold->name, hold->tier, reason);
}

/* The script that argv has an interpreter run, as an override by program has it; NULL for none. */
static char *script_of(char **argv)
{
	g_autoptr(GString) bytes = g_string_new(NULL);
	const char *script;

	for (char **arg = argv; *arg; arg++)
		g_string_append_len(bytes, *arg, (gssize)strlen(*arg) + 1);
	script = procdb_script_find(argv[0], bytes->str, bytes->len);
	return script ? g_strdup(procdb_script_base(script)) : NULL;
}

/* A hold is of a name, which all that an interpreter runs has in common. */
static void say_whose(const RunHold *hold, char **argv)
{
	g_autofree char *script = NULL;
	g_autofree char *quoted = NULL;
	g_autofree char *plain = NULL;

	if (!procdb_script_is_interpreter(argv[0]))
		return;
	g_printerr("Until this ends, all new tasks named \"%s\" start as %s, not its own alone.\n",
		   hold->name, hold->tier);
	script = script_of(argv);
	/* A directory has no name that could be given. */
	if (!script || !*script)
		return;
	quoted = g_shell_quote(script);
	plain = escape_plain(quoted);
	g_printerr("For that script alone: pandemoniumctl override set --program %s %s\n", plain,
		   hold->tier);
}

RunHold *run_hold_new(Ctl *ctl, char **argv, const char *tier)
{
	g_autofree char *last = g_path_get_basename(argv[0]);
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *idle = NULL;
	RunHold *hold;

	if (bus_connect_privileged(ctl) != CTL_OK)
		return NULL;
	/* Else GDBus would end us, and so leave the program alone, when the bus goes. */
	g_dbus_connection_set_exit_on_close(g_dbus_proxy_get_connection(G_DBUS_PROXY(ctl->proxy)),
					    FALSE);
	/* Asked before: after it, the question might start a service that was stopped. */
	idle = override_idle_text(ctl, TRUE);
	hold = g_new(RunHold, 1);
	*hold = (RunHold){.ctl = ctl, .name = name_of_typed(last, TRUE), .tier = g_strdup(tier)};
	reply = g_dbus_proxy_call_sync(G_DBUS_PROXY(ctl->proxy), "Hold", arguments(hold),
				       ctl->call_flags, ctl->timeout_ms, NULL, &error);
	/* It has asked, and the terminal is the program's from here on. */
	bus_stop_agent(ctl);
	if (!reply) {
		failure_report("Hold", NULL, error);
		hold_free(hold);
		return NULL;
	}
	g_variant_get(reply, "(u)", &hold->cookie);
	hold->is_held = TRUE;
	say_whose(hold, argv);
	if (idle)
		g_printerr("%s\n", idle);
	return hold;
}

static void say_lost(const RunHold *hold, const char *what)
{
	g_printerr("%s, and with it the hold of \"%s\" at %s.\n", what, hold->name, hold->tier);
}

static void on_held(GObject *proxy, GAsyncResult *result, gpointer data)
{
	RunHold *hold = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(proxy), result, &error);
	g_autofree char *why = NULL;

	/* Another one may be asked for by now. */
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		return;
	g_clear_object(&hold->cancellable);
	if (reply) {
		g_variant_get(reply, "(u)", &hold->cookie);
		hold->is_held = TRUE;
		g_printerr("The service runs again: new tasks named \"%s\" start as %s again.\n",
			   hold->name, hold->tier);
		return;
	}
	/* That it left again is told by its owner. */
	if (bus_is_gone(error))
		return;
	g_dbus_error_strip_remote_error(error);
	why = escape_plain(error->message);
	g_printerr("The service runs again, but does not hold \"%s\" at %s: %s.\n", hold->name,
		   hold->tier, why);
}

static void stop_asking(RunHold *hold)
{
	g_cancellable_cancel(hold->cancellable);
	g_clear_object(&hold->cancellable);
}

/* A hold ends with the service. The service is not started for it, and no password is asked for. */
static void on_owner_changed(GObject *proxy, GParamSpec *pspec, gpointer data)
{
	RunHold *hold = data;
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(proxy));

	stop_asking(hold);
	if (hold->is_held && !owner)
		say_lost(hold, "The service stopped");
	hold->is_held = FALSE;
	if (!owner)
		return;
	hold->cancellable = g_cancellable_new();
	g_dbus_proxy_call(G_DBUS_PROXY(proxy), "Hold", arguments(hold),
			  G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, hold->cancellable, on_held, hold);
}

static void on_bus_closed(GDBusConnection *bus, gboolean remote, GError *error, gpointer data)
{
	RunHold *hold = data;

	stop_asking(hold);
	if (hold->is_held)
		say_lost(hold, "The connection to the system bus broke");
	hold->is_held = FALSE;
}

static gboolean on_ended(int fd, GIOCondition condition, gpointer loop)
{
	g_main_loop_quit(loop);
	return G_SOURCE_REMOVE;
}

void run_hold_keep(RunHold *hold, pid_t child)
{
	GDBusProxy *proxy = G_DBUS_PROXY(hold->ctl->proxy);
	GDBusConnection *bus = g_dbus_proxy_get_connection(proxy);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	/* pidfd_open(2), which GLIBC has since 2.36. Where there is none, the hold is not kept. */
	const int fd = (int)syscall(SYS_pidfd_open, child, 0);

	if (fd < 0)
		return;
	g_signal_connect(proxy, "notify::g-name-owner", G_CALLBACK(on_owner_changed), hold);
	g_signal_connect(bus, "closed", G_CALLBACK(on_bus_closed), hold);
	g_unix_fd_add(fd, G_IO_IN, on_ended, loop);
	g_main_loop_run(loop);
	g_signal_handlers_disconnect_by_data(proxy, hold);
	g_signal_handlers_disconnect_by_data(bus, hold);
	close(fd);
	stop_asking(hold);
	/* Lets what was cancelled end while the hold is still there. */
	while (g_main_context_iteration(NULL, FALSE))
		;
}

/* It ends with our connection, too, but so it has ended when the caller goes on. */
static void release(const RunHold *hold)
{
	g_autoptr(GVariant) ignored = g_dbus_proxy_call_sync(
	    G_DBUS_PROXY(hold->ctl->proxy), "ReleaseHold", g_variant_new("(u)", hold->cookie),
	    G_DBUS_CALL_FLAGS_NO_AUTO_START, RELEASE_WAIT_MS, NULL, NULL);
}

void run_hold_end(RunHold *hold)
{
	if (hold->is_held)
		release(hold);
	hold_free(hold);
}
