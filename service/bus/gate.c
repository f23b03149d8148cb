/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "gate.h"

#include <string.h>

#include "authorizer.h"
#include "errors.h"
#include "followers.h"
#include "interface.h"
#include "log.h"
#include "size.h"
#include "times.h"
#include "unread.h"

/* Below the 25 s after which most callers give up: they still get the reason. */
#define PATIENCE_US (20 * (gint64)G_USEC_PER_SEC)
#define TOO_MANY "Too many calls wait; try again later"
#define ERROR_SIZE 400 /* bytes */

struct _ProcdbGate {
	sd_bus *bus;
	sd_bus_slot *filter;
	gsize (*answer_size)(sd_bus_message *call, gpointer data);
	gpointer data;
	ProcdbCallers *callers;
	ProcdbAuthorizer *authorizer;
	ProcdbUnread *unread;
	ProcdbTimes *times;
	ProcdbFollowers *followers;
	GHashTable *released; /* message -> Entry, owned: passed, and queued in sd-bus again */
	const sd_bus_message *passed; /* the call that is dispatched now; only compared */
	gsize estimate;		      /* the bytes that its answer was charged as */
	const ProcdbCaller *advancing;
	gboolean closed;
};

/* A call that waits. */
typedef struct {
	ProcdbGate *gate;
	ProcdbCaller *caller;
	sd_bus_message *call;
	const char *action; /* NULL: the call needs none */
	gsize size;
	gsize answer;
	gint64 since; /* monotonic µs */
	gboolean in_line;
	gboolean asked; /* the authorizer checks the call */
	gboolean under_way;
} Entry;

static void set_under_way(Entry *entry, gboolean under_way)
{
	if (entry->under_way != under_way)
		procdb_caller_under_way(entry->caller, under_way ? 1 : -1);
	entry->under_way = under_way;
}

static void entry_free(gpointer data)
{
	Entry *entry = data;

	if (entry->in_line)
		g_queue_remove(&entry->caller->line, entry);
	set_under_way(entry, FALSE);
	procdb_caller_keep(entry->caller, -(gssize)entry->size);
	entry->caller->pending--;
	procdb_caller_unref(entry->caller);
	sd_bus_message_unref(entry->call);
	g_free(entry);
}

static gboolean is_gone(const ProcdbCaller *caller)
{
	return g_cancellable_is_cancelled(caller->gone);
}

/* Whether a call was refused for a limit, before the authority was asked. */
static gboolean is_limit(const GError *error)
{
	return g_error_matches(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED);
}

/*
 * Answers a call with an error, and frees the error. A caller that does not read gets no answer. An
 * error that is not delivered is logged, unless it is the denial of a call that wants no reply.
 */
static void refuse(ProcdbGate *self, ProcdbCaller *caller, sd_bus_message *call, GError *error)
{
	gboolean wanted = sd_bus_message_get_expect_reply(call) > 0, gone = is_gone(caller);
	gboolean told = wanted && !gone && procdb_unread_has_room(self->unread, caller, ERROR_SIZE);

	if (!caller->identified || gone || (wanted ? !told : is_limit(error)))
		procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_CALLS,
			   "The call %s of %s was dropped: %s%s", sd_bus_message_get_member(call),
			   caller->name, error->message,
			   wanted && !told && !gone ? ", and it does not read its answers" : "");
	if (told) {
		procdb_unread_add(self->unread, caller, ERROR_SIZE);
		procdb_bus_reply_error(call, error);
	} else {
		g_error_free(error);
	}
}

static void refuse_entry(Entry *entry, GError *error)
{
	refuse(entry->gate, entry->caller, entry->call, error);
	entry_free(entry);
}

/*
 * Queues the call in sd-bus again, which dispatches it before all that it has yet to read. A call
 * that sd-bus has no room for is refused, and the next one in the line is the first.
 */
static void release(Entry *entry)
{
	ProcdbGate *self = entry->gate;
	const int result = sd_bus_enqueue_for_read(self->bus, entry->call);

	if (result < 0) {
		if (entry->in_line)
			entry->caller->busy = FALSE;
		refuse_entry(entry,
			     g_error_new(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
					 "The service cannot keep this call now (%s); try again "
					 "later",
					 g_strerror(-result)));
		return;
	}
	procdb_unread_add(self->unread, entry->caller, entry->answer);
	entry->caller->unsent += entry->answer;
	g_hash_table_insert(self->released, entry->call, entry);
}

