/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "polkit.h"

#include "guard.h"

#define NAME "org.freedesktop.PolicyKit1"
#define PATH "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"
#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"

/* CheckAuthorizationFlags of polkit's interface */
enum { ALLOW_USER_INTERACTION = 1 };

/* A signal that is subscribed to. */
typedef struct {
	guint id;
	char *rule;
} Match;

struct _ProcdbPolkit {
	GDBusConnection *connection;
	Match changed;
	Match owner_changed;
	guint64 checks; /* so far: each is named by its number when it is cancelled */
	ProcdbAuthorizer *authorizer;
};

static void on_changed(GDBusConnection *connection, const char *sender, const char *path,
		       const char *interface, const char *signal, GVariant *parameters,
		       gpointer data)
{
	ProcdbPolkit *self = data;

	if (self->authorizer)
		procdb_authorizer_changed(self->authorizer);
}

/* polkit would go on with what nobody waits for: a prompt would stay on the screen. */
static void cancel_check(GDBusConnection *connection, const char *id)
{
	g_dbus_connection_call(connection, NAME, PATH, INTERFACE, "CancelCheckAuthorization",
			       g_variant_new("(s)", id), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
			       NULL, NULL, NULL);
}

static void on_checked(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GTask) task = data;
	GError *error = NULL;
	GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);

	if (reply) {
		g_task_return_pointer(task, reply, (GDestroyNotify)g_variant_unref);
		return;
	}
	if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
		cancel_check(G_DBUS_CONNECTION(source), g_task_get_task_data(task));
	g_dbus_error_strip_remote_error(error);
	g_task_return_error(task, error);
}

static void polkit_check(gpointer data, const char *sender, const char *action,
			 gboolean interactive, GCancellable *cancellable,
			 GAsyncReadyCallback callback, gpointer user_data)
{
	ProcdbPolkit *self = data;
	GTask *task = g_task_new(NULL, cancellable, callback, user_data);
	char *id = g_strdup_printf("%" G_GUINT64_FORMAT, ++self->checks);
	GVariantBuilder subject;

	g_task_set_task_data(task, id, g_free);
	g_variant_builder_init(&subject, G_VARIANT_TYPE_VARDICT);
	g_variant_builder_add(&subject, "{sv}", "name", g_variant_new_string(sender));
	/* Whoever is asked may take its time: the authorizer says for how long. */
	g_dbus_connection_call(self->connection, NAME, PATH, INTERFACE, "CheckAuthorization",
			       g_variant_new("((sa{sv})s@a{ss}us)", "system-bus-name", &subject,
					     action,
					     g_variant_new_array(G_VARIANT_TYPE("{ss}"), NULL, 0),
					     interactive ? ALLOW_USER_INTERACTION : 0, id),
			       G_VARIANT_TYPE("((bba{ss}))"), G_DBUS_CALL_FLAGS_NONE, G_MAXINT,
			       cancellable, on_checked, task);
}

static gboolean polkit_finish(gpointer data, GAsyncResult *result, gboolean *allowed,
			      gboolean *challenge, gboolean *cacheable, GError **error)
{
	g_autoptr(GVariant) reply = g_task_propagate_pointer(G_TASK(result), error);
	g_autoptr(GVariant) details = NULL;

	if (!reply)
		return FALSE;
	g_variant_get(reply, "((bb@a{ss}))", allowed, challenge, &details);
	/* A temporary authorization ends when it likes. */
	*cacheable =
	    *allowed && !g_variant_lookup(details, "polkit.temporary_authorization_id", "&s", NULL);
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
		g_dbus_error_strip_remote_error(error);
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

	g_dbus_connection_call(self->connection, BUS_NAME, BUS_PATH, BUS_NAME,
			       "GetConnectionUnixUser", g_variant_new("(s)", sender),
			       G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NONE, -1, cancellable,
			       on_identified, g_task_new(NULL, cancellable, callback, user_data));
}

static guint32 polkit_identify_finish(gpointer data, GAsyncResult *result, GError **error)
{
	return (guint32)g_task_propagate_int(G_TASK(result), error);
}

static void call_about_match(GDBusConnection *connection, const Match *match, const char *method)
{
	g_dbus_connection_call(connection, BUS_NAME, BUS_PATH, BUS_NAME, method,
			       g_variant_new("(s)", match->rule), NULL, G_DBUS_CALL_FLAGS_NONE, -1,
			       NULL, NULL, NULL);
}

/*
 * Takes over a rule and asks the bus for what it says, and GDBus to pass it on.
 * GDBus would do both, but takes it for a fault of ours when the connection is
 * lost just then.
 */
static Match match_new(GDBusConnection *connection, char *rule, const char *sender,
		       const char *path, const char *interface, const char *signal,
		       const char *argument, GDBusSignalCallback callback, gpointer data,
		       GDestroyNotify data_free)
{
	Match match = {
	    .id = g_dbus_connection_signal_subscribe(connection, sender, interface, signal, path,
						     argument, G_DBUS_SIGNAL_FLAGS_NO_MATCH_RULE,
						     callback, data, data_free),
	    .rule = rule,
	};

	call_about_match(connection, &match, "AddMatch");
	return match;
}

static void match_end(Match *match, GDBusConnection *connection)
{
	g_dbus_connection_signal_unsubscribe(connection, match->id);
	call_about_match(connection, match, "RemoveMatch");
	g_free(match->rule);
}

/* The changes of a bus name's owner, from nobody but the bus. */
static Match match_owner(GDBusConnection *connection, const char *name,
			 GDBusSignalCallback callback, gpointer data, GDestroyNotify data_free)
{
	return match_new(connection,
			 g_strdup_printf("type='signal',sender='" BUS_NAME "',path='" BUS_PATH
					 "',member='NameOwnerChanged',arg0='%s'",
					 name),
			 BUS_NAME, BUS_PATH, BUS_NAME, "NameOwnerChanged", name, callback, data,
			 data_free);
}

typedef struct {
	Match match;
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

static gpointer polkit_watch(gpointer self, const char *sender, void (*gone)(gpointer data),
			     gpointer data)
{
	Watch *watch = g_new(Watch, 1);

	watch->gone = gone;
	watch->data = data;
	watch->match = match_owner(((ProcdbPolkit *)self)->connection, sender, on_owner_changed,
				   watch, g_free);
	return watch;
}

static void polkit_unwatch(gpointer self, gpointer data)
{
	Watch *watch = data;
	Match match = watch->match;

	/* Frees the watch. */
	match_end(&match, ((ProcdbPolkit *)self)->connection);
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
	/*
	 * Before the first check, so that no change after an answer is missed.
	 * Anyone could send us this signal: it has us ask again, and no more.
	 */
	polkit->changed =
	    match_new(connection,
		      g_strdup("type='signal',sender='" NAME "',path='" PATH
			       "',interface='" INTERFACE "',member='Changed'"),
		      NULL, PATH, INTERFACE, "Changed", NULL, on_changed, polkit, NULL);
	polkit->owner_changed = match_owner(connection, NAME, on_changed, polkit, NULL);
	return polkit;
}

void procdb_polkit_set_authorizer(ProcdbPolkit *polkit, ProcdbAuthorizer *authorizer)
{
	polkit->authorizer = authorizer;
	procdb_guard_set_authorizer(polkit->connection, authorizer);
}

void procdb_polkit_free(ProcdbPolkit *polkit)
{
	if (!polkit)
		return;
	match_end(&polkit->changed, polkit->connection);
	match_end(&polkit->owner_changed, polkit->connection);
	g_object_unref(polkit->connection);
	g_free(polkit);
}
