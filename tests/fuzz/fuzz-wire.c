/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Any bytes as a message of the bus: none is read beyond its end, and what replaces it holds
 * together. */

#include <gio/gio.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_replacement(const uint8_t *data, ProcdbWireSize size)
{
	g_autoptr(GByteArray) out = g_byte_array_new();
	ProcdbWireSize now;

	procdb_wire_replace(data, size, PROCDB_WIRE_UNKNOWN, out);
	now = procdb_wire_size(out->data);
	g_assert_true(now.header + now.body == out->len);
	g_assert_true(procdb_wire_judge_header(out->data, now.header, now) <= PROCDB_WIRE_DROP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	ProcdbWireVerdict verdict;
	ProcdbWireSize size;

	if (len < PROCDB_WIRE_PREFIX)
		return 0;
	size = procdb_wire_size(data);
	if (len < procdb_wire_needed(data, size))
		return 0;
	verdict = procdb_wire_judge_header(data, len, size);
	if (verdict == PROCDB_WIRE_UNKNOWN || verdict == PROCDB_WIRE_REFUSE_LARGE)
		check_replacement(data, size);
	else if (verdict == PROCDB_WIRE_PASS && len >= size.header + size.body)
		(void)procdb_wire_judge_body(data, size);
	else if (verdict == PROCDB_WIRE_PASS_LARGE)
		g_assert_true(strlen(procdb_wire_sender(data)) + strlen(procdb_wire_member(data)) <
			      len);
	return 0;
}
