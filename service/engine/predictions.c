/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "engine-state.h"

#include <stdlib.h>
#include <string.h>

/*
 * Predictions written in one flush although they differ little from what the
 * map says: when hundreds of programs are observed every second, each of their
 * averages moves a little, and no scheduler can tell.
 */
#define REFINEMENTS 32

void procdb_engine_queue_prediction(ProcdbEngine *engine, struct procdb_entry *entry)
{
	if (entry->pending)
		return;
	entry->pending = true;
	g_array_append_val(engine->map.pending, entry->comm);
}

void procdb_engine_set_published(ProcdbEngine *engine, struct procdb_entry *entry, bool published)
{
	if (entry->published == published)
		return;
	entry->published = published;
	if (engine->map.known)
		engine->map.published += published ? 1 : -1;
}

static void queue_retract(ProcdbEngine *engine, struct procdb_entry *entry)
{
	procdb_engine_set_published(engine, entry, false);
	g_array_append_val(engine->map.retracting, entry->comm);
}

gboolean procdb_engine_is_shared(ProcdbEngine *engine)
{
	ProcdbBackendStatus status;

	procdb_backend_status(engine->backend, &status);
	return status.shared;
}

gboolean procdb_engine_is_contradicted(const ProcdbEngine *engine, const struct procdb_entry *entry)
{
	/* Taken back because it was wrong, and not learned anew yet. */
	return entry && entry->profile.withdrawals > 0 &&
	       !procdb_engine_wants_prediction(engine, entry);
}

/* Leaves out what has a prediction again since its removal failed. */
static void keep_retracted(ProcdbEngine *engine)
{
	guint kept = 0;

	for (guint i = 0; i < engine->map.retracting->len; i++) {
		struct procdb_comm comm =
		    g_array_index(engine->map.retracting, struct procdb_comm, i);
		const struct procdb_entry *entry = procdb_table_find(engine->table, &comm);

		if (!entry || !entry->published)
			g_array_index(engine->map.retracting, struct procdb_comm, kept++) = comm;
	}
	g_array_set_size(engine->map.retracting, kept);
}

void procdb_engine_retract_queued(ProcdbEngine *engine)
{
	g_autoptr(GError) error = NULL;

	if (engine->map.retract_failed)
		keep_retracted(engine);
	if (engine->map.retracting->len == 0)
		return;
	if (!procdb_backend_retract(engine->backend,
				    (const struct procdb_comm *)engine->map.retracting->data,
				    engine->map.retracting->len, &error)) {
		/* It is unknown which predictions are still in the map: compare with it again. */
		engine->map.known = FALSE;
	}
	procdb_engine_log_failure(&engine->map.retract_failed, error);
	/* In a map that is shared, nothing else would tell that they are ours. */
	if (!error || !procdb_engine_is_shared(engine) ||
	    engine->map.retracting->len > PROCDB_WALK_MAX)
		g_array_set_size(engine->map.retracting, 0);
}

#define NO_LIMIT G_MAXUINT

/* How many predictions of ours the init map holds; what is there of others takes room. */
static guint capacity(ProcdbEngine *engine)
{
	ProcdbBackendStatus status;

	procdb_backend_status(engine->backend, &status);
	if (status.init_capacity == 0)
		return NO_LIMIT;
	return status.init_capacity -
	       (status.shared ? MIN(engine->map.others.entries, status.init_capacity) : 0);
}

/* The learned prediction in the map that was not seen for longest; only asked when it is full. */
static struct procdb_entry *oldest_learned(ProcdbEngine *engine)
{
	struct procdb_entry *oldest = NULL;

	for (size_t i = 0; i < procdb_table_count(engine->table, PROCDB_SET_LIVE); i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		if (entry->published && !procdb_entry_is_decided(entry) &&
		    (!oldest || entry->profile.last_seen_tick < oldest->profile.last_seen_tick))
			oldest = entry;
	}
	return oldest;
}

/*
 * Whether the map has room for one more prediction besides the additional ones
 * already chosen. A remembered one gives way to a newer one, least recently
 * seen first, and any that was learned to an override.
 */
static gboolean make_room(ProcdbEngine *engine, const struct procdb_entry *entry, guint additional,
			  guint room)
{
	struct procdb_entry *oldest;

	if (!engine->map.known || engine->map.published + additional < room)
		return TRUE;
	if (entry->set == PROCDB_SET_RETAINED)
		return FALSE;
	oldest = procdb_table_oldest(engine->table, PROCDB_SET_PREDICTED);
	if (oldest)
		procdb_table_move(engine->table, oldest, PROCDB_SET_RETAINED);
	else if (procdb_entry_is_decided(entry))
		oldest = oldest_learned(engine);
	if (!oldest)
		return FALSE;
	queue_retract(engine, oldest);
	/* Pending, so that what this flush may have chosen of it is not written. */
	procdb_engine_queue_prediction(engine, oldest);
	return TRUE;
}

