/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Eviction from the live table, and what is remembered or forgotten of a profile then. */

#include "eviction.h"
#include "log.h"
#include "engine-state.h"

/* So many profiles forgotten at once are worth a line in the log. */
#define MANY_FORGOTTEN 50
/*
 * Share of a room that is freed at once, even for few profiles too many: choosing looks at all
 * profiles.
 */
#define ROOM_SHARE 64

/* Remembered profiles, in two rooms of their own: those that predict, and candidates. */
static const struct room {
	enum procdb_set sets[2];
	guint count;
} rooms[] = {
    {{PROCDB_SET_RETAINED, PROCDB_SET_PREDICTED}, 2},
    {{PROCDB_SET_CANDIDATE}, 1},
};

gboolean procdb_engine_is_saved(const ProcdbEngine *engine, const struct procdb_entry *entry)
{
	return (procdb_engine_is_lasting(engine, entry) &&
		!procdb_engine_is_only_declared(engine, entry)) ||
	       (engine->settings.max_candidates > 0 && !procdb_engine_is_reference(engine) &&
		entry->profile.observations > 0);
}

void procdb_engine_file_in_set(ProcdbEngine *engine, struct procdb_entry *entry)
{
	const struct procdb_profile *profile = &entry->profile;

	if (procdb_entry_is_decided(entry))
		procdb_table_move(engine->table, entry, PROCDB_SET_OVERRIDE);
	else if (procdb_engine_is_reference(engine) || !procdb_engine_is_saved(engine, entry))
		procdb_engine_remove(engine, entry);
	else if (!procdb_profile_is_confident(profile, &engine->settings.rules))
		procdb_table_move(engine->table, entry, PROCDB_SET_CANDIDATE);
	else
		procdb_table_move(engine->table, entry,
				  entry->published ? PROCDB_SET_PREDICTED : PROCDB_SET_RETAINED);
}

/* Whether a live profile has not been seen for too long, or there are too many. */
static gboolean has_stale(const ProcdbEngine *engine)
{
	const struct procdb_rules *rules = &engine->settings.rules;

	return procdb_table_count(engine->table, PROCDB_SET_LIVE) > rules->max_profiles ||
	       (engine->tick > rules->stale_ticks &&
		procdb_table_has_unseen(engine->table, engine->tick - rules->stale_ticks));
}

static void log_forgotten(const ProcdbEngine *engine, guint old, guint surplus)
{
	const guint all = old + surplus;

	if (all < MANY_FORGOTTEN && !(engine->loaded && all > 0))
		return;
	procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_FORGOTTEN,
		   "Forgot %u profile%s (%u not seen for %u days, %u beyond MaxRetained)", all,
		   all == 1 ? "" : "s", old, engine->settings.retention_days, surplus);
}

/*
 * Age counts the time that the machine ran: the machine may be off for long, its clock may be
 * wrong, and a profile that was forgotten cannot be restored.
 */
static gboolean is_old(const ProcdbEngine *engine, const struct procdb_entry *entry)
{
	return procdb_engine_run_us(engine) - entry->profile.seen_run_us >
	       engine->settings.retention_days * PROCDB_US_PER_DAY;
}

/* Forgets what was not seen for too long; returns of how many. */
static guint forget_old(ProcdbEngine *engine, const struct room *room)
{
	struct procdb_entry *oldest;
	guint count = 0;

	for (guint i = 0; i < room->count; i++) {
		while ((oldest = procdb_table_oldest(engine->table, room->sets[i])) &&
		       (procdb_engine_is_reference(engine) || is_old(engine, oldest))) {
			procdb_engine_remove(engine, oldest);
			count++;
		}
	}
	return count;
}

static gboolean is_in(const struct room *room, const struct procdb_entry *entry)
{
	for (guint i = 0; i < room->count; i++)
		if (entry->set == room->sets[i])
			return TRUE;
	return FALSE;
}

/* Forgets those that there is no room for; returns of how many. */
static guint forget_surplus(ProcdbEngine *engine, const struct room *room, guint limit)
{
	const size_t size = procdb_table_size(engine->table);
	g_autofree struct procdb_standing *all = NULL;
	const guint spare = limit / ROOM_SHARE;
	size_t n = 0, leaving;

	for (guint i = 0; i < room->count; i++)
		n += procdb_table_count(engine->table, room->sets[i]);
	if (n <= limit)
		return 0;
	all = g_new(struct procdb_standing, n);
	n = 0;
	for (size_t i = 0; i < size; i++) {
		struct procdb_entry *entry = procdb_table_at(engine->table, i);

		if (is_in(room, entry))
			all[n++] = (struct procdb_standing){
			    .entry = entry,
			    .owner = entry->profile.owner,
			    .evidence = procdb_profile_evidence(&entry->profile),
			};
	}
	leaving = procdb_eviction_choose(all, n, n - limit > spare ? limit : limit - spare);
	for (size_t i = 0; i < n; i++)
		if (all[i].leaves)
			procdb_engine_remove(engine, all[i].entry);
	return (guint)leaving;
}

/* A profile leaves the live table. */
static void leave_live(ProcdbEngine *engine, struct procdb_entry *entry)
{
	const gint64 now = engine->clock_us();

	/* It was seen minutes ago: the clock has been set since, or the machine slept for long. */
	if (entry->profile.last_seen_us < now - engine->settings.retention_days * PROCDB_US_PER_DAY)
		entry->profile.last_seen_us = now;
	procdb_engine_mark_changed(engine, entry);
	procdb_engine_file_in_set(engine, entry);
}

void procdb_engine_forget(ProcdbEngine *engine)
{
	guint old = 0, surplus = 0;

	while (has_stale(engine))
		leave_live(engine, procdb_table_oldest(engine->table, PROCDB_SET_LIVE));
	for (guint i = 0; i < G_N_ELEMENTS(rooms); i++)
		old += forget_old(engine, &rooms[i]);
	if (!procdb_engine_is_reference(engine)) {
		surplus = forget_surplus(engine, &rooms[0], engine->settings.max_retained);
		log_forgotten(engine, old, surplus);
		/* Most candidates are never seen again: not worth a line in the log. */
		(void)forget_surplus(engine, &rooms[1], engine->settings.max_candidates);
	}
	engine->loaded = FALSE;
}
