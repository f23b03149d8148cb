/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "polkit.h"

#include <polkit/polkit.h>

struct _ProcdbPolkit {
	GDBusConnection *connection;
	PolkitAuthority *authority; /* NULL until the first check found it */
	ProcdbAuthorizer *authorizer;
};

static void on_changed(ProcdbPolkit *self)
{
	if (self->authorizer)
		procdb_authorizer_changed(self->authorizer);
}

/* What one check needs while the authority is being looked for. */
typedef struct {
	ProcdbPolkit *polkit;
	char *sender;
	const char *action;
	gboolean interactive;
} Check;

static void check_free(gpointer data)
{
	Check *check = data;

	g_free(check->sender);
	g_free(check);
}

static void on_checked(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GTask) task = data;
	GError *error = NULL;
	PolkitAuthorizationResult *answer =
	    polkit_authority_check_authorization_finish(POLKIT_AUTHORITY(source), result, &error);

	if (answer)
		g_task_return_pointer(task, answer, g_object_unref);
	else
		g_task_return_error(task, error);
}

static void ask(GTask *task)
{
	Check *check = g_task_get_task_data(task);
	g_autoptr(PolkitSubject) subject = polkit_system_bus_name_new(check->sender);

	polkit_authority_check_authorization(
	    check->polkit->authority, subject, check->action, NULL,
	    check->interactive ? POLKIT_CHECK_AUTHORIZATION_FLAGS_ALLOW_USER_INTERACTION
			       : POLKIT_CHECK_AUTHORIZATION_FLAGS_NONE,
	    g_task_get_cancellable(task), on_checked, task);
}

static void on_authority(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GTask) task = data;
	Check *check = g_task_get_task_data(task);
	g_autoptr(GError) error = NULL;
	g_autoptr(PolkitAuthority) authority = polkit_authority_get_finish(result, &error);

	if (!authority) {
		g_task_return_error(task, g_steal_pointer(&error));
		return;
	}
	/* Cancelled means that nobody waits, and that the polkit object may be gone. */
	if (g_task_return_error_if_cancelled(task))
		return;
	if (!check->polkit->authority) {
		check->polkit->authority = g_steal_pointer(&authority);
		g_signal_connect_swapped(check->polkit->authority, "changed",
					 G_CALLBACK(on_changed), check->polkit);
		g_signal_connect_swapped(check->polkit->authority, "notify::owner",
					 G_CALLBACK(on_changed), check->polkit);
	}
	ask(g_steal_pointer(&task));
}

static void polkit_check(gpointer data, const char *sender, const char *action,
			 gboolean interactive, GCancellable *cancellable,
			 GAsyncReadyCallback callback, gpointer user_data)
{
	ProcdbPolkit *self = data;
	GTask *task = g_task_new(NULL, cancellable, callback, user_data);
	Check *check = g_new(Check, 1);

	*check = (Check){self, g_strdup(sender), action, interactive};
	g_task_set_task_data(task, check, check_free);
	if (self->authority)
		ask(task);
	else
		polkit_authority_get_async(cancellable, on_authority, task);
}

static gboolean polkit_finish(gpointer data, GAsyncResult *result, gboolean *allowed,
			      gboolean *challenge, gboolean *cacheable, GError **error)
{
	g_autoptr(PolkitAuthorizationResult) answer =
	    g_task_propagate_pointer(G_TASK(result), error);

	if (!answer)
		return FALSE;
	*allowed = polkit_authorization_result_get_is_authorized(answer);
	*challenge = polkit_authorization_result_get_is_challenge(answer);
	/* A temporary authorization ends when it likes. */
	*cacheable =
	    *allowed && !polkit_authorization_result_get_temporary_authorization_id(answer);
	return TRUE;
}

static void on_identified(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GTask) task = data;
	GError *error = NULL;
	g_autoptr(GVariant) reply =
	    g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
	guint32 uid;

	if (!reply) {
		g_task_return_error(task, error);
		return;
	}
	g_variant_get(reply, "(u)", &uid);
	g_task_return_int(task, uid);
}

static void polkit_identify(gpointer data, const char *sender, GCancellable *cancellable,
			    GAsyncReadyCallback callback, gpointer user_data)
{
	ProcdbPolkit *self = data;

	g_dbus_connection_call(self->connection, "org.freedesktop.DBus", "/org/freedesktop/DBus",
			       "org.freedesktop.DBus", "GetConnectionUnixUser",
			       g_variant_new("(s)", sender), G_VARIANT_TYPE("(u)"),
			       G_DBUS_CALL_FLAGS_NONE, -1, cancellable, on_identified,
			       g_task_new(NULL, cancellable, callback, user_data));
}

static guint32 polkit_identify_finish(gpointer data, GAsyncResult *result, GError **error)
{
	return (guint32)g_task_propagate_int(G_TASK(result), error);
}

typedef struct {
	void (*gone)(gpointer data);
	gpointer data;
} Watch;

static void on_owner_changed(GDBusConnection *connection, const char *sender, const char *path,
			     const char *interface, const char *signal, GVariant *parameters,
			     gpointer data)
{
	Watch *watch = data;
	const char *owner;

	g_variant_get(parameters, "(&s&s&s)", NULL, NULL, &owner);
	if (*owner == '\0')
		watch->gone(watch->data);
}

static guint polkit_watch(gpointer self, const char *sender, void (*gone)(gpointer data),
			  gpointer data)
{
	Watch *watch = g_new(Watch, 1);

	*watch = (Watch){gone, data};
	return g_dbus_connection_signal_subscribe(
	    ((ProcdbPolkit *)self)->connection, "org.freedesktop.DBus", "org.freedesktop.DBus",
	    "NameOwnerChanged", "/org/freedesktop/DBus", sender, G_DBUS_SIGNAL_FLAGS_NONE,
	    on_owner_changed, watch, g_free);
}

static void polkit_unwatch(gpointer self, guint id)
{
	g_dbus_connection_signal_unsubscribe(((ProcdbPolkit *)self)->connection, id);
}

const ProcdbAuthority procdb_polkit_authority = {
    .check = polkit_check,
    .finish = polkit_finish,
    .identify = polkit_identify,
    .identify_finish = polkit_identify_finish,
    .watch = polkit_watch,
    .unwatch = polkit_unwatch,
};

ProcdbPolkit *procdb_polkit_new(GDBusConnection *connection)
{
	ProcdbPolkit *polkit = g_new0(ProcdbPolkit, 1);

	polkit->connection = g_object_ref(connection);
	return polkit;
}

void procdb_polkit_set_authorizer(ProcdbPolkit *polkit, ProcdbAuthorizer *authorizer)
{
	polkit->authorizer = authorizer;
}

void procdb_polkit_free(ProcdbPolkit *polkit)
{
	if (!polkit)
		return;
	if (polkit->authority)
		g_signal_handlers_disconnect_by_data(polkit->authority, polkit);
	g_clear_object(&polkit->authority);
	g_object_unref(polkit->connection);
	g_free(polkit);
}
