/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The vtable for sd-bus, made from the contract, so that the two cannot differ. */

#include <systemd/sd-bus.h>

#include "interface.h"

typedef struct _ProcdbVtable ProcdbVtable;

/*
 * Makes a vtable in which all methods have one handler, which gets the userdata of the vtable.
 * base: the offset of the ProcdbProperties in that; other properties are read by get.
 */
ProcdbVtable *procdb_vtable_new(sd_bus_message_handler_t handler, sd_bus_property_get_t get,
				gsize base);
void procdb_vtable_free(ProcdbVtable *vtable);
/* The array for sd_bus_add_object_vtable(). Owned by the vtable. */
const sd_bus_vtable *procdb_vtable_get(const ProcdbVtable *vtable);

/* Whether PropertiesChanged reports changes of this property. */
gboolean procdb_vtable_announces(const GDBusPropertyInfo *property);
