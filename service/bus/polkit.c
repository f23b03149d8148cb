/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "polkit.h"

#include "checks.h"
#include "peers.h"

#define NAME "org.freedesktop.PolicyKit1"
#define PATH "/org/freedesktop/PolicyKit1/Authority"
#define INTERFACE "org.freedesktop.PolicyKit1.Authority"

/* Some of the 128 are left to other questions of this connection. */
#define MAX_CHECKS 112
/* The bus answers at once. Apart from the checks, behind which no question for a user may wait. */
#define MAX_IDENTIFICATIONS 64

/* CheckAuthorizationFlags of polkit's interface */
enum { ALLOW_USER_INTERACTION = 1 };

struct _ProcdbPolkit {
	sd_bus *bus;
	sd_bus_slot *changed;
	ProcdbPeerWatch *owner;
	sd_bus_slot *question; /* about the owner */
	char *owner_name;      /* its unique name, "" for none; NULL: not known yet */
	ProcdbChecks *checks;
	ProcdbChecks *identifications;
	guint64 n_checks; /* so far: the number of a check is its name for CancelCheck */
	ProcdbGate *gate;
};

static void notice_change(ProcdbPolkit *self)
{
	if (self->gate)
		procdb_gate_changed(self->gate);
}

static void set_owner(ProcdbPolkit *self, const char *owner)
{
	g_free(self->owner_name);
	self->owner_name = g_strdup(owner);
}

static int on_changed(sd_bus_message *signal, void *data, sd_bus_error *error)
{
	ProcdbPolkit *self = data;

	/* Any user may send one: each would make all decisions void, and a signal be lost. */
	if (!self->owner_name ||
	    g_strcmp0(sd_bus_message_get_sender(signal), self->owner_name) == 0)
		notice_change(self);
	return 0;
}

static void on_owner_changed(const char *owner, gpointer data)
{
	set_owner(data, owner);
	notice_change(data);
}

static int on_owner(sd_bus_message *reply, void *data, sd_bus_error *error)
{
	ProcdbPolkit *self = data;
	const char *owner;

	/* It may have come meanwhile, and said so. */
	if (self->owner_name)
		return 1;
	if (sd_bus_message_is_method_error(reply, SD_BUS_ERROR_NAME_HAS_NO_OWNER))
		set_owner(self, "");
	else if (sd_bus_message_read(reply, "s", &owner) > 0)
		set_owner(self, owner);
	return 1;
}

static int new_call(sd_bus *bus, sd_bus_message **call, const char *method)
{
	return sd_bus_message_new_method_call(bus, call, NAME, PATH, INTERFACE, method);
}

/* Ends the check in polkit, too: otherwise its prompt would stay on the screen. */
static sd_bus_message *new_cancel(sd_bus *bus, const char *id)
{
	sd_bus_message *call = NULL;

	if (new_call(bus, &call, "CancelCheckAuthorization") < 0 ||
	    sd_bus_message_set_auto_start(call, FALSE) < 0 ||
	    sd_bus_message_append(call, "s", id) < 0)
		call = sd_bus_message_unref(call);
	return call;
}

static void polkit_check(gpointer data, const char *sender, const char *action,
			 gboolean interactive, GCancellable *cancellable,
			 GAsyncReadyCallback callback, gpointer user_data)
{
	ProcdbPolkit *self = data;
	g_autofree char *id = g_strdup_printf("%" G_GUINT64_FORMAT, ++self->n_checks);
	sd_bus_message *call = NULL;

	if (new_call(self->bus, &call, "CheckAuthorization") >= 0)
		(void)sd_bus_message_append(call, "(sa{sv})sa{ss}us", "system-bus-name", 1, "name",
					    "s", sender, action, 0,
					    interactive ? ALLOW_USER_INTERACTION : 0, id);
	/* No timeout here: the authorizer has one. */
	procdb_checks_ask(self->checks, call, new_cancel(self->bus, id),
			  g_task_new(NULL, cancellable, callback, user_data));
}

/*
 * Whether a positive decision is a temporary authorization. polkit may end that without a signal,
 * so it is not cached.
 */