/* Leaves out what gave way after it was chosen. */
static void keep_chosen(ProcdbEngine *engine)
{
	guint kept = 0;

	for (guint i = 0; i < engine->map.publishing->len; i++) {
		struct procdb_comm comm =
		    g_array_index(engine->map.publishing, struct procdb_comm, i);
		struct procdb_class class =
		    g_array_index(engine->map.classes, struct procdb_class, i);

		if (procdb_table_find(engine->table, &comm)->pending)
			continue;
		g_array_index(engine->map.publishing, struct procdb_comm, kept) = comm;
		g_array_index(engine->map.classes, struct procdb_class, kept) = class;
		kept++;
	}
	g_array_set_size(engine->map.publishing, kept);
	g_array_set_size(engine->map.classes, kept);
}

static void mark_published(ProcdbEngine *engine, guint i)
{
	struct procdb_entry *entry = procdb_table_find(
	    engine->table, &g_array_index(engine->map.publishing, struct procdb_comm, i));

	procdb_engine_set_published(engine, entry, true);
	entry->written = g_array_index(engine->map.classes, struct procdb_class, i);
	if (entry->set == PROCDB_SET_RETAINED)
		procdb_table_move(engine->table, entry, PROCDB_SET_PREDICTED);
}

static void wait_for_room(ProcdbEngine *engine, guint i)
{
	procdb_engine_queue_prediction(
	    engine, procdb_table_find(engine->table, &g_array_index(engine->map.publishing,
								    struct procdb_comm, i)));
}

/*
 * Writes what was chosen. In a full map what is there already can still be
 * written: one that finds no room must not keep the others waiting.
 */
static void publish(ProcdbEngine *engine)
{
	const guint n = engine->map.publishing->len;
	g_autoptr(GError) first = NULL;
	guint next = 0;

	while (next < n) {
		g_autoptr(GError) error = NULL;
		guint done = 0;

		procdb_backend_publish(
		    engine->backend,
		    &g_array_index(engine->map.publishing, struct procdb_comm, next),
		    &g_array_index(engine->map.classes, struct procdb_class, next), n - next, &done,
		    &error);
		for (; done > 0 && next < n; done--)
			mark_published(engine, next++);
		/* Without an error that is all: there may be no map to write to. */
		if (!error || next == n)
			break;
		wait_for_room(engine, next++);
		if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NO_SPACE))
			while (next < n)
				wait_for_room(engine, next++);
		if (!first)
			first = g_steal_pointer(&error);
	}
	procdb_engine_log_failure(&engine->map.publish_failed, first);
}

/* Whether a is an eighth of measure away from b. */
static gboolean is_far(guint64 a, guint64 b, guint64 measure)
{
	return (a > b ? a - b : b - a) > measure / 8;
}

typedef enum {
	WRITE_NOTHING,
	WRITE_SOON,
	WRITE_NOW,
} Urgency;

/* How urgent it is that the map says this of an entry. */
static Urgency urgency(const ProcdbEngine *engine, const struct procdb_entry *entry,
		       const struct procdb_class *class)
{
	const struct procdb_class *old = &entry->written;
	struct procdb_class same_dev = *class;

	if (!entry->published || !engine->map.known || procdb_engine_is_reference(engine))
		return WRITE_NOW;
	/*
	 * The deviation moves with each life, and matters only in relation to the length of runs.
	 */
	if (!is_far(class->runtime_dev, old->runtime_dev, MAX(old->runtime_dev, old->avg_runtime)))
		same_dev.runtime_dev = old->runtime_dev;
	if (memcmp(&same_dev, old, sizeof(*old)) == 0)
		return WRITE_NOTHING;
	return class->tier != old->tier ||
		       is_far(class->avg_runtime, old->avg_runtime, old->avg_runtime) ||
		       same_dev.runtime_dev != old->runtime_dev ||
		       is_far(class->wakeup_freq, old->wakeup_freq, old->wakeup_freq) ||
		       is_far(class->csw_rate, old->csw_rate, old->csw_rate)
		   ? WRITE_NOW
		   : WRITE_SOON;
}

/* What the map should say of an entry: a hold counts as an override above all others. */
static struct procdb_class prediction_of(const struct procdb_entry *entry)
{
	struct procdb_class class = procdb_profile_prediction(&entry->profile);

	if (entry->held) {
		class.tier = (uint8_t)(entry->held - 1);
		class.pad[PROCDB_PAD_DECIDED] = 1;
	}
	return class;
}

/* More than a step has: a file was loaded or imported, and the arrays would keep its size. */
#define MANY 4096

static void shrink(GArray **array)
{
	GArray *small = g_array_new(FALSE, FALSE, g_array_get_element_size(*array));

	if ((*array)->len > 0)
		g_array_append_vals(small, (*array)->data, (*array)->len);
	g_array_unref(*array);
	*array = small;
}

