/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Histograms of how long tasks waited for a CPU, as GetDelays has them: of type a(tt). */

#include <gio/gio.h>

/* The waits in buckets that end at so many ns, or before. */
guint64 waits_count_until(GVariant *buckets, guint64 end_ns);

/*
 * The end, in ns, of the bucket in which that share of the waits of n histograms lies, taken
 * together; 0 when there are fewer waits than least.
 */
guint64 waits_percentile(GVariant *const *histograms, gsize n, double share, guint64 least);
