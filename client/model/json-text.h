/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Reads JSON (RFC 8259) as it is written, one value after the other: exactly one document,
 * and numbers as their text. json-glib reads the first of several documents, numbers that
 * wrap around, and texts up to their first NUL.
 */

#include <glib.h>

typedef struct {
	const char *start;
	const char *at;
	const char *end;
	guint depth;
} JsonText;

typedef enum {
	JSON_TEXT_OBJECT,
	JSON_TEXT_ARRAY,
	JSON_TEXT_STRING,
	JSON_TEXT_NUMBER,
	JSON_TEXT_WORD, /* true, false or null */
	JSON_TEXT_NONE,
} JsonTextKind;

#define JSON_TEXT_ERROR (json_text_error_quark())
GQuark json_text_error_quark(void);

/* Begins before the only value of a document, which has to be UTF-8. A byte order mark is skipped.
 */
void json_text_begin(JsonText *text, const char *data, gsize length);
/* Whether nothing but space is left; FALSE with error set if there is more. */
gboolean json_text_end(JsonText *text, GError **error);

/* The type of the next value, by its first byte. */
JsonTextKind json_text_kind(JsonText *text);

/*
 * Each reads the next value; FALSE with error set, which says line and column, if it is none
 * of that kind. Functions that are called for what is inside have to read one value.
 */
typedef gboolean (*JsonTextMember)(JsonText *text, const char *key, gpointer data, GError **error);
typedef gboolean (*JsonTextElement)(JsonText *text, guint index, gpointer data, GError **error);
gboolean json_text_object(JsonText *text, JsonTextMember member, gpointer data, GError **error);
gboolean json_text_array(JsonText *text, JsonTextElement element, gpointer data, GError **error);
/* The caller frees *value. A NUL in it is refused. */
gboolean json_text_string(JsonText *text, char **value, GError **error);
/* *number is the text; the caller frees it. */
gboolean json_text_number(JsonText *text, char **number, GError **error);
gboolean json_text_boolean(JsonText *text, gboolean *value, GError **error);
gboolean json_text_skip(JsonText *text, GError **error);

/*
 * The whole number that a text of a number is, exactly: 10, 10.0 and 1e1 are the same. FALSE if
 * it is none or is greater than max; but what some programs round 2^64 - 1 to is that.
 */
gboolean json_text_to_uint(const char *number, guint64 max, guint64 *value);
