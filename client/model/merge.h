/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The sum of what several machines learned: votes and observations add up, averages are
 * weighted by observations, and the latest time counts. The order does not matter.
 */

#include "rows.h"

typedef struct _Merge Merge;

Merge *merge_new(void);
void merge_free(Merge *merge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Merge, merge_free)

/*
 * Adds rows. FALSE with error set when a name has an override to another tier than in
 * earlier ones: no sum of these would be what both want.
 */
gboolean merge_add(Merge *merge, const Rows *rows, GError **error);

/* The sum so far, a floating array of PROCDB_ROW sorted by name. */
GVariant *merge_sum(const Merge *merge);
