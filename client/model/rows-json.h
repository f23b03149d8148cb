/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include "rows.h"

/*
 * Fields for rows_query(): all that is printed of a profile. Free the array with g_free().
 */
const char **rows_json_fields(void);

/*
 * Prints an array of objects with the names that GetProfile has: the text that ctl_json_print() of
 * ctl_json_from_rows() prints. Rows of columns, of which there may be thousands, are written as
 * they are read, without a node for each value.
 */
void rows_json_print(const Rows *rows);
