/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "unread.h"

#define BUS_NAME "org.freedesktop.DBus"
#define BUS_PATH "/org/freedesktop/DBus"
#define STATISTICS "org.freedesktop.DBus.Debug.Stats"

/* From here on the bus is asked what a caller has read. */
#define ASK_FROM ((gsize)128 << 10)
/* What may be unread; but for a single answer, which may always be as large as it is. */
#define MAX_PER_CALLER ((gsize)1 << 20)
#define MAX_PER_USER ((gsize)4 << 20)
/* What may wait here until the bus takes it, likewise. */
#define MAX_UNSENT ((gsize)64 << 10)
/* Questions under way at once. */
#define MAX_QUESTIONS 8
/* How soon to ask again, at first and while no caller reads. */
#define RETRY_MS 20
#define RETRY_MAX_MS 320
/* What a user may be sent in a second where the bus does not say what was read. */
#define RATION ((gsize)256 << 10)

struct _ProcdbUnread {
	sd_bus *bus;
	ProcdbCallers *callers;
	void (*eased)(gpointer data);
	gpointer data;
	enum { ASKS, CHARGES_READERS, SAYS_NOTHING } kind;
	sd_bus_slot *probe;    /* of the question which of the last two it is */
	GHashTable *questions; /* of Question, owned */
	guint retry;	       /* source */
	guint retry_ms;
	guint turn;	/* of whom to ask first the next time */
	gboolean tight; /* a caller had no room */
};

typedef struct {
	ProcdbUnread *unread;
	ProcdbCaller *caller;
	gsize mark; /* bytes unread when the bus was asked */
	sd_bus_slot *slot;
} Question;

static void question_free(gpointer data)
{
	Question *question = data;

	question->caller->asked = FALSE;
	question->caller->held--;
	procdb_caller_unref(question->caller);
	sd_bus_slot_unref(question->slot);
	g_free(question);
}

static gboolean on_retry(gpointer data);

static void retry_soon(ProcdbUnread *self)
{
	if (!self->retry)
		self->retry = g_timeout_add(self->retry_ms, on_retry, self);
}

/* A caller has read some of its answers. */
static void ease(ProcdbUnread *self)
{
	self->retry_ms = RETRY_MS;
	if (!self->tight)
		return;
	self->tight = FALSE;
	self->eased(self->data);
}

/* Of what was sent to a caller until then, this is kept for it. */
static void settle(ProcdbCaller *caller, gsize mark, gsize kept)
{
	gsize still = MIN(kept, mark), had = MIN(mark, caller->unread);

	procdb_caller_charge(caller, (gssize)still - (gssize)had);
}

/* The value of OutgoingBytes in the a{sv} of GetConnectionStats. FALSE when it has none. */
static gboolean read_outgoing(sd_bus_message *reply, guint32 *bytes)
{
	const char *key, *type;

	if (sd_bus_message_enter_container(reply, 'a', "{sv}") <= 0)
		return FALSE;
	while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
		if (sd_bus_message_read_basic(reply, 's', &key) <= 0 ||
		    sd_bus_message_peek_type(reply, NULL, &type) <= 0)
			return FALSE;
		if (g_str_equal(key, "OutgoingBytes") && g_str_equal(type, "u"))
			return sd_bus_message_read(reply, "v", "u", bytes) > 0;
		if (sd_bus_message_skip(reply, "v") < 0 || sd_bus_message_exit_container(reply) < 0)
			return FALSE;
	}
	return FALSE;
}

static int on_probed(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbUnread *self = data;

	self->kind = sd_bus_message_is_method_error(reply, NULL) ? SAYS_NOTHING : CHARGES_READERS;
	retry_soon(self);
	return 1;
}

/* It does not say what one connection has: whether it has statistics at all? */
static void probe(ProcdbUnread *self)
{
	if (self->probe)
		return;
	self->kind = SAYS_NOTHING;
	(void)sd_bus_call_method_async(self->bus, &self->probe, BUS_NAME, BUS_PATH, STATISTICS,
				       "GetStats", on_probed, self, "");
}

static int on_statistics(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	Question *question = data;
	ProcdbUnread *self = question->unread;
	ProcdbCaller *caller = question->caller;
	guint32 outgoing = G_MAXUINT32;
	gboolean eased;

	if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		outgoing = 0;
	else if (sd_bus_message_is_method_error(reply, NULL))
		probe(self);
	else if (!read_outgoing(reply, &outgoing))
		outgoing = G_MAXUINT32;
	settle(caller, question->mark, outgoing);
	eased = outgoing < question->mark;
	/* Frees the question. */
	g_hash_table_remove(self->questions, question);
	if (eased)
		ease(self);
	return 1;
}

