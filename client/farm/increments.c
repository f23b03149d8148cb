/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "increments.h"

#include <string.h>

/* A counter of the store holds as many pushes of this as a machine makes in a thousand years. */
#define MOST ((guint64)1 << 24)

static void clear_increment(gpointer data)
{
	g_free(((FarmIncrement *)data)->name);
}

GArray *farm_increments_new(void)
{
	GArray *increments = g_array_new(FALSE, TRUE, sizeof(FarmIncrement));

	g_array_set_clear_func(increments, clear_increment);
	return increments;
}

GHashTable *farm_marks_new(void)
{
	return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

FarmMark farm_mark_of(const Row *row)
{
	FarmMark mark = {
	    .observations = row->observations,
	    .right = row->right,
	    .wrong = row->wrong,
	};
	guint8 teachers = 0;
	guint32 *votes;

	memcpy(mark.votes, row->votes, sizeof(mark.votes));
	(void)procdb_teachers_parse(row->taught_by ? row->taught_by : "", &teachers);
	if (!(teachers & PROCDB_TAUGHT_BY_FARM))
		return mark;
	votes = &mark.votes[procdb_tier_of_votes(mark.votes)];
	*votes -= MIN(*votes, PROCDB_PRIOR_VOTES);
	mark.observations -= MIN(mark.observations, PROCDB_PRIOR_VOTES);
	return mark;
}

/* Adds room votes to *votes, divided as they are in now; the rest goes to the greatest. */
static void divide(guint32 votes[PROCDB_TIERS], const guint32 now[PROCDB_TIERS], guint64 room)
{
	guint64 all = 0, given = 0;

	for (guint i = 0; i < PROCDB_TIERS; i++)
		all += now[i];
	if (all == 0)
		return;
	for (guint i = 0; i < PROCDB_TIERS; i++) {
		const guint64 part = room * now[i] / all;

		votes[i] += (guint32)part;
		given += part;
	}
	votes[procdb_tier_of_votes(now)] += (guint32)(room - given);
}

/* Of so many observations since then; votes are no more than those. */
static void new_votes(guint32 votes[PROCDB_TIERS], const FarmMark *then, const FarmMark *now,
		      guint32 observations)
{
	gboolean halved = FALSE;
	guint64 more = 0;

	for (guint i = 0; i < PROCDB_TIERS; i++) {
		halved |= now->votes[i] < then->votes[i];
		votes[i] = now->votes[i] - MIN(now->votes[i], then->votes[i]);
		more += votes[i];
	}
	if (more > observations) {
		const guint32 differences[] = {votes[0], votes[1], votes[2]};

		memset(votes, 0, sizeof(guint32) * PROCDB_TIERS);
		divide(votes, differences, observations);
	} else if (halved) {
		divide(votes, now->votes, observations - more);
	}
}

static guint64 since(guint64 then, guint64 now)
{
	return MIN(now > then ? now - then : 0, MOST);
}

/* Whether there is anything new. */
static gboolean compare(const FarmMark *then, const FarmMark *now, FarmIncrement *increment)
{
	static const FarmMark nothing = {0};

	/* Forgotten or withdrawn in between, and learned anew. */
	if (now->observations < then->observations)
		then = &nothing;
	increment->runs = (guint32)since(then->observations, now->observations);
	new_votes(increment->votes, then, now, increment->runs);
	increment->right = since(then->right, now->right);
	increment->wrong = since(then->wrong, now->wrong);
	return increment->runs > 0 || increment->right > 0 || increment->wrong > 0;
}

static gint64 seconds(gint64 time_us)
{
	return MAX(time_us, 0) / G_USEC_PER_SEC;
}

GArray *farm_increments(GHashTable *marks, const Rows *rows, GHashTable **now)
{
	static const FarmMark none = {0};
	GArray *increments = farm_increments_new();

	*now = farm_marks_new();
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		const FarmMark *then = g_hash_table_lookup(marks, row->name);
		const FarmMark mark = farm_mark_of(row);
		FarmIncrement increment = {
		    .first_s = seconds(row->first_seen_us),
		    .last_s = seconds(row->last_seen_us),
		    .steps = {farm_step_of(row->avg_runtime_ns), farm_step_of(row->runtime_dev_ns),
			      farm_step_of(row->wakeup_freq), farm_step_of(row->csw_rate)},
		};

		g_hash_table_insert(*now, g_strdup(row->name), g_memdup2(&mark, sizeof(mark)));
		if (!compare(then ? then : &none, &mark, &increment))
			continue;
		g_array_append_val(increments, increment);
		g_array_index(increments, FarmIncrement, increments->len - 1).name =
		    g_strdup(row->name);
	}
	return increments;
}

guint64 farm_increments_runs(const GArray *increments)
{
	guint64 runs = 0;

	for (guint i = 0; i < increments->len; i++)
		runs += g_array_index(increments, FarmIncrement, i).runs;
	return runs;
}
