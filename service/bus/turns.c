/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "turns.h"

/* From here on a sender that has SHARE messages waiting is refused more. */
#define PLENTY ((gsize)8 << 20)
#define SHARE 4
/* From here on the bus waits: the refusals of some ten thousand calls have room before. */
#define FULL (2 * PLENTY)
/* What keeps a message costs memory as well. */
#define OVERHEAD 128
/* Of one sender, that want no answer: nothing else bounds them. */
#define MAX_UNASKED 32

typedef struct {
	GByteArray *bytes;
	gboolean unasked;
} Message;

typedef struct {
	char *name;
	GQueue messages; /* of Message */
	guint unasked;
	GList link; /* in turns->senders */
} Sender;

struct _ProcdbTurns {
	GHashTable *by_name; /* of Sender, owned: those with a message */
	GQueue senders;	     /* whose turn it is first */
	gsize size;
};

static void message_free(gpointer data)
{
	Message *message = data;

	g_byte_array_unref(message->bytes);
	g_free(message);
}

static void sender_free(gpointer data)
{
	Sender *sender = data;

	g_queue_clear_full(&sender->messages, message_free);
	g_free(sender->name);
	g_free(sender);
}

ProcdbTurns *procdb_turns_new(void)
{
	ProcdbTurns *self = g_new0(ProcdbTurns, 1);

	self->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, sender_free);
	g_queue_init(&self->senders);
	return self;
}

void procdb_turns_free(ProcdbTurns *self)
{
	g_hash_table_unref(self->by_name);
	g_free(self);
}

gboolean procdb_turns_accepts(const ProcdbTurns *self, const char *name, gsize size,
			      gboolean unasked)
{
	const Sender *sender = g_hash_table_lookup(self->by_name, name);

	if (!sender)
		return TRUE;
	if (unasked && sender->unasked >= MAX_UNASKED)
		return FALSE;
	return sender->messages.length < SHARE || self->size + size + OVERHEAD <= PLENTY;
}

static Sender *sender_of(ProcdbTurns *self, const char *name)
{
	Sender *sender = g_hash_table_lookup(self->by_name, name);

	if (sender)
		return sender;
	sender = g_new0(Sender, 1);
	sender->name = g_strdup(name);
	sender->link.data = sender;
	g_queue_init(&sender->messages);
	g_hash_table_insert(self->by_name, sender->name, sender);
	g_queue_push_tail_link(&self->senders, &sender->link);
	return sender;
}

void procdb_turns_add(ProcdbTurns *self, const char *name, GByteArray *bytes, gboolean unasked)
{
	Sender *sender = sender_of(self, name);
	Message *message = g_new(Message, 1);

	*message = (Message){bytes, unasked};
	g_queue_push_tail(&sender->messages, message);
	sender->unasked += unasked ? 1 : 0;
	self->size += bytes->len + OVERHEAD;
}

GByteArray *procdb_turns_next(ProcdbTurns *self)
{
	GList *link = g_queue_pop_head_link(&self->senders);
	Sender *sender;
	Message *message;
	GByteArray *bytes;

	if (!link)
		return NULL;
	sender = link->data;
	message = g_queue_pop_head(&sender->messages);
	bytes = message->bytes;
	sender->unasked -= message->unasked ? 1 : 0;
	self->size -= bytes->len + OVERHEAD;
	g_free(message);
	if (g_queue_is_empty(&sender->messages))
		g_hash_table_remove(self->by_name, sender->name);
	else
		g_queue_push_tail_link(&self->senders, link);
	return bytes;
}

gboolean procdb_turns_is_full(const ProcdbTurns *self)
{
	return self->size >= FULL;
}

gboolean procdb_turns_is_empty(const ProcdbTurns *self)
{
	return !self->senders.head;
}
