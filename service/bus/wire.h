/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Messages of the bus as they come, before GDBus reads them: which of them it may
 * be given. The bus daemon has checked that they are well-formed, and said who
 * sent them. What is in them, and how much, is anybody's choice:
 *
 * - GDBus (GLib 2.74 to 2.84 at least) counts the length of an array from before
 *   the padding in front of its first element, up to 4 bytes too early. A last
 *   element of at most 4 bytes right behind the one before is taken for what
 *   follows the array, and what comes of that ends the connection.
 * - It needs 20 times the memory that a message has.
 */

#include <glib.h>

/* What comes before the lengths, and more than the header of an honest message. */
#define PROCDB_WIRE_PREFIX 16
#define PROCDB_WIRE_MAX_HEAD 65536

typedef enum {
	PROCDB_WIRE_PASS,
	PROCDB_WIRE_UNKNOWN, /* a call with arguments that no method of ours takes */
	PROCDB_WIRE_LARGE,   /* a call that is too large */
	PROCDB_WIRE_DROP,    /* nothing that anybody waits for an answer to */
} ProcdbWireVerdict;

typedef struct {
	gsize head;  /* bytes of the header, up to the body */
	gsize total; /* bytes of all of it */
} ProcdbWireSize;

/* The size of a message of which at least PROCDB_WIRE_PREFIX bytes are there. */
ProcdbWireSize procdb_wire_size(const guint8 *data);

/*
 * What to do with a message of this size of which the first len bytes are there:
 * all of the header, or of PROCDB_WIRE_MAX_HEAD. PASS is said of what is
 * whole only; it may not be repeated when more has come.
 */
ProcdbWireVerdict procdb_wire_judge(const guint8 *data, gsize len, ProcdbWireSize size);

/*
 * Appends a call like this one, but with this byte as its only argument, which
 * no method takes.
 */
void procdb_wire_replace(const guint8 *data, ProcdbWireSize size, guint8 argument,
			 GByteArray *out);
