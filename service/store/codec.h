/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The PDDB file format: bytes to profiles and back. Pure, no I/O. Everything
 * read is hostile.
 */

#include <glib.h>

#include "profile.h"

/* One profile as a file holds it. */
struct procdb_record {
	struct procdb_comm comm;
	struct procdb_profile profile;
};

/* Why a file holds no profiles for us. */
typedef enum {
	PROCDB_DIAG_NONE,  /* nothing to complain about */
	PROCDB_DIAG_SHORT, /* shorter than the header */
	PROCDB_DIAG_MAGIC,
	PROCDB_DIAG_VERSION,
	PROCDB_DIAG_TRUNCATED, /* shorter than the header says */
} ProcdbDiag;

/* A word for each: "none", "short", "magic", "version", "truncated"; static. */
const char *procdb_diag_name(ProcdbDiag diag);

/*
 * Writes n records as a version 2 file, in the order given. Vote sums beyond
 * 32 bits saturate. Never fails; the caller owns the result.
 */
GBytes *procdb_codec_encode(const struct procdb_record *records, guint n);

/*
 * Appends the records of a version 1 or 2 file to records (an array of struct
 * procdb_record), in file order, so of two of one name the later is the valid
 * one. All votes go to the stored tier and last_seen_tick is 0. On anything
 * but PROCDB_DIAG_NONE nothing was appended. Bytes after the last entry are
 * ignored.
 */
ProcdbDiag procdb_codec_decode(const guint8 *data, gsize len, GArray *records);
