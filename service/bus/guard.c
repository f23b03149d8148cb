/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "guard.h"

#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#include "errors.h"
#include "large.h"
#include "turns.h"
#include "window.h"
#include "wire.h"

#define CHUNK 65536
/* Of them at once: whoever sends faster than we sort does not keep us from the rest. */
#define MAX_CHUNKS 16

#define GUARD_TYPE_INPUT (guard_input_get_type())
G_DECLARE_FINAL_TYPE(GuardInput, guard_input, GUARD, INPUT, GInputStream)

struct _GuardInput {
	GInputStream parent;
	GIOStream *socket;
	GByteArray *raw;   /* has come and is not looked at yet */
	GByteArray *ready; /* may be read */
	gsize read;	   /* bytes of ready that were */
	gsize skip;	   /* bytes of a message that are still to be thrown away */
	ProcdbLarge *large;
	ProcdbTurns *turns;   /* messages that wait until there is room in the window */
	ProcdbWindow *window; /* of those that were let through to ready */
	gboolean talking;     /* until the bus has let us in */
	gboolean ended;
};

static void guard_input_pollable_init(GPollableInputStreamInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE(GuardInput, guard_input, G_TYPE_INPUT_STREAM,
			      G_IMPLEMENT_INTERFACE(G_TYPE_POLLABLE_INPUT_STREAM,
						    guard_input_pollable_init))

static GPollableInputStream *input_of(GuardInput *self)
{
	return G_POLLABLE_INPUT_STREAM(g_io_stream_get_input_stream(self->socket));
}

/* The answer to what procdb_guard_new() said; the bytes that it has, 0 while it is not whole. */
static gsize sort_line(GuardInput *self, const guint8 *data, gsize len)
{
	const guint8 *end = memchr(data, '\n', len);

	if (!end)
		return 0;
	self->talking = FALSE;
	self->ended = len < 3 || memcmp(data, "OK ", 3) != 0;
	return (gsize)(end - data) + 1;
}

/* Has a message wait for its turn, or what stands for it. */
static void queue(GuardInput *self, const guint8 *data, ProcdbWireSize size,
		  ProcdbWireVerdict verdict)
{
	const char *sender = procdb_wire_sender(data);
	gboolean call = data[1] == G_DBUS_MESSAGE_TYPE_METHOD_CALL;
	gboolean unasked = procdb_wire_is_unasked(data);
	gsize total = size.header + size.body;
	GByteArray *message;

	if (!procdb_turns_accepts(self->turns, sender, total, unasked)) {
		if (!call || unasked)
			return;
		verdict = PROCDB_WIRE_REFUSE_MANY;
	}
	message = g_byte_array_sized_new(verdict == PROCDB_WIRE_PASS ? (guint)total : 0);
	if (verdict == PROCDB_WIRE_PASS)
		g_byte_array_append(message, data, (guint)total);
	else
		procdb_wire_replace(data, size, verdict, message);
	procdb_turns_add(self->turns, sender, message, unasked);
}

/* A message; the bytes that were dealt with, 0 while not enough of it is there. */
static gsize sort_message(GuardInput *self, const guint8 *data, gsize len)
{
	ProcdbWireVerdict verdict;
	ProcdbWireSize size;
	gsize total;

	if (len < PROCDB_WIRE_PREFIX)
		return 0;
	size = procdb_wire_size(data);
	total = size.header + size.body;
	if (len < procdb_wire_needed(data, size))
		return 0;
	verdict = procdb_wire_judge_header(data, len, size);
	if (verdict == PROCDB_WIRE_PASS || verdict == PROCDB_WIRE_PASS_LARGE) {
		if (len < total)
			return 0;
		if (verdict == PROCDB_WIRE_PASS)
			verdict = procdb_wire_judge_body(data, size);
		else
			verdict = procdb_large_keep(self->large, data, size)
				      ? PROCDB_WIRE_DROP
				      : PROCDB_WIRE_REFUSE_LARGE;
	}
	/* What we asked for, and what the bus says, goes first: there is never much of it. */
	if (verdict == PROCDB_WIRE_PASS && procdb_wire_is_expected(data))
		g_byte_array_append(self->ready, data, (guint)total);
	else if (verdict != PROCDB_WIRE_DROP)
		queue(self, data, size, verdict);
	self->skip = total - MIN(total, len);
	return MIN(total, len);
}

/* Takes bytes from the front, and gives memory back that a large message took. */
static void remove_front(GByteArray **array, gsize n)
{
	GByteArray *old = *array;

	if (old->len > n || n <= CHUNK) {
		g_byte_array_remove_range(old, 0, (guint)n);
		return;
	}
	g_byte_array_unref(old);
	*array = g_byte_array_new();
}

static void sort(GuardInput *self)
{
	gsize done = 0, n;

	do {
		const guint8 *data = self->raw->data + done;
		gsize len = self->raw->len - done;

		if (self->skip > 0) {
			n = MIN(self->skip, len);
			self->skip -= n;
		} else if (self->talking) {
			n = sort_line(self, data, len);
		} else {
			n = sort_message(self, data, len);
		}
		done += n;
	} while (n > 0 && !self->ended);
	remove_front(&self->raw, done);
}

/* Takes in what there is. FALSE with error set when that fails, or there is nothing. */
static gboolean take_in(GuardInput *self, GError **error)
{
	guint len = self->raw->len;
	gssize n;

	g_byte_array_set_size(self->raw, len + CHUNK);
	n = g_pollable_input_stream_read_nonblocking(input_of(self), self->raw->data + len, CHUNK,
						     NULL, error);
	g_byte_array_set_size(self->raw, len + (guint)MAX(n, 0));
	if (n == 0)
		self->ended = TRUE;
	if (n > 0)
		sort(self);
	return n >= 0;
}

/* Whether GDBus can be given something, and be it the end. */
static gboolean has_something(GuardInput *self)
{
	return self->read < self->ready->len || (self->ended && procdb_turns_is_empty(self->turns));
}

static gboolean takes_more(GuardInput *self)
{
	return !self->ended && !procdb_turns_is_full(self->turns);
}

/* Lets through as much as there is room for. */
static void let_through(GuardInput *self)
{
	GByteArray *message;

	/* GDBus comes back once it has dispatched all that it was given. */
	procdb_window_delivered(self->window);
	procdb_window_update(self->window);
	while (procdb_window_has_room(self->window) &&
	       ((message = procdb_large_next(self->large)) ||
		(message = procdb_turns_next(self->turns)))) {
		g_byte_array_append(self->ready, message->data, message->len);
		procdb_window_add(self->window, message->len);
		g_byte_array_unref(message);
	}
}

/* Takes in what has come, so that each sender has its turn. FALSE with error set on failure. */
static gboolean take_in_all(GuardInput *self, GError **error)
{
	g_autoptr(GError) failed = NULL;

	for (guint i = 0; i < MAX_CHUNKS && takes_more(self); i++)
		if (!take_in(self, &failed))
			break;
	if (!failed || g_error_matches(failed, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
		return TRUE;
	g_propagate_error(error, g_steal_pointer(&failed));
	return FALSE;
}

/* What there is for GDBus now. */
static gssize guard_input_read_nonblocking(GPollableInputStream *stream, void *buffer, gsize count,
					   GError **error)
{
	GuardInput *self = GUARD_INPUT(stream);
	gsize n;

	if (!has_something(self)) {
		if (!take_in_all(self, error))
			return -1;
		let_through(self);
	}
	if (!has_something(self)) {
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK, "Nothing for now");
		return -1;
	}
	n = MIN(count, self->ready->len - self->read);
	/* At the end there is nothing, and perhaps not even an address of it. */
	if (n > 0)
		memcpy(buffer, self->ready->data + self->read, n);
	self->read += n;
	if (self->read == self->ready->len) {
		remove_front(&self->ready, self->read);
		self->read = 0;
	}
	return (gssize)n;
}

/* Not GDBus's way, which never waits here. */
static gssize guard_input_read(GInputStream *stream, void *buffer, gsize count,
			       GCancellable *cancellable, GError **error)
{
	GPollableInputStream *pollable = G_POLLABLE_INPUT_STREAM(stream);

	for (;;) {
		g_autoptr(GError) failed = NULL;
		g_autoptr(GSource) source = NULL;
		g_autoptr(GMainContext) context = NULL;
		gssize n = guard_input_read_nonblocking(pollable, buffer, count, &failed);

		if (n >= 0)
			return n;
		if (!g_error_matches(failed, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK)) {
			g_propagate_error(error, g_steal_pointer(&failed));
			return -1;
		}
		if (g_cancellable_set_error_if_cancelled(cancellable, error))
			return -1;
		context = g_main_context_new();
		source = g_pollable_input_stream_create_source(pollable, cancellable);
		g_source_set_dummy_callback(source);
		g_source_attach(source, context);
		g_main_context_iteration(context, TRUE);
	}
}

static gboolean guard_input_is_readable(GPollableInputStream *stream)
{
	GuardInput *self = GUARD_INPUT(stream);

	return has_something(self) ||
	       (takes_more(self) && g_pollable_input_stream_is_readable(input_of(self)));
}

static GSource *guard_input_create_source(GPollableInputStream *stream, GCancellable *cancellable)
{
	GuardInput *self = GUARD_INPUT(stream);
	g_autoptr(GSource) room = g_unix_fd_source_new(procdb_window_fd(self->window), G_IO_IN);
	g_autoptr(GSource) socket = NULL;
	GSource *source = g_pollable_source_new_full(stream, room, cancellable);

	if (takes_more(self)) {
		socket = g_pollable_input_stream_create_source(input_of(self), NULL);
		g_source_set_dummy_callback(socket);
		g_source_add_child_source(source, socket);
	}
	return source;
}

static gboolean guard_input_close(GInputStream *stream, GCancellable *cancellable, GError **error)
{
	return g_io_stream_close(GUARD_INPUT(stream)->socket, cancellable, error);
}

static void guard_input_finalize(GObject *object)
{
	GuardInput *self = GUARD_INPUT(object);

	g_clear_pointer(&self->window, procdb_window_unref);
	procdb_turns_free(self->turns);
	g_clear_pointer(&self->large, procdb_large_unref);
	g_byte_array_unref(self->raw);
	g_byte_array_unref(self->ready);
	g_clear_object(&self->socket);
	G_OBJECT_CLASS(guard_input_parent_class)->finalize(object);
}

static void guard_input_pollable_init(GPollableInputStreamInterface *iface)
{
	iface->is_readable = guard_input_is_readable;
	iface->create_source = guard_input_create_source;
	iface->read_nonblocking = guard_input_read_nonblocking;
}

static void guard_input_class_init(GuardInputClass *class)
{
	G_OBJECT_CLASS(class)->finalize = guard_input_finalize;
	G_INPUT_STREAM_CLASS(class)->read_fn = guard_input_read;
	G_INPUT_STREAM_CLASS(class)->close_fn = guard_input_close;
}

static void guard_input_init(GuardInput *self)
{
	self->turns = procdb_turns_new();
	self->raw = g_byte_array_new();
	self->ready = g_byte_array_new();
	self->talking = TRUE;
}

GIOStream *procdb_guard_new(GSocketConnection *socket, GError **error)
{
	g_autofree char *uid = g_strdup_printf("%u", geteuid());
	g_autoptr(GString) hello = g_string_new_len("", 1);
	g_autoptr(GuardInput) input = g_object_new(GUARD_TYPE_INPUT, NULL);
	/* Not the socket's own: with one of those GDBus would go for the socket itself. */
	g_autoptr(GOutputStream) output = g_unix_output_stream_new(
	    g_socket_get_fd(g_socket_connection_get_socket(socket)), FALSE);

	/* First: when anything else fails, the stream is closed, and with it this. */
	input->socket = g_object_ref(G_IO_STREAM(socket));
	/*
	 * GDBus does not authenticate over what is no socket. The bus knows the
	 * identity from the socket, and hears here only what it should be.
	 */
	g_string_append(hello, "AUTH EXTERNAL ");
	for (const char *digit = uid; *digit; digit++)
		g_string_append_printf(hello, "%02x", (guint)*digit);
	g_string_append(hello, "\r\nBEGIN\r\n");
	/* Into the empty buffer of a new socket: this does not wait. */
	if (!g_output_stream_write_all(output, hello->str, hello->len, NULL, NULL, error))
		return NULL;
	input->window = procdb_window_new(error);
	if (!input->window)
		return NULL;
	input->large = procdb_large_new(input->window);
	return g_simple_io_stream_new(G_INPUT_STREAM(input), output);
}

/* Whether a call stands for one that was refused. */
static gboolean was_refused(GDBusMessage *message)
{
	GVariant *body = g_dbus_message_get_body(message);
	guint8 verdict;

	if (g_dbus_message_get_message_type(message) != G_DBUS_MESSAGE_TYPE_METHOD_CALL || !body ||
	    !g_variant_is_of_type(body, G_VARIANT_TYPE("(y)")))
		return FALSE;
	g_variant_get(body, "(y)", &verdict);
	return verdict == PROCDB_WIRE_REFUSE_LARGE || verdict == PROCDB_WIRE_REFUSE_MANY;
}

static void refuse(GDBusConnection *connection, GDBusMessage *message)
{
	g_autoptr(GDBusMessage) answer = NULL;
	g_autoptr(GError) error =
	    g_error_new_literal(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
				"The call is too large, or too many are under way");

	if (g_dbus_message_get_flags(message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED)
		return;
	answer = g_dbus_message_new_method_error_literal(message, procdb_bus_error_name(error),
							 error->message);
	g_dbus_connection_send_message(connection, answer, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL,
				       NULL);
}

/* In the thread that reads and writes, as all above. */
static GDBusMessage *filter(GDBusConnection *connection, GDBusMessage *message, gboolean incoming,
			    gpointer data)
{
	if (!incoming) {
		procdb_large_answered(GUARD_INPUT(data)->large,
				      g_dbus_message_get_destination(message),
				      g_dbus_message_get_reply_serial(message));
		return message;
	}
	if (!was_refused(message))
		return message;
	refuse(connection, message);
	g_object_unref(message);
	return NULL;
}

void procdb_guard_answer(GDBusConnection *connection)
{
	GIOStream *stream = g_dbus_connection_get_stream(connection);
	GuardInput *input = GUARD_INPUT(g_io_stream_get_input_stream(stream));

	procdb_window_set_connection(input->window, connection);
	g_dbus_connection_add_filter(connection, filter, g_object_ref(input), g_object_unref);
}

void procdb_guard_set_authorizer(GDBusConnection *connection, ProcdbAuthorizer *authorizer)
{
	GInputStream *input =
	    g_io_stream_get_input_stream(g_dbus_connection_get_stream(connection));

	/* Tests have connections without a guard. */
	if (GUARD_IS_INPUT(input))
		procdb_large_set_authorizer(GUARD_INPUT(input)->large, authorizer);
}
