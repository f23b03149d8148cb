/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "authorizer.h"

#include "callers.h"
#include "errors.h"

#define ACTION(name) "org.pandemonium.procdb." name

/*
 * The bus daemon allows a connection 128 replies that it waits for, and we are
 * one when we ask polkit: stay below, and let nobody take them all. A prompt
 * may take minutes, so that there are fewer of them.
 */
#define MAX_ASKED 96
#define MAX_ASKED_PER_USER 64
#define MAX_PROMPTS 48
#define MAX_PROMPTS_PER_USER 8
/* Large calls, which take up to 3 MB each meanwhile. */
#define MAX_LARGE 3
#define MAX_LARGE_PER_USER 1
#define MAX_WAITING_PER_CALLER 16
/*
 * Calls that wait until the bus says whose they are: more than all connections have that
 * the bus allows a user.
 */
#define MAX_UNIDENTIFIED 5000
/* polkit tells when rules change, not when a user's groups do. */
#define CACHE_US (5 * (gint64)G_USEC_PER_SEC)
/* Below the 25 s after which most callers give up, so that they hear why. */
#define TIMEOUT_S 20
/* A person needs longer to find a password. */
#define TIMEOUT_INTERACTIVE_S 300

static const struct {
	const char *method;
	const char *action;
	const char *argument; /* only for calls with this first argument; NULL: for all others */
} actions[] = {
    {"ListProfiles", ACTION("list-profiles")},
    {"GetProfile", ACTION("list-profiles")},
    {"GetConfidence", ACTION("get-confidence")},
    {"Explain", ACTION("list-profiles")},
    {"DeleteProfile", ACTION("delete-entries")},
    {"DeleteProfiles", ACTION("delete-entries")},
    {"Reset", ACTION("delete-entries")},
    {"Save", ACTION("save")},
    {"Reload", ACTION("manage")},
    {"LoadDatabase", ACTION("manage")},
    {"Import", ACTION("manage")},
    {"SetBackend", ACTION("manage")},
    {"SetBackend", ACTION("replace-scheduler"), "sched-ext"},
    {"SetApply", ACTION("manage")},
    {"SetOverride", ACTION("set-override")},
    {"ClearOverride", ACTION("set-override")},
};

/* One invocation on its way through the gate. */
typedef struct {
	ProcdbAuthorizer *authorizer; /* NULL once that is freed */
	ProcdbCaller *caller;
	GDBusMethodInvocation *invocation; /* NULL for a large one, which is still to come */
	const char *action;
	gboolean large; /* it stands for one with this serial, which is admitted then */
	guint32 serial;
	gboolean interactive; /* the caller allows a prompt */
	gboolean asked;	      /* it is in authorizer->asked */
	gboolean prompting;   /* this check may prompt */
	guint64 generation;
	GCancellable *cancellable;
	gulong gone_id;
	guint timeout;
	gboolean timed_out;
	ProcdbAuthorizerCallback callback;
	gpointer user_data;
} Call;

struct _ProcdbAuthorizer {
	const ProcdbAuthority *authority;
	gpointer self;
	ProcdbCallers *callers;
	GPtrArray *calls;   /* Call, not owned: those waiting */
	GPtrArray *asked;   /* those of them that the authority is asked about */
	guint64 generation; /* goes up when answers become void */
};

const char *procdb_authorizer_action(const char *method)
{
	for (gsize i = 0; i < G_N_ELEMENTS(actions); i++)
		if (!actions[i].argument && g_str_equal(actions[i].method, method))
			return actions[i].action;
	return NULL;
}

/* The action that a call needs, which may depend on what it asks for. */
static const char *action_of_call(GDBusMethodInvocation *invocation)
{
	const char *method = g_dbus_method_invocation_get_method_name(invocation);
	GVariant *parameters = g_dbus_method_invocation_get_parameters(invocation);
	const char *argument;

	for (gsize i = 0; i < G_N_ELEMENTS(actions); i++) {
		if (!actions[i].argument || !g_str_equal(actions[i].method, method) ||
		    !g_variant_is_of_type(parameters, G_VARIANT_TYPE("(s)")))
			continue;
		g_variant_get(parameters, "(&s)", &argument);
		if (g_str_equal(argument, actions[i].argument))
			return actions[i].action;
	}
	return procdb_authorizer_action(method);
}

