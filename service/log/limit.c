/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "limit.h"

#include <string.h>

struct bucket {
	guint lines; /* that may still come */
	gint64 filled_us;
	guint left_out;
};

struct _ProcdbLogLimit {
	GMutex lock;
	GHashTable *buckets; /* kind -> struct bucket; there are as many as we have MESSAGE_IDs */
};

ProcdbLogLimit *procdb_log_limit_new(void)
{
	ProcdbLogLimit *limit = g_new0(ProcdbLogLimit, 1);

	g_mutex_init(&limit->lock);
	limit->buckets = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	return limit;
}

void procdb_log_limit_free(ProcdbLogLimit *limit)
{
	g_mutex_clear(&limit->lock);
	g_hash_table_unref(limit->buckets);
	g_free(limit);
}

static struct bucket *bucket_of(ProcdbLogLimit *limit, const char *kind, gint64 now_us)
{
	struct bucket *bucket = g_hash_table_lookup(limit->buckets, kind);
	gint64 refill;

	if (!bucket) {
		bucket = g_new0(struct bucket, 1);
		bucket->lines = PROCDB_LOG_BURST;
		bucket->filled_us = now_us;
		g_hash_table_insert(limit->buckets, g_strdup(kind), bucket);
	}
	refill = (now_us - bucket->filled_us) / PROCDB_LOG_REFILL_US;
	bucket->filled_us += refill * PROCDB_LOG_REFILL_US;
	bucket->lines = (guint)MIN(bucket->lines + refill, PROCDB_LOG_BURST);
	return bucket;
}

gboolean procdb_log_limit_take(ProcdbLogLimit *limit, const char *kind, gint64 now_us,
			       guint *left_out)
{
	g_autoptr(GMutexLocker) locker G_GNUC_UNUSED = g_mutex_locker_new(&limit->lock);
	struct bucket *bucket = bucket_of(limit, kind, now_us);

	if (bucket->lines == 0) {
		bucket->left_out++;
		return FALSE;
	}
	bucket->lines--;
	*left_out = bucket->left_out;
	bucket->left_out = 0;
	return TRUE;
}

static const char *kind_of(const GLogField *fields, gsize n_fields)
{
	for (gsize i = 0; i < n_fields; i++)
		if (strcmp(fields[i].key, "MESSAGE_ID") == 0 && fields[i].length < 0)
			return fields[i].value;
	return "";
}

/* GLib's writer. Left to itself, the journal calls us by our task name, "pandemonium-pro". */
static GLogWriterOutput write_named(GLogLevelFlags level, const GLogField *fields, gsize n_fields)
{
	g_autofree GLogField *named = g_new(GLogField, n_fields + 1);

	memcpy(named, fields, n_fields * sizeof(*fields));
	named[n_fields] = (GLogField){"SYSLOG_IDENTIFIER", "pandemonium-procdbd", -1};
	return g_log_writer_default(level, named, n_fields + 1, NULL);
}

GLogWriterOutput procdb_log_write(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				  gpointer limit)
{
	const char *kind = kind_of(fields, n_fields);
	guint left_out = 0;

	if ((level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE | G_LOG_LEVEL_INFO)) &&
	    !procdb_log_limit_take(limit, kind, g_get_monotonic_time(), &left_out))
		return G_LOG_WRITER_HANDLED;
	if (left_out > 0) {
		g_autofree char *text =
		    g_strdup_printf("%u messages like the next one were left out", left_out);
		/* 5 is LOG_NOTICE, as of g_message(). */
		const GLogField note[] = {{"PRIORITY", "5", -1},
					  {"GLIB_DOMAIN", G_LOG_DOMAIN ? G_LOG_DOMAIN : "", -1},
					  {"MESSAGE_ID", kind, -1},
					  {"MESSAGE", text, -1}};

		write_named(G_LOG_LEVEL_MESSAGE, note, G_N_ELEMENTS(note));
	}
	return write_named(level, fields, n_fields);
}
