/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "polkit.h"

#include <polkit/polkit.h>

/* The search for the authority, which may outlive who searches. */
typedef struct {
	ProcdbPolkit *polkit; /* NULL once that is gone */
} Search;

struct _ProcdbPolkit {
	GDBusConnection *connection;
	PolkitAuthority *authority; /* NULL until a search found it */
	Search *search;		    /* under way, or NULL */
	GQueue waiting;		    /* GTask: checks that wait for it */
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
	GSource *cancelled; /* while it waits */
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

/* Ends the wait of a check that was taken out of the queue. */
static void stop_waiting(GTask *task)
{
	Check *check = g_task_get_task_data(task);

	g_source_destroy(check->cancelled);
	g_clear_pointer(&check->cancelled, g_source_unref);
}

static gboolean on_cancelled(GCancellable *cancellable, gpointer data)
{
	g_autoptr(GTask) task = data;
	Check *check = g_task_get_task_data(task);

	g_queue_remove(&check->polkit->waiting, task);
	stop_waiting(task);
	g_task_return_error_if_cancelled(task);
	return G_SOURCE_REMOVE;
}

static void on_authority(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autofree Search *search = data;
	ProcdbPolkit *self = search->polkit;
	g_autoptr(GError) error = NULL;
	PolkitAuthority *authority = polkit_authority_get_finish(result, &error);
	GTask *task;

	if (!self) {
		g_clear_object(&authority);
		return;
	}
	self->search = NULL;
	self->authority = authority;
	if (authority) {
		g_signal_connect_swapped(authority, "changed", G_CALLBACK(on_changed), self);
		g_signal_connect_swapped(authority, "notify::owner", G_CALLBACK(on_changed), self);
	}
	while ((task = g_queue_pop_head(&self->waiting))) {
		stop_waiting(task);
		if (authority) {
			ask(task);
			continue;
		}
		g_task_return_error(task, g_error_copy(error));
		g_object_unref(task);
	}
}

/*
 * Has a check wait for the authority. Only one search at a time: libpolkit
 * searches in a thread that holds a lock, and blocks whoever begins another
 * one meanwhile; with a polkitd that hangs for 25 s.
 */
static void wait_for_authority(ProcdbPolkit *self, GTask *task)
{
	Check *check = g_task_get_task_data(task);

	check->cancelled = g_cancellable_source_new(g_task_get_cancellable(task));
	g_source_set_callback(check->cancelled, G_SOURCE_FUNC(on_cancelled), task, NULL);
	g_source_attach(check->cancelled, NULL);
	g_queue_push_tail(&self->waiting, task);
	if (self->search)
		return;
	self->search = g_new(Search, 1);
	self->search->polkit = self;
	polkit_authority_get_async(NULL, on_authority, self->search);
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
		wait_for_authority(self, task);
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
	g_queue_init(&polkit->waiting);
	return polkit;
}

void procdb_polkit_set_authorizer(ProcdbPolkit *polkit, ProcdbAuthorizer *authorizer)
{
	polkit->authorizer = authorizer;
}

void procdb_polkit_free(ProcdbPolkit *polkit)
{
	GTask *task;

	if (!polkit)
		return;
	if (polkit->search)
		polkit->search->polkit = NULL;
	while ((task = g_queue_pop_head(&polkit->waiting))) {
		stop_waiting(task);
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_CANCELLED,
					"The service is stopping");
		g_object_unref(task);
	}
	if (polkit->authority)
		g_signal_handlers_disconnect_by_data(polkit->authority, polkit);
	g_clear_object(&polkit->authority);
	g_object_unref(polkit->connection);
	g_free(polkit);
}
