/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "holds.h"

#include <string.h>

#include "errors.h"
#include "escape.h"

struct _ProcdbHolds {
	ProcdbEngine *engine;
	void (*ended)(gpointer data);
	gpointer data;
	GPtrArray *all; /* ProcdbHold, in their order */
	guint32 last;	/* cookie */
};

static void hold_free(gpointer data)
{
	ProcdbHold *hold = data;

	procdb_caller_unwatch(hold->caller, hold->gone_id);
	g_free(hold->reason);
	g_free(hold);
}

ProcdbHolds *procdb_holds_new(ProcdbEngine *engine, void (*ended)(gpointer data), gpointer data)
{
	ProcdbHolds *self = g_new0(ProcdbHolds, 1);

	self->engine = engine;
	self->ended = ended;
	self->data = data;
	self->all = g_ptr_array_new_with_free_func(hold_free);
	return self;
}

const ProcdbHold *procdb_holds_find(const ProcdbHolds *self, const struct procdb_comm *comm)
{
	for (guint i = self->all->len; i > 0; i--) {
		const ProcdbHold *hold = self->all->pdata[i - 1];

		if (memcmp(&hold->comm, comm, sizeof(*comm)) == 0)
			return hold;
	}
	return NULL;
}

/* Ends a hold; the one of the same name before it is in force again. */
static void end(ProcdbHolds *self, guint index)
{
	const struct procdb_comm comm = ((const ProcdbHold *)self->all->pdata[index])->comm;
	const ProcdbHold *left;

	g_ptr_array_remove_index(self->all, index);
	left = procdb_holds_find(self, &comm);
	/* The name is held already: no memory is needed. */
	if (left)
		(void)procdb_engine_hold(self->engine, &comm, left->tier, NULL);
	else
		procdb_engine_release(self->engine, &comm);
}

void procdb_holds_end_all(ProcdbHolds *self)
{
	while (self->all->len > 0)
		end(self, self->all->len - 1);
}

void procdb_holds_free(ProcdbHolds *self)
{
	if (!self)
		return;
	procdb_holds_end_all(self);
	g_ptr_array_unref(self->all);
	g_free(self);
}

static void on_gone(GCancellable *gone, gpointer data)
{
	ProcdbHold *hold = data;
	ProcdbHolds *self = hold->holds;
	guint index;

	if (g_ptr_array_find(self->all, hold, &index))
		end(self, index);
	self->ended(self->data);
}

static guint count_of_user(const ProcdbHolds *self, guint32 uid)
{
	guint count = 0;

	for (guint i = 0; i < self->all->len; i++)
		count += ((const ProcdbHold *)self->all->pdata[i])->caller->uid == uid;
	return count;
}

static gboolean check_room(const ProcdbHolds *self, const ProcdbCaller *caller, GError **error)
{
	if (count_of_user(self, caller->uid) >= PROCDB_MAX_HOLDS_PER_USER)
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
			    "User %u has %d holds already; release one first", caller->uid,
			    PROCDB_MAX_HOLDS_PER_USER);
	else if (self->all->len >= PROCDB_MAX_HOLDS)
		g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_LIMIT_EXCEEDED,
			    "There are %d holds already; one has to end first", PROCDB_MAX_HOLDS);
	else
		return TRUE;
	return FALSE;
}

/* A cookie that no hold has, also after four thousand million of them. */
static guint32 next_cookie(ProcdbHolds *self)
{
	guint i;

	do {
		if (++self->last == 0)
			self->last = 1;
		for (i = 0; i < self->all->len; i++)
			if (((const ProcdbHold *)self->all->pdata[i])->cookie == self->last)
				break;
	} while (i < self->all->len);
	return self->last;
}

gboolean procdb_holds_add(ProcdbHolds *self, ProcdbCaller *caller, const struct procdb_comm *comm,
			  enum procdb_tier tier, const char *reason, guint32 *cookie,
			  GError **error)
{
	ProcdbHold *hold;

	if (!check_room(self, caller, error) ||
	    !procdb_engine_hold(self->engine, comm, tier, error))
		return FALSE;
	hold = g_new0(ProcdbHold, 1);
	*hold = (ProcdbHold){
	    .cookie = next_cookie(self),
	    .comm = *comm,
	    .tier = tier,
	    .reason = escape_raw(reason, strlen(reason)),
	    .caller = caller,
	    .holds = self,
	};
	hold->gone_id = procdb_caller_watch(caller, G_CALLBACK(on_gone), hold);
	g_ptr_array_add(self->all, hold);
	*cookie = hold->cookie;
	return TRUE;
}

gboolean procdb_holds_release(ProcdbHolds *self, const ProcdbCaller *caller, guint32 cookie,
			      GError **error)
{
	for (guint i = 0; i < self->all->len; i++) {
		const ProcdbHold *hold = self->all->pdata[i];

		if (hold->cookie != cookie || hold->caller != caller)
			continue;
		end(self, i);
		return TRUE;
	}
	g_set_error(error, PROCDB_BUS_ERROR, PROCDB_BUS_ERROR_NO_SUCH_HOLD,
		    "This connection has no hold with the cookie %u", cookie);
	return FALSE;
}
