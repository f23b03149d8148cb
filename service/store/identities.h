/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What is known of the programs of profiles beside how they behave: where the last one was, of
 * which user, and what all of them took. In a section of its own in the extension block, which
 * older readers skip. Bytes of paths and units are those of any program.
 */

#include "comm.h"
#include "reader.h"
#include "task-row.h"

/*
 * The most that are written and read, each with at most PROCDB_PATH_LEN + PROCDB_UNIT_LEN bytes of
 * text: the defaults remember 20,992 profiles.
 */
#define PROCDB_MAX_IDENTITIES 32768

/* Texts end at a zero, or after PROCDB_PATH_LEN and PROCDB_UNIT_LEN bytes. */
struct procdb_identity {
	struct procdb_comm comm;
	guint64 runs;	  /* execs under this name */
	guint64 cpu;	  /* ns on a CPU, of all tasks of this name */
	guint32 uid;	  /* of the last task, to whom path and unit belong */
	guint8 kind;	  /* enum procdb_task_kind */
	const char *path; /* "": not known */
	const char *unit;
};

/* Identities by name, for procdb_identities_set(). Free with g_hash_table_unref(). */
GHashTable *procdb_identities_new(void);
/* Copies one in place of that of the name before. */
void procdb_identities_set(GHashTable *identities, const struct procdb_identity *identity);

/*
 * The bytes of a section, one identity after the other. _end() frees the writer, and returns NULL
 * where none was added.
 */
GByteArray *procdb_identities_begin(void);
void procdb_identities_add(GByteArray *writer, const struct procdb_identity *identity);
GBytes *procdb_identities_end(GByteArray *writer);

/*
 * Reads the bytes of a section, which are from an offset up to another, into a table. What does
 * not hold what it says ends it: no profile depends on this.
 */
void procdb_identities_read(ProcdbReader *reader, gsize at, gsize end, GHashTable *identities);
