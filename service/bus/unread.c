/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "unread.h"

#include "log.h"
#include "peers.h"
#include "statistics.h"

/* dbus-broker's name of the figures of all connections (driver_method_get_stats()). */
#define ACCOUNTING "org.bus1.DBus.Debug.Stats.PeerAccounting"
#define ACCOUNTING_TYPE "a(sa{sv}a{su})"
/* The name that both buses have for the bytes queued for a connection. */
#define KEPT_BYTES "OutgoingBytes"

/* From so many unread bytes on the bus is asked what a caller has read. */
#define ASK_FROM ((gsize)128 << 10)
/* The most unread bytes. A single answer may be larger. */
#define MAX_PER_CALLER ((gsize)1 << 20)
#define MAX_PER_USER ((gsize)4 << 20)
/*
 * Of all users but root, where dbus-daemon stops to read from us at 127 MiB (max_incoming_bytes in
 * system.conf), signals to all among them (broadcast.c). Beside large ones there is room for small
 * ones.
 */
#define MAX_OF_ALL ((gsize)64 << 20)
#define MAX_OF_ALL_SMALL ((gsize)72 << 20)
/* The most bytes that wait here until the bus reads them. A single answer may be larger. */
#define MAX_UNSENT ((gsize)64 << 10)
/* The most questions under way at once. */
#define MAX_QUESTIONS 8
/* The time until the next question, at first and while no caller reads. */
#define RETRY_MS 20
#define RETRY_MAX_MS 320
/* The bytes that a user may be sent in a second where the bus reports nothing, */
#define RATION ((gsize)256 << 10)
/* and in all while its connections last: nothing proves that it has read any. */
#define RATION_MOST ((gsize)32 << 20)
/* Then it is asked again: its policy may have been mended. */
#define NOTHING_US (60 * (gint64)G_USEC_PER_SEC)
/* The least time between two questions about a caller that has no room. */
#define ASK_US (2 * G_TIME_SPAN_MILLISECOND)

struct _ProcdbUnread {
	sd_bus *bus;
	ProcdbCallers *callers;
	void (*eased)(gpointer data);
	gpointer data;
	enum { SAYS_ONE, SAYS_ALL, SAYS_NOTHING } kind;
	gint64 nothing_until;  /* monotonic µs: it said nothing, and is asked again then */
	GHashTable *questions; /* name of a caller -> Question, owned */
	sd_bus_slot *survey;   /* the one question about all of them, while it is under way */
	gint64 survey_at;      /* monotonic µs: the next one is not before that */
	guint retry;	       /* source */
	guint retry_ms;
	guint turn;	/* index of the caller that is asked about first the next time */
	gboolean tight; /* a caller had no room */
};

typedef struct {
	ProcdbUnread *unread;
	ProcdbCaller *caller;
	gsize mark;	   /* bytes sent and unread when the bus was asked */
	sd_bus_slot *slot; /* NULL while the bus is asked about all callers at once */
} Question;

static void question_free(gpointer data)
{
	Question *question = data;

	question->caller->pending--;
	procdb_caller_unref(question->caller);
	sd_bus_slot_unref(question->slot);
	g_free(question);
}

/* The bytes that the bus may have for a caller. */
static gsize sent(const ProcdbCaller *caller)
{
	return caller->unread - MIN(caller->unsent, caller->unread);
}

static gboolean is_asked(const ProcdbUnread *self, const ProcdbCaller *caller)
{
	return g_hash_table_contains(self->questions, caller->name);
}

