/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "followers.h"

#include "errors.h"

/*
 * The time for which a decision is cached. polkit reports changes of rules, not of a user's groups.
 * For calls a decision is cached for seconds; for signals, one a second to many callers, that would
 * be a check a second for each.
 */
#define ANSWER_US (60 * (gint64)G_USEC_PER_SEC)
/* The most checks at once: few, since the checks of calls come first. */
#define MAX_QUESTIONS 8
/* The bytes of a signal beside its contents. */
#define HEADER_SIZE 256

struct _ProcdbFollowers {
	sd_bus *bus;
	ProcdbCallers *callers;
	ProcdbAuthorizer *authorizer;
	ProcdbUnread *unread;
	GQueue waiting;	 /* Question, owned: until there are fewer under way */
	guint questions; /* under way */
};

/* Whether a caller may have a signal, which it gets then. */
typedef struct _ProcdbQuestion {
	ProcdbFollowers *followers;
	ProcdbCaller *caller;
	const char *action;
	ProcdbSignal make;
	GVariant *contents; /* of the last signal since it was asked */
} Question;

static void question_free(gpointer data)
{
	Question *question = data;

	question->caller->following = NULL;
	procdb_caller_unref(question->caller);
	g_variant_unref(question->contents);
	g_free(question);
}

/* A caller that does not read misses a signal; the serial shows it. */
static void send_to(ProcdbFollowers *self, ProcdbCaller *caller, ProcdbSignal make,
		    GVariant *contents)
{
	const gsize size = HEADER_SIZE + g_variant_get_size(contents);
	sd_bus_message *signal = NULL;

	if (!procdb_unread_has_room(self->unread, caller, size))
		return;
	if (make(self->bus, contents, &signal) >= 0 &&
	    sd_bus_send_to(self->bus, signal, caller->name, NULL) >= 0)
		procdb_unread_add(self->unread, caller, size);
	sd_bus_message_unref(signal);
}

static void ask_next(ProcdbFollowers *self);

static void on_answered(GError *denial, gpointer data)
{
	Question *question = data;
	ProcdbFollowers *self = question->followers;
	ProcdbCaller *caller = question->caller;

	self->questions--;
	caller->may_follow = !denial;
	/* That too many calls wait says nothing of this one. */
	if (g_error_matches(denial, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED))
		caller->follow_until = 0;
	/* Cached only if no change was reported meanwhile. */
	if (!denial && caller->callers && caller->follow_until > 0)
		send_to(self, caller, question->make, question->contents);
	g_clear_error(&denial);
	question_free(question);
	ask_next(self);
}

/* Never called: these checks allow no prompt. */
static void on_prompting(gpointer data)
{
}

static void ask_next(ProcdbFollowers *self)
{
	static const ProcdbAuthorizerListener listener = {
	    .answered = on_answered,
	    .prompting = on_prompting,
	};
	Question *question;

	while (self->questions < MAX_QUESTIONS && (question = g_queue_pop_head(&self->waiting))) {
		self->questions++;
		/* Set before the decision: a change meanwhile resets it. */
		question->caller->follow_until = g_get_monotonic_time() + ANSWER_US;
		procdb_authorizer_check(self->authorizer, question->caller, question->action, FALSE,
					0, &listener, question);
	}
}

static void ask(ProcdbFollowers *self, ProcdbCaller *caller, const char *action, ProcdbSignal make,
		GVariant *contents)
{
	Question *question = g_new(Question, 1);

	*question = (Question){
	    .followers = self,
	    .caller = procdb_caller_ref(caller),
	    .action = action,
	    .make = make,
	    .contents = g_variant_ref(contents),
	};
	caller->following = question;
	g_queue_push_tail(&self->waiting, question);
}

/* Of the signals since it was asked a caller gets the last one, whose serial tells of the others.
 */
static void put_off(Question *question, ProcdbSignal make, GVariant *contents)
{
	question->make = make;
	g_variant_unref(question->contents);
	question->contents = g_variant_ref(contents);
}

void procdb_followers_send(ProcdbFollowers *self, const char *action, ProcdbSignal make,
			   GVariant *contents)
{
	g_autoptr(GPtrArray) callers = procdb_callers_list(self->callers);
	g_autoptr(GVariant) kept = g_variant_ref_sink(contents);
	const gint64 now = g_get_monotonic_time();

	for (guint i = 0; i < callers->len; i++) {
		ProcdbCaller *caller = callers->pdata[i];

		if (!caller->identified || !caller->callers)
			continue;
		if (caller->following)
			put_off(caller->following, make, kept);
		else if (caller->follow_until <= now)
			ask(self, caller, action, make, kept);
		else if (caller->may_follow)
			send_to(self, caller, make, kept);
	}
	ask_next(self);
}

ProcdbFollowers *procdb_followers_new(sd_bus *bus, ProcdbCallers *callers,
				      ProcdbAuthorizer *authorizer, ProcdbUnread *unread)
{
	ProcdbFollowers *followers = g_new0(ProcdbFollowers, 1);

	followers->bus = bus;
	followers->callers = callers;
	followers->authorizer = authorizer;
	followers->unread = unread;
	return followers;
}

void procdb_followers_stop(ProcdbFollowers *self)
{
	g_queue_clear_full(&self->waiting, question_free);
}

void procdb_followers_free(ProcdbFollowers *self)
{
	procdb_followers_stop(self);
	g_free(self);
}
