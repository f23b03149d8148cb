/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "call.h"

#include "contract.h"
#include "escape.h"
#include "refusal.h"

typedef struct {
	GObject *listener;
	MonitorToldFunc told;
	char *done;
} Call;

static Call *call_new(GObject *listener, MonitorToldFunc told, const char *done)
{
	Call *call = g_new(Call, 1);

	*call = (Call){g_object_ref(listener), told, g_strdup(done)};
	return call;
}

static void call_free(Call *call)
{
	g_object_unref(call->listener);
	g_free(call->done);
	g_free(call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_free)

static void on_called(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(Call) call = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
	g_autofree char *why = reply ? NULL : refusal_line(error);

	if (why)
		call->told(call->listener, why, TRUE);
	else if (call->done)
		call->told(call->listener, call->done, FALSE);
}

void monitor_call(ProcdbDBusProcDb1 *proxy, const char *method, GVariant *arguments,
		  const char *done, GObject *listener, MonitorToldFunc told)
{
	/* A person may need longer than any default to find the password. */
	g_dbus_proxy_call(G_DBUS_PROXY(proxy), method, arguments,
			  G_DBUS_CALL_FLAGS_NO_AUTO_START |
			      G_DBUS_CALL_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION,
			  G_MAXINT, NULL, on_called, call_new(listener, told, done));
}

static void on_started(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(Call) call = data;
	g_autoptr(GError) error = NULL;
	g_autoptr(GVariant) reply =
	    g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	g_autofree char *text = NULL, *why = NULL;

	if (reply)
		return;
	g_dbus_error_strip_remote_error(error);
	text = escape_plain(error->message);
	why = g_strdup_printf("The service could not be started: %s", text);
	call->told(call->listener, why, TRUE);
}

void monitor_call_start(GDBusConnection *bus, GObject *listener, MonitorToldFunc told)
{
	g_dbus_connection_call(
	    bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
	    "StartServiceByName", g_variant_new("(su)", PROCDB_BUS_NAME, 0), G_VARIANT_TYPE("(u)"),
	    G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_started, call_new(listener, told, NULL));
}
