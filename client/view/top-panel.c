/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top-panel.h"

#include <stdlib.h>

#include "escape.h"
#include "explanation.h"
#include "profile.h"

/* Where values begin. */
#define LABEL_WIDTH 23

typedef struct {
	GPtrArray *lines;
	guint width;
} Panel;

/* Adds text at the end of a line that begins with indent blanks, over as many lines as it needs. */
static void add_words(Panel *panel, GString *line, const char *text, guint indent)
{
	g_auto(GStrv) words = g_strsplit(text, " ", -1);
	gboolean is_first = TRUE;

	for (guint i = 0; words[i]; i++) {
		const glong length = g_utf8_strlen(line->str, -1) + g_utf8_strlen(words[i], -1) + 1;

		if (!is_first && length > (glong)panel->width) {
			g_ptr_array_add(panel->lines, g_strdup(line->str));
			g_string_printf(line, "%*s", (int)indent, "");
			is_first = TRUE;
		}
		g_string_append_printf(line, "%s%s", is_first ? "" : " ", words[i]);
		is_first = FALSE;
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