static int read_temporary(sd_bus_message *reply, gboolean *temporary)
{
	const char *key;
	int result;

	*temporary = FALSE;
	result = sd_bus_message_enter_container(reply, 'a', "{ss}");
	while (result > 0 && (result = sd_bus_message_read(reply, "{ss}", &key, NULL)) > 0)
		if (g_str_equal(key, "polkit.temporary_authorization_id"))
			*temporary = TRUE;
	return result;
}

static gboolean polkit_finish(gpointer data, GAsyncResult *result, gboolean *allowed,
			      gboolean *challenge, gboolean *cacheable, GError **error)
{
	sd_bus_message *reply = g_task_propagate_pointer(G_TASK(result), error);
	gboolean temporary;
	gboolean ok;

	if (!reply)
		return FALSE;
	ok = sd_bus_message_enter_container(reply, 'r', "bba{ss}") > 0 &&
	     sd_bus_message_read(reply, "bb", allowed, challenge) > 0 &&
	     read_temporary(reply, &temporary) >= 0;
	if (ok)
		*cacheable = *allowed && !temporary;
	else
		g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
				    "polkit gave an answer of another kind");
	sd_bus_message_unref(reply);
	return ok;
}

static void polkit_identify(gpointer data, const char *sender, GCancellable *cancellable,
			    GAsyncReadyCallback callback, gpointer user_data)
{
	ProcdbPolkit *self = data;

	procdb_peers_identify(self->identifications, self->bus, sender,
			      g_task_new(NULL, cancellable, callback, user_data));
}

static guint32 polkit_identify_finish(gpointer data, GAsyncResult *result, GError **error)
{
	return (guint32)g_task_propagate_int(G_TASK(result), error);
}

typedef struct {
	ProcdbPeerWatch *watch;
	void (*gone)(gpointer data);
	gpointer data;
} Watch;

static void on_caller_changed(const char *owner, gpointer data)
{
	Watch *watch = data;

	if (*owner == '\0')
		watch->gone(watch->data);
}

static gpointer polkit_watch(gpointer self, const char *sender, void (*gone)(gpointer data),
			     gpointer data)
{
	Watch *watch = g_new(Watch, 1);

	watch->gone = gone;
	watch->data = data;
	watch->watch =
	    procdb_peers_watch(((ProcdbPolkit *)self)->bus, sender, on_caller_changed, watch);
	return watch;
}

static void polkit_unwatch(gpointer self, gpointer data)
{
	Watch *watch = data;

	procdb_peers_unwatch(watch->watch);
	g_free(watch);
}

const ProcdbAuthority procdb_polkit_authority = {
    .check = polkit_check,
    .finish = polkit_finish,
    .identify = polkit_identify,
    .identify_finish = polkit_identify_finish,
    .watch = polkit_watch,
    .unwatch = polkit_unwatch,
};

ProcdbPolkit *procdb_polkit_new(sd_bus *bus)
{
	ProcdbPolkit *polkit = g_new0(ProcdbPolkit, 1);

	polkit->bus = sd_bus_ref(bus);
	polkit->checks = procdb_checks_new(MAX_CHECKS);
	polkit->identifications = procdb_checks_new(MAX_IDENTIFICATIONS);
	/* Before the first check, so that no change after a decision is missed. */
	(void)sd_bus_match_signal_async(bus, &polkit->changed, NAME, PATH, INTERFACE, "Changed",
					on_changed, procdb_peers_installed, polkit);
	polkit->owner = procdb_peers_watch(bus, NAME, on_owner_changed, polkit);
	(void)sd_bus_call_method_async(bus, &polkit->question, PROCDB_DAEMON_NAME,
				       PROCDB_DAEMON_PATH, PROCDB_DAEMON_NAME, "GetNameOwner",
				       on_owner, polkit, "s", NAME);
	return polkit;
}

void procdb_polkit_set_gate(ProcdbPolkit *polkit, ProcdbGate *gate)
{
	polkit->gate = gate;
}

void procdb_polkit_free(ProcdbPolkit *polkit)
{
	if (!polkit)
		return;
	procdb_checks_free(polkit->checks);
	procdb_checks_free(polkit->identifications);
	sd_bus_slot_unref(polkit->changed);
	procdb_peers_unwatch(polkit->owner);
	sd_bus_slot_unref(polkit->question);
	g_free(polkit->owner_name);
	sd_bus_unref(polkit->bus);
	g_free(polkit);
}
