/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Ingest: observations, each a vote, and the outcomes of predictions. */

#include "eviction.h"
#include "engine-state.h"

#include <string.h>

/* The owner that an observation names; 0 as well if it names none. */
static guint16 owner_of(const struct procdb_observation *o)
{
	guint32 uid;

	if (!(o->seen.pad[PROCDB_PAD_TEACHERS] & PROCDB_TAUGHT_BY_USERS))
		return 0;
	memcpy(&uid, &o->seen.pad[PROCDB_PAD_UID], sizeof(uid));
	return procdb_owner_of_uid(uid);
}

/* Sets the owner of a profile, whose observations decide what it is from now on. */
static void take_owner(const ProcdbEngine *engine, struct procdb_profile *profile, guint8 teachers,
		       guint16 owner)
{
	if (profile->observations == 0 || procdb_profile_is_prior(profile))
		profile->owner = owner;
	/* Until users have made it one that predicts, the system's word counts more. */
	else if (((teachers & PROCDB_TAUGHT_BY_ROOT) ||
		  (teachers && owner < engine->settings.protect_below_uid)) &&
		 !procdb_profile_is_confident(profile, &engine->settings.rules))
		profile->owner = MIN(profile->owner, owner);
}

/* Whether a user would turn what root has taught: then the name is not what root's is. */
static gboolean is_usurping(const ProcdbEngine *engine, const struct procdb_profile *profile,
			    guint8 teachers, guint16 owner, const struct procdb_class *seen)
{
	const guint below = engine->settings.protect_below_uid;

	return !procdb_engine_is_reference(engine) && teachers == PROCDB_TAUGHT_BY_USERS &&
	       owner >= below && profile->observations > 0 &&
	       procdb_profile_is_protected(profile, below) &&
	       MIN(seen->tier, PROCDB_TIER_LAT_CRITICAL) != procdb_profile_dominant_tier(profile);
}

/* How far the runs of a task are from those of its name, ns: lives differ, too, not only runs. */
static guint64 distance(const struct procdb_profile *profile, const struct procdb_class *seen)
{
	if (profile->observations == 0)
		return 0;
	return profile->avg_runtime_ns > seen->avg_runtime
		   ? profile->avg_runtime_ns - seen->avg_runtime
		   : seen->avg_runtime - profile->avg_runtime_ns;
}

/*
 * Merges an observation. What only said that lives were short gives way to the first that
 * says more: one large file in a hundred small ones tells what a compiler is. What a farm said
 * gives way to the first that contradicts it.
 */
static void vote(ProcdbEngine *engine, struct procdb_entry *entry, const struct procdb_class *seen)
{
	uint32_t *neutral = &entry->profile.tier_votes[PROCDB_TIER_INTERACTIVE];
	const uint32_t before = *neutral;

	/* In observations of other schedulers the byte means nothing. */
	if (seen->pad[PROCDB_PAD_TEACHERS] && seen->pad[PROCDB_PAD_BRIEF] &&
	    !procdb_engine_is_reference(engine)) {
		procdb_profile_learn_brief(&entry->profile, seen, engine->tick);
		if (*neutral > before && entry->brief < G_MAXUINT32)
			entry->brief++;
		return;
	}
	*neutral -= MIN(*neutral, entry->brief);
	entry->brief = 0;
	if ((entry->profile.teachers & PROCDB_TAUGHT_BY_FARM) &&
	    MIN(seen->tier, PROCDB_TIER_LAT_CRITICAL) !=
		procdb_profile_dominant_tier(&entry->profile))
		procdb_profile_drop_prior(&entry->profile);
	procdb_profile_learn(&entry->profile, seen, engine->tick);
}

/* Execs of a name that has no profile yet. */
struct unseen {
	struct procdb_comm comm;
	guint64 found, missed;
};

/*
 * Execs of a name come a step or more before what was seen of it: a program that runs for seconds
 * is asked for at its start. Most names that never get a profile did too little to be seen.
 */
static void keep_unseen(ProcdbEngine *engine, const struct procdb_named_score *s)
{
	struct unseen *kept = g_hash_table_lookup(engine->unseen, &s->comm);

	if (s->score.found == 0 && s->score.missed == 0)
		return;
	if (!kept) {
		if (g_hash_table_size(engine->unseen) >= PROCDB_MAX_UNSEEN)
			g_hash_table_remove_all(engine->unseen);
		kept = g_new0(struct unseen, 1);
		kept->comm = s->comm;
		/* The key is in the value. */
		g_hash_table_insert(engine->unseen, &kept->comm, kept);
	}
	kept->found = procdb_add(kept->found, s->score.found);
	kept->missed = procdb_add(kept->missed, s->score.missed);
}

static void count_unseen(ProcdbEngine *engine, struct procdb_entry *entry)
{
	const struct unseen *kept = g_hash_table_lookup(engine->unseen, &entry->comm);

	if (!kept)
		return;
	entry->found = procdb_add(entry->found, kept->found);
	entry->missed = procdb_add(entry->missed, kept->missed);
	g_hash_table_remove(engine->unseen, &entry->comm);
}

