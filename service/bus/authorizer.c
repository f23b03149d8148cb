/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "authorizer.h"

#include <string.h>

#include "errors.h"
#include "interface.h"

/* Annotations of a method: its action, and the action that it needs with a certain argument. */
#define ACTION_ANNOTATION "org.pandemonium.ProcDb1.Action"
#define ARGUMENT_ANNOTATION ACTION_ANNOTATION ".With."

/*
 * The most checks at once, in all and for a user. The bus daemon lets a connection wait for 128
 * replies, so of the checks of several users some wait until others are answered (checks.c). Fewer
 * prompts are allowed: each may take minutes.
 */
#define MAX_ASKED 1024
#define MAX_ASKED_PER_USER 64
#define MAX_PROMPTS 48
#define MAX_PROMPTS_PER_USER 8
/* polkit reports changes of rules, not of a user's groups. */
#define CACHE_US (5 * (gint64)G_USEC_PER_SEC)
/* Below the 25 s after which most callers give up: they still get the reason. */
#define TIMEOUT_S 20
/* A prompt takes longer: a person has to type a password. */
#define TIMEOUT_INTERACTIVE_S 300

/* A check under way. */
typedef struct {
	ProcdbAuthorizer *authorizer; /* NULL once the authorizer is freed */
	ProcdbCaller *caller;
	const char *action;
	gboolean interactive; /* the caller allows a prompt */
	gboolean prompting;   /* this check may prompt */
	guint64 generation;
	GCancellable *cancellable;
	gulong gone_id;
	guint timeout;
	gboolean timed_out;
	const ProcdbAuthorizerListener *listener;
	gpointer user_data;
} Call;

struct _ProcdbAuthorizer {
	const ProcdbAuthority *authority;
	gpointer self;
	GPtrArray *calls;   /* Call, not owned: the checks under way */
	guint64 generation; /* increased when decisions become void */
};

static const char *annotation(const GDBusMethodInfo *method, const char *name)
{
	return method ? g_dbus_annotation_info_lookup(method->annotations, name) : NULL;
}

static const GDBusMethodInfo *method_info(const char *method)
{
	return g_dbus_interface_info_lookup_method(procdb_interface(), method);
}

const char *procdb_authorizer_action(const char *method)
{
	return annotation(method_info(method), ACTION_ANNOTATION);
}

/* The action that a method needs with the argument of this call, if it is another; else NULL. */
static const char *action_with_argument(const GDBusMethodInfo *method, sd_bus_message *call)
{
	const gsize prefix = strlen(ARGUMENT_ANNOTATION);
	const char *argument = NULL, *action = NULL;

	for (guint i = 0; !action && method && method->annotations && method->annotations[i]; i++) {
		const GDBusAnnotationInfo *note = method->annotations[i];

		if (!g_str_has_prefix(note->key, ARGUMENT_ANNOTATION))
			continue;
		/*
		 * Read only now: the cost of reading grows with its length. An argument of another
		 * type is refused by the handler.
		 */
		if (!argument && (sd_bus_message_has_signature(call, "s") <= 0 ||
				  sd_bus_message_read_basic(call, 's', &argument) <= 0))
			break;
		if (g_str_equal(note->key + prefix, argument))
			action = note->value;
	}
	(void)sd_bus_message_rewind(call, TRUE);
	return action;
}

const char *procdb_authorizer_action_of_call(sd_bus_message *call)
{
	const GDBusMethodInfo *method = method_info(sd_bus_message_get_member(call));
	const char *action = action_with_argument(method, call);

	return action ? action : annotation(method, ACTION_ANNOTATION);
}

static void call_free(Call *call)
{
	if (call->timeout)
		g_source_remove(call->timeout);
	if (call->gone_id)
		g_cancellable_disconnect(call->caller->gone, call->gone_id);
	call->caller->pending--;
	if (call->authorizer)
		g_ptr_array_remove_fast(call->authorizer->calls, call);
	procdb_caller_unref(call->caller);
	g_object_unref(call->cancellable);
	g_free(call);
}

static void finish(Call *call, GError *denial)
{
	const ProcdbAuthorizerListener *listener = call->listener;
	gpointer user_data = call->user_data;

	call_free(call);
	listener->answered(denial, user_data);
}

static GError *denial(ProcdbBusError code, const char *format, ...) G_GNUC_PRINTF(2, 3);

static GError *denial(ProcdbBusError code, const char *format, ...)
{
	va_list args;
	GError *error;

	va_start(args, format);
	error = g_error_new_valist(PROCDB_BUS_ERROR, (gint)code, format, args);
	va_end(args);
	return error;
}

static gboolean is_gone(const Call *call)
{
	return g_cancellable_is_cancelled(call->caller->gone);
}

static gboolean on_timeout(gpointer data)
{
	Call *call = data;

	call->timeout = 0;
	call->timed_out = TRUE;
	g_cancellable_cancel(call->cancellable);
	return G_SOURCE_REMOVE;
}

static void set_timeout(Call *call, guint seconds)
{
	if (call->timeout)
		g_source_remove(call->timeout);
	call->timeout = g_timeout_add_seconds(seconds, on_timeout, call);
}

static gboolean is_any(const Call *call)
{
	return TRUE;
}

static gboolean is_prompting(const Call *call)
{
	return call->prompting;
}

/* A kind of checks, and the most of them at once. */
static const struct limit {
	gboolean (*counts)(const Call *call);
	guint all;
	guint per_user;
} limit_asked = {is_any, MAX_ASKED, MAX_ASKED_PER_USER},
  limit_prompts = {is_prompting, MAX_PROMPTS, MAX_PROMPTS_PER_USER};

