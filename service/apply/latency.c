/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "latency.h"

void procdb_latency_count(ProcdbLatency *latency, guint64 then, gint64 now)
{
	const guint64 ns = now > 0 && (guint64)now > then ? (guint64)now - then : 0;
	guint bucket = 0;

	while (bucket < PROCDB_LATENCY_BUCKETS - 1 && ns / 1000 >> bucket)
		bucket++;
	latency->buckets[bucket]++;
	latency->count++;
	latency->sum += ns;
	latency->max = MAX(latency->max, ns);
}

guint64 procdb_latency_quantile(const ProcdbLatency *latency, double q)
{
	guint64 seen = 0;

	for (guint i = 0; i < PROCDB_LATENCY_BUCKETS; i++) {
		seen += latency->buckets[i];
		if ((double)seen >= (double)latency->count * q)
			return MIN((1000ULL << i), latency->max);
	}
	return latency->max;
}