static void ask(ProcdbUnread *self, ProcdbCaller *caller)
{
	Question *question;

	if (caller->asked || !caller->callers || self->kind != ASKS ||
	    g_hash_table_size(self->questions) >= MAX_QUESTIONS)
		return;
	question = g_new0(Question, 1);
	question->unread = self;
	question->caller = procdb_caller_ref(caller);
	question->mark = caller->unread;
	caller->asked = TRUE;
	caller->held++;
	g_hash_table_add(self->questions, question);
	if (sd_bus_call_method_async(self->bus, &question->slot, BUS_NAME, BUS_PATH, STATISTICS,
				     "GetConnectionStats", on_statistics, question, "s",
				     caller->name) < 0)
		g_hash_table_remove(self->questions, question);
}

/* So much of what a user was sent is taken for read, where the bus does not say. */
static void ration(ProcdbUnread *self, ProcdbCaller *caller)
{
	gint64 now = g_get_monotonic_time();
	gint64 since = caller->user ? now - caller->user->rationed_at : 0;
	gsize bytes = RATION / 1000 * (gsize)MIN(since / 1000, RETRY_MAX_MS);

	if (self->kind == CHARGES_READERS)
		bytes = caller->unread;
	else if (bytes > 0)
		caller->user->rationed_at = now;
	procdb_caller_charge(caller, -(gssize)MIN(bytes, caller->unread));
}

static gboolean on_retry(gpointer data)
{
	ProcdbUnread *self = data;
	g_autoptr(GPtrArray) callers = procdb_callers_list(self->callers);

	self->retry = 0;
	self->retry_ms = MIN(self->retry_ms * 2, RETRY_MAX_MS);
	self->turn += MAX_QUESTIONS;
	for (guint i = 0; i < callers->len; i++) {
		ProcdbCaller *caller = callers->pdata[(i + self->turn) % callers->len];

		if (caller->unread == 0)
			continue;
		if (self->kind == ASKS)
			ask(self, caller);
		else
			ration(self, caller);
	}
	self->tight = FALSE;
	self->eased(self->data);
	return G_SOURCE_REMOVE;
}

static gboolean fits(gsize unread, gsize bytes, gsize max)
{
	return unread == 0 || unread + bytes <= max;
}

static gboolean is_sent(ProcdbUnread *self)
{
	guint64 waiting = 0;

	(void)sd_bus_get_n_queued_write(self->bus, &waiting);
	return waiting == 0;
}

gboolean procdb_unread_has_room(ProcdbUnread *self, ProcdbCaller *caller, gsize bytes)
{
	if (fits(caller->unread, bytes, MAX_PER_CALLER) &&
	    fits(caller->user ? caller->user->unread : 0, bytes, MAX_PER_USER) &&
	    (bytes <= MAX_UNSENT || is_sent(self)))
		return TRUE;
	self->tight = TRUE;
	retry_soon(self);
	return FALSE;
}

void procdb_unread_add(ProcdbUnread *self, ProcdbCaller *caller, gsize bytes)
{
	ProcdbCaller *crowded = procdb_callers_crowded(self->callers);

	if (self->kind != CHARGES_READERS)
		procdb_caller_charge(caller, (gssize)bytes);
	if (caller->unread >= ASK_FROM)
		ask(self, caller);
	if (crowded && self->kind == ASKS)
		ask(self, crowded);
	else if (crowded)
		retry_soon(self);
}

ProcdbUnread *procdb_unread_new(sd_bus *bus, ProcdbCallers *callers, void (*eased)(gpointer data),
				gpointer data)
{
	ProcdbUnread *unread = g_new0(ProcdbUnread, 1);

	unread->bus = bus;
	unread->callers = callers;
	unread->eased = eased;
	unread->data = data;
	unread->retry_ms = RETRY_MS;
	unread->questions =
	    g_hash_table_new_full(g_direct_hash, g_direct_equal, question_free, NULL);
	return unread;
}

void procdb_unread_free(ProcdbUnread *self)
{
	g_hash_table_unref(self->questions);
	sd_bus_slot_unref(self->probe);
	g_clear_handle_id(&self->retry, g_source_remove);
	g_free(self);
}
