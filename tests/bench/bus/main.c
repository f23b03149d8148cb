/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* bench-bus serve | measure ROUNDS CALLS [JSON-FILE]; see run.sh. */

#include <stdlib.h>

#include "bench.h"

#define PROFILES 512

static guint number(const char *text)
{
	guint64 value;

	if (!text || !g_ascii_string_to_unsigned(text, 10, 1, 1000000, &value, NULL)) {
		g_printerr("bench-bus: expected a number, not '%s'\n", text ? text : "");
		exit(2);
	}
	return (guint)value;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GDBusConnection) connection = g_bus_get_sync(G_BUS_TYPE_SYSTEM, NULL, &error);

	if (!connection) {
		g_printerr("bench-bus: %s\n", error->message);
		return EXIT_FAILURE;
	}
	if (argc == 2 && g_str_equal(argv[1], "serve"))
		return bench_serve(connection, PROFILES);
	if (argc >= 4 && g_str_equal(argv[1], "measure"))
		return bench_measure(connection, number(argv[2]), number(argv[3]), argv[4]);
	g_printerr("usage: bench-bus serve | measure ROUNDS CALLS [JSON-FILE]\n");
	return 2;
}
