/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The bytes of a database, in memory or in a file. Of a file no more than two
 * pieces are in memory at once: one for what is read in order, one for what is
 * read in order beside it.
 */

#include <glib.h>

#define PROCDB_READER_PIECE ((gsize)64 * 1024)

struct procdb_piece {
	guint8 *data;
	gsize at;
	gsize len;
};

typedef struct {
	gsize len;	    /* of all */
	const guint8 *data; /* all of it, or NULL for a file */
	int fd;
	struct procdb_piece pieces[2];
	guint last;	 /* the piece used last */
	gboolean failed; /* a read failed, or found less than there was */
	int error;	 /* its errno; 0 for less */
} ProcdbReader;

/* Bytes in memory, which stay the caller's. */
void procdb_reader_init_memory(ProcdbReader *reader, const guint8 *data, gsize len);
/* The first len bytes of a file, which stays the caller's. */
void procdb_reader_init_file(ProcdbReader *reader, int fd, gsize len);
void procdb_reader_clear(ProcdbReader *reader);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProcdbReader, procdb_reader_clear)

/*
 * len bytes, at most PROCDB_READER_PIECE, at an offset; valid until the call after
 * the next. NULL if they are not all there, or (reader->failed) cannot be read.
 */
const guint8 *procdb_reader_get(ProcdbReader *reader, gsize at, gsize len);

/* The same of a part of a section, which has to be over at end, at or behind the offset. */
const guint8 *procdb_reader_get_within(ProcdbReader *reader, gsize at, gsize len, gsize end);

/* Calls back for all bytes from an offset up to another, in order, until it returns FALSE. */
typedef gboolean (*ProcdbReaderFunc)(const guint8 *data, gsize len, gpointer user_data);
gboolean procdb_reader_walk(ProcdbReader *reader, gsize from, gsize to, ProcdbReaderFunc function,
			    gpointer user_data);
