/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The table of programs: columns, order and filters. */

#include <gtk/gtk.h>

#include "programs.h"

/*
 * Fills a column view with the columns, and lets it show programs in the order of its headers,
 * those that use most CPU time first, of which the search, a tier in the words of rows_words, and
 * whether kernel threads are wanted choose some. All of that is kept by the view.
 */
void monitor_table_fill(GtkColumnView *view, MonitorPrograms *programs, GtkEditable *search,
			GtkDropDown *tier, GAction *kernel_threads);

/* The program that is selected; NULL: none. Of the view. */
MonitorProgram *monitor_table_selected(GtkColumnView *view);
