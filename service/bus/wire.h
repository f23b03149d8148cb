/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Messages as they come from the bus, before GDBus reads them: which of them it
 * may be given. The bus daemon has checked that they are well-formed and says who
 * sent them; what is in them is anybody's choice, and GDBus
 *
 * - misreads some and closes the connection then. It counts the length of an
 *   array from before the padding in front of its first element, up to 4 bytes
 *   too early, so that a last element of at most 4 bytes may be taken for what
 *   follows the array. With "a(g)g", 21 bytes are enough.
 * - takes up to 20 times the memory that a message has.
 */

#include <glib.h>

/* What has to be there to know a message's size. */
#define PROCDB_WIRE_PREFIX 16
/* A body of more is a large one, and a header of more no honest one. */
#define PROCDB_WIRE_SMALL 4096
/* A call with a header of more is not even answered. */
#define PROCDB_WIRE_MAX_HEADER 65536

typedef struct {
	gsize header; /* bytes up to the body */
	gsize body;
} ProcdbWireSize;

typedef enum {
	PROCDB_WIRE_PASS,
	PROCDB_WIRE_PASS_LARGE, /* a call, if there are not too many of them */
	PROCDB_WIRE_UNKNOWN,	/* a call with arguments that nothing of ours takes */
	PROCDB_WIRE_REFUSE_LARGE,
	PROCDB_WIRE_REFUSE_MANY, /* its sender has too much waiting */
	PROCDB_WIRE_DROP,	 /* what nobody waits for an answer to */
} ProcdbWireVerdict;

/* From the first PROCDB_WIRE_PREFIX bytes. */
ProcdbWireSize procdb_wire_size(const guint8 *data);

/* How much of the header is looked at: that of a call which is answered as a whole. */
gsize procdb_wire_needed(const guint8 *data, ProcdbWireSize size);

/* By the header, of which len bytes, all or what is needed of it, are there. */
ProcdbWireVerdict procdb_wire_judge_header(const guint8 *data, gsize len, ProcdbWireSize size);
/* The same of a whole message whose header passed. */
ProcdbWireVerdict procdb_wire_judge_body(const guint8 *data, ProcdbWireSize size);

/* Whether a message whose header passed is an answer to us, or from the bus itself. */
gboolean procdb_wire_is_expected(const guint8 *data);
/* Whether it is a call that wants no answer; of the first PROCDB_WIRE_PREFIX bytes. */
gboolean procdb_wire_is_unasked(const guint8 *data);

/* Who sent a message whose header passed, in its own bytes; "" when that is not said. */
const char *procdb_wire_sender(const guint8 *data);

/* The method of a call whose header passed; the same way. */
const char *procdb_wire_member(const guint8 *data);
guint32 procdb_wire_serial(const guint8 *data);
/* Whether the caller allows that somebody is asked. */
gboolean procdb_wire_is_interactive(const guint8 *data);

/*
 * Appends a message to out that says of this call, of which the header is there,
 * what was wrong with it: the same header, and as the only argument the verdict
 * as a byte, which no method takes.
 */
void procdb_wire_replace(const guint8 *data, ProcdbWireSize size, ProcdbWireVerdict verdict,
			 GByteArray *out);
