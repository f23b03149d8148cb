/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Time that a test can move forward. Linking this in replaces
 * g_get_monotonic_time() for the code under test and for GIO; GLib's own main
 * loop keeps the real one.
 */

#include <glib.h>

/* A wall clock for procdb_engine_set_clock(): starts in 2026 and moves only on request. */
gint64 test_clock_us(void);

/* Moves the wall clock and the monotonic one. */
void test_clock_advance(gint64 us);