/* Starts a question about a caller. There must be none about it. */
static Question *question_add(ProcdbUnread *self, ProcdbCaller *caller)
{
	Question *question = g_new0(Question, 1);

	question->unread = self;
	question->caller = procdb_caller_ref(caller);
	question->mark = sent(caller);
	caller->pending++;
	g_hash_table_insert(self->questions, caller->name, question);
	return question;
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

/*
 * Ends a question. kept: the bytes that the bus still queues of those sent before the question.
 * TRUE when the caller has read something.
 */
static gboolean finish_question(Question *question, gsize kept)
{
	ProcdbCaller *caller = question->caller;
	gsize still = MIN(kept, question->mark), had = MIN(question->mark, caller->unread);
	gboolean read = kept < question->mark;

	procdb_caller_charge(caller, (gssize)still - (gssize)had);
	if (kept == 0)
		procdb_caller_set_rationed(caller, 0);
	g_hash_table_remove(question->unread->questions, caller->name);
	return read;
}

/*
 * Whether an answer without the figures may be followed by one with them: all other errors say that
 * the bus has none for us, as "Failed" does (driver_method_get_connection_stats() of dbus-broker).
 */
static gboolean may_pass(sd_bus_message *reply)
{
	static const char *const errors[] = {
	    SD_BUS_ERROR_NO_REPLY, SD_BUS_ERROR_TIMEOUT,	 SD_BUS_ERROR_NO_MEMORY,
	    SD_BUS_ERROR_IO_ERROR, SD_BUS_ERROR_LIMITS_EXCEEDED, SD_BUS_ERROR_DISCONNECTED};

	for (guint i = 0; i < G_N_ELEMENTS(errors); i++)
		if (sd_bus_message_is_method_error(reply, errors[i]) > 0)
			return TRUE;
	return FALSE;
}

/* Reads the next connection of ACCOUNTING; *bytes stays when it lacks the figure. */
static gboolean read_connection(sd_bus_message *reply, const char **name, guint32 *bytes)
{
	const char *key;
	guint32 value;

	if (sd_bus_message_enter_container(reply, 'r', "sa{sv}a{su}") <= 0 ||
	    sd_bus_message_read_basic(reply, 's', name) <= 0 ||
	    sd_bus_message_skip(reply, "a{sv}") < 0 ||
	    sd_bus_message_enter_container(reply, 'a', "{su}") <= 0)
		return FALSE;
	while (sd_bus_message_read(reply, "{su}", &key, &value) > 0)
		if (g_str_equal(key, KEPT_BYTES))
			*bytes = value;
	/* The dictionary, and then the structure. */
	if (sd_bus_message_exit_container(reply) < 0)
		return FALSE;
	return sd_bus_message_exit_container(reply) >= 0;
}

/* Takes what the bus says of the connections. Whether one of them has read something. */
static gboolean take_survey(ProcdbUnread *self, sd_bus_message *reply)
{
	gboolean read = FALSE;
	const char *name;
	guint32 kept;

	while (kept = G_MAXUINT32, read_connection(reply, &name, &kept)) {
		Question *question = g_hash_table_lookup(self->questions, name);

		if (question)
			read = finish_question(question, kept) || read;
	}
	return read;
}

/* The bus tells nothing, for now. */
static void do_without(ProcdbUnread *self, sd_bus_message *reply)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (self->nothing_until == 0)
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_BUS,
			   "The bus does not tell what callers have read (%s): each user gets %u "
			   "MiB at most while its connections last",
			   error && error->message ? error->message : "it has no such figures",
			   (guint)(RATION_MOST >> 20));
	self->kind = SAYS_NOTHING;
	self->nothing_until = g_get_monotonic_time() + NOTHING_US;
	retry_soon(self);
}

static int on_survey(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbUnread *self = data;
	gboolean read = FALSE;

	self->survey = sd_bus_slot_unref(self->survey);
	self->survey_at = g_get_monotonic_time() + RETRY_MS * G_TIME_SPAN_MILLISECOND;
	if (procdb_statistics_enter(reply, ACCOUNTING, ACCOUNTING_TYPE) &&
	    sd_bus_message_enter_container(reply, 'a', "(sa{sv}a{su})") > 0) {
		read = take_survey(self, reply);
	} else if (!may_pass(reply)) {
		do_without(self, reply);
	}
	/* Of all others nothing is known; those that have left the bus are forgotten anyway. */
	g_hash_table_remove_all(self->questions);
	if (read)
		ease(self);
	return 1;
}

/* Asks the bus about all callers that may have unread answers, in one call. */
static void survey(ProcdbUnread *self)
{
	g_autoptr(GPtrArray) callers = NULL;

	if (self->survey)
		return;
	if (g_get_monotonic_time() < self->survey_at) {
		retry_soon(self);
		return;
	}
	callers = procdb_callers_list(self->callers);
	for (guint i = 0; i < callers->len; i++) {
		ProcdbCaller *caller = callers->pdata[i];

		if (sent(caller) > 0 && !is_asked(self, caller))
			question_add(self, caller);
	}
	if (sd_bus_call_method_async(self->bus, &self->survey, PROCDB_DAEMON_NAME,
				     PROCDB_DAEMON_PATH, PROCDB_STATISTICS, "GetStats", on_survey,
				     self, "") < 0)
		g_hash_table_remove_all(self->questions);
}

static int on_statistics(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	Question *question = data;
	ProcdbUnread *self = question->unread;
	guint32 kept = G_MAXUINT32;

	if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER)) {
		kept = 0;
	} else if (procdb_statistics_enter(reply, KEPT_BYTES, "u")) {
		(void)sd_bus_message_read_basic(reply, 'u', &kept);
	} else if (self->kind == SAYS_ONE && !may_pass(reply)) {
		/* Perhaps the bus reports all connections at once. */
		self->kind = SAYS_ALL;
	}
	if (finish_question(question, kept))
		ease(self);
	if (self->kind == SAYS_ALL)
		survey(self);
	return 1;
}

