/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What Enter in top shows fits the terminal, however narrow, and nothing of it is lost. */

#include <locale.h>
#include <string.h>

#include "top-panel.h"
#include "wide.h"

#define PATH                                                                                       \
	"/nix/store/0123456789abcdefghijklmnopqrstuv-firefox-devedition-142.0/lib/firefox/"        \
	"firefox-bin"
#define WIDE "/home/日本語の名前/長い道のり/プログラムの置き場所/日本語入力サーバー"
#define UNIT "app-gnome-org.mozilla.firefox_developer_edition-4321.scope"

/* Where values begin, and the least that any line needs beside it. */
#define LABEL_WIDTH 23
#define LEAST 2

static GVariant *explanation_of(const char *program)
{
	GVariantDict dict = G_VARIANT_DICT_INIT(NULL);

	g_variant_dict_insert(&dict, "name", "s", "Web Content");
	g_variant_dict_insert(&dict, "program", "s", program);
	g_variant_dict_insert(&dict, "unit", "s", UNIT);
	g_variant_dict_insert(&dict, "tier", "s", "batch");
	g_variant_dict_insert(&dict, "prediction_source", "s", "learned");
	return g_variant_ref_sink(g_variant_dict_end(&dict));
}

/* The lines without their blanks: breaks stand where blanks do, and in words. */
static char *text_of(const GPtrArray *lines)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_auto(GStrv) words = NULL;

	for (guint i = 0; i < lines->len; i++)
		g_string_append(text, lines->pdata[i]);
	words = g_strsplit(text->str, " ", -1);
	return g_strjoinv("", words);
}

static void check(const char *program, guint width)
{
	g_autoptr(GVariant) explanation = explanation_of(program);
	g_autoptr(GPtrArray) lines = top_panel_lines(explanation, width);
	g_autofree char *text = text_of(lines);

	for (guint i = 0; i < lines->len; i++) {
		const char *line = lines->pdata[i];

		g_assert_true(g_utf8_validate(line, -1, NULL));
		/* A label alone may be wider than the narrowest terminals. */
		g_assert_cmpuint(wide_text_columns(line), <=, MAX(width, LABEL_WIDTH + LEAST));
	}
	g_assert_nonnull(strstr(text, program));
	g_assert_nonnull(strstr(text, UNIT));
}

static void every_width_has_room_for_all_of_it(void)
{
	for (guint width = 1; width < 200; width++) {
		check(PATH, width);
		check(WIDE, width);
	}
}

static void words_stay_whole_where_there_is_room(void)
{
	g_autoptr(GVariant) explanation = explanation_of(PATH);
	g_autoptr(GPtrArray) lines = top_panel_lines(explanation, 40);

	g_assert_cmpuint(lines->len, >, 2);
	g_assert_cmpstr(lines->pdata[0], ==, "New tasks named \"Web Content\" start as");
	g_assert_cmpstr(lines->pdata[1], ==, "batch: 0 % of 0 votes say so.");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_assert_nonnull(setlocale(LC_CTYPE, "C.UTF-8"));
	g_test_add_func("/top-panel/every-width-has-room-for-all-of-it",
			every_width_has_room_for_all_of_it);
	g_test_add_func("/top-panel/words-stay-whole-where-there-is-room",
			words_stay_whole_where_there_is_room);
	return g_test_run();
}
