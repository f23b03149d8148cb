/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How many machines, and runs, the last pull had a prior from: for show and explain. */

#include <glib.h>

typedef struct _FarmKnown FarmKnown;

/* An empty list of them. */
FarmKnown *farm_known_new(void);
void farm_known_free(FarmKnown *known);

/* Each name once. */
void farm_known_add(FarmKnown *known, const char *name, guint64 machines, guint64 runs);
/* Makes the directory if there is none. FALSE with error set. */
gboolean farm_known_make_directory(const char *directory, GError **error);

/* Writes it to a directory, for any user to read. FALSE with error set. */
gboolean farm_known_write(const FarmKnown *known, const char *directory, GError **error);

/*
 * "the farm (41 machines, 12,390 runs)" for a name, by what the unit pulled; "the farm" if that
 * does not say. Free it.
 */
char *farm_known_to_text(const char *name);

/* Where the unit remembers what it pulled and pushed: $STATE_DIRECTORY in it. */
const char *farm_known_directory(void);
