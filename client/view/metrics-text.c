/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "metrics-text.h"

#include "delays.h"
#include "waits.h"

/* Every fourth bucket of delays.h from 33 µs to 2.1 s: where an octave begins. */
#define FIRST_END 16
#define LAST_END 80
#define ENDS_STEP 4
/* Room for a bound as text; the label le is put behind the others. */
#define LABELS_MAX 8

void metrics_begin(Metrics *metrics, gboolean openmetrics)
{
	*metrics = (Metrics){.text = g_string_new(NULL), .openmetrics = openmetrics};
}

char *metrics_end(Metrics *metrics)
{
	if (metrics->openmetrics)
		g_string_append(metrics->text, "# EOF\n");
	return g_string_free(g_steal_pointer(&metrics->text), FALSE);
}

void metrics_family(Metrics *metrics, const char *name, const char *type, const char *help)
{
	const gboolean is_info = g_str_equal(type, "info");
	const char *inner;

	metrics->name = name;
	metrics->ending = is_info ? "_info" : g_str_equal(type, "counter") ? "_total" : "";
	inner = metrics->openmetrics ? "" : metrics->ending;
	g_string_append_printf(metrics->text, "# HELP %s%s %s\n# TYPE %s%s %s\n", name, inner, help,
			       name, inner, is_info && !metrics->openmetrics ? "gauge" : type);
}

static void append_label(GString *text, const char *name, const char *value)
{
	g_string_append_printf(text, "%s=\"", name);
	for (const char *c = value; *c; c++) {
		if (*c == '\n') {
			g_string_append(text, "\\n");
			continue;
		}
		if (*c == '\\' || *c == '"')
			g_string_append_c(text, '\\');
		g_string_append_c(text, *c);
	}
	g_string_append_c(text, '"');
}

static void append_name(Metrics *metrics, const char *ending, const char *const *labels)
{
	g_string_append_printf(metrics->text, "%s%s", metrics->name, ending);
	for (gsize i = 0; labels && labels[i]; i += 2) {
		g_string_append_c(metrics->text, i == 0 ? '{' : ',');
		append_label(metrics->text, labels[i], labels[i + 1]);
	}
	g_string_append(metrics->text, labels && labels[0] ? "} " : " ");
}

static void append_double(Metrics *metrics, double value)
{
	char buffer[G_ASCII_DTOSTR_BUF_SIZE];

	g_string_append_printf(metrics->text, "%s\n",
			       g_ascii_formatd(buffer, sizeof(buffer), "%.10g", value));
}

void metrics_add(Metrics *metrics, const char *const *labels, double value)
{
	append_name(metrics, metrics->ending, labels);
	append_double(metrics, value);
}

static void add_count(Metrics *metrics, const char *ending, const char *const *labels,
		      guint64 value)
{
	append_name(metrics, ending, labels);
	g_string_append_printf(metrics->text, "%" G_GUINT64_FORMAT "\n", value);
}

void metrics_add_count(Metrics *metrics, const char *const *labels, guint64 value)
{
	add_count(metrics, metrics->ending, labels, value);
}

static void add_bucket(Metrics *metrics, const char *const *labels, const char *end, guint64 count)
{
	const char *all[LABELS_MAX + 1] = {NULL};
	gsize n = 0;

	for (; labels && labels[n] && n + 2 < LABELS_MAX; n++)
		all[n] = labels[n];
	all[n] = "le";
	all[n + 1] = end;
	add_count(metrics, "_bucket", all, count);
}

/* In seconds. What the middle of a bucket is wrong by is an eighth at most. */
static double sum_of(GVariant *buckets)
{
	guint64 upper, count;
	GVariantIter iter;
	double sum = 0;

	g_variant_iter_init(&iter, buckets);
	while (g_variant_iter_next(&iter, "(tt)", &upper, &count)) {
		const guint32 bucket = procdb_delay_bucket(MAX(upper, 1) - 1);

		sum += (double)count * ((double)procdb_delay_from(bucket) + (double)upper) / 2e9;
	}
	return sum;
}

void metrics_add_waits(Metrics *metrics, const char *const *labels, GVariant *buckets)
{
	const guint64 all = waits_count_until(buckets, G_MAXUINT64);

	for (guint32 i = FIRST_END; i <= LAST_END; i += ENDS_STEP) {
		char end[G_ASCII_DTOSTR_BUF_SIZE];

		g_ascii_formatd(end, sizeof(end), "%.9f", (double)procdb_delay_from(i) / 1e9);
		add_bucket(metrics, labels, end, waits_count_until(buckets, procdb_delay_from(i)));
	}
	add_bucket(metrics, labels, "+Inf", all);
	append_name(metrics, "_sum", labels);
	append_double(metrics, sum_of(buckets));
	add_count(metrics, "_count", labels, all);
}
