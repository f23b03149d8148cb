/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "syntax.h"

#include <string.h>

#define BYTE_ORDER_MARK "\xef\xbb\xbf"

typedef struct {
	char *section;
	GString *joined; /* what lines with a backslash at the end have said so far */
	guint begun;	 /* the number of the first of these */
	ProcdbConfigLineFunc func;
	gpointer user_data;
} Parser;

static void report(const Parser *parser, guint number, const char *key, const char *value,
		   const char *text)
{
	ProcdbConfigLine line = {number, parser->section, key, value, text};

	parser->func(&line, parser->user_data);
}

static void take_header(Parser *parser, guint number, const char *text)
{
	const gsize len = strlen(text);
	const gboolean whole = len > 2 && text[len - 1] == ']';

	g_free(parser->section);
	parser->section = whole ? g_strndup(text + 1, len - 2) : g_strdup(text);
	if (!whole)
		report(parser, number, NULL, NULL, text);
}

static void take_assignment(const Parser *parser, guint number, const char *text)
{
	g_auto(GStrv) sides = g_strsplit(text, "=", 2);

	if (g_strv_length(sides) == 2 && *g_strstrip(sides[0]))
		report(parser, number, sides[0], g_strstrip(sides[1]), text);
	else
		report(parser, number, NULL, NULL, text);
}

static void take_text(Parser *parser, guint number, char *text)
{
	g_strstrip(text);
	if (*text == '[')
		take_header(parser, number, text);
	else if (*text)
		take_assignment(parser, number, text);
}

static void take_line(Parser *parser, guint number, char *line)
{
	g_autofree char *text = NULL;
	gsize len;

	g_strstrip(line);
	/* A comment between two lines that belong together does not part them. */
	if (*line == '#' || *line == ';')
		return;
	len = strlen(line);
	if (parser->joined->len == 0)
		parser->begun = number;
	if (len > 0 && line[len - 1] == '\\') {
		line[len - 1] = ' ';
		g_string_append(parser->joined, line);
		return;
	}
	g_string_append(parser->joined, line);
	text = g_strdup(parser->joined->str);
	g_string_truncate(parser->joined, 0);
	take_text(parser, parser->begun, text);
}

void procdb_config_parse(const char *text, gsize len, ProcdbConfigLineFunc func, gpointer user_data)
{
	Parser parser = {.func = func, .user_data = user_data, .joined = g_string_new(NULL)};
	const char *end = text + len;
	guint number = 0;

	if (len >= strlen(BYTE_ORDER_MARK) &&
	    memcmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)) == 0)
		text += strlen(BYTE_ORDER_MARK);
	while (text < end) {
		const char *newline = memchr(text, '\n', (gsize)(end - text));
		g_autofree char *line = g_strndup(text, (gsize)((newline ? newline : end) - text));

		take_line(&parser, ++number, line);
		text = newline ? newline + 1 : end;
	}
	/* The last line promised another one. */
	if (parser.joined->len > 0)
		take_text(&parser, parser.begun, parser.joined->str);
	g_string_free(parser.joined, TRUE);
	g_free(parser.section);
}
