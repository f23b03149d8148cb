/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "replies.h"

/* Bytes of answers from which on it is waited until the bus has taken them. */
#define UNSENT_MAX (1 << 20)

/* Counted references: a flush may end after the rest. */
struct _ProcdbReplies {
	GVariant *(*make)(gpointer user_data);
	gpointer user_data;
	GQueue waiting; /* of GDBusMethodInvocation */
	gsize unsent;	/* bytes since the last flush */
	gboolean flushing;
};

static void clear(gpointer data)
{
	ProcdbReplies *replies = data;

	g_queue_clear_full(&replies->waiting, g_object_unref);
}

static void on_flushed(GObject *source, GAsyncResult *result, gpointer data);

static void answer(ProcdbReplies *replies)
{
	while (!replies->flushing && !g_queue_is_empty(&replies->waiting)) {
		GDBusMethodInvocation *invocation = g_queue_pop_head(&replies->waiting);
		GDBusConnection *connection = g_dbus_method_invocation_get_connection(invocation);
		GVariant *value = replies->make(replies->user_data);

		replies->unsent += g_variant_get_size(value);
		if (replies->unsent >= UNSENT_MAX) {
			g_object_ref(connection);
			replies->flushing = TRUE;
		}
		g_dbus_method_invocation_return_value(invocation, value);
		if (replies->flushing) {
			g_dbus_connection_flush(connection, NULL, on_flushed,
						g_rc_box_acquire(replies));
			g_object_unref(connection);
		}
	}
}

static void on_flushed(GObject *source, GAsyncResult *result, gpointer data)
{
	ProcdbReplies *replies = data;

	/* If it failed the connection is gone, and answers on it cost nothing. */
	g_dbus_connection_flush_finish(G_DBUS_CONNECTION(source), result, NULL);
	replies->unsent = 0;
	replies->flushing = FALSE;
	if (replies->make)
		answer(replies);
	g_rc_box_release_full(replies, clear);
}

ProcdbReplies *procdb_replies_new(GVariant *(*make)(gpointer user_data), gpointer user_data)
{
	ProcdbReplies *replies = g_rc_box_new0(ProcdbReplies);

	replies->make = make;
	replies->user_data = user_data;
	g_queue_init(&replies->waiting);
	return replies;
}

void procdb_replies_free(ProcdbReplies *replies)
{
	replies->make = NULL;
	clear(replies);
	g_rc_box_release_full(replies, clear);
}

void procdb_replies_answer(ProcdbReplies *replies, GDBusMethodInvocation *invocation)
{
	g_queue_push_tail(&replies->waiting, invocation);
	answer(replies);
}
