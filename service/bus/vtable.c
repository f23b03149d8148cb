/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "vtable.h"

#include "properties.h"

#define EMITS_CHANGED "org.freedesktop.DBus.Property.EmitsChangedSignal"

struct _ProcdbVtable {
	GArray *members;       /* sd_bus_vtable */
	GStringChunk *strings; /* to which the members point */
};

/* The types of arguments in one string. */
static const char *signature_of(ProcdbVtable *self, GDBusArgInfo **args)
{
	g_autoptr(GString) signature = g_string_new(NULL);

	for (guint i = 0; args && args[i]; i++)
		g_string_append(signature, args[i]->signature);
	return g_string_chunk_insert_const(self->strings, signature->str);
}

static void add_method(ProcdbVtable *self, const GDBusMethodInfo *method,
		       sd_bus_message_handler_t handler)
{
	/* The gate decides which callers may call it, not sd-bus by capabilities. */
	sd_bus_vtable member = SD_BUS_METHOD(method->name, signature_of(self, method->in_args),
					     signature_of(self, method->out_args), handler,
					     SD_BUS_VTABLE_UNPRIVILEGED);

	g_array_append_val(self->members, member);
}

static void add_signal(ProcdbVtable *self, const GDBusSignalInfo *signal)
{
	sd_bus_vtable member = SD_BUS_SIGNAL(signal->name, signature_of(self, signal->args), 0);

	g_array_append_val(self->members, member);
}

static const char *emits_changed(const GDBusPropertyInfo *property)
{
	const char *value = g_dbus_annotation_info_lookup(property->annotations, EMITS_CHANGED);

	return value ? value : "true";
}

gboolean procdb_vtable_announces(const GDBusPropertyInfo *property)
{
	return g_str_equal(emits_changed(property), "true");
}

static void add_property(ProcdbVtable *self, const GDBusPropertyInfo *property,
			 sd_bus_property_get_t get, gsize base)
{
	const ProcdbProperty *known = procdb_property_find(property->name);
	guint32 flags =
	    (guint32)(procdb_vtable_announces(property) ? SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
		      : g_str_equal(emits_changed(property), "const") ? SD_BUS_VTABLE_PROPERTY_CONST
								      : 0);

	/* A property of the contract needs a row in properties.c. */
	g_assert(known);
	g_assert(known->type == 0 ||
		 (property->signature[0] == known->type && property->signature[1] == '\0'));
	{
		sd_bus_vtable member =
		    SD_BUS_PROPERTY(property->name, property->signature, known->type ? NULL : get,
				    known->type ? base + known->offset : 0, flags);

		g_array_append_val(self->members, member);
	}
}

ProcdbVtable *procdb_vtable_new(sd_bus_message_handler_t handler, sd_bus_property_get_t get,
				gsize base)
{
	const GDBusInterfaceInfo *info = procdb_interface();
	const sd_bus_vtable start = SD_BUS_VTABLE_START(0), end = SD_BUS_VTABLE_END;
	ProcdbVtable *self = g_new0(ProcdbVtable, 1);

	self->members = g_array_new(FALSE, TRUE, sizeof(sd_bus_vtable));
	self->strings = g_string_chunk_new(512);
	g_array_append_val(self->members, start);
	for (guint i = 0; info->methods[i]; i++)
		add_method(self, info->methods[i], handler);
	for (guint i = 0; info->signals[i]; i++)
		add_signal(self, info->signals[i]);
	for (guint i = 0; info->properties[i]; i++)
		add_property(self, info->properties[i], get, base);
	g_array_append_val(self->members, end);
	return self;
}

void procdb_vtable_free(ProcdbVtable *self)
{
	g_array_unref(self->members);
	g_string_chunk_free(self->strings);
	g_free(self);
}

const sd_bus_vtable *procdb_vtable_get(const ProcdbVtable *self)
{
	return (const sd_bus_vtable *)(gconstpointer)self->members->data;
}
