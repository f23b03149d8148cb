/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "fake-authority.h"

#include "peers.h"

static void answer(FakeAuthority *self, GTask *task, FakeAnswer how)
{
	if (how == FAKE_FAIL)
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_FAILED, "There is no polkit");
	else
		g_task_return_int(task, (gssize)how);
	g_object_unref(task);
}

static gboolean give_up(gpointer data)
{
	g_task_return_new_error(data, G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled");
	g_object_unref(data);
	return G_SOURCE_REMOVE;
}

static void on_cancelled(GCancellable *cancellable, gpointer data)
{
	GTask *task = data;
	FakeAuthority *self = g_task_get_task_data(task);

	/* Not from here, as GDBus does not: the cancellable is still busy with this. */
	if (!self->deaf && g_ptr_array_remove_fast(self->held, task))
		g_idle_add(give_up, task);
}

static void fake_check(gpointer data, const char *sender, const char *action, gboolean interactive,
		       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
	FakeAuthority *self = data;
	/* Without the cancellable: a late yes has to reach the authorizer as one. */
	GTask *task = g_task_new(NULL, NULL, callback, user_data);
	FakeAnswer how = self->answer;

	self->checks++;
	self->prompts += interactive;
	g_free(self->last_action);
	g_free(self->last_sender);
	self->last_action = g_strdup(action);
	self->last_sender = g_strdup(sender);
	if (how == FAKE_CHALLENGE && interactive)
		how = self->after_prompt;
	if (how == FAKE_HOLD) {
		g_task_set_task_data(task, self, NULL);
		g_ptr_array_add(self->held, task);
		g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), g_object_ref(task),
				      g_object_unref);
		return;
	}
	answer(self, task, how);
}

static gboolean fake_finish(gpointer data, GAsyncResult *result, gboolean *allowed,
			    gboolean *challenge, gboolean *cacheable, GError **error)
{
	FakeAuthority *self = data;
	gssize how = g_task_propagate_int(G_TASK(result), error);

	if (how < 0)
		return FALSE;
	*allowed = how == FAKE_ALLOW;
	*challenge = how == FAKE_CHALLENGE;
	*cacheable = *allowed && !self->not_cacheable;
	return TRUE;
}

static void fake_identify(gpointer data, const char *sender, GCancellable *cancellable,
			  GAsyncReadyCallback callback, gpointer user_data)
{
	FakeAuthority *self = data;
	g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);

	if (self->identifying)
		g_ptr_array_add(self->identifying, g_steal_pointer(&task));
	else if (self->uid_is_unknown)
		g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
					"The user of this connection is not known");
	else
		g_task_return_int(task, self->uid);
}

static guint32 fake_identify_finish(gpointer data, GAsyncResult *result, GError **error)
{
	return (guint32)g_task_propagate_int(G_TASK(result), error);
}

typedef struct {
	ProcdbPeerWatch *watch;
	void (*gone)(gpointer data);
	gpointer data;
} Watch;

static void on_owner_changed(const char *owner, gpointer data)
{
	Watch *watch = data;

	if (*owner == '\0')
		watch->gone(watch->data);
}

static gpointer fake_watch(gpointer data, const char *sender, void (*gone)(gpointer data),
			   gpointer user_data)
{
	Watch *watch = g_new0(Watch, 1);

	watch->gone = gone;
	watch->data = user_data;
	watch->watch =
	    procdb_peers_watch(((FakeAuthority *)data)->bus, sender, on_owner_changed, watch);
	return watch;
}

static void fake_unwatch(gpointer data, gpointer watch)
{
	procdb_peers_unwatch(((Watch *)watch)->watch);
	g_free(watch);
}

const ProcdbAuthority fake_authority = {
    .check = fake_check,
    .finish = fake_finish,
    .identify = fake_identify,
    .identify_finish = fake_identify_finish,
    .watch = fake_watch,
    .unwatch = fake_unwatch,
};

void fake_authority_init(FakeAuthority *self, sd_bus *bus)
{
	*self = (FakeAuthority){
	    .bus = sd_bus_ref(bus),
	    .answer = FAKE_ALLOW,
	    .uid = 1000,
	    .held = g_ptr_array_new(),
	};
}

void fake_authority_release(FakeAuthority *self, FakeAnswer how)
{
	while (self->held->len > 0)
		answer(self, g_ptr_array_steal_index(self->held, 0), how);
}

void fake_authority_clear(FakeAuthority *self)
{
	g_assert_cmpuint(self->held->len, ==, 0);
	g_ptr_array_unref(self->held);
	g_free(self->last_action);
	g_free(self->last_sender);
	sd_bus_unref(self->bus);
}
