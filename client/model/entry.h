/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * An entry of a dictionary in a reply. To get one by a format with an '&' in it, GLib serializes
 * what it has taken apart already, and takes it apart again: for thousands of rows that was most of
 * the time.
 */

#include <gio/gio.h>

/*
 * The value of entry index of a dictionary, without a variant around it. *name is its key, a
 * string. Unref both.
 */
static inline GVariant *entry_at(GVariant *dict, gsize index, GVariant **name)
{
	g_autoptr(GVariant) entry = g_variant_get_child_value(dict, index);
	g_autoptr(GVariant) value = g_variant_get_child_value(entry, 1);

	*name = g_variant_get_child_value(entry, 0);
	return g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT) ? g_variant_get_variant(value)
								   : g_steal_pointer(&value);
}
