/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "callers.h"

/* Callers remembered at once; each costs a match rule. */
#define MAX_CALLERS 256
/* Callers that the bus is asked about at once; the others wait for their turn. */
#define MAX_IDENTIFYING 24

struct _ProcdbCallers {
	const ProcdbAuthority *authority;
	gpointer self;
	ProcdbCallerSettled settled;
	GHashTable *by_name; /* unique bus name -> ProcdbCaller, owned */
	GQueue by_use;	     /* most recent first */
	GQueue to_identify;  /* ProcdbCaller, referenced: the bus will be asked about */
	guint identifying;   /* callers that it is asked about now */
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
	g_hash_table_unref(caller->admitted);
	g_object_unref(caller->gone);
	g_free(caller->name);
	g_free(caller);
}

/* Out of the table; calls still waiting keep their reference. */
static void caller_forget(gpointer data)
{
	ProcdbCaller *caller = data;

	caller->callers->authority->unwatch(caller->callers->self, caller->watch);
	g_queue_unlink(&caller->callers->by_use, &caller->link);
	if (caller->identifying)
		caller->callers->identifying--;
	caller->callers = NULL;
	procdb_caller_unref(caller);
}

static void identify_next(ProcdbCallers *self);

static void on_gone(gpointer data)
{
	ProcdbCaller *caller = data;
	ProcdbCallers *self = caller->callers;

	procdb_caller_ref(caller);
	g_hash_table_remove(self->by_name, caller->name);
	g_cancellable_cancel(caller->gone);
	identify_next(self);
	procdb_caller_unref(caller);
}

/* Makes room by forgetting the caller not heard of for longest that waits for nothing. */
static void evict_idle_caller(ProcdbCallers *self)
{
	for (GList *link = self->by_use.tail; link; link = link->prev) {
		ProcdbCaller *caller = link->data;

		if (caller->waiting == 0) {
			g_hash_table_remove(self->by_name, caller->name);
			return;
		}
	}
}

ProcdbCaller *procdb_callers_get(ProcdbCallers *self, const char *name)
{
	ProcdbCaller *caller = g_hash_table_lookup(self->by_name, name);

	if (caller) {
		g_queue_unlink(&self->by_use, &caller->link);
		g_queue_push_head_link(&self->by_use, &caller->link);
		return caller;
	}
	if (g_hash_table_size(self->by_name) >= MAX_CALLERS)
		evict_idle_caller(self);
	caller = g_new0(ProcdbCaller, 1);
	caller->callers = self;
	caller->settled = self->settled;
	caller->refs = 1;
	caller->name = g_strdup(name);
	caller->granted = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);
	caller->admitted = g_hash_table_new(g_direct_hash, g_direct_equal);
	caller->gone = g_cancellable_new();
	caller->link.data = caller;
	g_queue_init(&caller->unidentified);
	g_hash_table_insert(self->by_name, caller->name, caller);
	g_queue_push_head_link(&self->by_use, &caller->link);
	/* Watch first, then ask who it is: whoever is gone by then does not answer to a uid. */
	caller->watch = self->authority->watch(self->self, name, on_gone, caller);
	return caller;
}

/* Also when it was forgotten meanwhile; gives up the reference of the question. */
static void settle(ProcdbCaller *caller, const GError *error)
{
	caller->settled(caller, error);
	procdb_caller_unref(caller);
}

static void on_identified(GObject *source, GAsyncResult *result, gpointer data)
{
	ProcdbCaller *caller = data;
	ProcdbCallers *self = caller->callers;
	g_autoptr(GError) error = NULL;

	if (self) {
		guint32 uid = self->authority->identify_finish(self->self, result, &error);

		if (!error) {
			caller->uid = uid;
			caller->identified = TRUE;
		}
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

		if (!caller->callers) {
			settle(caller, NULL);
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
	g_queue_push_tail(&caller->callers->to_identify, procdb_caller_ref(caller));
	identify_next(caller->callers);
}

void procdb_callers_revoke(ProcdbCallers *self)
{
	for (GList *link = self->by_use.head; link; link = link->next)
		g_hash_table_remove_all(((ProcdbCaller *)link->data)->granted);
}

ProcdbCallers *procdb_callers_new(const ProcdbAuthority *authority, gpointer self,
				  ProcdbCallerSettled settled)
{
	ProcdbCallers *callers = g_new0(ProcdbCallers, 1);

	callers->authority = authority;
	callers->self = self;
	callers->settled = settled;
	callers->by_name = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, caller_forget);
	g_queue_init(&callers->by_use);
	g_queue_init(&callers->to_identify);
	return callers;
}

void procdb_callers_free(ProcdbCallers *self)
{
	ProcdbCaller *caller;

	while ((caller = g_queue_pop_head(&self->to_identify)))
		settle(caller, NULL);
	g_hash_table_unref(self->by_name);
	g_free(self);
}
