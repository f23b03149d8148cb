/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the files of the object share. */

#include "object.h"
#include "properties.h"
#include "rows.h"
#include "vtable.h"

struct _ProcdbObject {
	ProcdbEngine *engine;
	const ProcdbHost *host;
	gpointer host_data;
	ProcdbVtable *vtable;
	char *introspection;
	ProcdbProperties properties;
	gboolean properties_old; /* something may have changed since they were read */
	ProcdbProperties announced;
	gint64 announced_us; /* monotonic: when they were, the last time */
	ProcdbNames *names;  /* for ListProfiles, until something changes */
	guint64 serial;
	GPtrArray *savers; /* struct saver of handlers.c: calls that wait for a save */
	/* While it is exported. */
	sd_bus *bus;
	ProcdbGate *gate;
	sd_bus_slot *object_slot;
	sd_bus_slot *vtable_slot;
};

/* handlers.c */

/* Calls that wait for a save are answered without the object from now on. */
void procdb_object_leave_savers(ProcdbObject *object);

/* announce.c */

/* What is applied now; mode none where nothing can be. */
void procdb_object_apply_status(ProcdbObject *object, ProcdbApplyStatus *status);
/* Reads the properties again, if something may have changed since. */
void procdb_object_refresh(ProcdbObject *object);
/* Emits PropertiesChanged for those properties that changed and whose annotation says so. */
void procdb_object_announce(ProcdbObject *object);
/* To be called after a request changed something; PropertiesChanged comes once a second at most. */
void procdb_object_changed(ProcdbObject *object);
/* Emits ProfilesChanged, to callers that may list profiles: a broadcast would give names to all. */
void procdb_object_emit_profiles_changed(ProcdbObject *object, const GArray *changed,
					 const GArray *removed);
