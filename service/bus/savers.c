/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Calls that are answered when a save has ended. */

#include "private.h"

#include "errors.h"
#include "handlers.h"

/* As the gate has it: below the 25 s after which most callers give up. */
#define PATIENCE_US (G_GINT64_CONSTANT(20) * G_USEC_PER_SEC)

/* A call that waits for a save. */
struct saver {
	ProcdbObject *object;  /* NULL once the object is freed: the engine outlives it */
	sd_bus_message *call;  /* to be answered */
	char type;	       /* of the answer: */
	guint number;	       /* 'u': this number; 's': that of the profiles saved; 0: none */
	ProcdbHandler handler; /* that answers in place of this file; NULL: none */
	gint64 since;	       /* monotonic: when it came */
	guint32 uid;	       /* of the caller */
};

static void on_save_ended(guint saved, const GError *error, gpointer data)
{
	g_autofree struct saver *saver = data;
	GError *copy = error ? g_error_copy(error) : NULL;

	if (saver->object) {
		g_ptr_array_remove_fast(saver->object->savers, saver);
		/* Before the answer: the caller may read LastSave next. */
		procdb_object_changed(saver->object);
	}
	if (saver->type == 0)
		(void)procdb_bus_reply_nothing(saver->call, copy);
	else
		(void)procdb_bus_reply_number(saver->call,
					      saver->type == 's' ? saved : saver->number, copy);
	sd_bus_message_unref(saver->call);
}

/* The time has come for a handler. */
static void on_may_read(guint saved, const GError *error, gpointer data)
{
	g_autofree struct saver *saver = data;
	const gboolean late = g_get_monotonic_time() - saver->since >= PATIENCE_US;

	if (saver->object)
		g_ptr_array_remove_fast(saver->object->savers, saver);
	if (saver->object && !error && !late)
		(void)saver->handler(saver->object, saver->call);
	else
		(void)procdb_bus_reply_error(
		    saver->call,
		    error ? g_error_copy(error)
			  : g_error_new_literal(
				PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED,
				saver->object ? "A save took too long: the file was not read"
					      : "The service stops"));
	sd_bus_message_unref(saver->call);
}

/* A copy of a call without its arguments, which may be megabytes. NULL if there is no memory. */
static sd_bus_message *stub_of(sd_bus_message *call)
{
	sd_bus_message *stub = NULL;
	guint64 cookie = 0;

	if (sd_bus_message_get_cookie(call, &cookie) >= 0 &&
	    sd_bus_message_new_method_call(
		sd_bus_message_get_bus(call), &stub, sd_bus_message_get_destination(call),
		sd_bus_message_get_path(call), sd_bus_message_get_interface(call),
		sd_bus_message_get_member(call)) >= 0 &&
	    sd_bus_message_set_sender(stub, sd_bus_message_get_sender(call)) >= 0 &&
	    sd_bus_message_set_expect_reply(stub, sd_bus_message_get_expect_reply(call)) >= 0 &&
	    sd_bus_message_seal(stub, cookie, 0) >= 0)
		return stub;
	return sd_bus_message_unref(stub);
}

/* Notes that a call waits, with its copy; NULL if there is no memory. */
static struct saver *saver_of(ProcdbObject *self, sd_bus_message *call)
{
	sd_bus_message *stub = stub_of(call);
	struct saver *saver;

	if (!stub)
		return NULL;
	saver = g_new(struct saver, 1);
	*saver = (struct saver){.object = self,
				.call = stub,
				.since = g_get_monotonic_time(),
				.uid = procdb_gate_caller(self->gate, call)->uid};
	g_ptr_array_add(self->savers, saver);
	return saver;
}

guint procdb_object_waiting(ProcdbObject *self, guint32 uid)
{
	guint waiting = 0;

	for (guint i = 0; i < self->savers->len; i++)
		waiting += ((struct saver *)self->savers->pdata[i])->uid == uid;
	return waiting;
}

int procdb_object_wait_for_save(ProcdbObject *self, sd_bus_message *call, char type, guint number,
				void (*request)(ProcdbEngine *engine, ProcdbEngineSaved func,
						gpointer user_data))
{
	struct saver *saver = saver_of(self, call);

	if (!saver)
		return -ENOMEM;
	saver->type = type;
	saver->number = number;
	request(self->engine, on_save_ended, saver);
	return 1;
}

int procdb_handler_call_when_saved(ProcdbHandler handler, ProcdbObject *self, sd_bus_message *call)
{
	struct saver *saver = saver_of(self, call);

	if (!saver)
		return -ENOMEM;
	saver->handler = handler;
	procdb_engine_when_saved(self->engine, on_may_read, saver);
	return 1;
}

int procdb_object_reply_when_saved(ProcdbObject *self, sd_bus_message *call, char type,
				   guint number, GError *error)
{
	procdb_object_changed(self);
	if (error)
		return procdb_bus_reply_error(call, error);
	return procdb_object_wait_for_save(self, call, type, number, procdb_engine_keep);
}

void procdb_object_detach_savers(ProcdbObject *self)
{
	for (guint i = 0; i < self->savers->len; i++)
		((struct saver *)self->savers->pdata[i])->object = NULL;
	g_ptr_array_set_size(self->savers, 0);
}
