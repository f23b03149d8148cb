/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What was measured: printed as a table while it comes, and written as JSON. */

#include <glib.h>

/* Samples of one thing, in any unit. */
typedef struct {
	double median;
	double low; /* tenth and ninetieth percentile */
	double high;
	guint samples;
} Summary;

/* Of an array of double, which it sorts. */
Summary summarize(GArray *samples);

typedef struct {
	const char *id;	  /* stable, for programs */
	const char *what; /* for people */
	const char *unit;
	Summary value;
	const char *against; /* what ratio compares with; NULL if there is no ratio */
	double ratio;	     /* of the medians: this / that */
	double goal;	     /* at most, of the ratio if goal_is_ratio; 0 = there is none */
	gboolean goal_is_ratio;
} Figure;

typedef struct _Figures Figures;

Figures *figures_new(void);
void figures_free(Figures *figures);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Figures, figures_free)

/* Prints a line and keeps it for the JSON. */
void figures_add(Figures *figures, const Figure *figure);

/* Writes all, with the machine's facts. FALSE with error set. */
gboolean figures_write(Figures *figures, const char *path, GError **error);

/* The number of goals that were missed. */
guint figures_missed(const Figures *figures);
