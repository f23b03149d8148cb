/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "json-text.h"

#include <string.h>

/* Ours need 4. */
#define MAX_DEPTH 32
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
/* 2^64 - 1 as jq 1.6 and others that have doubles only write it. */
#define ROUNDED_MAX "18446744073709552000"

/* clang-format takes the hyphens of an unquoted macro argument for minus signs. */
/* clang-format off */
G_DEFINE_QUARK(json-text-error, json_text_error)
/* clang-format on */

static gboolean fail(const JsonText *text, GError **error, const char *what)
{
	guint line = 1, column = 1;

	for (const char *c = text->start; c < text->at; c++) {
		column = *c == '\n' ? 1 : column + ((*c & 0xc0) != 0x80);
		line += *c == '\n';
	}
	g_set_error(error, JSON_TEXT_ERROR, 0, "line %u, column %u: %s", line, column, what);
	return FALSE;
}

static void skip_space(JsonText *text)
{
	while (text->at < text->end &&
	       (*text->at == ' ' || *text->at == '\t' || *text->at == '\r' || *text->at == '\n'))
		text->at++;
}

static char peek(JsonText *text)
{
	skip_space(text);
	if (text->at == text->end)
		return '\0';
	return *text->at;
}

static gboolean take(JsonText *text, char c)
{
	if (peek(text) != c || text->at == text->end)
		return FALSE;
	text->at++;
	return TRUE;
}

void json_text_begin(JsonText *text, const char *data, gsize length)
{
	const gsize mark = strlen(BYTE_ORDER_MARK);

	*text = (JsonText){.start = data, .at = data, .end = data + length};
	if (length >= mark && memcmp(data, BYTE_ORDER_MARK, mark) == 0)
		text->at += mark;
}

gboolean json_text_end(JsonText *text, GError **error)
{
	skip_space(text);
	return text->at == text->end ||
	       fail(text, error,
		    "text follows the end of the document; give each document a file of its own");
}

JsonTextKind json_text_kind(JsonText *text)
{
	const char c = peek(text);

	switch (c) {
	case '{':
		return JSON_TEXT_OBJECT;
	case '[':
		return JSON_TEXT_ARRAY;
	case '"':
		return JSON_TEXT_STRING;
	case 't':
	case 'f':
	case 'n':
		return JSON_TEXT_WORD;
	default:
		return c == '-' || g_ascii_isdigit(c) ? JSON_TEXT_NUMBER : JSON_TEXT_NONE;
	}
}

static gboolean enter(JsonText *text, char opening, const char *what, GError **error)
{
	if (!take(text, opening))
		return fail(text, error, what);
	return ++text->depth <= MAX_DEPTH || fail(text, error, "it is nested too deeply");
}

/* After a value inside: whether another one follows, and whether all is well. */
static gboolean go_on(JsonText *text, char closing, gboolean *more, GError **error)
{
	*more = take(text, ',');
	if (*more)
		return TRUE;
	if (!take(text, closing))
		return fail(text, error, "a comma or the end is missing");
	text->depth--;
	return TRUE;
}

gboolean json_text_object(JsonText *text, JsonTextMember member, gpointer data, GError **error)
{
	gboolean more = TRUE;

	if (!enter(text, '{', "an object is expected", error))
		return FALSE;
	if (take(text, '}')) {
		text->depth--;
		return TRUE;
	}
	while (more) {
		g_autofree char *key = NULL;

		if (!json_text_string(text, &key, error))
			return FALSE;
		if (!take(text, ':'))
			return fail(text, error, "a colon is missing");
		if (!member(text, key, data, error) || !go_on(text, '}', &more, error))
			return FALSE;
	}
	return TRUE;
}

gboolean json_text_array(JsonText *text, JsonTextElement element, gpointer data, GError **error)
{
	gboolean more = TRUE;

	if (!enter(text, '[', "an array is expected", error))
		return FALSE;
	if (take(text, ']')) {
		text->depth--;
		return TRUE;
	}
	for (guint i = 0; more; i++)
		if (!element(text, i, data, error) || !go_on(text, ']', &more, error))
			return FALSE;
	return TRUE;
}

/* Four hexadecimal digits; G_MAXUINT if they are none. */
static guint take_unit(JsonText *text)
{
	guint unit = 0;

	if (text->end - text->at < 4)
		return G_MAXUINT;
	for (guint i = 0; i < 4; i++) {
		int digit = g_ascii_xdigit_value(text->at[i]);

		if (digit < 0)
			return G_MAXUINT;
		unit = unit * 16 + (guint)digit;
	}
	text->at += 4;
	return unit;
}

/* The digits after \u: one unit, or two of a pair. */
static gboolean take_character(JsonText *text, GString *out, GError **error)
{
	guint unit = take_unit(text);

	if (unit >= 0xd800 && unit < 0xdc00 && text->end - text->at >= 6 && text->at[0] == '\\' &&
	    text->at[1] == 'u') {
		guint low;

		text->at += 2;
		low = take_unit(text);
		if (low < 0xdc00 || low > 0xdfff)
			return fail(text, error, "the other half of a surrogate pair is missing");
		unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
	}
	if (unit == 0)
		return fail(text, error, "a string cannot contain a NUL");
	if (!g_unichar_validate(unit))
		return fail(text, error, "\\u is not followed by a character");
	g_string_append_unichar(out, unit);
	return TRUE;
}

