/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Figures as people read them, on a terminal and in a window. */

#include <glib.h>

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
