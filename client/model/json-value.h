/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Values of an export file, read one after the other and checked. Each reads the next value; FALSE
 * with error set, which names the member, for one of another kind.
 */

#include "json-text.h"

#define PROFILES_JSON_ERROR (profiles_json_error_quark())
GQuark profiles_json_error_quark(void);

/* Sets an error that says what is wrong in the file; FALSE. */
gboolean json_value_refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Whether what comes is no value at all: then its place says more than its name. */
gboolean json_value_is_none(JsonText *text, GError **error);

/* Frees *value before, and puts the text there; the caller frees it. */
gboolean json_value_text(JsonText *text, const char *key, char **value, GError **error);
gboolean json_value_uint(JsonText *text, const char *key, guint64 max, guint64 *value,
			 GError **error);
gboolean json_value_uint32(JsonText *text, const char *key, guint32 *value, GError **error);
gboolean json_value_time(JsonText *text, const char *key, gint64 *value, GError **error);
gboolean json_value_flag(JsonText *text, const char *key, gboolean *value, GError **error);
