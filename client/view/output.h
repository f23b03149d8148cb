/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <libsmartcols.h>

#include "ctl.h"

/* Whether standard output may be coloured: a terminal, and NO_COLOR is not set. */
gboolean out_colour(const Ctl *ctl);

/*
 * On a terminal, and unless --no-pager or --json was given, sends what is
 * printed from here on through PANDEMONIUM_PAGER, PAGER or less.
 */
void out_open_pager(Ctl *ctl);

/* Waits until the pager has been quit, if there is one. */
void out_close_pager(Ctl *ctl);

typedef struct {
	const char *title;
	double width; /* as libsmartcols has it: a share of the line, or columns */
	int flags;    /* SCOLS_FL_* */
} OutColumn;

/*
 * A table as wide as the terminal. Columns end with one without a title. Free
 * with scols_unref_table().
 */
struct libscols_table *out_table_new(const Ctl *ctl, const OutColumn *columns);

/* Adds a row; the texts are copied. colours may be NULL, and so may each in it. */
void out_table_add(struct libscols_table *table, const char *const *texts,
		   const char *const *colours);

/* Prints and frees the table. */
void out_table_print(struct libscols_table *table);

/* The colour of a tier in a table, a name that libsmartcols knows, or NULL. */
const char *out_tier_colour(const char *tier);

/* "850 ns", "12.3 ms", "1.50 s". Free with g_free(), as the ones below. */
char *out_duration_ns(guint64 ns);

/* "4 s", "3 min", "2 days". */
char *out_span(guint64 seconds);

/* "4 s ago", "3 min ago", "2 days ago" for µs since the epoch; "unknown" for 0. */
char *out_ago(gint64 time_us, gint64 now_us);

/*
 * "80/s" for a rate that the service counts per 100 ms, in whole numbers up to most: so it is right
 * to the nearest ten, "< 5/s" for 0, and "640/s+" for what may be more.
 */
char *out_rate(guint64 per_100ms, guint64 most);

/* "0.4/s", "190/s". */
char *out_true_rate(double per_second);

/* "99.9 %": rounded down, so that 100 % is all of it. 0 % of nothing. */
char *out_percent(guint64 part, guint64 all);

/* "1,234". */
char *out_number(guint64 number);

/* "1 profile", "1,234 profiles". */
char *out_count(guint64 count, const char *singular);

/* Of a trial that runs: "12 % are over; ...". NULL if none does. */
char *out_trial(GVariant *properties);

/*
 * What the service says is wrong, without what it says to do about it, which follows "; " in such
 * a text: *remedy is that as a sentence of its own, or NULL. Free both.
 */
char *out_problem(const char *said, char **remedy);
