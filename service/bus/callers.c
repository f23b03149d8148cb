/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "callers.h"

/* The most callers in the table; each costs a match rule. */
#define MAX_CALLERS 256
/* The most questions to the bus at once; the others are queued. */
#define MAX_IDENTIFYING 24
/* The most bytes of calls that wait. A single call may be larger. */
#define MAX_KEPT_PER_CALLER ((gsize)6 << 20)
#define MAX_KEPT_PER_USER ((gsize)6 << 20)
#define MAX_KEPT ((gsize)12 << 20)
/* Beside large calls of some users there is room for small ones of the others. */
#define SMALL_CALL ((gsize)16 << 10)
#define KEPT_FOR_SMALL ((gsize)1 << 20)

struct _ProcdbCallers {
	const ProcdbAuthority *authority;
	gpointer self;
	const ProcdbCallerListener *listener;
	gpointer data;
	GHashTable *by_name; /* unique bus name -> ProcdbCaller, owned */
	GHashTable *users;   /* uid -> ProcdbUser, owned */
	ProcdbUser unknown;  /* the user of all callers that are not identified yet */
	GQueue by_use;	     /* most recent first */
	GQueue to_identify;  /* ProcdbCaller, referenced: queued questions to the bus */
	guint identifying;   /* questions under way */
	gsize kept;
	gsize unread;
};

ProcdbCaller *procdb_caller_ref(ProcdbCaller *caller)
{
	caller->refs++;
	return caller;
}

void procdb_caller_unref(ProcdbCaller *caller)
{
	if (--caller->refs > 0)
		return;
	g_hash_table_unref(caller->granted);
	g_object_unref(caller->gone);
	g_free(caller->name);
	g_free(caller);
}

gulong procdb_caller_watch(ProcdbCaller *caller, GCallback gone, gpointer data)
{
	/* The end of an idle caller, which may be forgotten, would not be noticed. */
	procdb_caller_ref(caller)->pending++;
	/* Not g_cancellable_connect(): that cannot be disconnected from its own callback. */
	return g_signal_connect(caller->gone, "cancelled", gone, data);
}

void procdb_caller_unwatch(ProcdbCaller *caller, gulong id)
{
	g_signal_handler_disconnect(caller->gone, id);
	caller->pending--;
	procdb_caller_unref(caller);
}

void procdb_caller_keep(ProcdbCaller *caller, gssize bytes)
{
	caller->kept += (gsize)bytes;
	if (caller->callers)
		caller->callers->kept += (gsize)bytes;
	if (caller->user)
		caller->user->kept += (gsize)bytes;
}

void procdb_caller_charge(ProcdbCaller *caller, gssize bytes)
{
	caller->unread += (gsize)bytes;
	if (caller->callers)
		caller->callers->unread += (gsize)bytes;
	if (caller->user)
		caller->user->unread += (gsize)bytes;
}

void procdb_caller_under_way(ProcdbCaller *caller, int calls)
{
	caller->under_way += (guint)calls;
	if (caller->user)
		caller->user->under_way += (guint)calls;
}

void procdb_caller_set_rationed(ProcdbCaller *caller, gsize bytes)
{
	if (caller->user)
		caller->user->rationed += bytes - caller->rationed;
	caller->rationed = bytes;
}

gboolean procdb_caller_may_keep(const ProcdbCaller *caller, gsize size)
{
	const gsize most = MAX_KEPT + (size <= SMALL_CALL ? KEPT_FOR_SMALL : 0);

	return procdb_fits(caller->kept, size, MAX_KEPT_PER_CALLER) &&
	       (!caller->identified || procdb_fits(caller->user->kept, size, MAX_KEPT_PER_USER)) &&
	       procdb_fits(caller->callers->kept, size, most);
}

gboolean procdb_caller_keeps_too_much(const ProcdbCaller *caller)
{
	return caller->user->kept > MAX_KEPT_PER_USER && caller->user->kept > caller->kept;
}

