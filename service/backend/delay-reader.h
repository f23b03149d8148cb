/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Reads the histograms of delays.h of all CPUs. */

#include <gio/gio.h>

#include "delays.h"

/*
 * The sum over all CPUs, of the map fd; runs that go on count until now_ns of the observer's
 * clock. Counters stay at their greatest value. FALSE with error set when the kernel refuses.
 */
gboolean procdb_delays_read(int fd, guint64 now_ns, struct procdb_delays *sum, GError **error);
