/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "selection.h"

#include <stdlib.h>
#include <string.h>

/* Sorting is for so many records at least. */
#define LEAST_ROOM 4096

void procdb_selection_init(ProcdbSelection *selection, GArray *records, const ProcdbLimit *limit)
{
	*selection = (ProcdbSelection){
	    .records = records,
	    .first = records->len,
	    .limit = limit ? *limit : (ProcdbLimit){G_MAXUINT, G_MAXUINT},
	};
}

static gboolean is_override(const struct procdb_record *record)
{
	return record->profile.override != PROCDB_NO_OVERRIDE;
}

static int compare_names(const struct procdb_record *a, const struct procdb_record *b)
{
	return memcmp(&a->comm, &b->comm, sizeof(a->comm));
}

/* By name; of one name the later first. */
static int by_name(const void *a, const void *b)
{
	const struct procdb_record *x = *(struct procdb_record *const *)a;
	const struct procdb_record *y = *(struct procdb_record *const *)b;
	int order = compare_names(x, y);

	return order != 0 ? order : (x < y) - (x > y);
}

/* The records that stay come first: the reverse of the order in which profiles leave a table. */
static int by_age(const void *a, const void *b)
{
	const struct procdb_record *x = *(struct procdb_record *const *)a;
	const struct procdb_record *y = *(struct procdb_record *const *)b;
	const struct procdb_profile *p = &x->profile;
	const struct procdb_profile *q = &y->profile;

	if (p->last_seen_us != q->last_seen_us)
		return p->last_seen_us < q->last_seen_us ? 1 : -1;
	if (p->observations != q->observations)
		return p->observations < q->observations ? 1 : -1;
	return compare_names(y, x);
}

static int by_place(const void *a, const void *b)
{
	const struct procdb_record *x = *(struct procdb_record *const *)a;
	const struct procdb_record *y = *(struct procdb_record *const *)b;

	return (x > y) - (x < y);
}

/* Leaves the last of each name among n sorted ones; returns how many. */
static guint drop_superseded(struct procdb_record **sorted, guint n)
{
	guint kept = 0;

	for (guint i = 0; i < n; i++)
		if (kept == 0 || compare_names(sorted[kept - 1], sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	return kept;
}

/* Leaves as many of n sorted ones as are wanted of each kind; returns how many. */
static guint drop_surplus(const ProcdbLimit *limit, struct procdb_record **sorted, guint n)
{
	guint profiles = 0;
	guint overrides = 0;
	guint kept = 0;

	for (guint i = 0; i < n; i++) {
		const gboolean room = is_override(sorted[i]) ? overrides < limit->overrides
							     : profiles < limit->profiles;

		if (!room)
			continue;
		overrides += is_override(sorted[i]);
		profiles += !is_override(sorted[i]);
		sorted[kept++] = sorted[i];
	}
	return kept;
}

static void prune(ProcdbSelection *selection)
{
	struct procdb_record *all =
	    &g_array_index(selection->records, struct procdb_record, selection->first);
	guint n = selection->records->len - selection->first;
	g_autofree struct procdb_record **sorted = g_new(struct procdb_record *, n + 1);
	guint kept;

	for (guint i = 0; i < n; i++)
		sorted[i] = &all[i];
	qsort(sorted, n, sizeof(*sorted), by_name);
	n = drop_superseded(sorted, n);
	qsort(sorted, n, sizeof(*sorted), by_age);
	kept = drop_surplus(&selection->limit, sorted, n);
	selection->left_out += n - kept;
	/* Each moves towards the front, or stays: none is overwritten before it was moved. */
	qsort(sorted, kept, sizeof(*sorted), by_place);
	for (guint i = 0; i < kept; i++)
		all[i] = *sorted[i];
	g_array_set_size(selection->records, selection->first + kept);
}

/* How many may be there until some have to go. */
static guint64 room(const ProcdbSelection *selection)
{
	const ProcdbLimit *limit = &selection->limit;

	return MAX(2 * ((guint64)limit->profiles + limit->overrides), LEAST_ROOM);
}

void procdb_selection_add(ProcdbSelection *selection, const struct procdb_record *record)
{
	if (selection->records->len - selection->first >= room(selection))
		prune(selection);
	g_array_append_vals(selection->records, record, 1);
}

void procdb_selection_end(ProcdbSelection *selection)
{
	const guint n = selection->records->len - selection->first;

	if (n > MIN(selection->limit.profiles, selection->limit.overrides))
		prune(selection);
}