gsize procdb_callers_unread(const ProcdbCallers *self)
{
	return self->unread;
}

static void leave_user(ProcdbCaller *caller)
{
	ProcdbUser *user = g_steal_pointer(&caller->user);

	user->kept -= caller->kept;
	user->unread -= caller->unread;
	user->rationed -= caller->rationed;
	user->under_way -= caller->under_way;
	if (--user->callers == 0 && user != &caller->callers->unknown)
		g_hash_table_remove(caller->callers->users, GUINT_TO_POINTER(user->uid));
}

static void join_user(ProcdbCaller *caller, ProcdbUser *user)
{
	user->callers++;
	user->kept += caller->kept;
	user->unread += caller->unread;
	user->rationed += caller->rationed;
	user->under_way += caller->under_way;
	caller->user = user;
}

static void set_uid(ProcdbCaller *caller, guint32 uid)
{
	GHashTable *users = caller->callers->users;
	ProcdbUser *user = g_hash_table_lookup(users, GUINT_TO_POINTER(uid));

	if (!user) {
		user = g_new0(ProcdbUser, 1);
		user->uid = uid;
		g_hash_table_insert(users, GUINT_TO_POINTER(uid), user);
	}
	leave_user(caller);
	join_user(caller, user);
	caller->uid = uid;
	caller->identified = TRUE;
}

/* Removes a caller from the table; code that waits for it keeps a reference. */
static void caller_forget(gpointer data)
{
	ProcdbCaller *caller = data;
	ProcdbCallers *self = caller->callers;

	self->authority->unwatch(self->self, caller->watch);
	g_queue_unlink(&self->by_use, &caller->link);
	if (caller->identifying)
		self->identifying--;
	leave_user(caller);
	self->kept -= caller->kept;
	self->unread -= caller->unread;
	caller->callers = NULL;
	procdb_caller_unref(caller);
}

static void identify_next(ProcdbCallers *self);

static void on_gone(gpointer data)
{
	ProcdbCaller *caller = procdb_caller_ref(data);
	ProcdbCallers *self = caller->callers;

	g_hash_table_remove(self->by_name, caller->name);
	g_cancellable_cancel(caller->gone);
	self->listener->gone(caller, self->data);
	identify_next(self);
	procdb_caller_unref(caller);
}

/* A caller that is forgotten has all its room again. */
static gboolean may_have_unread(const ProcdbCaller *caller)
{
	return caller->unread > 0 || caller->rationed > 0;
}

/*
 * The caller to forget next: without a call under way, of the user with the most callers, and idle
 * for the longest time. So one user cannot make the service forget the callers of others, which
 * would miss signals then.
 */
static ProcdbCaller *oldest_idle(ProcdbCallers *self, gboolean unread)
{
	ProcdbCaller *oldest = NULL;

	for (GList *link = self->by_use.tail; link; link = link->prev) {
		ProcdbCaller *caller = link->data;

		if (caller->pending == 0 && may_have_unread(caller) == unread &&
		    (!oldest || caller->user->callers > oldest->user->callers))
			oldest = caller;
	}
	return oldest;
}

ProcdbCaller *procdb_callers_crowded(ProcdbCallers *self)
{
	return g_hash_table_size(self->by_name) > MAX_CALLERS ? oldest_idle(self, TRUE) : NULL;
}

static void make_room(ProcdbCallers *self)
{
	ProcdbCaller *idle;

	while (g_hash_table_size(self->by_name) >= MAX_CALLERS && (idle = oldest_idle(self, FALSE)))
		g_hash_table_remove(self->by_name, idle->name);
}