static void ask(ProcdbUnread *self, ProcdbCaller *caller)
{
	Question *question;

	if (self->kind == SAYS_ALL)
		survey(self);
	if (self->kind != SAYS_ONE || !caller->callers || is_asked(self, caller) ||
	    g_hash_table_size(self->questions) >= MAX_QUESTIONS)
		return;
	question = question_add(self, caller);
	caller->asked_at = g_get_monotonic_time();
	if (sd_bus_call_method_async(self->bus, &question->slot, PROCDB_DAEMON_NAME,
				     PROCDB_DAEMON_PATH, PROCDB_STATISTICS, "GetConnectionStats",
				     on_statistics, question, "s", caller->name) < 0)
		g_hash_table_remove(self->questions, caller->name);
}

/*
 * Where the bus reports nothing, so many bytes of a user's are taken for read, up to a total. A
 * connection that ends gives its part back, since the bus has dropped what it had not read.
 */
static void ration(ProcdbCaller *caller)
{
	ProcdbUser *user = caller->user;
	const gint64 now = g_get_monotonic_time();
	gsize bytes;

	if (!user)
		return;
	bytes = RATION / 1000 * (gsize)MIN((now - user->rationed_at) / 1000, RETRY_MAX_MS);
	if (bytes > 0)
		user->rationed_at = now;
	bytes = MIN(bytes, RATION_MOST - MIN(user->rationed, RATION_MOST));
	bytes = MIN(bytes, sent(caller));
	procdb_caller_charge(caller, -(gssize)bytes);
	procdb_caller_set_rationed(caller, caller->rationed + bytes);
}

static gboolean on_retry(gpointer data)
{
	ProcdbUnread *self = data;
	g_autoptr(GPtrArray) callers = procdb_callers_list(self->callers);

	self->retry = 0;
	self->retry_ms = MIN(self->retry_ms * 2, RETRY_MAX_MS);
	self->turn += MAX_QUESTIONS;
	if (self->kind == SAYS_NOTHING && g_get_monotonic_time() >= self->nothing_until)
		self->kind = SAYS_ONE;
	for (guint i = 0; i < callers->len; i++) {
		ProcdbCaller *caller = callers->pdata[(i + self->turn) % callers->len];

		if (sent(caller) == 0)
			continue;
		if (self->kind == SAYS_NOTHING)
			ration(caller);
		else
			ask(self, caller);
	}
	self->tight = FALSE;
	self->eased(self->data);
	return G_SOURCE_REMOVE;
}

/* A program of root's that has stopped keeps no other of root's from its answer. */
static gboolean fits_beside_others(ProcdbUnread *self, const ProcdbCaller *caller, gsize bytes)
{
	if (caller->identified && caller->uid == 0)
		return TRUE;
	return procdb_fits(caller->user ? caller->user->unread : 0, bytes, MAX_PER_USER) &&
	       procdb_fits(procdb_callers_unread(self->callers), bytes,
			   bytes <= MAX_UNSENT ? MAX_OF_ALL_SMALL : MAX_OF_ALL);
}

static gboolean is_sent(ProcdbUnread *self)
{
	guint64 waiting = 0;

	(void)sd_bus_get_n_queued_write(self->bus, &waiting);
	return waiting == 0;
}

gboolean procdb_unread_has_room(ProcdbUnread *self, ProcdbCaller *caller, gsize bytes)
{
	const gboolean fits_in = procdb_fits(caller->unread, bytes, MAX_PER_CALLER) &&
				 fits_beside_others(self, caller, bytes);

	if (fits_in && (bytes <= MAX_UNSENT || is_sent(self)))
		return TRUE;
	self->tight = TRUE;
	/* A caller that calls again has mostly read the answers before. */
	if (!fits_in && sent(caller) > 0 && g_get_monotonic_time() - caller->asked_at >= ASK_US)
		ask(self, caller);
	retry_soon(self);
	return FALSE;
}

void procdb_unread_add(ProcdbUnread *self, ProcdbCaller *caller, gsize bytes)
{
	ProcdbCaller *crowded = procdb_callers_crowded(self->callers);

	/* Before: the bus would take these bytes, which it does not have yet, for read. */
	if (sent(caller) >= ASK_FROM)
		ask(self, caller);
	if (crowded && self->kind != SAYS_NOTHING)
		ask(self, crowded);
	else if (crowded)
		retry_soon(self);
	procdb_caller_charge(caller, (gssize)bytes);
	/* A caller that reads a long list would miss the next signal: no question comes before
	 * that. */
	if (caller->unread >= ASK_FROM)
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
	unread->questions = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, question_free);
	return unread;
}

void procdb_unread_free(ProcdbUnread *self)
{
	g_hash_table_unref(self->questions);
	sd_bus_slot_unref(self->survey);
	g_clear_handle_id(&self->retry, g_source_remove);
	g_free(self);
}