static void call_free(Call *call)
{
	if (call->timeout)
		g_source_remove(call->timeout);
	if (call->gone_id)
		g_cancellable_disconnect(call->caller->gone, call->gone_id);
	call->caller->waiting--;
	if (call->authorizer) {
		g_ptr_array_remove_fast(call->authorizer->calls, call);
		if (call->asked)
			g_ptr_array_remove_fast(call->authorizer->asked, call);
	}
	procdb_caller_unref(call->caller);
	g_object_unref(call->cancellable);
	g_free(call);
}

static void finish(Call *call, GError *denial)
{
	ProcdbAuthorizerCallback callback = call->callback;
	GDBusMethodInvocation *invocation = call->invocation;
	gpointer user_data = call->user_data;

	if (call->large && !denial)
		g_hash_table_insert(call->caller->admitted, GUINT_TO_POINTER(call->serial),
				    (gpointer)call->action);
	call_free(call);
	callback(invocation, denial, user_data);
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

static gboolean is_large(const Call *call)
{
	return call->large;
}

/* Of which of the calls that are asked about there may be how many. */
static const struct limit {
	gboolean (*counts)(const Call *call);
	guint all;
	guint per_user;
} limit_asked = {is_any, MAX_ASKED, MAX_ASKED_PER_USER},
  limit_prompts = {is_prompting, MAX_PROMPTS, MAX_PROMPTS_PER_USER},
  limit_large = {is_large, MAX_LARGE, MAX_LARGE_PER_USER};

/* Whether one more of a user would be one too many. */
static gboolean is_reached(const struct limit *limit, const ProcdbAuthorizer *self, guint32 uid)
{
	guint all = 0, own = 0;

	for (guint i = 0; i < self->asked->len; i++) {
		const Call *call = self->asked->pdata[i];

		if (!limit->counts(call))
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
		finish(call, denial(PROCDB_BUS_ERROR_ACCESS_DENIED,
				    "Not authorized for %s: %s, and without polkit only root may",
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
		/* Only now with a prompt: so an answer without one could be remembered. */
		call->prompting = TRUE;
		set_timeout(call, TIMEOUT_INTERACTIVE_S);
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

static gboolean is_granted(const ProcdbCaller *caller, const char *action)
{
	const gint64 *expiry;

	/* polkit allows root everything; so nothing depends on polkit for it. */
	if (caller->uid == 0)
		return TRUE;
	expiry = g_hash_table_lookup(caller->granted, action);
	return expiry && g_get_monotonic_time() < *expiry;
}

/* The caller's uid is known. */
static void proceed(Call *call)
{
	if (is_granted(call->caller, call->action)) {
		finish(call, NULL);
	} else if (is_reached(&limit_asked, call->authorizer, call->caller->uid) ||
		   (call->large && is_reached(&limit_large, call->authorizer, call->caller->uid))) {
		finish(call, too_many_denial());
	} else {
		call->asked = TRUE;
		g_ptr_array_add(call->authorizer->asked, call);
		ask(call);
	}
}

/* What waited to know who the caller is goes on; error: why that is not known, if it is known. */
static void settle(ProcdbCaller *caller, const GError *error)
{
	Call *call;

	while ((call = g_queue_pop_head(&caller->unidentified))) {
		if (!call->authorizer)
			call_free(call);
		else if (!caller->identified || is_gone(call))
			finish(call, denial(PROCDB_BUS_ERROR_ACCESS_DENIED,
					    "The bus does not say who the caller is: %s",
					    error ? error->message : "it left"));
		else
			proceed(call);
	}
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
	caller->waiting++;
	g_ptr_array_add(self->calls, call);
	set_timeout(call, TIMEOUT_S);
	return call;
}

static gboolean may_wait(const ProcdbAuthorizer *self, const ProcdbCaller *caller)
{
	return caller->waiting < MAX_WAITING_PER_CALLER &&
	       (caller->identified || self->calls->len < MAX_UNIDENTIFIED);
}

static void begin(Call *call)
{
	ProcdbCaller *caller = call->caller;

	if (caller->identified) {
		proceed(call);
		return;
	}
	g_queue_push_tail(&caller->unidentified, call);
	if (caller->unidentified.length > 1)
		return;
	procdb_caller_identify(caller);
}

/*
 * Whether this is a large call that was admitted. The serial is the caller's choice,
 * who may have given it to another call as well: so it has to need the same action.
 */
static gboolean was_admitted(ProcdbCaller *caller, guint32 serial, const char *action)
{
	gpointer key = GUINT_TO_POINTER(serial);

	return g_hash_table_lookup(caller->admitted, key) == action &&
	       g_hash_table_remove(caller->admitted, key);
}

void procdb_authorizer_check(ProcdbAuthorizer *self, GDBusMethodInvocation *invocation,
			     ProcdbAuthorizerCallback callback, gpointer user_data)
{
	const char *method = g_dbus_method_invocation_get_method_name(invocation);
	const char *sender = g_dbus_method_invocation_get_sender(invocation);
	GDBusMessage *message = g_dbus_method_invocation_get_message(invocation);
	const char *action = action_of_call(invocation);
	ProcdbCaller *caller;
	Call *call;

	if (!action || !sender) {
		callback(invocation,
			 denial(PROCDB_BUS_ERROR_ACCESS_DENIED, "Nobody may call %s", method),
			 user_data);
		return;
	}
	caller = procdb_callers_get(self->callers, sender);
	if (was_admitted(caller, g_dbus_message_get_serial(message), action) ||
	    (caller->identified && is_granted(caller, action))) {
		callback(invocation, NULL, user_data);
		return;
	}
	if (!may_wait(self, caller)) {
		callback(invocation, too_many_denial(), user_data);
		return;
	}
	call = call_new(self, caller, action,
			(g_dbus_message_get_flags(message) &
			 G_DBUS_MESSAGE_FLAGS_ALLOW_INTERACTIVE_AUTHORIZATION) != 0);
	call->invocation = invocation;
	call->callback = callback;
	call->user_data = user_data;
	begin(call);
}

void procdb_authorizer_admit(ProcdbAuthorizer *self, const char *sender, guint32 serial,
			     const char *method, gboolean interactive,
			     ProcdbAuthorizerCallback callback, gpointer user_data)
{
	const char *action = procdb_authorizer_action(method);
	ProcdbCaller *caller;
	Call *call;

	if (!action || *sender == '\0') {
		callback(NULL, denial(PROCDB_BUS_ERROR_ACCESS_DENIED, "Nobody may call %s", method),
			 user_data);
		return;
	}
	caller = procdb_callers_get(self->callers, sender);
	if (!may_wait(self, caller)) {
		callback(NULL, too_many_denial(), user_data);
		return;
	}
	call = call_new(self, caller, action, interactive);
	call->large = TRUE;
	call->serial = serial;
	call->callback = callback;
	call->user_data = user_data;
	begin(call);
}

void procdb_authorizer_changed(ProcdbAuthorizer *self)
{
	self->generation++;
	procdb_callers_revoke(self->callers);
}

ProcdbAuthorizer *procdb_authorizer_new(const ProcdbAuthority *authority, gpointer self)
{
	ProcdbAuthorizer *authorizer = g_new0(ProcdbAuthorizer, 1);

	authorizer->authority = authority;
	authorizer->self = self;
	authorizer->callers = procdb_callers_new(authority, self, settle);
	authorizer->calls = g_ptr_array_new();
	authorizer->asked = g_ptr_array_new();
	return authorizer;
}

void procdb_authorizer_free(ProcdbAuthorizer *self)
{
	if (!self)
		return;
	for (guint i = 0; i < self->calls->len; i++) {
		Call *call = self->calls->pdata[i];

		/* The rest of it goes when its check has ended. */
		call->authorizer = NULL;
		g_cancellable_cancel(call->cancellable);
		call->callback(call->invocation,
			       denial(PROCDB_BUS_ERROR_ACCESS_DENIED, "The service is stopping"),
			       call->user_data);
	}
	procdb_callers_free(self->callers);
	g_ptr_array_unref(self->calls);
	g_ptr_array_unref(self->asked);
	g_free(self);
}
