/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How a configuration file is written: as those of systemd, see systemd.syntax(7). */

#include <glib.h>

typedef struct {
	guint number;	     /* of the line in the file, from 1 */
	const char *section; /* NULL before the first one */
	const char *key;     /* NULL for a line that is none of the syntax */
	const char *value;
	const char *text; /* the whole line, without what surrounds it */
} ProcdbConfigLine;

typedef void (*ProcdbConfigLineFunc)(const ProcdbConfigLine *line, gpointer user_data);

/*
 * Calls func with each assignment of a text of len bytes without NUL, and with each line
 * that is none of the syntax. A line that begins with # or ; is a comment, one that ends
 * in a backslash goes on in the next, and a byte order mark and carriage returns do not
 * count. A section header without its end counts as a section of that text.
 */
void procdb_config_parse(const char *text, gsize len, ProcdbConfigLineFunc func,
			 gpointer user_data);
