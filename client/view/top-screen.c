/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "top-screen.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "output.h"
#include "row-text.h"
#include "top-panel.h"
#include "wide.h"

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
	g_autofree char *valid = g_utf8_make_valid(text, -1);
	g_autofree wchar_t *wide = g_new0(wchar_t, strlen(valid) + 1);
	int used = 0, fits = 0;

	width = MIN(width, COLS - x);
	if (width <= 0 || y >= LINES)
		return;
	for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
		const gunichar c = g_utf8_get_char(at);
		const int columns = (int)wide_columns(c);

		if (used + columns > width)
			break;
		used += columns;
		wide[fits++] = wide_shown(c);
	}
	mvhline(y, x, ' ', width);
	mvaddnwstr(y, right ? x + width - used : x, wide, fits);
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
	int rank = rows_tier_rank(rows_word(row));

	if (column == ROW_TIER && !rows_predicts(row))
		return A_DIM;
	if (column == ROW_TIER && rank >= 0)
		return (attr_t)COLOR_PAIR(pairs[rank]);
	if (column == ROW_CONFIDENCE && !row->confident)
		return (attr_t)COLOR_PAIR(PAIR_UNSURE);
	return A_NORMAL;
}

static void draw_row(const TopView *view, guint index, int y, const int widths[], int shown)
{
	const Row *row = rows_get(view->rows, index);
	const gboolean is_selected = index == view->selected;
	char *texts[ROW_TEXTS];
	int x = 0;

	row_texts(row, g_get_real_time(), view->slices, texts);
	if (is_selected) {
		attron(A_REVERSE);
		mvhline(y, 0, ' ', COLS);
	}
	for (int i = 0; i < shown; i++) {
		attr_t attribute = is_selected ? A_NORMAL : attribute_of(row, i);

		attron(attribute);
		put_text(y, x, widths[i], texts[i], row_columns[i].right);
		attroff(attribute);
		x += widths[i] + 1;
	}
	attroff(A_REVERSE);
	row_texts_clear(texts);
}

static char *second_line(const TopView *view)
{
	GString *line = g_string_new(NULL);

	g_string_printf(line, "%u shown, by %s%s", view->rows ? view->rows->items->len : 0,
			row_columns[view->sort].title, view->reverse ? ", reversed" : "");
	if (view->confident)
		g_string_append(line, ", confident only");
	if (view->tier)
		g_string_append_printf(line, ", %s only", view->tier);
	if (view->hidden > 0)
		g_string_append_printf(line, ", %u kernel thread%s hidden", view->hidden,
				       view->hidden == 1 ? "" : "s");
	if (*view->filter || view->editing)
		g_string_append_printf(line, ", filter: %s%s", view->filter,
				       view->editing ? "_" : "");
	return g_string_free(line, FALSE);
}

static void draw_title(const TopView *view)
{
	g_autofree char *second = second_line(view);

	if (view->alarm)
		attron(COLOR_PAIR(PAIR_ALARM) | A_BOLD);
	put_text(0, 0, COLS, view->alarm ? view->alarm : view->title, FALSE);
	attroff(COLOR_PAIR(PAIR_ALARM) | A_BOLD);
	if (view->message)
		attron(A_BOLD);
	put_text(1, 0, COLS, view->message ? view->message : second, FALSE);
	attroff(A_BOLD);
}

/* Those that fit; the others are in the help. */
static void draw_keys(void)
{
	static const char *const keys[] = {
	    "h help", "q quit",	  "Enter explain", "o override",  "d delete",  "/ filter",
	    "t tier", "K kernel", "c confident",   "< > sort by", "r reverse",
	};
	int x = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		const int width = (int)strlen(keys[i]);

		if (x + width > COLS)
			break;
		put_text(LINES - 1, x, width, keys[i], FALSE);
		x += width + 2;
	}
}

static void draw_last_line(const TopView *view)
{
	attron(A_REVERSE);
	mvhline(LINES - 1, 0, ' ', COLS);
	if (view->editing)
		put_text(LINES - 1, 0, COLS,
			 "Type a part of a name, or a pattern with * and ?. Enter keeps it, Esc "
			 "drops it.",
			 FALSE);
	else if (view->prompt)
		put_text(LINES - 1, 0, COLS, view->prompt, FALSE);
	else if (view->explanation || view->help)
		put_text(LINES - 1, 0, COLS,
			 view->help ? "Any key leaves this."
				    : "Up Down PgUp PgDn scroll; any other key leaves this.",
			 FALSE);
	else
		draw_keys();
	attroff(A_REVERSE);
}

static void draw_help(void)
{
	static const char *const lines[] = {
	    "Up Down j k     move the cursor; PgUp PgDn by a page; Home End",
	    "Enter           say why the program has its tier",
	    "o               override: decide its tier",
	    "d               delete: forget what was learned about it, and its override",
	    "/               filter by name and program; Esc drops the filter",
	    "t               only one tier, or brief; again for the next one",
	    "c               only confident ones         K    kernel threads as well",
	    "<  >            sort by another column      r    reverse the order",
	    "h  ?            this help                   q    quit",
	    "",
	    "TIER            batch may wait, lat-critical must not, others are left alone;",
	    "                brief: over before a slice matters; with ?: not predicted",
	    "CONF            how sure the tier is, 0 to 1",
	    "CPU             of one CPU, by all tasks of the name",
	    "SLICE           of new tasks: longer or shorter than the kernel's, or its own",
	    "RUNTIME, ±      CPU time between two sleeps, and by how much that varies",
	    "WAKEUPS         of a task of it, per second",
	};

	for (int i = 0; i < (int)G_N_ELEMENTS(lines) && LINES_ABOVE + i < LINES - LINES_BELOW; i++)
		put_text(LINES_ABOVE + i, 1, COLS - 1, lines[i], FALSE);
}

static void draw_explanation(TopView *view)
{
	g_autoptr(GPtrArray) lines = top_panel_lines(view->explanation, (guint)MAX(COLS - 2, 1));
	const guint page = top_screen_page();

	view->first_line = MIN(view->first_line, lines->len > page ? lines->len - page : 0);
	for (guint i = 0; i < page && view->first_line + i < lines->len; i++)
		put_text(LINES_ABOVE + (int)i, 1, COLS - 1, lines->pdata[view->first_line + i],
			 FALSE);
}

/* The cursor is on the screen, and no line is empty that could show a row. */
static void scroll_to_cursor(TopView *view, guint count, guint page)
{
	if (view->selected < view->scroll)
		view->scroll = view->selected;
	if (view->selected >= view->scroll + page)
		view->scroll = view->selected - page + 1;
	view->scroll = MIN(view->scroll, count > page ? count - page : 0);
}

static void draw_table(TopView *view)
{
	const guint count = view->rows ? view->rows->items->len : 0;
	const guint page = top_screen_page();
	int widths[ROW_TEXTS];
	int shown = layout(widths);

	scroll_to_cursor(view, count, page);
	draw_header(view, widths, shown);
	for (guint i = 0; i < page && view->scroll + i < count; i++)
		draw_row(view, view->scroll + i, LINES_ABOVE + (int)i, widths, shown);
}

void top_screen_draw(TopView *view)
{
	erase();
	draw_title(view);
	if (view->help)
		draw_help();
	else if (view->explanation)
		draw_explanation(view);
	else
		draw_table(view);
	draw_last_line(view);
	refresh();
}