static void learn(ProcdbEngine *engine, const struct procdb_observation *o, gint64 now,
		  gint64 run_us)
{
	guint8 teachers =
	    o->seen.pad[PROCDB_PAD_TEACHERS] & (PROCDB_TAUGHT_BY_ROOT | PROCDB_TAUGHT_BY_USERS);
	struct procdb_class seen = o->seen;
	bool created;
	struct procdb_entry *entry = procdb_table_ensure(engine->table, &o->comm, &created);

	if (!entry) {
		g_warning_once("Out of memory: observations are lost");
		return;
	}
	if (created) {
		entry->published = !engine->map.known;
		entry->profile.first_seen_us = now;
		procdb_engine_count_new_name(engine, owner_of(o));
		count_unseen(engine, entry);
	} else if (!engine->dirty) {
		/* The profile is in the file now, and may not be after this observation. */
		engine->dirty = procdb_engine_is_saved(engine, entry);
	}
	if (!(teachers & PROCDB_TAUGHT_BY_ROOT) && seen.tier > engine->settings.max_user_tier)
		seen.tier = (guint8)engine->settings.max_user_tier;
	if (is_usurping(engine, &entry->profile, teachers, owner_of(o), &seen)) {
		entry->profile.last_seen_tick = engine->tick;
	} else {
		take_owner(engine, &entry->profile, teachers, owner_of(o));
		entry->profile.teachers |= teachers;
		if (!procdb_engine_is_reference(engine))
			seen.runtime_dev = MAX(seen.runtime_dev, distance(&entry->profile, &seen));
		vote(engine, entry, &seen);
	}
	if (!procdb_engine_is_reference(engine))
		procdb_profile_fade(&entry->profile, PROCDB_MAX_VOTES);
	if (!procdb_engine_clock_is_behind(engine, entry->profile.last_seen_us, now))
		entry->profile.last_seen_us = now;
	entry->profile.seen_run_us = run_us;
	if (entry->set == PROCDB_SET_LIVE)
		procdb_table_aged(engine->table, entry);
	else
		procdb_table_move(engine->table, entry, PROCDB_SET_LIVE);
	if (!engine->dirty)
		engine->dirty = procdb_engine_is_saved(engine, entry);
	engine->observations++;
	procdb_engine_queue_prediction(engine, entry);
	procdb_engine_mark_changed(engine, entry);
}

static void take_observations(ProcdbEngine *engine)
{
	g_autoptr(GError) error = NULL;
	const gint64 now = engine->clock_us(), run_us = procdb_engine_run_us(engine);

	g_array_set_size(engine->seen, 0);
	procdb_backend_drain(engine->backend, engine->seen, &error);
	procdb_engine_log_failure(&engine->drain_failed, error);
	for (guint i = 0; i < engine->seen->len; i++)
		learn(engine, &g_array_index(engine->seen, struct procdb_observation, i), now,
		      run_us);
}

static void score(ProcdbEngine *engine, const struct procdb_named_score *s)
{
	struct procdb_entry *entry = procdb_table_find(engine->table, &s->comm);

	engine->predictions.found = procdb_add(engine->predictions.found, s->score.found);
	engine->predictions.missed = procdb_add(engine->predictions.missed, s->score.missed);
	engine->predictions.right = procdb_add(engine->predictions.right, s->score.right);
	engine->predictions.wrong = procdb_add(engine->predictions.wrong, s->score.wrong);
	for (guint i = 0; i < PROCDB_TIERS; i++)
		for (guint j = 0; j < PROCDB_TIERS; j++)
			engine->predictions.outcomes[i][j] =
			    procdb_add(engine->predictions.outcomes[i][j], s->score.outcomes[i][j]);
	if (!entry) {
		keep_unseen(engine, s);
		return;
	}
	entry->found = procdb_add(entry->found, s->score.found);
	entry->missed = procdb_add(entry->missed, s->score.missed);
	engine->counted |= s->score.found > 0 || s->score.missed > 0;
	if (s->score.right == 0 && s->score.wrong == 0)
		return;
	procdb_profile_score(&entry->profile, s->score.right, s->score.wrong);
	engine->dirty = TRUE;
	procdb_engine_mark_changed(engine, entry);
	/* Tasks of users under its name do not take back what root has taught. */
	if (procdb_engine_is_reference(engine) ||
	    procdb_profile_is_protected(&entry->profile, engine->settings.protect_below_uid) ||
	    !procdb_profile_is_refuted(&entry->profile))
		return;
	procdb_profile_withdraw(&entry->profile);
	procdb_table_aged(engine->table, entry);
	/* It is not remembered any more, but tasks of this name have just run. */
	if (entry->set != PROCDB_SET_LIVE) {
		entry->profile.last_seen_tick = engine->tick;
		procdb_table_move(engine->table, entry, PROCDB_SET_LIVE);
	}
	procdb_engine_queue_prediction(engine, entry);
}

static void take_scores(ProcdbEngine *engine)
{
	g_autoptr(GError) error = NULL;

	g_array_set_size(engine->scores, 0);
	procdb_backend_scores(engine->backend, engine->scores, &error);
	procdb_engine_log_failure(&engine->scores_failed, error);
	for (guint i = 0; i < engine->scores->len; i++)
		score(engine, &g_array_index(engine->scores, struct procdb_named_score, i));
}

void procdb_engine_ingest(ProcdbEngine *engine)
{
	take_observations(engine);
	take_scores(engine);
}
