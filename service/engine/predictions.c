/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "private.h"

#include <stdlib.h>

void procdb_engine_queue(ProcdbEngine *engine, struct procdb_entry *entry)
{
	if (entry->pending)
		return;
	entry->pending = true;
	g_array_append_val(engine->pending, entry->comm);
}

static void set_published(ProcdbEngine *engine, struct procdb_entry *entry, bool published)
{
	if (entry->published == published)
		return;
	entry->published = published;
	if (engine->map_known)
		engine->published += published ? 1 : -1;
}

static void queue_retract(ProcdbEngine *engine, struct procdb_entry *entry)
{
	set_published(engine, entry, false);
	g_array_append_val(engine->retracting, entry->comm);
}

void procdb_engine_retract_queued(ProcdbEngine *engine)
{
	g_autoptr(GError) error = NULL;

	if (engine->retracting->len == 0)
		return;
	if (!engine->maps->ops->retract(engine->maps,
					(const struct procdb_comm *)engine->retracting->data,
					engine->retracting->len, &error)) {
		g_warning("%s", error->message);
		/* Which of them are still there is unknown: compare with the map again. */
		engine->map_known = FALSE;
	}
	g_array_set_size(engine->retracting, 0);
}

static guint capacity(ProcdbEngine *engine)
{
	ProcdbMapsStatus status;

	engine->maps->ops->status(engine->maps, &status);
	return status.init_capacity;
}

/*
 * Whether the map has room for one more prediction besides the additional ones
 * already chosen. A remembered one gives way to a newer one, least recently
 * seen first.
 */
static gboolean make_room(ProcdbEngine *engine, const struct procdb_entry *entry, guint additional,
			  guint room)
{
	struct procdb_entry *oldest;

	if (!engine->map_known || room == 0 || engine->published + additional < room)
		return TRUE;
	oldest = procdb_table_oldest(engine->table, PROCDB_SET_PREDICTED);
	if (!oldest || entry->set == PROCDB_SET_RETAINED)
		return FALSE;
	queue_retract(engine, oldest);
	procdb_table_move(engine->table, oldest, PROCDB_SET_RETAINED);
	return TRUE;
}

static void publish(ProcdbEngine *engine)
{
	const struct procdb_comm *comms = (const struct procdb_comm *)engine->publishing->data;
	g_autoptr(GError) error = NULL;
	guint done = 0;
	gboolean ok;

	ok = engine->maps->ops->publish(engine->maps, comms,
					(const struct procdb_class *)engine->classes->data,
					engine->publishing->len, &done, &error);
	if (!ok && !engine->publish_failed)
		g_warning("%s; trying again every second", error->message);
	engine->publish_failed = !ok;
	for (guint i = 0; i < engine->publishing->len; i++) {
		struct procdb_entry *entry = procdb_table_find(engine->table, &comms[i]);

		if (i < done) {
			set_published(engine, entry, true);
			if (entry->set == PROCDB_SET_RETAINED)
				procdb_table_move(engine->table, entry, PROCDB_SET_PREDICTED);
		} else if (!ok) {
			procdb_engine_queue(engine, entry);
		}
	}
}

void procdb_engine_flush(ProcdbEngine *engine)
{
	guint n = engine->pending->len;
	guint additional = 0, room;

	if (n == 0)
		return;
	room = capacity(engine);
	g_array_set_size(engine->publishing, 0);
	g_array_set_size(engine->classes, 0);
	for (guint i = 0; i < n; i++) {
		struct procdb_comm comm = g_array_index(engine->pending, struct procdb_comm, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &comm);
		struct procdb_class class;

		/* Gone meanwhile, or queued twice because it was gone in between. */
		if (!entry || !entry->pending)
			continue;
		entry->pending = false;
		if (!procdb_engine_wants_prediction(engine, entry)) {
			/* The reference leaves what it once wrote. */
			if (entry->published && !procdb_engine_is_reference(engine))
				queue_retract(engine, entry);
			continue;
		}
		if (!entry->published) {
			if (!make_room(engine, entry, additional, room)) {
				/* Remembered ones do without; a live one waits for room. */
				if (entry->set != PROCDB_SET_RETAINED)
					procdb_engine_queue(engine, entry);
				continue;
			}
			additional++;
		}
		class = procdb_profile_prediction(&entry->profile);
		g_array_append_val(engine->publishing, comm);
		g_array_append_val(engine->classes, class);
	}
	g_array_remove_range(engine->pending, 0, n);
	/* First out, then in: a full map has room afterwards. */
	procdb_engine_retract_queued(engine);
	if (engine->publishing->len > 0)
		publish(engine);
}

static int compare_recency(const void *a, const void *b)
{
	const struct procdb_entry *x = *(struct procdb_entry *const *)a;
	const struct procdb_entry *y = *(struct procdb_entry *const *)b;
	gint64 s = x->profile.last_seen_us, t = y->profile.last_seen_us;

	return (s < t) - (s > t);
}

/*
 * Queues every entry that should have a prediction: live ones and overrides
 * first, then remembered ones, most recently seen first, so that those get
 * what room is left.
 */
static void queue_all(ProcdbEngine *engine)
{
	size_t size = procdb_table_size(engine->table);
	g_autofree struct procdb_entry **remembered = g_new(struct procdb_entry *, size + 1);
	size_t n = 0;

	for (size_t i = 0; i < size; i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		if (!procdb_engine_wants_prediction(engine, entry))
			continue;
		if (entry->set == PROCDB_SET_LIVE || entry->set == PROCDB_SET_KEPT)
			procdb_engine_queue(engine, entry);
		else
			remembered[n++] = entry;
	}
	if (n > 1)
		qsort(remembered, n, sizeof(struct procdb_entry *), compare_recency);
	for (size_t i = 0; i < n; i++) {
		procdb_table_move(engine->table, remembered[i],
				  remembered[i]->published ? PROCDB_SET_PREDICTED
							   : PROCDB_SET_RETAINED);
		procdb_engine_queue(engine, remembered[i]);
	}
}

void procdb_engine_resync(ProcdbEngine *engine)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	g_autoptr(GError) error = NULL;

	if (!engine->maps->ops->predictions(engine->maps, entries, &error)) {
		g_warning("%s; trying again every second", error->message);
		engine->map_known = FALSE;
		return;
	}
	for (size_t i = 0; i < procdb_table_size(engine->table); i++)
		procdb_table_at(engine->table, i)->published = false;
	engine->map_known = TRUE;
	engine->published = 0;
	for (guint i = 0; i < entries->len; i++) {
		const struct procdb_observation *o =
		    &g_array_index(entries, struct procdb_observation, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &o->comm);

		if (entry && procdb_engine_wants_prediction(engine, entry))
			set_published(engine, entry, true);
		else
			g_array_append_val(engine->retracting, o->comm);
	}
	procdb_engine_retract_queued(engine);
	queue_all(engine);
}