/* Whether one more check for a user would exceed a limit. */
static gboolean is_reached(const struct limit *limit, const ProcdbAuthorizer *self, guint32 uid)
{
	guint all = 0, own = 0;

	for (guint i = 0; i < self->calls->len; i++) {
		const Call *call = self->calls->pdata[i];

		/* A cancelled check does not count: it only waits for the end of the cancellation.
		 */
		if (!limit->counts(call) || g_cancellable_is_cancelled(call->cancellable))
			continue;
		all++;
		own += call->caller->uid == uid ? 1 : 0;
	}
	return all >= limit->all || own >= limit->per_user;
}

static GError *too_many_denial(void)
{
	return denial(PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
		      "Too many calls wait for authorization; try again later");
}

static void ask(Call *call);

static void on_answer(GObject *source, GAsyncResult *result, gpointer data)
{
	Call *call = data;
	ProcdbAuthorizer *self = call->authorizer;
	g_autoptr(GError) error = NULL;
	gboolean allowed = FALSE, challenge = FALSE, cacheable = FALSE;

	if (!self) {
		call_free(call);
		return;
	}
	if (!self->authority->finish(self->self, result, &allowed, &challenge, &cacheable,
				     &error)) {
		finish(call,
		       denial(PROCDB_BUS_ERROR_ACCESS_DENIED,
			      "Not authorized for %s: %s; without polkit only root is authorized",
			      call->action,
			      call->timed_out ? "polkit did not answer" : error->message));
	} else if (is_gone(call)) {
		finish(call, denial(PROCDB_BUS_ERROR_ACCESS_DENIED, "The caller left the bus"));
	} else if (allowed) {
		if (cacheable && !call->prompting && call->generation == self->generation)
			g_hash_table_insert(call->caller->granted, (gpointer)call->action,
					    g_memdup2(&(gint64){g_get_monotonic_time() + CACHE_US},
						      sizeof(gint64)));
		finish(call, NULL);
	} else if (challenge && call->interactive && !call->prompting &&
		   is_reached(&limit_prompts, self, call->caller->uid)) {
		finish(call, too_many_denial());
	} else if (challenge && call->interactive && !call->prompting) {
		/* The prompt only in a second check: so a decision without one can be cached. */
		call->prompting = TRUE;
		set_timeout(call, TIMEOUT_INTERACTIVE_S);
		call->listener->prompting(call->user_data);
		ask(call);
	} else if (challenge && !call->interactive) {
		finish(call, denial(PROCDB_BUS_ERROR_INTERACTION_REQUIRED,
				    "%s needs authentication, which the caller did not allow",
				    call->action));
	} else {
		finish(call, denial(PROCDB_BUS_ERROR_ACCESS_DENIED, "Not authorized for %s",
				    call->action));
	}
}

static void ask(Call *call)
{
	ProcdbAuthorizer *self = call->authorizer;

	call->generation = self->generation;
	self->authority->check(self->self, call->caller->name, call->action, call->prompting,
			       call->cancellable, on_answer, call);
}

gboolean procdb_authorizer_is_granted(const ProcdbCaller *caller, const char *action)
{
	const gint64 *expiry;

	/* polkit allows root every action; without polkit root must be able to act, too. */
	if (caller->uid == 0)
		return TRUE;
	expiry = g_hash_table_lookup(caller->granted, action);
	return expiry && g_get_monotonic_time() < *expiry;
}

static void on_caller_gone(GCancellable *gone, gpointer data)
{
	g_cancellable_cancel(data);
}

static Call *call_new(ProcdbAuthorizer *self, ProcdbCaller *caller, const char *action,
		      gboolean interactive)
{
	Call *call = g_new0(Call, 1);

	call->authorizer = self;
	call->caller = procdb_caller_ref(caller);
	call->action = action;
	call->interactive = interactive;
	call->cancellable = g_cancellable_new();
	call->gone_id = g_cancellable_connect(caller->gone, G_CALLBACK(on_caller_gone),
					      call->cancellable, NULL);
	caller->pending++;
	g_ptr_array_add(self->calls, call);
	return call;
}

void procdb_authorizer_check(ProcdbAuthorizer *self, ProcdbCaller *caller, const char *action,
			     gboolean interactive, gint64 waited_us,
			     const ProcdbAuthorizerListener *listener, gpointer user_data)
{
	guint waited = (guint)(waited_us / G_USEC_PER_SEC);
	Call *call;

	if (procdb_authorizer_is_granted(caller, action)) {
		listener->answered(NULL, user_data);
	} else if (is_reached(&limit_asked, self, caller->uid)) {
		listener->answered(too_many_denial(), user_data);
	} else {
		call = call_new(self, caller, action, interactive);
		call->listener = listener;
		call->user_data = user_data;
		set_timeout(call, waited < TIMEOUT_S ? TIMEOUT_S - waited : 0);
		ask(call);
	}
}

void procdb_authorizer_changed(ProcdbAuthorizer *self)
{
	self->generation++;
}

ProcdbAuthorizer *procdb_authorizer_new(const ProcdbAuthority *authority, gpointer self)
{
	ProcdbAuthorizer *authorizer = g_new0(ProcdbAuthorizer, 1);

	authorizer->authority = authority;
	authorizer->self = self;
	authorizer->calls = g_ptr_array_new();
	return authorizer;
}

void procdb_authorizer_free(ProcdbAuthorizer *self)
{
	if (!self)
		return;
	for (guint i = 0; i < self->calls->len; i++) {
		Call *call = self->calls->pdata[i];

		/* on_answer() frees the rest when the check has ended. */
		call->authorizer = NULL;
		g_cancellable_cancel(call->cancellable);
		call->listener->answered(
		    denial(PROCDB_BUS_ERROR_ACCESS_DENIED, "The service is stopping"),
		    call->user_data);
	}
	g_ptr_array_unref(self->calls);
	g_free(self);
}
