/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "checks.h"

struct _ProcdbChecks {
	guint most;
	GPtrArray *sent; /* Check, not owned: without an answer so far, given up or not */
	GQueue waiting;	 /* Check, not owned */
};

typedef struct {
	ProcdbChecks *checks; /* NULL once those are freed */
	sd_bus_message *call, *cancel;
	sd_bus_slot *slot; /* NULL while it waits to be sent */
	GTask *task;	   /* NULL once it has returned */
	gulong cancel_id;
	guint source; /* in which the task returns an error; 0 for none */
} Check;

static void message_unref(gpointer message)
{
	sd_bus_message_unref(message);
}

static void check_free(Check *check)
{
	if (check->checks && !g_ptr_array_remove_fast(check->checks->sent, check))
		g_queue_remove(&check->checks->waiting, check);
	g_clear_handle_id(&check->source, g_source_remove);
	sd_bus_slot_unref(check->slot);
	sd_bus_message_unref(check->call);
	sd_bus_message_unref(check->cancel);
	g_free(check);
}

/* The task, which no cancellation reaches any more. */
static GTask *steal_task(Check *check)
{
	GTask *task = g_steal_pointer(&check->task);

	if (task && check->cancel_id)
		g_cancellable_disconnect(g_task_get_cancellable(task), check->cancel_id);
	return task;
}

static gboolean on_error(gpointer data)
{
	Check *check = data;
	g_autoptr(GTask) task = steal_task(check);

	check->source = 0;
	/* The answer of one that was sent is still to come. */
	if (!check->checks || !check->slot)
		check_free(check);
	if (!g_task_return_error_if_cancelled(task))
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_CONNECTED,
					"The connection to the bus is lost");
	return G_SOURCE_REMOVE;
}

/*
 * In a source, for the cancellable may not be disconnected from its own callback; with high
 * priority, for an endless stream of messages would delay a source of a lower one.
 */
static void return_error(Check *check)
{
	if (!check->source)
		check->source = g_idle_add_full(G_PRIORITY_DEFAULT, on_error, check, NULL);
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
	Check *check = data;

	if (check->slot && check->cancel)
		(void)sd_bus_send(sd_bus_message_get_bus(check->cancel), check->cancel, NULL);
	return_error(check);
}

static void send_waiting(ProcdbChecks *self);

static int on_reply(sd_bus_message *reply, void *data, sd_bus_error *unused)
{
	Check *check = data;
	ProcdbChecks *checks = check->checks;
	const sd_bus_error *error = sd_bus_message_get_error(reply);
	g_autoptr(GTask) task = steal_task(check);

	check_free(check);
	if (checks)
		send_waiting(checks);
	/* The last: what it calls may free the checks. */
	if (task && error)
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_DBUS_ERROR, "%s",
					error->message ? error->message : error->name);
	else if (task)
		g_task_return_pointer(task, sd_bus_message_ref(reply), message_unref);
	return 1;
}

static void send_waiting(ProcdbChecks *self)
{
	Check *check;

	while (self->sent->len < self->most && (check = g_queue_pop_head(&self->waiting))) {
		g_ptr_array_add(self->sent, check);
		if (!check->call ||
		    sd_bus_call_async(sd_bus_message_get_bus(check->call), &check->slot,
				      check->call, on_reply, check, UINT64_MAX) < 0)
			return_error(check);
	}
}

void procdb_checks_ask(ProcdbChecks *self, sd_bus_message *call, sd_bus_message *cancel,
		       GTask *task)
{
	Check *check = g_new0(Check, 1);

	*check = (Check){.checks = self, .call = call, .cancel = cancel, .task = task};
	g_queue_push_tail(&self->waiting, check);
	check->cancel_id = g_cancellable_connect(g_task_get_cancellable(task),
						 G_CALLBACK(on_cancelled), check, NULL);
	send_waiting(self);
}

ProcdbChecks *procdb_checks_new(guint most)
{
	ProcdbChecks *self = g_new0(ProcdbChecks, 1);

	self->most = most;
	self->sent = g_ptr_array_new();
	g_queue_init(&self->waiting);
	return self;
}

/* One whose task has returned is gone; another one returns that later. */
static void give_up(gpointer data, gpointer unused)
{
	Check *check = data;

	check->checks = NULL;
	check->slot = sd_bus_slot_unref(check->slot);
	if (check->task)
		return_error(check);
	else
		check_free(check);
}

void procdb_checks_free(ProcdbChecks *self)
{
	if (!self)
		return;
	g_ptr_array_foreach(self->sent, give_up, NULL);
	g_queue_foreach(&self->waiting, give_up, NULL);
	g_queue_clear(&self->waiting);
	g_ptr_array_unref(self->sent);
	g_free(self);
}
