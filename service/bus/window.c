/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "window.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What is let through before it is seen to. */
#define MAX_MESSAGES 64
#define MAX_BYTES 65536

typedef struct {
	gsize messages;
	gsize bytes;
} Amount;

/* Atomic references: the thread that reads and the main loop have one each. */
struct _ProcdbWindow {
	GMainContext *context;
	GWeakRef connection;
	int event;	  /* eventfd: something has changed */
	gint done;	  /* atomic: the main loop is through with what was marked */
	gboolean waiting; /* for that */
	Amount used;	  /* let through, and not known to be seen to */
	Amount marked;	  /* the part of it that done is about */
};

static void window_clear(gpointer data)
{
	ProcdbWindow *self = data;

	close(self->event);
	g_weak_ref_clear(&self->connection);
	g_main_context_unref(self->context);
}

ProcdbWindow *procdb_window_new(GError **error)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	ProcdbWindow *self;

	if (event < 0) {
		g_set_error(error, G_IO_ERROR, g_io_error_from_errno(errno),
			    "Cannot make an eventfd: %s", g_strerror(errno));
		return NULL;
	}
	self = g_atomic_rc_box_new0(ProcdbWindow);
	self->context = g_main_context_ref_thread_default();
	self->event = event;
	g_weak_ref_init(&self->connection, NULL);
	return self;
}

ProcdbWindow *procdb_window_ref(ProcdbWindow *self)
{
	return g_atomic_rc_box_acquire(self);
}

void procdb_window_unref(ProcdbWindow *self)
{
	g_atomic_rc_box_release_full(self, window_clear);
}

void procdb_window_set_connection(ProcdbWindow *self, GDBusConnection *connection)
{
	g_weak_ref_set(&self->connection, connection);
}

gboolean procdb_window_has_room(const ProcdbWindow *self)
{
	return self->used.messages < MAX_MESSAGES && self->used.bytes < MAX_BYTES;
}

void procdb_window_add(ProcdbWindow *self, gsize bytes)
{
	self->used.messages++;
	self->used.bytes += bytes;
}

GDBusConnection *procdb_window_get_connection(ProcdbWindow *self)
{
	return g_weak_ref_get(&self->connection);
}

void procdb_window_wake(ProcdbWindow *self)
{
	/* Into an eventfd that is never near its limit: this neither waits nor fails. */
	if (eventfd_write(self->event, 1) != 0)
		g_critical("Cannot write to an eventfd: %s", g_strerror(errno));
}

/* In the main loop. */
static void finish(ProcdbWindow *self)
{
	g_atomic_int_set(&self->done, 1);
	procdb_window_wake(self);
}

static void on_flushed(GObject *source, GAsyncResult *result, gpointer data)
{
	/* If it failed the connection is gone, and nothing more is read. */
	g_dbus_connection_flush_finish(G_DBUS_CONNECTION(source), result, NULL);
	finish(data);
	procdb_window_unref(data);
}

static gboolean on_seen_to(gpointer data)
{
	ProcdbWindow *self = data;
	g_autoptr(GDBusConnection) connection = g_weak_ref_get(&self->connection);

	if (connection)
		g_dbus_connection_flush(connection, NULL, on_flushed,
					g_atomic_rc_box_acquire(self));
	else
		finish(self);
	return G_SOURCE_REMOVE;
}

void procdb_window_delivered(ProcdbWindow *self)
{
	g_autoptr(GSource) source = NULL;

	/* At half of it, so that the rest can be used meanwhile. */
	if (self->waiting ||
	    (self->used.messages < MAX_MESSAGES / 2 && self->used.bytes < MAX_BYTES / 2))
		return;
	self->waiting = TRUE;
	self->marked = self->used;
	/* Of GDBus's own priority: the main loop comes to it after what is there by now. */
	source = g_idle_source_new();
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_seen_to, g_atomic_rc_box_acquire(self),
			      (GDestroyNotify)procdb_window_unref);
	g_source_attach(source, self->context);
}

int procdb_window_fd(const ProcdbWindow *self)
{
	return self->event;
}

void procdb_window_update(ProcdbWindow *self)
{
	eventfd_t value;

	/* Empty unless somebody woke us. */
	(void)eventfd_read(self->event, &value);
	if (!self->waiting || !g_atomic_int_compare_and_exchange(&self->done, 1, 0))
		return;
	self->waiting = FALSE;
	self->used.messages -= self->marked.messages;
	self->used.bytes -= self->marked.bytes;
}
