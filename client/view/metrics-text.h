/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Metrics as text: in the format 0.0.4 of Prometheus, which node_exporter reads from files, or as
 * OpenMetrics 1.0. They differ in where the endings _total and _info belong, and in the last line.
 */

#include <glib.h>

typedef struct {
	GString *text;
	gboolean openmetrics;
	const char *name; /* of the present family */
	const char *ending;
} Metrics;

/* To be cleared by metrics_end(). */
void metrics_begin(Metrics *metrics, gboolean openmetrics);
/* The whole text, which the caller frees. */
char *metrics_end(Metrics *metrics);

/*
 * Begins a family: name without _total or _info, type one of "gauge", "counter", "histogram" and
 * "info". The strings are static, and help has no backslash, quotation mark or end of line.
 */
void metrics_family(Metrics *metrics, const char *name, const char *type, const char *help);

/* A value of the family; labels are names and values in turn, until NULL, or NULL. */
void metrics_add(Metrics *metrics, const char *const *labels, double value);
void metrics_add_count(Metrics *metrics, const char *const *labels, guint64 value);

/*
 * A histogram of waits: buckets as a(tt) of GetDelays, in ns; it is shown in seconds, with one
 * bucket for each octave. The sum is made of the middles of the buckets.
 */
void metrics_add_waits(Metrics *metrics, const char *const *labels, GVariant *buckets);
