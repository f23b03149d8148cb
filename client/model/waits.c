/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "waits.h"

guint64 waits_count_until(GVariant *buckets, guint64 end_ns)
{
	guint64 upper, count, sum = 0;
	GVariantIter iter;

	g_variant_iter_init(&iter, buckets);
	while (g_variant_iter_next(&iter, "(tt)", &upper, &count))
		if (upper <= end_ns)
			sum += count;
	return sum;
}

static guint64 count_all(GVariant *const *histograms, gsize n, guint64 end_ns)
{
	guint64 sum = 0;

	for (gsize i = 0; i < n; i++)
		sum += waits_count_until(histograms[i], end_ns);
	return sum;
}

guint64 waits_percentile(GVariant *const *histograms, gsize n, double share, guint64 least)
{
	const guint64 all = count_all(histograms, n, G_MAXUINT64);
	guint64 found = G_MAXUINT64, upper, count;

	if (all < MAX(least, 1))
		return 0;
	for (gsize i = 0; i < n; i++) {
		GVariantIter iter;

		g_variant_iter_init(&iter, histograms[i]);
		while (g_variant_iter_next(&iter, "(tt)", &upper, &count))
			if (upper < found &&
			    (double)count_all(histograms, n, upper) >= share * (double)all)
				found = upper;
	}
	return found;
}