static void advance(ProcdbGate *self, ProcdbCaller *caller);

static void on_answered(GError *denial, gpointer data)
{
	Entry *entry = data;
	ProcdbGate *self = entry->gate;
	ProcdbCaller *caller = procdb_caller_ref(entry->caller);

	entry->asked = FALSE;
	/* A released call stays the first in its line. */
	if (entry->in_line && denial)
		caller->busy = FALSE;
	if (denial)
		refuse_entry(entry, denial);
	else
		release(entry);
	advance(self, caller);
	procdb_caller_unref(caller);
}

/* A call that waits for a prompt leaves the line, so that the calls behind it go on. */
static void on_prompting(gpointer data)
{
	Entry *entry = data;

	if (!entry->in_line)
		return;
	g_queue_remove(&entry->caller->line, entry);
	entry->in_line = FALSE;
	set_under_way(entry, FALSE);
	entry->caller->busy = FALSE;
	advance(entry->gate, entry->caller);
}

static const ProcdbAuthorizerListener authorizer_listener = {
    .answered = on_answered,
    .prompting = on_prompting,
};

/*
 * Back to the first place in its line, for its user has no time left: it is authorized again then,
 * and no approval is spent later. One that was prompted for is not in the line, and goes on.
 */
static gboolean put_back(Entry *entry)
{
	ProcdbGate *self = entry->gate;
	ProcdbCaller *caller = entry->caller;

	if (!entry->in_line || is_gone(caller) || procdb_times_has(self->times, caller))
		return FALSE;
	g_hash_table_steal(self->released, entry->call);
	set_under_way(entry, FALSE);
	procdb_caller_charge(caller, -(gssize)MIN(entry->answer, caller->unread));
	caller->unsent -= entry->answer;
	caller->busy = FALSE;
	return TRUE;
}

void procdb_gate_handled(ProcdbGate *self, gint64 us)
{
	procdb_times_end(self->times, us);
}

/* Authorizes and releases the first call in the line. A call without an action needs no check. */
static void authorize(ProcdbGate *self, ProcdbCaller *caller, Entry *entry)
{
	caller->busy = TRUE;
	set_under_way(entry, TRUE);
	if (!entry->action) {
		release(entry);
		return;
	}
	entry->asked = TRUE;
	procdb_authorizer_check(self->authorizer, caller, entry->action,
				sd_bus_message_get_allow_interactive_authorization(entry->call) > 0,
				g_get_monotonic_time() - entry->since, &authorizer_listener, entry);
}

/* TRUE when the first call in the line has passed, or has left the line. */
static gboolean try_first(ProcdbGate *self, ProcdbCaller *caller, Entry *entry)
{
	if (g_get_monotonic_time() - entry->since >= PATIENCE_US) {
		refuse_entry(entry,
			     procdb_bus_limit("Too many calls of this connection are waiting, or "
					      "its user has too many unread replies or "
					      "takes too much of the service's time: "
					      "read them, or call less often"));
		return TRUE;
	}
	if (entry->action && !caller->identified) {
		procdb_caller_identify(caller);
		return FALSE;
	}
	if (!procdb_times_has_beside_others(self->times, caller) ||
	    !procdb_unread_has_room(self->unread, caller, entry->answer))
		return FALSE;
	authorize(self, caller, entry);
	return TRUE;
}

/* Handles the calls in the line until one has to wait. */
static void advance(ProcdbGate *self, ProcdbCaller *caller)
{
	const ProcdbCaller *before = self->advancing;
	Entry *entry;

	if (self->closed || before == caller || is_gone(caller))
		return;
	self->advancing = caller;
	while (!caller->busy && (entry = g_queue_peek_head(&caller->line)) &&
	       try_first(self, caller, entry))
		;
	self->advancing = before;
}

