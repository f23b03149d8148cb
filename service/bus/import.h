/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#pragma once

/* Rows of ListProfiles, from anywhere, to records. */

#include <gio/gio.h>

/*
 * Checks an a(ssdbu(uuu)ttttxs) and appends a struct procdb_record for each row
 * to records. FALSE with an error of PROCDB_BUS_ERROR, which names the row, and
 * records in any state, when one does not hold together.
 */
gboolean procdb_import_rows(GVariant *rows, GArray *records, GError **error);
