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
 * entry; "PROG" says what programs profiles are of (identities.h), "RULE" has overrides by program
 * and by unit (rules.h). docs/file-format.md has them byte by byte. Sections of other tags are
 * skipped, and so is what a newer writer appends to a record: both leave the file readable for
 *older readers, and a new version number is for what would not. The magic at both ends tells damage
 *from the bytes of other programs.
 *
 * A CRC-32, since it has to find accidents: it sees every error of up to 32
 * bits in a row, costs a tenth of GLib's SHA-256, and against forgery there
 * are the owner and the mode of the file.
 */

#include "selection.h"

/* Bytes of a record in either section beside an entry. */
#define PROCDB_EXTENSION_RECORD_SIZE 80

/* The size of a block for so many entries and profiles without one, with these sections. */
gsize procdb_extension_size(guint entries, guint hidden, const ProcdbSections *beside);

/*
 * Writes the block of n records to file + at, where the entries end; file has
 * procdb_extension_size() bytes of room there.
 */
void procdb_extension_write(const struct procdb_record *records, guint n,
			    const ProcdbSections *beside, guint8 *file, gsize at);

/* A block that was found good: where its records are. */
typedef struct {
	gsize sections; /* from here */
	gsize end;	/* to here */
	struct {
		gsize at;
		guint32 size;
		guint32 count;
	} more; /* of several such sections the last counts */
} ProcdbExtension;

/*
 * Examines what follows the entries, which end at an offset. *extension is filled in for
 * PROCDB_EXT_GOOD.
 */
ProcdbExt procdb_extension_open(ProcdbReader *reader, gsize at, ProcdbExtension *extension);

/*
 * Adds to the i-th entry what it left out. FALSE when the block contradicts it: then it keeps
 * what the entry says.
 */
gboolean procdb_extension_complete(const ProcdbExtension *extension, ProcdbReader *reader, guint i,
				   struct procdb_record *record);

/* Adds the profiles without an entry. Returns how many of them contradict themselves. */
guint procdb_extension_add_hidden(const ProcdbExtension *extension, ProcdbReader *reader,
				  ProcdbSelection *selection);

/* Adds the identities to a table of identities.h. */
void procdb_extension_read_identities(const ProcdbExtension *extension, ProcdbReader *reader,
				      GHashTable *identities);
/* Adds the rules to those of rules.h. */
void procdb_extension_read_rules(const ProcdbExtension *extension, ProcdbReader *reader,
				 GPtrArray *rules);