static gboolean take_escape(JsonText *text, GString *out, GError **error)
{
	static const char from[] = "\"\\/bfnrt";
	static const char to[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (text->at == text->end)
		return fail(text, error, "a text does not end");
	if (*text->at == 'u') {
		text->at++;
		return take_character(text, out, error);
	}
	found = *text->at ? strchr(from, *text->at) : NULL;
	if (!found)
		return fail(text, error, "this escape is not defined");
	g_string_append_c(out, to[found - from]);
	text->at++;
	return TRUE;
}

gboolean json_text_string(JsonText *text, char **value, GError **error)
{
	g_autoptr(GString) out = g_string_new(NULL);

	if (!take(text, '"'))
		return fail(text, error, "a string is expected");
	while (text->at < text->end && *text->at != '"') {
		if ((guchar)*text->at < 0x20)
			return fail(text, error, "a string contains a control character");
		if (*text->at != '\\') {
			g_string_append_c(out, *text->at++);
			continue;
		}
		text->at++;
		if (!take_escape(text, out, error))
			return FALSE;
	}
	if (text->at == text->end)
		return fail(text, error, "a text does not end");
	text->at++;
	*value = g_string_free(g_steal_pointer(&out), FALSE);
	return TRUE;
}

static gboolean take_digits(JsonText *text)
{
	const char *begin = text->at;

	while (text->at < text->end && g_ascii_isdigit(*text->at))
		text->at++;
	return text->at > begin;
}

static gboolean is_next(const JsonText *text, const char *any)
{
	return text->at < text->end && *text->at && strchr(any, *text->at);
}

gboolean json_text_number(JsonText *text, char **number, GError **error)
{
	const char *begin;

	skip_space(text);
	begin = text->at;
	if (is_next(text, "-"))
		text->at++;
	if (is_next(text, "0"))
		text->at++;
	else if (!take_digits(text))
		return fail(text, error, "a number is expected");
	if (is_next(text, ".")) {
		text->at++;
		if (!take_digits(text))
			return fail(text, error, "a digit is missing");
	}
	if (is_next(text, "eE")) {
		text->at++;
		if (is_next(text, "+-"))
			text->at++;
		if (!take_digits(text))
			return fail(text, error, "a digit is missing");
	}
	if (text->at < text->end && (g_ascii_isalnum(*text->at) || *text->at == '_'))
		return fail(text, error, "this is not a valid number");
	*number = g_strndup(begin, (gsize)(text->at - begin));
	return TRUE;
}

static gboolean take_word(JsonText *text, const char *word)
{
	const gsize length = strlen(word);

	skip_space(text);
	if ((gsize)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
		return FALSE;
	text->at += length;
	return TRUE;
}

gboolean json_text_boolean(JsonText *text, gboolean *value, GError **error)
{
	*value = take_word(text, "true");
	return *value || take_word(text, "false") || fail(text, error, "true or false is expected");
}

static gboolean skip_member(JsonText *text, const char *key, gpointer data, GError **error)
{
	return json_text_skip(text, error);
}

static gboolean skip_element(JsonText *text, guint index, gpointer data, GError **error)
{
	return json_text_skip(text, error);
}

gboolean json_text_skip(JsonText *text, GError **error)
{
	g_autofree char *ignored = NULL;

	switch (json_text_kind(text)) {
	case JSON_TEXT_OBJECT:
		return json_text_object(text, skip_member, NULL, error);
	case JSON_TEXT_ARRAY:
		return json_text_array(text, skip_element, NULL, error);
	case JSON_TEXT_STRING:
		return json_text_string(text, &ignored, error);
	case JSON_TEXT_NUMBER:
		return json_text_number(text, &ignored, error);
	case JSON_TEXT_WORD:
		if (take_word(text, "true") || take_word(text, "false") || take_word(text, "null"))
			return TRUE;
		break;
	case JSON_TEXT_NONE:
		break;
	}
	return fail(text, error, "a value is expected");
}

/* The digits of a number without point and exponent, and by how many tens it is longer. */
static char *split(const char *number, gint64 *tens)
{
	GString *digits = g_string_new(NULL);
	gboolean fraction = FALSE;

	*tens = 0;
	for (; *number && *number != 'e' && *number != 'E'; number++) {
		if (*number == '.') {
			fraction = TRUE;
		} else {
			g_string_append_c(digits, *number);
			*tens -= fraction;
		}
	}
	if (*number)
		*tens += CLAMP(g_ascii_strtoll(number + 1, NULL, 10), -G_MAXINT, G_MAXINT);
	return g_string_free(digits, FALSE);
}

gboolean json_text_to_uint(const char *number, guint64 max, guint64 *value)
{
	const gboolean negative = *number == '-';
	gint64 tens;
	g_autofree char *digits = split(negative ? number + 1 : number, &tens);
	gsize length = strlen(digits);
	const char *first = digits + strspn(digits, "0");
	g_autofree char *whole = NULL;

	if (!*first) {
		*value = 0;
		return TRUE;
	}
	for (; tens < 0 && digits[length - 1] == '0'; tens++)
		digits[--length] = '\0';
	/* 2^64 has 20 digits. */
	if (negative || tens < 0 || (gint64)strlen(first) + tens > 20)
		return FALSE;
	whole = g_strdup_printf("%s%.*s", first, (int)tens, "00000000000000000000");
	if (g_ascii_string_to_unsigned(whole, 10, 0, max, value, NULL))
		return TRUE;
	*value = G_MAXUINT64;
	return max == G_MAXUINT64 && strlen(whole) == strlen(ROUNDED_MAX) &&
	       strcmp(whole, ROUNDED_MAX) <= 0;
}
