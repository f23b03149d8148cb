/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "peers.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

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

void procdb_peers_identify(ProcdbChecks *questions, sd_bus *bus, const char *name, GTask *task)
{
	sd_bus_message *call = NULL;

	if (sd_bus_message_new_method_call(bus, &call, PROCDB_DAEMON_NAME, PROCDB_DAEMON_PATH,
					   PROCDB_DAEMON_NAME, "GetConnectionUnixUser") >= 0)
		(void)sd_bus_message_append(call, "s", name);
	procdb_checks_ask(questions, call, NULL,
			  g_task_new(NULL, g_task_get_cancellable(task), on_identified, task));
}

gboolean procdb_peers_has_ended(sd_bus_message *reply)
{
	guint32 pid;

	if (sd_bus_message_is_method_error(reply, PROCDB_DAEMON_NAME ".Error.UnixProcessIdUnknown"))
		return TRUE;
	/* It may also have left the bus meanwhile. */
	if (sd_bus_message_get_error(reply) || sd_bus_message_read_basic(reply, 'u', &pid) <= 0)
		return FALSE;
	/* Our own pid: an older connection of ours, which is of no use any more. */
	return (pid_t)pid == getpid() || (kill((pid_t)pid, 0) < 0 && errno == ESRCH);
}

struct _ProcdbPeerWatch {
	sd_bus_slot *slot;
	void (*changed)(const char *owner, gpointer data);
	gpointer data;
};

gboolean procdb_peers_is_from_bus(sd_bus_message *signal)
{
	return g_strcmp0(sd_bus_message_get_sender(signal), PROCDB_DAEMON_NAME) == 0;
}

static int on_owner_changed(sd_bus_message *signal, void *data, sd_bus_error *error)
{
	ProcdbPeerWatch *watch = data;
	const char *owner;

	if (procdb_peers_is_from_bus(signal) &&
	    sd_bus_message_read(signal, "sss", NULL, NULL, &owner) > 0)
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
