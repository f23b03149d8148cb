/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "json-value.h"

/* clang-format takes the hyphens of an unquoted macro argument for minus signs. */
/* clang-format off */
G_DEFINE_QUARK(profiles-json-error, profiles_json_error)
/* clang-format on */

gboolean json_value_refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error)
		*error = g_error_new_valist(PROFILES_JSON_ERROR, 0, format, args);
	va_end(args);
	return FALSE;
}

gboolean json_value_is_none(JsonText *text, GError **error)
{
	return json_text_kind(text) == JSON_TEXT_NONE && !json_text_skip(text, error);
}

gboolean json_value_text(JsonText *text, const char *key, char **value, GError **error)
{
	if (json_text_kind(text) != JSON_TEXT_STRING)
		return json_value_refuse(error, "\"%s\" must be a text", key);
	g_clear_pointer(value, g_free);
	return json_text_string(text, value, error);
}

gboolean json_value_uint(JsonText *text, const char *key, guint64 max, guint64 *value,
			 GError **error)
{
	g_autofree char *number = NULL;

	if (json_text_kind(text) == JSON_TEXT_NUMBER) {
		if (!json_text_number(text, &number, error))
			return FALSE;
		if (json_text_to_uint(number, max, value))
			return TRUE;
	}
	return json_value_refuse(
	    error, "\"%s\" must be a whole number from 0 to %" G_GUINT64_FORMAT, key, max);
}

gboolean json_value_uint32(JsonText *text, const char *key, guint32 *value, GError **error)
{
	guint64 wide = 0;

	if (!json_value_uint(text, key, G_MAXUINT32, &wide, error))
		return FALSE;
	*value = (guint32)wide;
	return TRUE;
}

gboolean json_value_time(JsonText *text, const char *key, gint64 *value, GError **error)
{
	guint64 time_us = 0;

	if (!json_value_uint(text, key, G_MAXINT64, &time_us, error))
		return FALSE;
	*value = (gint64)time_us;
	return TRUE;
}

gboolean json_value_flag(JsonText *text, const char *key, gboolean *value, GError **error)
{
	return json_text_boolean(text, value, NULL) ||
	       json_value_refuse(error, "\"%s\" must be true or false", key);
}
