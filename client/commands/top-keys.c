/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top.h"

#include <curses.h>

#include "row-text.h"

#define KEY_ESCAPE 27
#define KEY_CTRL_L 12

static gboolean is_enter(int key, gboolean is_function)
{
	return is_function ? key == KEY_ENTER : key == '\r' || key == '\n';
}

static void stop_editing(Top *top, gboolean keep)
{
	top->view.editing = FALSE;
	if (!keep)
		g_string_truncate(top->filter, 0);
	top_fetch(top, TOP_MATCHES);
}

static void edit_filter(Top *top, int key, gboolean is_function)
{
	const char *end = top->filter->str + top->filter->len;

	if (is_enter(key, is_function))
		stop_editing(top, TRUE);
	else if (!is_function && key == KEY_ESCAPE)
		stop_editing(top, FALSE);
	else if ((is_function && key == KEY_BACKSPACE) ||
		 (!is_function && (key == 127 || key == 8)))
		g_string_truncate(
		    top->filter,
		    top->filter->len ? (gsize)(g_utf8_prev_char(end) - top->filter->str) : 0);
	else if (!is_function && g_unichar_isprint((gunichar)key) && top->filter->len < 64)
		g_string_append_unichar(top->filter, (gunichar)key);
	top_update(top);
}

static void ask(Top *top, TopQuestion question)
{
	const Row *row = top_row(top);

	if (!row)
		return;
	g_free(top->subject);
	top->subject = g_strdup(row->name);
	top->is_decided = g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE);
	g_free(top->prompt);
	top->prompt =
	    question == TOP_ASKS_DELETE
		? g_strdup_printf("Forget what was learned about \"%s\"%s? [y/N]", row->name,
				  top->is_decided ? ", and its override" : "")
		: g_strdup_printf("\"%s\" starts as: b batch  i interactive  l lat-critical  "
				  "n as learned  Esc",
				  row->name);
	top->asks = question;
	top_redraw(top);
}

static void answer_tier(Top *top, int key)
{
	switch (key) {
	case 'b':
		top_override(top, procdb_tier_name(PROCDB_TIER_BATCH));
		break;
	case 'i':
		top_override(top, procdb_tier_name(PROCDB_TIER_INTERACTIVE));
		break;
	case 'l':
		top_override(top, procdb_tier_name(PROCDB_TIER_LAT_CRITICAL));
		break;
	case 'n':
		top_override(top, NULL);
		break;
	}
}

/* Any key that is no answer is a no. */
static void take_answer(Top *top, int key, gboolean is_function)
{
	const TopQuestion question = top->asks;

	top->asks = TOP_ASKS_NOTHING;
	g_clear_pointer(&top->prompt, g_free);
	if (!is_function && question == TOP_ASKS_TIER)
		answer_tier(top, key);
	else if (!is_function && question == TOP_ASKS_DELETE && (key == 'y' || key == 'Y'))
		top_delete(top);
	top_redraw(top);
}

/* By how many lines a key moves; 0 if it does not. */
static gint64 lines_of(int key, gboolean is_function)
{
	const gint64 page = top_screen_page();

	if (!is_function)
		return key == 'j' ? 1 : key == 'k' ? -1 : 0;
	switch (key) {
	case KEY_UP:
		return -1;
	case KEY_DOWN:
		return 1;
	case KEY_PPAGE:
		return -page;
	case KEY_NPAGE:
		return page;
	case KEY_HOME:
		return -G_MAXINT;
	case KEY_END:
		return G_MAXINT;
	}
	return 0;
}

/* An explanation is read like a page; any key that does not move leaves it. */
static void read_explanation(Top *top, int key, gboolean is_function)
{
	const gint64 lines = lines_of(key, is_function);

	if (lines == 0)
		g_clear_pointer(&top->explanation, g_variant_unref);
	else
		top->view.first_line =
		    (guint)CLAMP((gint64)top->view.first_line + lines, 0, G_MAXINT);
	top_update(top);
}

static void move_cursor(Top *top, gint64 lines)
{
	const gint64 count = top->rows ? top->rows->items->len : 0;
	const gint64 to = (gint64)top->view.selected + lines;

	if (count == 0)
		return;
	top->view.selected = (guint)CLAMP(to, 0, count - 1);
	g_free(top->cursor);
	top->cursor = g_strdup(rows_get(top->rows, top->view.selected)->name);
	top_redraw(top);
}

/* The next column in that direction. */
static void sort_by_next(Top *top, guint step)
{
	top->view.sort = (top->view.sort + step) % ROW_TEXTS;
	top->by_choice = TRUE;
	g_hash_table_remove_all(top->places);
}

static const char *next_word(const char *word)
{
	for (guint i = 0; word && rows_words[i]; i++) {
		if (g_str_equal(word, rows_words[i]))
			return rows_words[i + 1];
	}
	return rows_words[0];
}

static void on_character(Top *top, int key)
{
	TopView *view = &top->view;

	switch (key) {
	case 'q':
		g_main_loop_quit(top->loop);
		return;
	case '\r':
	case '\n':
		top_explain(top);
		return;
	case 'o':
		ask(top, TOP_ASKS_TIER);
		return;
	case 'd':
		ask(top, TOP_ASKS_DELETE);
		return;
	case '<':
		sort_by_next(top, ROW_TEXTS - 1);
		break;
	case '>':
		sort_by_next(top, 1);
		break;
	case 'r':
		view->reverse = !view->reverse;
		g_hash_table_remove_all(top->places);
		break;
	case 'c':
		view->confident = !view->confident;
		break;
	case 't':
		view->tier = next_word(view->tier);
		break;
	case 'K':
		view->kernel = !view->kernel;
		break;
	case '/':
		view->editing = TRUE;
		break;
	case KEY_ESCAPE:
		stop_editing(top, FALSE);
		break;
	case KEY_CTRL_L:
		top_screen_resize();
		break;
	case 'h':
	case '?':
		view->help = TRUE;
		break;
	}
	top_update(top);
}

void top_take_key(Top *top, int key, gboolean is_function)
{
	const gint64 lines = lines_of(key, is_function);

	if (is_function && key == KEY_RESIZE) { /* said by ncurses after the signal */
		top_redraw(top);
		return;
	}
	g_clear_pointer(&top->message, g_free);
	if (top->view.editing) {
		edit_filter(top, key, is_function);
	} else if (top->asks != TOP_ASKS_NOTHING) {
		take_answer(top, key, is_function);
	} else if (top->explanation) {
		read_explanation(top, key, is_function);
	} else if (top->view.help) {
		top->view.help = FALSE;
		top_redraw(top);
	} else if (lines != 0) {
		move_cursor(top, lines);
	} else if (is_function && key == KEY_ENTER) {
		top_explain(top);
	} else if (!is_function) {
		on_character(top, key);
	}
}
