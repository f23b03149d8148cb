/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "escape.h"

#include <string.h>

/* Of which nearly all is that is shown. */
static gboolean is_plain_ascii(char c)
{
	return c >= ' ' && c <= '~';
}

gsize escape_plain_length(const char *text, gsize length)
{
	GUnicodeType type;
	gunichar c;

	if (length > 0 && is_plain_ascii(*text))
		return 1;
	c = g_utf8_get_char_validated(text, (gssize)length);
	/* Malformed and cut sequences are both above every character. */
	if (c > 0x10ffff || !g_unichar_isprint(c))
		return 0;
	/* Separators of lines and paragraphs would break a table as a newline does. */
	type = g_unichar_type(c);
	if (type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR)
		return 0;
	return (gsize)(g_utf8_next_char(text) - text);
}

/* Appends one character or byte; returns how many bytes it was. */
static gsize escape_one(GString *out, const char *at, gsize left, gboolean escape_backslash)
{
	gsize length = escape_plain_length(at, left);

	if (length == 0) {
		g_string_append_printf(out, "\\x%02x", (guchar)*at);
		return 1;
	}
	if (*at == '\\' && escape_backslash)
		g_string_append_c(out, '\\');
	g_string_append_len(out, at, (gssize)length);
	return length;
}

static void escape_append(GString *out, const char *bytes, gsize length, gboolean escape_backslash)
{
	for (gsize i = 0; i < length;) {
		gsize end = i;

		while (end < length && is_plain_ascii(bytes[end]) && bytes[end] != '\\')
			end++;
		g_string_append_len(out, bytes + i, (gssize)(end - i));
		i = end;
		if (i < length)
			i += escape_one(out, bytes + i, length - i, escape_backslash);
	}
}

static char *escape(const char *bytes, gsize length, gboolean escape_backslash)
{
	GString *out = g_string_sized_new(length + 1);

	escape_append(out, bytes, length, escape_backslash);
	return g_string_free(out, FALSE);
}

char *escape_argument(const char *argument)
{
	gsize length = strlen(argument);

	return escape(argument, length, !g_utf8_validate(argument, (gssize)length, NULL));
}

char *escape_raw(const char *bytes, gsize length)
{
	return escape(bytes, length, TRUE);
}

/* The value of a lower-case hexadecimal digit, -1 if it is none. */
static int digit(char c)
{
	return g_ascii_isupper(c) ? -1 : g_ascii_xdigit_value(c);
}

gsize escape_read(const char **name, char bytes[ESCAPE_CHARACTER_MAX])
{
	const char *at = *name;
	gsize length = 1;

	bytes[0] = *at;
	if (*at == '\\' && at[1] == '\\') {
		*name += 2;
	} else if (*at == '\\') {
		if (at[1] != 'x' || digit(at[2]) < 0 || digit(at[3]) < 0)
			return 0;
		bytes[0] = (char)(digit(at[2]) * 16 + digit(at[3]));
		*name += 4;
	} else {
		length = escape_plain_length(at, strnlen(at, ESCAPE_CHARACTER_MAX));
		memcpy(bytes, at, length);
		*name += length;
	}
	return length;
}

char *escape_undo(const char *name, gsize *length)
{
	g_autoptr(GString) out = g_string_new(NULL);
	char bytes[ESCAPE_CHARACTER_MAX];

	while (*name) {
		const gsize n = escape_read(&name, bytes);

		if (n == 0)
			return NULL;
		g_string_append_len(out, bytes, (gssize)n);
	}
	*length = out->len;
	return g_string_free(g_steal_pointer(&out), FALSE);
}

char *escape_plain(const char *text)
{
	return escape(text, strlen(text), FALSE);
}

void escape_plain_append(GString *out, const char *text)
{
	escape_append(out, text, strlen(text), FALSE);
}