/* Answers all calls in the line of a caller with this error, which is not freed. */
static void refuse_line(ProcdbGate *self, ProcdbCaller *caller, const GError *error)
{
	Entry *entry;

	while ((entry = g_queue_pop_head(&caller->line))) {
		entry->in_line = FALSE;
		/* This call is being checked, or sd-bus has it. */
		if (!entry->asked && !g_hash_table_contains(self->released, entry->call))
			refuse_entry(entry, g_error_copy(error));
	}
	caller->busy = FALSE;
}

static void on_settled(ProcdbCaller *caller, const GError *error, gpointer data)
{
	g_autoptr(GError) refusal = NULL;

	if (caller->identified && !procdb_caller_keeps_too_much(caller)) {
		advance(data, caller);
		return;
	}
	/* Some of a known one joined the line before the bus had told the user. */
	refusal =
	    caller->identified
		? procdb_bus_limit(TOO_MANY)
		: g_error_new(PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED,
			      "The bus does not say which user this connection belongs to: %s",
			      error ? error->message : "it left");
	refuse_line(data, caller, refusal);
}

static void on_gone(ProcdbCaller *caller, gpointer data)
{
	g_autoptr(GError) error =
	    procdb_bus_limit("its caller left the bus before it was authorized");

	refuse_line(data, caller, error);
}

static void on_eased(gpointer data)
{
	ProcdbGate *self = data;
	g_autoptr(GPtrArray) callers = procdb_callers_list(self->callers);

	for (guint i = 0; i < callers->len; i++)
		advance(self, callers->pdata[i]);
}

/* Appends a call to the line of its caller. */
static void join_line(ProcdbGate *self, ProcdbCaller *caller, sd_bus_message *call,
		      const char *action, gsize size, gsize answer)
{
	Entry *entry;

	if (!procdb_caller_may_keep(caller, size)) {
		refuse(self, caller, call, procdb_bus_limit(TOO_MANY));
		return;
	}
	entry = g_new0(Entry, 1);
	*entry = (Entry){
	    .gate = self,
	    .caller = procdb_caller_ref(caller),
	    .call = sd_bus_message_ref(call),
	    .action = action,
	    .size = size,
	    .answer = answer,
	    .since = g_get_monotonic_time(),
	    .in_line = TRUE,
	};
	caller->pending++;
	procdb_caller_keep(caller, (gssize)size);
	g_queue_push_tail(&caller->line, entry);
	advance(self, caller);
}

/* Whether a call may pass at once. */
static gboolean need_not_wait(ProcdbGate *self, ProcdbCaller *caller, const char *action,
			      gsize answer)
{
	return !caller->busy && g_queue_is_empty(&caller->line) &&
	       (!action || (caller->identified && procdb_authorizer_is_granted(caller, action))) &&
	       procdb_times_has(self->times, caller) &&
	       procdb_unread_has_room(self->unread, caller, answer);
}

/* A call that was released before; TRUE when it may be dispatched. */
static gboolean take_released(ProcdbGate *self, sd_bus_message *call)
{
	Entry *entry = g_hash_table_lookup(self->released, call);
	ProcdbCaller *caller;
	gboolean in_line, gone;

	if (!entry || put_back(entry))
		return FALSE;
	caller = procdb_caller_ref(entry->caller);
	in_line = entry->in_line;
	gone = is_gone(caller);
	self->estimate = entry->answer;
	g_hash_table_remove(self->released, call);
	/* The next call of the line is dispatched after this one, and after calls of others. */
	if (in_line)
		caller->busy = FALSE;
	advance(self, caller);
	/* Only now: until then the bus was not asked about the answer, which follows at once. */
	caller->unsent -= self->estimate;
	if (!gone) {
		self->passed = call;
		procdb_times_begin(self->times, caller);
	}
	procdb_caller_unref(caller);
	return !gone;
}

