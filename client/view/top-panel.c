/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top-panel.h"

#include <stdlib.h>

#include "escape.h"
#include "explanation.h"
#include "profile.h"
#include "wide.h"

/* Where values begin. */
#define LABEL_WIDTH 23

typedef struct {
	GPtrArray *lines;
	guint width; /* in columns of the terminal */
} Panel;

static void end_line(Panel *panel, GString *line, guint begin)
{
	g_ptr_array_add(panel->lines, g_strdup(line->str));
	g_string_printf(line, "%*s", (int)begin, "");
}

/* Adds a word. One that no line has room for, as a path, goes on in the next ones. */
static void add_word(Panel *panel, GString *line, const char *word, guint begin)
{
	guint used = wide_text_columns(line->str);

	for (; *word; word = g_utf8_next_char(word)) {
		const gunichar c = g_utf8_get_char(word);
		const guint columns = wide_columns(c);

		if (used + columns > panel->width && used > begin) {
			end_line(panel, line, begin);
			used = begin;
		}
		g_string_append_unichar(line, c);
		used += columns;
	}
}

/* Adds text at the end of a line that begins with indent blanks, over as many lines as it needs. */
static void add_words(Panel *panel, GString *line, const char *text, guint indent)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	/* On the narrowest terminals the rest needs room as well. */
	const guint begin = MIN(indent, panel->width * 2 / 3);

	for (guint i = 0; words[i]; i++) {
		const guint columns = wide_text_columns(words[i]);

		if (i > 0 && wide_text_columns(line->str) + 1 + columns > panel->width)
			end_line(panel, line, begin);
		else if (i > 0)
			g_string_append_c(line, ' ');
		add_word(panel, line, words[i], begin);
	}
	g_ptr_array_add(panel->lines, g_strdup(line->str));
}

static void add_sentences(Panel *panel, const char *text)
{
	g_auto(GStrv) sentences = g_strsplit(text, "\n", -1);

	for (guint i = 0; sentences[i]; i++) {
		g_autoptr(GString) line = g_string_new(NULL);

		add_words(panel, line, sentences[i], 0);
	}
}

static void add_field(const char *label, const char *text, const char *colour, gpointer user_data)
{
	g_autoptr(GString) line = g_string_new(NULL);
	char *plain = escape_plain(text);

	g_string_printf(line, "%-*s", LABEL_WIDTH, label);
	add_words(user_data, line, plain, LABEL_WIDTH);
	free(plain);
}

GPtrArray *top_panel_lines(GVariant *explanation, guint width)
{
	g_autofree char *text = explanation_text(explanation);
	Panel panel = {.lines = g_ptr_array_new_with_free_func(g_free), .width = width};

	add_sentences(&panel, text);
	profile_each(explanation, add_field, &panel);
	return panel.lines;
}
