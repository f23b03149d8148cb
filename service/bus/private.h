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

/* Calls that wait for a save are answered without the object from now on. */
void procdb_object_leave_savers(ProcdbObject *object);

/* After a request changed something. */
void procdb_object_changed(ProcdbObject *object);
