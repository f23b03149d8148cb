/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* How long something took, in powers of two of a µs. */

#include <glib.h>

#define PROCDB_LATENCY_BUCKETS 22 /* 1 µs to 2 s */

typedef struct {
	guint64 buckets[PROCDB_LATENCY_BUCKETS];
	guint64 count;
	guint64 sum; /* ns */
	guint64 max; /* ns */
} ProcdbLatency;

/* Counts what took from then, in ns, to now; a clock that went back is no time. */
void procdb_latency_count(ProcdbLatency *latency, guint64 then, gint64 now);
/* The upper bound of the bucket that the quantile q (0 to 1) is in, in ns; 0 where there is none.
 */
guint64 procdb_latency_quantile(const ProcdbLatency *latency, double q);
