/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The parts of "top": top.c keeps what is shown, top-fetch.c asks the service for it, top-act.c
 * has the service do something, top-keys.c takes keys, and cmd-top.c follows the service and the
 * terminal.
 */

#include "ctl.h"
#include "order.h"
#include "row-table.h"
#include "top-screen.h"

typedef enum {
	TOP_ASKS_NOTHING,
	TOP_ASKS_TIER,
	TOP_ASKS_DELETE,
} TopQuestion;

/* What to ask the service for; each is less than the one before. */
typedef enum {
	TOP_ALL = 1 << 0,     /* of more than it asks for, those that use most CPU time */
	TOP_MATCHES = 1 << 1, /* of the filter, where there are more */
	TOP_CHANGED = 1 << 2, /* since the last answer */
	TOP_BUSY = 1 << 3,    /* CPU time changes without a word from the service */
} TopList;

typedef struct {
	Ctl *ctl;
	GMainLoop *loop;
	GCancellable *cancellable;
	RowTable *table;    /* the profiles */
	Rows *rows;	    /* what is shown of them; points into the table */
	GHashTable *places; /* see order_sort_calmly() */
	GString *filter;
	char *title;
	char *alarm;
	char *message;
	char *prompt;
	char *cursor;	       /* the name that the cursor stays on; NULL: the first line */
	char *subject;	       /* the name that a question or an explanation is about */
	gboolean is_decided;   /* the subject has an override */
	GVariant *explained;   /* why it has its tier, while the rest is asked for */
	GVariant *explanation; /* shown in the place of the table */
	TopQuestion asks;
	TopList asked;	    /* what is on its way; 0: nothing */
	guint wanted;	    /* TopLists to ask for after it */
	guint64 serial;	    /* of the last answer */
	guint64 heard;	    /* of the last signal, or of the first answer */
	gboolean by_choice; /* the order was chosen, and stays */
	gboolean is_cut;    /* there are more profiles than are asked for */
	gboolean is_old;    /* the service does not know QueryColumns */
	TopView view;
} Top;

/* Draws all of it. */
void top_redraw(Top *top);

/* Chooses and sorts anew from the table, and draws it. */
void top_update(Top *top);

/* Asks the service for a list; at most one call is under way. */
void top_fetch(Top *top, TopList list);

/* Asks the service for what stands above the table. */
void top_fetch_title(Top *top);

/* Takes a ProfilesChanged. */
void top_hear(Top *top, guint64 serial, const char *const *changed, const char *const *removed);

/* The filter as a pattern for the service; NULL without one. Free with g_free(). */
char *top_pattern(const Top *top);

/* Shows an alarm, which is taken over, until a list comes. */
void top_alarm(Top *top, char *alarm);
void top_alarm_stopped(Top *top);

/* Whether there is a service. */
gboolean top_is_running(const Top *top);

/* Takes a key, as top_screen_key() has it. */
void top_take_key(Top *top, int key, gboolean is_function);

/* The row that the cursor is on, and its name; NULL if there is none. */
const Row *top_row(const Top *top);
const char *top_name(const Top *top);

/* Says what came of something, until the next key. Takes message over. */
void top_say(Top *top, char *message);

/* Asks the service why the program under the cursor has its tier, and shows that. */
void top_explain(Top *top);

/* Sets an override of the subject, or, with NULL, clears it. */
void top_override(Top *top, const char *tier);

/* Deletes the profile of the subject. */
void top_delete(Top *top);
