/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "figures.h"

#include <math.h>

/* No task runs for longer; such a value must not widen a table. */
#define DURATION_SHOWN_NS G_GUINT64_CONSTANT(1000000000000000)

char *out_duration_ns(guint64 ns)
{
	static const struct {
		guint64 ns;
		const char *unit;
	} units[] = {{G_GUINT64_CONSTANT(1000000000), "s"}, {1000000, "ms"}, {1000, "µs"}};

	if (ns >= DURATION_SHOWN_NS)
		return g_strdup("> 11 days");
	for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
		double value = (double)ns / (double)units[i].ns;

		if (ns < units[i].ns)
			continue;
		return g_strdup_printf("%.*f %s",
				       value < 10    ? 2
				       : value < 100 ? 1
						     : 0,
				       value, units[i].unit);
	}
	return g_strdup_printf("%" G_GUINT64_FORMAT " ns", ns);
}

char *out_span(guint64 seconds)
{
	if (seconds < 60)
		return g_strdup_printf("%" G_GUINT64_FORMAT " s", seconds);
	if (seconds < 3600)
		return g_strdup_printf("%" G_GUINT64_FORMAT " min", seconds / 60);
	if (seconds < G_GUINT64_CONSTANT(48) * 3600)
		return g_strdup_printf("%" G_GUINT64_FORMAT " h", seconds / 3600);
	return g_strdup_printf("%" G_GUINT64_FORMAT " days", seconds / 86400);
}

char *out_ago(gint64 time_us, gint64 now_us)
{
	gint64 seconds = (now_us - time_us) / G_USEC_PER_SEC;
	g_autofree char *span = NULL;

	if (time_us <= 0)
		return g_strdup("unknown");
	if (seconds <= 0)
		return g_strdup(seconds < -2 ? "in the future" : "now");
	span = out_span((guint64)seconds);
	return g_strconcat(span, " ago", NULL);
}

char *out_rate(guint64 per_100ms, guint64 most)
{
	g_autofree char *number = NULL;

	if (per_100ms == 0)
		return g_strdup("< 5/s");
	number = out_number(MIN(per_100ms, most) * 10);
	return g_strconcat(number, "/s", per_100ms >= most ? "+" : "", NULL);
}

char *out_true_rate(double per_second)
{
	return g_strdup_printf("%.*f/s", per_second < 10 ? 1 : 0, per_second);
}

char *out_percent(guint64 part, guint64 all)
{
	const double share = all > 0 ? (double)part / (double)all : 0;

	return g_strdup_printf("%.1f %%", floor(1000.0 * share) / 10);
}

char *out_number(guint64 number)
{
	/* From the end on: 20 digits and their commas. */
	char text[32], *at = text + sizeof(text) - 1;
	guint digits = 0;

	*at = '\0';
	do {
		if (digits > 0 && digits % 3 == 0)
			*--at = ',';
		*--at = (char)('0' + number % 10);
		digits++;
		number /= 10;
	} while (number > 0);
	return g_strdup(at);
}

char *out_count(guint64 count, const char *singular)
{
	g_autofree char *number = out_number(count);

	return g_strdup_printf("%s %s%s", number, singular, count == 1 ? "" : "s");
}

char *out_trial(GVariant *properties)
{
	const char *state = "";
	guint32 percent = 0;

	g_variant_lookup(properties, "TrialState", "&s", &state);
	g_variant_lookup(properties, "TrialProgress", "u", &percent);
	if (!g_str_equal(state, "running"))
		return NULL;
	return g_strdup_printf("%u %% are over; slices are given and taken back in turn", percent);
}
