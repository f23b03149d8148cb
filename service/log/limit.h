/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * A bound on what is logged, kind by kind, for whatever flaps: what comes and
 * goes every second would otherwise be a line every second.
 */

#include <glib.h>

/* Lines of a kind that may come at once, and how long it takes until one more may. */
#define PROCDB_LOG_BURST 20
#define PROCDB_LOG_REFILL_US (60 * (gint64)G_USEC_PER_SEC)

typedef struct _ProcdbLogLimit ProcdbLogLimit;

ProcdbLogLimit *procdb_log_limit_new(void);
void procdb_log_limit_free(ProcdbLogLimit *limit);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbLogLimit, procdb_log_limit_free)

/*
 * Whether a line of this kind (its MESSAGE_ID, or "") may be logged at now_us,
 * a monotonic time in µs. If so, *left_out is how many of the kind were not
 * since the one before.
 */
gboolean procdb_log_limit_take(ProcdbLogLimit *limit, const char *kind, gint64 now_us,
			       guint *left_out);

/*
 * A GLogWriterFunc, with a ProcdbLogLimit as user_data: GLib's own within the
 * limit. Criticals and errors are not limited. For any thread.
 */
GLogWriterOutput procdb_log_write(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				  gpointer limit);
