/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The PDDB file format: bytes to profiles and back. Pure, no I/O. Everything
 * read is hostile. A file is a header, the entries that every reader knows,
 * and an extension block (extension.h) with what the entries leave out.
 */

#include <glib.h>

#include "profile.h"
#include "reader.h"

/* From so many bytes on a file tells whether it is a database that we know. */
#define PROCDB_HEADER_SIZE 12

/* The greatest MaxRetained, and that of both MaxProfiles and MaxCandidates. */
#define PROCDB_RETAINED_LIMIT 1048576
#define PROCDB_PROFILES_LIMIT 65536
/* Overrides that admins may set; each takes room in the init map. */
#define PROCDB_MAX_OVERRIDES 1024

/*
 * As many as the service can ever write: those that are remembered, live ones, candidates and
 * overrides. Each takes an entry of 64 bytes and 80 in the extension.
 */
#define PROCDB_MAX_RECORDS                                                                         \
	((gsize)PROCDB_RETAINED_LIMIT + PROCDB_PROFILES_LIMIT + PROCDB_PROFILES_LIMIT +            \
	 PROCDB_MAX_OVERRIDES)
#define PROCDB_RECORD_SIZE ((gsize)64 + 80)
/* Of the section of rules (rules.h), at most. */
#define PROCDB_RULES_SIZE ((gsize)16 + (gsize)128 * (4 + 255))
/* Room for header and extension beside them, with all rules. */
#define PROCDB_MAX_FILE_SIZE (PROCDB_MAX_RECORDS * PROCDB_RECORD_SIZE + 1024 + PROCDB_RULES_SIZE)

/* One profile as a file holds it. */
struct procdb_record {
	struct procdb_comm comm;
	struct procdb_profile profile;
	/*
	 * It has no entry, only a place in the extension: a profile that is not
	 * confident and is kept for its override, or as a candidate. Other readers do not see it.
	 */
	bool hidden;
};

/* Why a file holds no profiles for us. */
typedef enum {
	PROCDB_DIAG_NONE,  /* nothing to complain about */
	PROCDB_DIAG_SHORT, /* shorter than the header */
	PROCDB_DIAG_MAGIC,
	PROCDB_DIAG_VERSION,
	PROCDB_DIAG_TRUNCATED, /* shorter than the header says */
	PROCDB_DIAG_TOO_LARGE, /* larger than anything that we write; the codec itself reads it */
} ProcdbDiag;

/* The part after the entries. Unless it is GOOD the records are what the entries say. */
typedef enum {
	PROCDB_EXT_NONE,    /* nothing: a file of scx_pandemonium, or an old one */
	PROCDB_EXT_GOOD,    /* an extension block, and the checksum of the file is right */
	PROCDB_EXT_FOREIGN, /* bytes of another program */
	PROCDB_EXT_DAMAGED, /* ours, with a wrong checksum or structure: the file is damaged */
	PROCDB_EXT_NEWER,   /* ours, of a version that we do not know */
} ProcdbExt;

/* Findings about a decoded file, beside its records. */
typedef struct {
	ProcdbDiag diag;
	ProcdbExt ext;
	guint mismatched; /* entries whose place in the extension contradicts them */
	/* Zeros in place of what a file system never wrote; without a checksum nothing else tells.
	 */
	guint blank;	    /* entries without name and observations, which no writer makes */
	gboolean zero_tail; /* all that follows the entries is zeros */
	guint left_out;	    /* names that the limit left no room for */
} ProcdbDecoded;

/* Of how many names records are wanted; the most recently seen ones are taken. */
typedef struct {
	guint profiles; /* without an override */
	guint overrides;
} ProcdbLimit;

/* A word for each: "none", "short", "magic", "version", "truncated", "too-large"; static. */
const char *procdb_diag_name(ProcdbDiag diag);
/* A word for each: "none", "good", "foreign", "damaged", "newer"; static. */
const char *procdb_ext_name(ProcdbExt ext);

/*
 * Writes n records as a version 2 file with an extension block, in the order
 * given. Vote sums beyond 32 bits saturate in the entries. Never fails; the
 * caller owns the result.
 */
GBytes *procdb_codec_encode(const struct procdb_record *records, guint n);

/* What a file holds beside profiles, as the bytes of sections; NULL for one that it has not. */
typedef struct {
	GBytes *identities; /* identities.h */
	GBytes *rules;	    /* rules.h */
} ProcdbSections;

/*
 * The same with these sections. Identities are left out where the file would be larger than
 * PROCDB_MAX_FILE_SIZE: no larger one is read, nor written.
 */
GBytes *procdb_codec_encode_all(const struct procdb_record *records, guint n,
				const ProcdbSections *beside);

/*
 * Appends the records of a version 1 or 2 file to records (an array of struct
 * procdb_record), in file order, so of two of one name the later is the valid
 * one. last_seen_tick is 0. Where there is no good extension all votes go to
 * the stored tier. On anything but PROCDB_DIAG_NONE nothing was appended.
 * *decoded (may be NULL) receives the details. Returns decoded->diag.
 */
ProcdbDiag procdb_codec_decode(const guint8 *data, gsize len, GArray *records,
			       ProcdbDecoded *decoded);

/*
 * The same from a reader, whose memory is all that it takes beside that of the records, within
 * a limit (may be NULL): at most twice as many as it allows. *decoded has to be there. If
 * reader->failed then, nothing was appended, and the diagnosis is void. The identities and rules of
 * a good extension are added to those of identities.h and rules.h (NULL: they are not read).
 */
ProcdbDiag procdb_codec_read(ProcdbReader *reader, const ProcdbLimit *limit, GArray *records,
			     GHashTable *identities, GPtrArray *rules, ProcdbDecoded *decoded);

/* Whether it is an entry of no writer: without name and observations. */
gboolean procdb_record_is_blank(const struct procdb_record *record);

/*
 * Reduces a record to what a reader that knows no extension makes of the same
 * file: all votes for the dominant tier, nothing of a hidden one. Overrides stay.
 */
void procdb_record_to_reference(struct procdb_record *record);