/* 1: sd-bus does not dispatch the call, now or at all. */
static int on_new_call(ProcdbGate *self, sd_bus_message *call)
{
	const gboolean ours = sd_bus_message_is_method_call(call, PROCDB_BUS_INTERFACE, NULL) > 0;
	const char *action = ours ? procdb_authorizer_action_of_call(call) : NULL;
	gboolean wants_answer = sd_bus_message_get_expect_reply(call) > 0;
	const char *sender = sd_bus_message_get_sender(call);
	ProcdbCaller *caller;
	const char *refusal;
	gsize size, answer;

	/* A call without an action changes nothing: it is dropped if it wants no answer either. */
	if (!sender || (!action && !wants_answer))
		return 1;
	caller = procdb_callers_get(self->callers, sender);
	/* Also for calls without an action: unread answers count against the user. */
	if (!caller->identified)
		procdb_caller_identify(caller);
	/* To look at a call takes time as well, whatever becomes of it. */
	procdb_times_begin(self->times, caller);
	refusal = procdb_message_refusal(call, procdb_times_is_far_behind(caller), &size);
	if (refusal) {
		refuse(self, caller, call, procdb_bus_limit(refusal));
		return 1;
	}
	answer = wants_answer ? self->answer_size(call, self->data) : 0;
	if (!need_not_wait(self, caller, action, answer)) {
		join_line(self, caller, call, action, size, answer);
		return 1;
	}
	procdb_unread_add(self->unread, caller, answer);
	self->estimate = answer;
	self->passed = call;
	return 0;
}

static int on_message(sd_bus_message *message, void *data, sd_bus_error *error)
{
	ProcdbGate *self = data;

	self->passed = NULL;
	if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0)
		return 0;
	if (self->closed)
		return 1;
	if (!g_hash_table_contains(self->released, message))
		return on_new_call(self, message);
	return take_released(self, message) ? 0 : 1;
}

gboolean procdb_gate_let_through(const ProcdbGate *self, sd_bus_message *call)
{
	return self->passed == call;
}

void procdb_gate_charge(ProcdbGate *self, sd_bus_message *call, gsize bytes)
{
	ProcdbCaller *caller = procdb_gate_caller(self, call);
	const gsize estimate = MIN(self->estimate, caller->unread);

	procdb_caller_charge(caller, (gssize)bytes - (gssize)estimate);
	self->estimate = bytes;
}

ProcdbCaller *procdb_gate_caller(ProcdbGate *self, sd_bus_message *call)
{
	return procdb_callers_get(self->callers, sd_bus_message_get_sender(call));
}

void procdb_gate_changed(ProcdbGate *self)
{
	procdb_authorizer_changed(self->authorizer);
	procdb_callers_revoke(self->callers);
}

ProcdbFollowers *procdb_gate_followers(ProcdbGate *self)
{
	return self->followers;
}

ProcdbGate *procdb_gate_new(sd_bus *bus, const ProcdbAuthority *authority, gpointer self,
			    gsize (*answer_size)(sd_bus_message *call, gpointer data),
			    gpointer data)
{
	static const ProcdbCallerListener listener = {
	    .settled = on_settled,
	    .gone = on_gone,
	};
	ProcdbGate *gate = g_new0(ProcdbGate, 1);

	gate->bus = sd_bus_ref(bus);
	gate->answer_size = answer_size;
	gate->data = data;
	gate->callers = procdb_callers_new(authority, self, &listener, gate);
	gate->authorizer = procdb_authorizer_new(authority, self);
	gate->times = procdb_times_new(on_eased, gate);
	gate->unread = procdb_unread_new(bus, gate->callers, on_eased, gate);
	gate->followers = procdb_followers_new(bus, gate->callers, gate->authorizer, gate->unread);
	gate->released = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, entry_free);
	(void)sd_bus_add_filter(bus, &gate->filter, on_message, gate);
	return gate;
}

void procdb_gate_close(ProcdbGate *self)
{
	self->closed = TRUE;
}

void procdb_gate_free(ProcdbGate *self)
{
	g_autoptr(GError) stopping = g_error_new_literal(
	    PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_ACCESS_DENIED, "The service is stopping");
	g_autoptr(GPtrArray) callers = NULL;

	if (!self)
		return;
	self->closed = TRUE;
	sd_bus_slot_unref(self->filter);
	callers = procdb_callers_list(self->callers);
	for (guint i = 0; i < callers->len; i++)
		refuse_line(self, callers->pdata[i], stopping);
	procdb_followers_stop(self->followers);
	procdb_authorizer_free(self->authorizer);
	procdb_followers_free(self->followers);
	g_hash_table_unref(self->released);
	procdb_unread_free(self->unread);
	procdb_times_free(self->times);
	procdb_callers_free(self->callers);
	sd_bus_unref(self->bus);
	g_free(self);
}
