/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Any bytes as an export file: either a value that the bus can carry, or an error. */

#include <stddef.h>
#include <stdint.h>

#include "profiles-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of its own without a terminator, so that a read beyond it is noticed. */
	g_autofree char *text = g_memdup2(data, size);
	g_autoptr(Export) export = NULL;
	g_autoptr(GError) error = NULL;

	export = profiles_from_json(text ? text : "", size, &error);
	if (!export) {
		g_assert_nonnull(error);
		g_assert_true(g_utf8_validate(error->message, -1, NULL));
		for (const char *c = error->message; *c; c = g_utf8_next_char(c))
			g_assert_true(g_unichar_isprint(g_utf8_get_char(c)));
		return 0;
	}
	g_assert_null(error);
	g_assert_true(
	    g_variant_is_of_type(export->profiles, G_VARIANT_TYPE("a(ssdbu(uuu)ttttxsxttusu)")));
	g_assert_true(g_variant_is_normal_form(export->profiles));
	g_assert_true(g_variant_is_of_type(export->programs, G_VARIANT_TYPE("aa{sv}")));
	g_assert_true(g_variant_is_normal_form(export->programs));
	g_assert_true(g_variant_is_of_type(export->rules, G_VARIANT_TYPE("a(sss)")));
	g_assert_true(g_variant_is_normal_form(export->rules));
	return 0;
}