void procdb_engine_flush(ProcdbEngine *engine)
{
	guint n = engine->map.pending->len;
	guint chosen = 0, refinements = 0, additional = 0, room;

	if (n == 0)
		return;
	room = capacity(engine);
	procdb_engine_take_rules(engine);
	g_array_set_size(engine->map.publishing, n);
	g_array_set_size(engine->map.classes, n);
	for (guint i = 0; i < n; i++) {
		struct procdb_comm comm = g_array_index(engine->map.pending, struct procdb_comm, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &comm);
		struct procdb_class class;
		Urgency urgent;

		/* Gone meanwhile, or queued twice because it was gone in between. */
		if (!entry || !entry->pending)
			continue;
		entry->pending = false;
		procdb_engine_judge(engine, entry);
		if (!entry->confident && !procdb_entry_is_decided(entry)) {
			/* The reference leaves what it once wrote. */
			if (entry->published && !procdb_engine_is_reference(engine))
				queue_retract(engine, entry);
			continue;
		}
		class = prediction_of(entry);
		urgent = urgency(engine, entry, &class);
		if (urgent == WRITE_NOTHING)
			continue;
		if (urgent == WRITE_SOON && ++refinements > REFINEMENTS) {
			procdb_engine_queue_prediction(engine, entry);
			continue;
		}
		if (!entry->published) {
			if (!make_room(engine, entry, additional, room)) {
				/* Remembered ones do without; a live one waits for room. */
				if (entry->set != PROCDB_SET_RETAINED)
					procdb_engine_queue_prediction(engine, entry);
				continue;
			}
			additional++;
		}
		g_array_index(engine->map.publishing, struct procdb_comm, chosen) = comm;
		g_array_index(engine->map.classes, struct procdb_class, chosen) = class;
		chosen++;
	}
	g_array_set_size(engine->map.publishing, chosen);
	g_array_set_size(engine->map.classes, chosen);
	g_array_remove_range(engine->map.pending, 0, n);
	if (engine->map.retracting->len > 0)
		keep_chosen(engine);
	/* First out, then in: a full map has room afterwards. */
	procdb_engine_retract_queued(engine);
	if (engine->map.publishing->len > 0)
		publish(engine);
	if (n >= MANY) {
		shrink(&engine->map.pending);
		g_array_set_size(engine->map.publishing, 0);
		shrink(&engine->map.publishing);
		g_array_set_size(engine->map.classes, 0);
		shrink(&engine->map.classes);
	}
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

		if (entry->set == PROCDB_SET_CANDIDATE &&
		    !procdb_engine_wants_prediction(engine, entry))
			continue;
		if (entry->set != PROCDB_SET_LIVE && entry->set != PROCDB_SET_OVERRIDE)
			remembered[n++] = entry;
		else if (procdb_engine_wants_prediction(engine, entry))
			procdb_engine_queue_prediction(engine, entry);
	}
	if (n > 1)
		qsort(remembered, n, sizeof(struct procdb_entry *), compare_recency);
	for (size_t i = 0; i < n; i++) {
		procdb_table_move(engine->table, remembered[i],
				  remembered[i]->published ? PROCDB_SET_PREDICTED
							   : PROCDB_SET_RETAINED);
		if (procdb_engine_wants_prediction(engine, remembered[i]))
			procdb_engine_queue_prediction(engine, remembered[i]);
	}
}

void procdb_engine_refill(ProcdbEngine *engine)
{
	guint room;

	if (!engine->map.known || procdb_table_count(engine->table, PROCDB_SET_RETAINED) == 0)
		return;
	room = capacity(engine);
	if (room != NO_LIMIT && engine->map.published < room)
		queue_all(engine);
}

void procdb_engine_resync(ProcdbEngine *engine)
{
	g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	g_autoptr(GError) error = NULL;
	gboolean shared = procdb_engine_is_shared(engine);

	engine->map.known = procdb_backend_predictions(engine->backend, entries, &error);
	procdb_engine_log_failure(&engine->map.compare_failed, error);
	if (!engine->map.known)
		return;
	for (size_t i = 0; i < procdb_table_size(engine->table); i++)
		procdb_table_at(engine->table, i)->published = false;
	engine->map.published = 0;
	engine->map.others.entries = 0;
	for (guint i = 0; i < entries->len; i++) {
		const struct procdb_observation *o =
		    &g_array_index(entries, struct procdb_observation, i);
		struct procdb_entry *entry = procdb_table_find(engine->table, &o->comm);

		if (entry && procdb_engine_wants_prediction(engine, entry)) {
			procdb_engine_set_published(engine, entry, true);
			entry->written = o->seen;
		} else if (!shared || procdb_engine_is_contradicted(engine, entry)) {
			g_array_append_val(engine->map.retracting, o->comm);
		} else {
			engine->map.others.entries++;
		}
	}
	procdb_engine_retract_queued(engine);
	/* The rest of a map that is larger than ours in the next step. */
	if (entries->len >= PROCDB_WALK_MAX && !shared)
		engine->map.known = FALSE;
	queue_all(engine);
}
