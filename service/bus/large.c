/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "large.h"

#include "errors.h"

/* Bytes of all that are kept. The authorizer allows one user one, once it knows the user. */
#define MAX_KEPT (10 << 20)

/* A call that is kept. Atomic references: one is the question's, while it is under way. */
typedef struct {
	ProcdbLarge *large;
	char *sender;
	char *method;
	guint32 serial;
	gboolean interactive;
	gboolean allowed;  /* set by the main loop before it hands the call back */
	GByteArray *bytes; /* NULL once they were let through */
	gsize size;
} Kept;

/* Atomic references: each question has one. */
struct _ProcdbLarge {
	ProcdbWindow *window;
	GMainContext *context;
	gint gated;		      /* atomic: an authorizer was set once */
	ProcdbAuthorizer *authorizer; /* of the main loop's thread */
	GAsyncQueue *answers;	      /* Kept: what the main loop is through with */
	GHashTable *kept;	      /* sender -> Kept */
	GQueue allowed;		      /* Kept, owned by kept */
	Kept *current;		      /* let through and not answered yet; owned by kept */
};

static void kept_clear(gpointer data)
{
	Kept *kept = data;

	g_clear_pointer(&kept->bytes, g_byte_array_unref);
	g_free(kept->sender);
	g_free(kept->method);
}

static void kept_unref(gpointer data)
{
	g_atomic_rc_box_release_full(data, kept_clear);
}

static void large_clear(gpointer data)
{
	ProcdbLarge *self = data;

	g_hash_table_unref(self->kept);
	g_queue_clear(&self->allowed);
	g_async_queue_unref(self->answers);
	g_main_context_unref(self->context);
	procdb_window_unref(self->window);
}

ProcdbLarge *procdb_large_new(ProcdbWindow *window)
{
	ProcdbLarge *self = g_atomic_rc_box_new0(ProcdbLarge);

	self->window = procdb_window_ref(window);
	self->context = g_main_context_ref_thread_default();
	self->answers = g_async_queue_new_full(kept_unref);
	self->kept = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, kept_unref);
	g_queue_init(&self->allowed);
	return self;
}

void procdb_large_unref(ProcdbLarge *self)
{
	g_atomic_rc_box_release_full(self, large_clear);
}

void procdb_large_set_authorizer(ProcdbLarge *self, ProcdbAuthorizer *authorizer)
{
	self->authorizer = authorizer;
	g_atomic_int_set(&self->gated, 1);
}

/* In the main loop, as all up to on_ask(). */
static void refuse(const Kept *kept, const GError *denied)
{
	g_autoptr(GDBusConnection) connection = procdb_window_get_connection(kept->large->window);
	g_autoptr(GDBusMessage) answer = g_dbus_message_new();

	if (!connection)
		return;
	g_dbus_message_set_message_type(answer, G_DBUS_MESSAGE_TYPE_ERROR);
	g_dbus_message_set_flags(answer, G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED);
	g_dbus_message_set_destination(answer, kept->sender);
	g_dbus_message_set_reply_serial(answer, kept->serial);
	g_dbus_message_set_error_name(answer, procdb_bus_error_name(denied));
	g_dbus_message_set_body(answer, g_variant_new("(s)", denied->message));
	/* It fails when the connection is closed: then nobody waits for it. */
	g_dbus_connection_send_message(connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
				       NULL);
}

static void on_answer(GDBusMethodInvocation *invocation, GError *denied, gpointer data)
{
	Kept *kept = data;
	ProcdbLarge *self = kept->large;

	kept->allowed = !denied;
	if (denied)
		refuse(kept, denied);
	g_clear_error(&denied);
	g_async_queue_push(self->answers, kept);
	procdb_window_wake(self->window);
	procdb_large_unref(self);
}

static gboolean on_ask(gpointer data)
{
	Kept *kept = data;

	if (kept->large->authorizer)
		procdb_authorizer_admit(kept->large->authorizer, kept->sender, kept->serial,
					kept->method, kept->interactive, on_answer, kept);
	else
		on_answer(NULL,
			  g_error_new_literal(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED,
					      "Nobody is there to authorize it"),
			  kept);
	return G_SOURCE_REMOVE;
}

static void ask(Kept *kept)
{
	g_autoptr(GSource) source = g_idle_source_new();

	g_atomic_rc_box_acquire(kept->large);
	g_source_set_priority(source, G_PRIORITY_DEFAULT);
	g_source_set_callback(source, on_ask, g_atomic_rc_box_acquire(kept), NULL);
	g_source_attach(source, kept->large->context);
}

static gboolean has_room(const ProcdbLarge *self, const char *sender, gsize total)
{
	GHashTableIter iter;
	gpointer kept;

	if (g_hash_table_contains(self->kept, sender))
		return FALSE;
	g_hash_table_iter_init(&iter, self->kept);
	while (g_hash_table_iter_next(&iter, NULL, &kept))
		total += ((Kept *)kept)->size;
	return total <= MAX_KEPT;
}

gboolean procdb_large_keep(ProcdbLarge *self, const guint8 *data, ProcdbWireSize size)
{
	gsize total = size.header + size.body;
	const char *sender = procdb_wire_sender(data);
	Kept *kept;

	if (!has_room(self, sender, total))
		return FALSE;
	kept = g_atomic_rc_box_new0(Kept);
	kept->large = self;
	kept->sender = g_strdup(sender);
	kept->method = g_strdup(procdb_wire_member(data));
	kept->serial = procdb_wire_serial(data);
	kept->interactive = procdb_wire_is_interactive(data);
	kept->bytes = g_byte_array_sized_new((guint)total);
	g_byte_array_append(kept->bytes, data, (guint)total);
	kept->size = total;
	g_hash_table_insert(self->kept, kept->sender, kept);
	if (g_atomic_int_get(&self->gated))
		ask(kept);
	else
		g_queue_push_tail(&self->allowed, kept);
	return TRUE;
}

GByteArray *procdb_large_next(ProcdbLarge *self)
{
	Kept *kept;

	while ((kept = g_async_queue_try_pop(self->answers))) {
		if (kept->allowed)
			g_queue_push_tail(&self->allowed, kept);
		else
			g_hash_table_remove(self->kept, kept->sender);
		kept_unref(kept);
	}
	if (self->current || !(self->current = g_queue_pop_head(&self->allowed)))
		return NULL;
	return g_steal_pointer(&self->current->bytes);
}

void procdb_large_answered(ProcdbLarge *self, const char *sender, guint32 serial)
{
	if (!self->current || self->current->serial != serial ||
	    g_strcmp0(self->current->sender, sender) != 0)
		return;
	g_hash_table_remove(self->kept, self->current->sender);
	self->current = NULL;
	procdb_window_wake(self->window);
}
