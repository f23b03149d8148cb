/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "ctl.h"
#include "figures.h"

/* Whether standard output may be coloured: a terminal, and NO_COLOR is not set. */
gboolean out_colour(const Ctl *ctl);

/*
 * On a terminal, and unless --no-pager or --json was given, sends what is
 * printed from here on through PANDEMONIUM_PAGER, PAGER or less.
 */
void out_open_pager(Ctl *ctl);

/* Waits until the pager has been quit, if there is one. */
void out_close_pager(Ctl *ctl);

/* The colour of a tier in a table, a name that libsmartcols knows, or NULL. */
const char *out_tier_colour(const char *tier);

/*
 * Writes a whole file: at once in the place of an earlier one, or of what a link leads to, with
 * this mode. A device or a pipe is written to, and *in_place set: what was written may have gone
 * to standard output. Another user's link is not followed where others can make one.
 */
gboolean out_write_file(const char *path, const char *content, int mode, gboolean *in_place,
			GError **error);
