/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "reader.h"

#include <errno.h>
#include <unistd.h>

void procdb_reader_init_memory(ProcdbReader *reader, const guint8 *data, gsize len)
{
	*reader = (ProcdbReader){.len = len, .data = data, .fd = -1};
}

void procdb_reader_init_file(ProcdbReader *reader, int fd, gsize len)
{
	*reader = (ProcdbReader){.len = len, .fd = fd};
}

void procdb_reader_clear(ProcdbReader *reader)
{
	for (guint i = 0; i < G_N_ELEMENTS(reader->pieces); i++)
		g_clear_pointer(&reader->pieces[i].data, g_free);
}

static gboolean holds(const struct procdb_piece *piece, gsize at, gsize len)
{
	return at >= piece->at && at - piece->at <= piece->len &&
	       len <= piece->len - (at - piece->at);
}

/* Reads a piece from an offset on. */
static gboolean fill(ProcdbReader *reader, struct procdb_piece *piece, gsize at)
{
	const gsize want = MIN(PROCDB_READER_PIECE, reader->len - at);

	if (!piece->data)
		piece->data = g_malloc(PROCDB_READER_PIECE);
	piece->at = at;
	piece->len = 0;
	while (piece->len < want) {
		ssize_t n = pread(reader->fd, piece->data + piece->len, want - piece->len,
				  (off_t)(at + piece->len));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			reader->failed = TRUE;
			reader->error = n < 0 ? errno : 0;
			return FALSE;
		}
		piece->len += (gsize)n;
	}
	return TRUE;
}

const guint8 *procdb_reader_get(ProcdbReader *reader, gsize at, gsize len)
{
	struct procdb_piece *piece;

	if (reader->failed || at > reader->len || len > reader->len - at)
		return NULL;
	if (reader->data)
		return reader->data + at;
	g_return_val_if_fail(len <= PROCDB_READER_PIECE, NULL);
	for (guint i = 0; i < G_N_ELEMENTS(reader->pieces); i++) {
		piece = &reader->pieces[i];
		if (!piece->data || !holds(piece, at, len))
			continue;
		reader->last = i;
		return piece->data + (at - piece->at);
	}
	/* In place of the one that was not used last. */
	reader->last = !reader->last;
	piece = &reader->pieces[reader->last];
	return fill(reader, piece, at) ? piece->data : NULL;
}

const guint8 *procdb_reader_get_within(ProcdbReader *reader, gsize at, gsize len, gsize end)
{
	return len <= end - at ? procdb_reader_get(reader, at, len) : NULL;
}

gboolean procdb_reader_walk(ProcdbReader *reader, gsize from, gsize to, ProcdbReaderFunc function,
			    gpointer user_data)
{
	while (from < to) {
		const gsize len = MIN(to - from, PROCDB_READER_PIECE);
		const guint8 *data = procdb_reader_get(reader, from, len);

		if (!data || !function(data, len, user_data))
			return FALSE;
		from += len;
	}
	return TRUE;
}
