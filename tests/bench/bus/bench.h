/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The two sides of the bus benchmark. */

#include <gio/gio.h>

/* The real object behind the real gate. */
#define BENCH_PATH "/org/pandemonium/ProcDb"
/* The same object without the gate. */
#define BENCH_PATH_OPEN "/org/pandemonium/ProcDb/open"
/* The same behind a gate that remembers no answer. */
#define BENCH_PATH_FORGETFUL "/org/pandemonium/ProcDb/forgetful"
/* Something that answers ListProfiles with bytes made in advance. */
#define BENCH_PATH_BARE "/org/pandemonium/ProcDb/bare"

/* The service with n profiles; ends when its standard input does. An exit status. */
int bench_serve(GDBusConnection *connection, guint n);

/* Measures and prints; JSON into the file at json, if not NULL. An exit status. */
int bench_measure(GDBusConnection *connection, guint rounds, guint calls, const char *json);
