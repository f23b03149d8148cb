/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rows.h"

#include <string.h>

/* Members of a PROCDB_RECORD. */
#define RECORD_MEMBERS 18

struct _Records {
	GVariantBuilder builder;
	/* Of the record before; most of its members are those of the next one. */
	Row before;
	GVariant *values[RECORD_MEMBERS];
};

Records *records_new(void)
{
	Records *records = g_new0(Records, 1);

	g_variant_builder_init(&records->builder, G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));
	return records;
}

void records_free(Records *records)
{
	for (guint i = 0; i < RECORD_MEMBERS; i++)
		g_clear_pointer(&records->values[i], g_variant_unref);
	g_variant_builder_clear(&records->builder);
	g_free(records);
}

static void remember(GVariant **last, GVariant *value)
{
	g_clear_pointer(last, g_variant_unref);
	*last = g_variant_ref_sink(value);
}

static void set_uint64(GVariant **last, guint64 before, guint64 value)
{
	if (!*last || before != value)
		remember(last, g_variant_new_uint64(value));
}

static void set_int64(GVariant **last, gint64 before, gint64 value)
{
	if (!*last || before != value)
		remember(last, g_variant_new_int64(value));
}

static void set_uint32(GVariant **last, guint32 before, guint32 value)
{
	if (!*last || before != value)
		remember(last, g_variant_new_uint32(value));
}

/* The text of the record before may be gone. */
static void set_string(GVariant **last, const char *value)
{
	if (!*last || strcmp(g_variant_get_string(*last, NULL), value) != 0)
		remember(last, g_variant_new_string(value));
}

static void set_votes(GVariant **last, const guint32 before[PROCDB_TIERS],
		      const guint32 votes[PROCDB_TIERS])
{
	if (!*last || memcmp(before, votes, sizeof(guint32) * PROCDB_TIERS) != 0)
		remember(last, g_variant_new("(uuu)", votes[0], votes[1], votes[2]));
}

/* What the service ignores, and says itself. */
static void set_confidence(GVariant *last[2], const Row *before, const Row *row)
{
	if (!last[0] || before->confidence != row->confidence)
		remember(&last[0], g_variant_new_double(row->confidence));
	if (!last[1] || before->confident != row->confident)
		remember(&last[1], g_variant_new_boolean(row->confident));
}

void records_add(Records *records, const Row *row)
{
	const Row *before = &records->before;
	GVariant **values = records->values;

	set_string(&values[0], row->name);
	set_string(&values[1], row->tier);
	set_confidence(&values[2], before, row);
	set_uint32(&values[4], before->observations, row->observations);
	set_votes(&values[5], before->votes, row->votes);
	set_uint64(&values[6], before->avg_runtime_ns, row->avg_runtime_ns);
	set_uint64(&values[7], before->runtime_dev_ns, row->runtime_dev_ns);
	set_uint64(&values[8], before->wakeup_freq, row->wakeup_freq);
	set_uint64(&values[9], before->csw_rate, row->csw_rate);
	set_int64(&values[10], before->last_seen_us, row->last_seen_us);
	set_string(&values[11], row->origin);
	set_int64(&values[12], before->first_seen_us, row->first_seen_us);
	set_uint64(&values[13], before->right, row->right);
	set_uint64(&values[14], before->wrong, row->wrong);
	set_uint32(&values[15], before->withdrawals, row->withdrawals);
	set_string(&values[16], row->taught_by);
	set_uint32(&values[17], before->owner, row->owner);
	records->before = *row;
	g_variant_builder_add_value(&records->builder, g_variant_new_tuple(values, RECORD_MEMBERS));
}

GVariant *records_end(Records *records)
{
	return g_variant_builder_end(&records->builder);
}
