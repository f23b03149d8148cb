/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The extension block after the entries, which readers of plain PDDB ignore.
 * All little endian:
 *
 *	char magic[4] "PDDX", u32 version 1, u64 length of all sections
 *	sections: char tag[4], u32 length, and so many bytes
 *	u32 CRC-32 (zlib's) of the file up to here, char magic[4] "XDDP"
 *
 * Sections hold records: u32 size of a record, u32 count, then the records.
 * "MORE" has one for each entry, in their order; "ONLY" has the profiles without an
 * entry. Sections of other tags are skipped, and so is what a newer writer
 * appends to a record (as recent scores and withdrawals were): both leave the file readable for us,
 *and a new version number is for what would not. The magic at both ends tells damage from bytes
 *that are not ours.
 *
 * A CRC-32, since it has to find accidents: it sees every error of up to 32
 * bits in a row, costs a tenth of GLib's SHA-256, and against forgery there
 * are the owner and the mode of the file.
 */

#include "codec.h"

/* The size of a block for so many entries and profiles without one. */
gsize procdb_extension_size(guint entries, guint hidden);

/*
 * Writes the block of n records to file + at, where the entries end; file has
 * procdb_extension_size() bytes of room there.
 */
void procdb_extension_write(const struct procdb_record *records, guint n, guint8 *file, gsize at);

/*
 * Reads what follows the entries, which end at file + at: completes the
 * records from the first on, which are the entries, and appends those without
 * one. *mismatched counts entries that the block contradicts; they keep what
 * the entry says. On anything but PROCDB_EXT_GOOD records is as it was.
 */
ProcdbExt procdb_extension_read(const guint8 *file, gsize len, gsize at, GArray *records,
				guint first, guint *mismatched);
