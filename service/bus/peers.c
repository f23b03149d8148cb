/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "peers.h"

typedef struct {
	sd_bus *bus;
	sd_bus_slot *slot;
	GTask *task;
	gulong cancel_id;
} Call;

static void message_unref(gpointer message)
{
	sd_bus_message_unref(message);
}

static void call_free(Call *call)
{
	if (call->cancel_id)
		g_cancellable_disconnect(g_task_get_cancellable(call->task), call->cancel_id);
	sd_bus_slot_unref(call->slot);
	sd_bus_unref(call->bus);
	g_object_unref(call->task);
	g_free(call);
}

static int on_reply(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	Call *call = data;
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	/* The callback may cancel the task. */
	g_cancellable_disconnect(g_task_get_cancellable(call->task), call->cancel_id);
	call->cancel_id = 0;
	if (error)
		g_task_return_new_error(call->task, G_IO_ERROR, G_IO_ERROR_DBUS_ERROR, "%s",
					error->message ? error->message : error->name);
	else
		g_task_return_pointer(call->task, sd_bus_message_ref(reply), message_unref);
	call_free(call);
	return 1;
}

static gboolean on_given_up(gpointer data)
{
	Call *call = data;

	g_task_return_error_if_cancelled(call->task);
	call_free(call);
	return G_SOURCE_REMOVE;
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
	Call *call = data;

	if (!call->slot)
		return;
	call->slot = sd_bus_slot_unref(call->slot);
	/*
	 * In a source, for the cancellable may not be disconnected from its own callback; with high
	 * priority, for an endless stream of messages would delay a source of a lower one.
	 */
	g_idle_add_full(G_PRIORITY_DEFAULT, on_given_up, call, NULL);
}

static gboolean on_unsent(gpointer data)
{
	Call *call = data;

	g_task_return_new_error(call->task, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
				"The connection to the bus is lost");
	call_free(call);
	return G_SOURCE_REMOVE;
}

/*
 * Sends a call and returns the reply (a sd_bus_message) by the task, which it takes over. The only
 * timeout is the cancellation of the task.
 */
static void call_bus(sd_bus *bus, sd_bus_message *message, GTask *task)
{
	Call *call = g_new0(Call, 1);

	call->bus = sd_bus_ref(bus);
	call->task = task;
	if (!message ||
	    sd_bus_call_async(bus, &call->slot, message, on_reply, call, UINT64_MAX) < 0)
		g_idle_add_full(G_PRIORITY_DEFAULT, on_unsent, call, NULL);
	else
		call->cancel_id = g_cancellable_connect(g_task_get_cancellable(task),
							G_CALLBACK(on_cancelled), call, NULL);
}

static void on_identified(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GTask) task = data;
	GError *error = NULL;
	sd_bus_message *reply = g_task_propagate_pointer(G_TASK(result), &error);
	guint32 uid;

	if (!reply)
		g_task_return_error(task, error);
	else if (sd_bus_message_read(reply, "u", &uid) > 0)
		g_task_return_int(task, uid);
	else
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
					"The bus gave no number");
	sd_bus_message_unref(reply);
}

void procdb_peers_identify(sd_bus *bus, const char *name, GTask *task)
{
	sd_bus_message *call = NULL;

	if (sd_bus_message_new_method_call(bus, &call, PROCDB_DAEMON_NAME, PROCDB_DAEMON_PATH,
					   PROCDB_DAEMON_NAME, "GetConnectionUnixUser") >= 0)
		(void)sd_bus_message_append(call, "s", name);
	call_bus(bus, call, g_task_new(NULL, g_task_get_cancellable(task), on_identified, task));
	sd_bus_message_unref(call);
}

struct _ProcdbPeerWatch {
	sd_bus_slot *slot;
	void (*changed)(const char *owner, gpointer data);
	gpointer data;
};

static int on_owner_changed(sd_bus_message *signal, void *data, sd_bus_error *error)
{
	ProcdbPeerWatch *watch = data;
	const char *owner;

	if (sd_bus_message_read(signal, "sss", NULL, NULL, &owner) > 0)
		watch->changed(owner, watch->data);
	return 0;
}

int procdb_peers_installed(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	return 0;
}

ProcdbPeerWatch *procdb_peers_watch(sd_bus *bus, const char *name,
				    void (*changed)(const char *owner, gpointer data),
				    gpointer data)
{
	g_autofree char *rule = g_strdup_printf(
	    "type='signal',sender='" PROCDB_DAEMON_NAME "',path='" PROCDB_DAEMON_PATH
	    "',interface='" PROCDB_DAEMON_NAME "',member='NameOwnerChanged',arg0='%s'",
	    name);
	ProcdbPeerWatch *watch = g_new0(ProcdbPeerWatch, 1);

	watch->changed = changed;
	watch->data = data;
	(void)sd_bus_add_match_async(bus, &watch->slot, rule, on_owner_changed,
				     procdb_peers_installed, watch);
	return watch;
}

void procdb_peers_unwatch(ProcdbPeerWatch *watch)
{
	sd_bus_slot_unref(watch->slot);
	g_free(watch);
}
