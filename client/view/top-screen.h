/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "row-text.h"
#include "rows.h"

/* The state that "top" shows; the screen changes nothing in it but scroll and first_line. */
typedef struct {
	const Rows *rows;    /* those to show, in order; NULL before the first came */
	const char *title;   /* first line */
	const char *alarm;   /* shown in its place when something is wrong, or NULL */
	const char *message; /* second line, or NULL: what is shown */
	const char *prompt;  /* last line, or NULL: the keys */
	const char *filter;
	const char *tier;      /* only rows of this word; NULL: all */
	GVariant *explanation; /* in the place of the table, or NULL */
	gboolean editing;      /* the filter is being typed */
	gboolean confident;
	gboolean reverse;
	gboolean help;
	gboolean kernel; /* kernel threads are shown as well */
	RowSlices slices;
	guint hidden;	  /* kernel threads that are not shown */
	guint sort;	  /* index into row_columns */
	guint scroll;	  /* rows above the first one shown */
	guint selected;	  /* the row with the cursor */
	guint first_line; /* of the explanation */
} TopView;

/* Takes the terminal over. FALSE, and said so, if it cannot show a screen. */
gboolean top_screen_open(gboolean colour);

/* Gives the terminal back as it was. */
void top_screen_close(void);

/* Draws everything; corrects view->scroll and view->first_line to what there is. */
void top_screen_draw(TopView *view);

/* The terminal has another size. */
void top_screen_resize(void);

/* Rows of profiles that fit. */
guint top_screen_page(void);

/* The next key, as wget_wch() has it, or -1 if there is none. */
int top_screen_key(gboolean *is_function);
