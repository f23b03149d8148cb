/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Records for tests of the store and the codec. */

#include <string.h>

#include "codec.h"

static inline GArray *records_new(void)
{
	return g_array_new(FALSE, TRUE, sizeof(struct procdb_record));
}

static inline struct procdb_record *records_at(GArray *records, guint i)
{
	return &g_array_index(records, struct procdb_record, i);
}

/* n different records whose every field follows from generation and index; each third is hidden. */
static inline GArray *records_make(guint n, guint generation)
{
	GArray *records = records_new();

	for (guint i = 0; i < n; i++) {
		struct procdb_record record = {.hidden = i % 3 == 2};
		struct procdb_profile *profile = &record.profile;
		guint value = generation * 1000 + i;
		/* As in the fixtures, which were written on such a machine. */
		const guint32 le = GUINT32_TO_LE(value);

		procdb_profile_init(profile);
		memcpy(record.comm.bytes, &le, sizeof(le));
		memcpy(record.comm.bytes + 8, "name", 4);
		profile->tier_votes[0] = value % 7;
		profile->tier_votes[1] = value % 11;
		profile->tier_votes[2] = value % 5;
		profile->avg_runtime_ns = value * 17ull;
		profile->runtime_dev_ns = value * 19ull;
		profile->wakeup_freq = value % 64;
		profile->csw_rate = value % 512;
		profile->observations = value % 7 + value % 11 + value % 5;
		profile->first_seen_us = 1763900000000000 + value;
		profile->last_seen_us = 1763900000000000 + 2 * value;
		profile->right = value * 3ull;
		profile->wrong = value * 5ull;
		profile->recent_right = (guint16)(value % 13);
		profile->recent_wrong = (guint16)(value % 17);
		profile->withdrawals = value % 3;
		profile->override = record.hidden ? (guint8)(i % PROCDB_TIERS) : PROCDB_NO_OVERRIDE;
		profile->teachers = (guint8)(i % 4);
		profile->owner = (guint16)(value * 7);
		profile->seen_run_us = 3153600000000000 + value;
		g_array_append_val(records, record);
	}
	return records;
}

static inline gboolean record_equal(const struct procdb_record *a, const struct procdb_record *b)
{
	const struct procdb_profile *x = &a->profile;
	const struct procdb_profile *y = &b->profile;

	return memcmp(&a->comm, &b->comm, sizeof(a->comm)) == 0 && a->hidden == b->hidden &&
	       memcmp(x->tier_votes, y->tier_votes, sizeof(x->tier_votes)) == 0 &&
	       x->avg_runtime_ns == y->avg_runtime_ns && x->runtime_dev_ns == y->runtime_dev_ns &&
	       x->wakeup_freq == y->wakeup_freq && x->csw_rate == y->csw_rate &&
	       x->observations == y->observations && x->last_seen_tick == y->last_seen_tick &&
	       x->first_seen_us == y->first_seen_us && x->last_seen_us == y->last_seen_us &&
	       x->right == y->right && x->wrong == y->wrong && x->override == y->override &&
	       x->teachers == y->teachers && x->recent_right == y->recent_right &&
	       x->recent_wrong == y->recent_wrong && x->withdrawals == y->withdrawals &&
	       x->owner == y->owner && x->seen_run_us == y->seen_run_us;
}

/* Whether two arrays hold the same: entries in their order, then the hidden in theirs. */
static inline gboolean records_equal(GArray *a, GArray *b)
{
	if (a->len != b->len)
		return FALSE;
	for (guint pass = 0; pass < 2; pass++) {
		guint i = 0;
		guint j = 0;

		for (;;) {
			while (i < a->len && records_at(a, i)->hidden != (pass == 1))
				i++;
			while (j < b->len && records_at(b, j)->hidden != (pass == 1))
				j++;
			if (i == a->len || j == b->len)
				break;
			if (!record_equal(records_at(a, i++), records_at(b, j++)))
				return FALSE;
		}
		if (i != a->len || j != b->len)
			return FALSE;
	}
	return TRUE;
}
