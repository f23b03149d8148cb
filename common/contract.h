/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Constants that the service and its clients share, beside the interface's XML. */

#define PROCDB_BUS_NAME "org.pandemonium.ProcDb"
#define PROCDB_BUS_PATH "/org/pandemonium/ProcDb"
#define PROCDB_BUS_INTERFACE "org.pandemonium.ProcDb1"

/*
 * A row of ListProfiles and Import: name, tier, confidence, confident, observations, votes,
 * average runtime and its deviation in ns, wake-ups and switches per 100 ms, when it was last
 * seen in µs since the epoch, origin.
 */
#define PROCDB_ROW "ssdbu(uuu)ttttxs"

/*
 * A record of ExportProfiles and ImportProfiles: a row, then first seen, right and wrong
 * predictions, withdrawals, teachers, and the owner's user ID.
 */
#define PROCDB_RECORD PROCDB_ROW "xttusu"

/* The origins of a row. */
#define PROCDB_ORIGIN_LIVE "live"
#define PROCDB_ORIGIN_RETAINED "retained"
#define PROCDB_ORIGIN_OVERRIDE "override"

/* The prefix of the polkit actions. */
#define PROCDB_ACTION_PREFIX "org.pandemonium.procdb."

/* An entry of a filter: patterns, of which one is that of name, program or script. */
#define PROCDB_FILTER_TITLES "titles"
/* Such patterns that a filter may have, and the bytes of all of them: each is tried on each name.
 */
#define PROCDB_MAX_TITLES 8
#define PROCDB_MAX_TITLE_BYTES 256

/* Among the fields of QueryColumns, and none: the columns are packed. */
#define PROCDB_FIELD_PACKED "packed"

/* Names that one DeleteProfiles may hold. */
#define PROCDB_MAX_NAMES_IN 4096