ProcdbCaller *procdb_callers_get(ProcdbCallers *self, const char *name)
{
	ProcdbCaller *caller = g_hash_table_lookup(self->by_name, name);

	if (caller) {
		g_queue_unlink(&self->by_use, &caller->link);
		g_queue_push_head_link(&self->by_use, &caller->link);
		return caller;
	}
	make_room(self);
	caller = g_new0(ProcdbCaller, 1);
	caller->callers = self;
	caller->refs = 1;
	caller->name = g_strdup(name);
	caller->granted = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
	caller->gone = g_cancellable_new();
	caller->link.data = caller;
	join_user(caller, &self->unknown);
	g_queue_init(&caller->line);
	g_hash_table_insert(self->by_name, caller->name, caller);
	g_queue_push_head_link(&self->by_use, &caller->link);
	/* Watch first, then ask for the uid: the bus has no uid for a caller that has left. */
	caller->watch = self->authority->watch(self->self, name, on_gone, caller);
	return caller;
}

/* Releases the reference that the question had. */
static void settle(ProcdbCaller *caller, const GError *error)
{
	if (caller->callers)
		caller->callers->listener->settled(caller, error, caller->callers->data);
	procdb_caller_unref(caller);
}

static void on_identified(GObject *source, GAsyncResult *result, gpointer data)
{
	ProcdbCaller *caller = data;
	ProcdbCallers *self = caller->callers;
	g_autoptr(GError) error = NULL;

	if (self) {
		guint32 uid = self->authority->identify_finish(self->self, result, &error);

		if (!error)
			set_uid(caller, uid);
		caller->identifying = FALSE;
		self->identifying--;
		identify_next(self);
	}
	settle(caller, error);
}

static void identify_next(ProcdbCallers *self)
{
	while (self->identifying < MAX_IDENTIFYING && !g_queue_is_empty(&self->to_identify)) {
		ProcdbCaller *caller = g_queue_pop_head(&self->to_identify);

		caller->to_identify = FALSE;
		if (!caller->callers) {
			procdb_caller_unref(caller);
			continue;
		}
		caller->identifying = TRUE;
		self->identifying++;
		self->authority->identify(self->self, caller->name, caller->gone, on_identified,
					  caller);
	}
}

void procdb_caller_identify(ProcdbCaller *caller)
{
	if (caller->to_identify || caller->identifying)
		return;
	caller->to_identify = TRUE;
	g_queue_push_tail(&caller->callers->to_identify, procdb_caller_ref(caller));
	identify_next(caller->callers);
}

GPtrArray *procdb_callers_list(ProcdbCallers *self)
{
	GPtrArray *list = g_ptr_array_new_with_free_func((GDestroyNotify)procdb_caller_unref);

	for (GList *link = self->by_use.head; link; link = link->next)
		g_ptr_array_add(list, procdb_caller_ref(link->data));
	return list;
}

void procdb_callers_revoke(ProcdbCallers *self)
{
	for (GList *link = self->by_use.head; link; link = link->next) {
		ProcdbCaller *caller = link->data;

		g_hash_table_remove_all(caller->granted);
		caller->follow_until = 0;
	}
}

ProcdbCallers *procdb_callers_new(const ProcdbAuthority *authority, gpointer self,
				  const ProcdbCallerListener *listener, gpointer data)
{
	ProcdbCallers *callers = g_new0(ProcdbCallers, 1);

	callers->authority = authority;
	callers->self = self;
	callers->listener = listener;
	callers->data = data;
	callers->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, caller_forget);
	callers->users = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	g_queue_init(&callers->by_use);
	g_queue_init(&callers->to_identify);
	return callers;
}

void procdb_callers_free(ProcdbCallers *self)
{
	/* Cancels the question to the bus. */
	for (GList *link = self->by_use.head; link; link = link->next)
		g_cancellable_cancel(((ProcdbCaller *)link->data)->gone);
	g_queue_clear_full(&self->to_identify, (GDestroyNotify)procdb_caller_unref);
	g_hash_table_unref(self->by_name);
	g_hash_table_unref(self->users);
	g_free(self);
}
