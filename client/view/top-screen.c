/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top-screen.h"

#include <curses.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "output.h"
#include "row-text.h"

/* Lines above and below the profiles. */
#define LINES_ABOVE 3
#define LINES_BELOW 1

enum { PAIR_BATCH = 1, PAIR_INTERACTIVE, PAIR_LAT_CRITICAL, PAIR_UNSURE, PAIR_ALARM };

gboolean top_screen_open(gboolean colour)
{
	SCREEN *screen = newterm(NULL, stdout, stdin);

	if (screen && !tigetstr((char *)"cup")) {
		endwin();
		delscreen(screen);
		screen = NULL;
	}
	if (!screen) {
		g_printerr("This terminal (TERM=%s) cannot show a full screen.\n",
			   g_getenv("TERM") ? g_getenv("TERM") : "");
		return FALSE;
	}
	set_term(screen);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	set_escdelay(50);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	if (colour && has_colors()) {
		start_color();
		use_default_colors();
		init_pair(PAIR_BATCH, COLOR_BLUE, -1);
		init_pair(PAIR_INTERACTIVE, COLOR_GREEN, -1);
		init_pair(PAIR_LAT_CRITICAL, COLOR_MAGENTA, -1);
		init_pair(PAIR_UNSURE, COLOR_YELLOW, -1);
		init_pair(PAIR_ALARM, COLOR_RED, -1);
	}
	return TRUE;
}

void top_screen_close(void)
{
	endwin();
}

void top_screen_resize(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
		resizeterm(size.ws_row, size.ws_col);
	clearok(stdscr, TRUE);
}

guint top_screen_page(void)
{
	return (guint)MAX(LINES - LINES_ABOVE - LINES_BELOW, 1);
}

int top_screen_key(gboolean *is_function)
{
	wint_t key;
	int kind = get_wch(&key);

	*is_function = kind == KEY_CODE_YES;
	return kind == ERR ? -1 : (int)key;
}

/* Writes text into width columns from x on, cut or padded, at either side. */
static void put_text(int y, int x, int width, const char *text, gboolean right)
{
	g_autofree wchar_t *wide = NULL;
	size_t count = mbstowcs(NULL, text, 0);
	int used = 0;
	size_t fits = 0;

	width = MIN(width, COLS - x);
	if (count == (size_t)-1 || width <= 0 || y >= LINES)
		return;
	wide = g_new0(wchar_t, count + 1);
	mbstowcs(wide, text, count + 1);
	for (; fits < count; fits++) {
		int columns = MAX(wcwidth(wide[fits]), 0);

		if (used + columns > width)
			break;
		used += columns;
	}
	mvhline(y, x, ' ', width);
	mvaddnwstr(y, right ? x + width - used : x, wide, (int)fits);
}

/* The name takes what the columns that fit leave; those on the right go first. */
static int layout(int widths[ROW_TEXTS])
{
	int used = row_columns[0].width;
	int shown = 1;

	for (; shown < ROW_TEXTS && used + 1 + row_columns[shown].width <= COLS; shown++) {
		widths[shown] = row_columns[shown].width;
		used += 1 + widths[shown];
	}
	widths[0] = MIN(row_columns[0].width + MAX(COLS - used, 0), 64);
	return shown;
}

static void draw_header(const TopView *view, const int widths[], int shown)
{
	int x = 0;

	attron(A_REVERSE);
	mvhline(LINES_ABOVE - 1, 0, ' ', COLS);
	for (int i = 0; i < shown; i++) {
		if ((guint)i == view->sort)
			attron(A_BOLD | A_UNDERLINE);
		put_text(LINES_ABOVE - 1, x, widths[i], row_columns[i].title, row_columns[i].right);
		attroff(A_BOLD | A_UNDERLINE);
		x += widths[i] + 1;
	}
	attroff(A_REVERSE);
}

static attr_t attribute_of(const Row *row, int column)
{
	static const int pairs[] = {PAIR_BATCH, PAIR_INTERACTIVE, PAIR_LAT_CRITICAL};
	int rank = rows_tier_rank(row->tier);

	if (column == 1 && rank >= 0)
		return (attr_t)COLOR_PAIR(pairs[rank]);
	if (column == 2 && !row->confident)
		return (attr_t)COLOR_PAIR(PAIR_UNSURE);
	return A_NORMAL;
}

static void draw_row(const Row *row, int y, const int widths[], int shown, gint64 now)
{
	char *texts[ROW_TEXTS];
	int x = 0;

	row_texts(row, now, texts);
	for (int i = 0; i < shown; i++) {
		attr_t attribute = attribute_of(row, i);

		attron(attribute);
		put_text(y, x, widths[i], texts[i], row_columns[i].right);
		attroff(attribute);
		x += widths[i] + 1;
	}
	row_texts_clear(texts);
}

static void draw_title(const TopView *view)
{
	g_autofree char *second = NULL;

	if (view->alarm)
		attron(COLOR_PAIR(PAIR_ALARM) | A_BOLD);
	put_text(0, 0, COLS, view->alarm ? view->alarm : view->title, FALSE);
	attroff(COLOR_PAIR(PAIR_ALARM) | A_BOLD);
	second =
	    g_strdup_printf("%u shown, by %s%s%s%s%s%s", view->rows ? view->rows->items->len : 0,
			    row_columns[view->sort].key, view->reverse ? ", reversed" : "",
			    view->confident ? ", confident only" : "",
			    *view->filter || view->editing ? ", filter: " : "", view->filter,
			    view->editing ? "_" : "");
	put_text(1, 0, COLS, second, FALSE);
}

static void draw_keys(const TopView *view)
{
	const char *keys = "q quit  < > sort by  r reverse  c confident  / filter  h help";

	if (view->editing)
		keys = "Type a part of a name, or a pattern with * and ?. Enter keeps it, Esc "
		       "drops it.";
	attron(A_REVERSE);
	put_text(LINES - 1, 0, COLS, keys, FALSE);
	attroff(A_REVERSE);
}

static void draw_help(void)
{
	static const char *const lines[] = {
	    "q               quit",
	    "<  >            sort by the column to the left or right",
	    "r               reverse the order",
	    "c               only confident profiles",
	    "/               filter by name; Esc drops the filter",
	    "Up Down         scroll by a line; PgUp PgDn by a page; Home End",
	    "h  ?            this help; any key leaves it",
	    "",
	    "CONF            how sure the prediction is, 0 to 1",
	    "RUNTIME, ±      how long it runs at a time, and by how much that varies",
	    "WAKEUPS         wake-ups per 100 ms",
	    "SWITCHES        voluntary context switches per 100 ms",
	};

	for (int i = 0; i < (int)G_N_ELEMENTS(lines); i++)
		put_text(LINES_ABOVE + i, 1, COLS - 1, lines[i], FALSE);
}

void top_screen_draw(TopView *view)
{
	guint count = view->rows ? view->rows->items->len : 0;
	guint page = top_screen_page();
	gint64 now = g_get_real_time();
	int widths[ROW_TEXTS];
	int shown = layout(widths);

	view->scroll = MIN(view->scroll, count > page ? count - page : 0);
	erase();
	draw_title(view);
	draw_header(view, widths, shown);
	if (view->help) {
		draw_help();
	} else {
		for (guint i = 0; i < page && view->scroll + i < count; i++)
			draw_row(rows_get(view->rows, view->scroll + i), LINES_ABOVE + (int)i,
				 widths, shown, now);
	}
	draw_keys(view);
	refresh();
}
