/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top.h"

#include "row-text.h"

char *top_pattern(const Top *top)
{
	if (top->filter->len == 0)
		return NULL;
	return rows_is_pattern(top->filter->str) ? g_strdup(top->filter->str)
						 : g_strdup_printf("*%s*", top->filter->str);
}

typedef struct {
	Top *top;
	const char *pattern; /* without case; NULL: all */
} Choice;

/* Case does not count: a person who looks for Xorg types xorg. */
static gboolean is_match(const char *pattern, const char *text)
{
	g_autofree char *folded = g_utf8_casefold(text, -1);

	return rows_match(pattern, folded);
}

/* The name, or the program beside it, or what both look like. */
static gboolean is_found(const Row *row, const char *pattern)
{
	g_autofree char *title = NULL, *program = NULL;

	if (is_match(pattern, row->name))
		return TRUE;
	program = row_program(row);
	title = rows_title(row);
	return program && (is_match(pattern, program) || is_match(pattern, title));
}

static gboolean is_wanted(const Row *row, gpointer user_data)
{
	const Choice *choice = user_data;
	Top *top = choice->top;

	if ((top->view.confident && !row->confident) ||
	    (top->view.tier && !rows_is_of(row, top->view.tier)))
		return FALSE;
	if (choice->pattern && !is_found(row, choice->pattern))
		return FALSE;
	if (top->view.kernel || !rows_is_kernel_thread(row))
		return TRUE;
	top->view.hidden++;
	return FALSE;
}

void top_redraw(Top *top)
{
	top->view.rows = top->rows;
	top->view.title = top->title ? top->title : "";
	top->view.alarm = top->alarm;
	top->view.message = top->message;
	top->view.prompt = top->prompt;
	top->view.filter = top->filter->str;
	top->view.explanation = top->explanation;
	top_screen_draw(&top->view);
}

/* By CPU time where the service knows it. */
static void choose_order(Top *top)
{
	guint sort = ROW_LAST_SEEN;

	if (top->by_choice)
		return;
	for (guint i = 0; i < top->rows->items->len; i++) {
		if (rows_get(top->rows, i)->cpu_share >= 0)
			sort = ROW_CPU;
	}
	if (sort != top->view.sort)
		g_hash_table_remove_all(top->places);
	top->view.sort = sort;
}

/* The cursor goes with its row, and stays where it is when that is gone. */
static void follow_cursor(Top *top)
{
	const guint count = top->rows->items->len;
	guint at;

	for (guint i = 0; top->cursor && i < count; i++) {
		if (g_str_equal(rows_get(top->rows, i)->name, top->cursor))
			top->view.selected = i;
	}
	at = MIN(top->view.selected, count > 0 ? count - 1 : 0);
	top->view.selected = at;
}

void top_update(Top *top)
{
	g_autofree char *typed = top_pattern(top);
	g_autofree char *pattern = typed ? g_utf8_casefold(typed, -1) : NULL;
	Choice choice = {.top = top, .pattern = pattern};

	g_clear_pointer(&top->rows, rows_free);
	top->view.hidden = 0;
	top->rows = row_table_rows(top->table);
	choose_order(top);
	rows_keep(top->rows, is_wanted, &choice);
	order_sort_calmly(top->rows, order_of_column((int)top->view.sort), top->view.reverse,
			  top->places);
	follow_cursor(top);
	top_redraw(top);
}

const Row *top_row(const Top *top)
{
	return top->rows && top->view.selected < top->rows->items->len
		   ? rows_get(top->rows, top->view.selected)
		   : NULL;
}

const char *top_name(const Top *top)
{
	const Row *row = top_row(top);

	return row ? row->name : NULL;
}

void top_say(Top *top, char *message)
{
	g_free(top->message);
	top->message = message;
	top_redraw(top);
}

void top_alarm(Top *top, char *alarm)
{
	g_free(top->alarm);
	top->alarm = alarm;
	top_redraw(top);
}

gboolean top_is_running(const Top *top)
{
	g_autofree char *owner = g_dbus_proxy_get_name_owner(G_DBUS_PROXY(top->ctl->proxy));

	return owner != NULL;
}

void top_alarm_stopped(Top *top)
{
	top_alarm(top, g_strdup("The service stopped; these are its last values."));
}
