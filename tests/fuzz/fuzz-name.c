/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Any text as an escaped name, and any bytes as a name: both ways are each other's reverse. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct procdb_comm *comm)
{
	g_autofree char *text = procdb_name_escape(comm);
	g_autoptr(GError) error = NULL;
	struct procdb_comm again;

	g_assert_true(g_utf8_validate(text, -1, NULL));
	for (const char *c = text; *c; c = g_utf8_next_char(c))
		g_assert_true(g_unichar_isprint(g_utf8_get_char(c)));
	procdb_name_unescape(text, &again, &error);
	g_assert_no_error(error);
	g_assert_true(memcmp(comm, &again, sizeof(again)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	g_autofree char *text = g_strndup((const char *)data, size);
	g_autoptr(GError) error = NULL;
	struct procdb_comm comm = {0};

	memcpy(comm.bytes, data, MIN(size, sizeof(comm.bytes)));
	check_round_trip(&comm);
	if (procdb_name_unescape(text, &comm, &error)) {
		g_assert_null(error);
		check_round_trip(&comm);
	} else {
		g_assert_nonnull(error);
		g_assert_true(g_utf8_validate(error->message, -1, NULL));
	}
	return 0;
}
