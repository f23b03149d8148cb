/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The interface as sd-bus wants to have it: made of the contract, so that it cannot differ. */

#include <systemd/sd-bus.h>

#include "interface.h"

typedef struct _ProcdbVtable ProcdbVtable;

/*
 * All methods are handled by one handler, which gets the userdata of the vtable as it is.
 * base: where in it the ProcdbProperties are; a property that is none of them is got by get.
 */
ProcdbVtable *procdb_vtable_new(sd_bus_message_handler_t handler, sd_bus_property_get_t get,
				gsize base);
void procdb_vtable_free(ProcdbVtable *vtable);
/* For sd_bus_add_object_vtable(); the vtable's own. */
const sd_bus_vtable *procdb_vtable_get(const ProcdbVtable *vtable);

/* Whether PropertiesChanged says when this property changes. */
gboolean procdb_vtable_announces(const GDBusPropertyInfo *property);
