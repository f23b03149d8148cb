/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The state of the engine, and what its files call of each other: each only those below it here. */

#include "engine.h"

/* The wall clock, and how far it can be believed. */
struct procdb_clock {
	gint64 (*run_us)(void);	 /* goes on while the machine runs, and only then */
	gint64 run_base_us;	 /* of the time that the machine ran, all its runs together: */
	gint64 run_begun_us;	 /* so much, when run_us was this */
	gint64 (*boot_us)(void); /* time since the boot, with suspends; cannot be set */
	gboolean known;		 /* booted_us is valid */
	gint64 booted_us;	 /* when the boot was, by the clock as it was last believed */
	gboolean ahead;		 /* it was set ahead by more than a day, and may be set back */
	guint64 ahead_at;	 /* since this tick */
	guint64 doubted_at;	 /* tick of the start, or when it was set back by far */
	gboolean caught_up;	 /* no profile has a last_seen in the future any more */
};

/* A request that waits for a save. */
struct procdb_saver {
	ProcdbEngineSaved func;
	gpointer user_data;
};

/* The init map, as far as it is known (predictions.c). Arrays are kept: a step allocates nothing.
 */
struct procdb_init_map {
	/*
	 * Whether we know exactly what the map holds. Until then every entry counts as
	 * published, so that what is evicted is surely retracted.
	 */
	gboolean known;
	guint published;    /* entries with the published flag, while known */
	GArray *pending;    /* struct procdb_comm: entries whose prediction has to be looked at */
	GArray *retracting; /* struct procdb_comm: predictions to remove at the end of a phase */
	GArray *publishing; /* struct procdb_comm: scratch */
	GArray *classes;    /* struct procdb_class, beside publishing */
	struct {
		guint entries;	      /* in the map, at the last comparison */
		guint64 writes_until; /* tick; until then another program counts as a writer */
	} others;
	/* As last logged. */
	gboolean publish_failed;
	gboolean retract_failed;
	gboolean compare_failed;
};

/* The saves (saving.c). */
struct procdb_saves {
	gboolean forgetting;	       /* older files may hold what was deleted */
	struct procdb_saving *running; /* in a thread; NULL when there is none */
	GArray *waiting;	       /* struct procdb_saver: for the next save */
	GQueue readers;		       /* struct procdb_saver: for a time without a save */
	guint next_reader;	       /* GSource id: of when the next of them is called */
	guint in_file; /* profiles that predict in a file of ours; PROCDB_NOT_COUNTED: not known */
	guint next;    /* GSource id: of when the next may begin */
	gboolean urgent;     /* it may begin at once */
	gint64 requested_us; /* monotonic: when the last requested one began */
	gint64 due;	     /* monotonic µs: not before */
	guint failures;	     /* in a row */
	gint64 last_us;	     /* wall clock; 0: none yet */
	char *last_error;    /* "" when the last one worked */
};

struct _ProcdbEngine {
	ProcdbEngineSettings settings;
	ProcdbStore *store;
	ProcdbBackend *backend;
	struct procdb_table *table;
	guint64 tick;
	guint timer;			 /* GSource id; 0 while not running */
	char *last_backend, *last_state; /* as last logged */

	/* The input of a step (learn.c). */
	GArray *seen;	       /* struct procdb_observation: scratch */
	GArray *scores;	       /* struct procdb_named_score: scratch */
	gboolean drain_failed; /* as last logged */
	gboolean scores_failed;
	guint64 observations;
	GHashTable *unseen; /* by name, execs under it: of names without a profile */
	struct {
		guint64 found, missed, right, wrong;
		guint64 outcomes[PROCDB_TIERS][PROCDB_TIERS];
	} predictions;

	struct procdb_init_map map;
	struct procdb_saves saves;
	struct procdb_clock clock;
	gint64 (*clock_us)(void);
	struct {
		GHashTable *names; /* owner -> new names since the minute began */
		char *text;	   /* as in ProcdbEngineStatus */
		gboolean changed;  /* names grew since the last look */
	} flood;
	struct {
		GHashTable *all; /* of ProcdbProgram, by name */
		/* Identities (identities.h) of profiles, without what all has: of the file. */
		GHashTable *kept;
		guint64 reading; /* of BPF's map: the last one */
		gint64 read_us;	 /* monotonic: when that was; 0: not yet */
		gint64 began_us; /* monotonic: the start */
	} programs;
	GHashTable *declared; /* of ProcdbDeclaration: what files say */
	GHashTable *held;     /* of ProcdbDeclaration: what callers hold */
	GPtrArray *rules;     /* of rules.h */
	guint overrides;
	struct {
		guint count;		   /* of entries with that flag */
		struct procdb_rules rules; /* by which they are judged */
	} confident;
	char *load_problem; /* of the file that was read last; "" for none */
	gboolean dirty;	    /* something learned is not in the file yet */
	gboolean counted;   /* nor are starts or CPU time: no reason to write, but at the end */
	gboolean loaded;    /* all profiles were replaced since the last tick */

	/* Of which entries the listener has to learn; struct procdb_comm. */
	GArray *changed;
	GArray *removed;
	const ProcdbEngineListener *listener;
	gpointer listener_data;
	guint64 serial;	  /* of the last call of the listener; 0: there was none */
	gboolean emitted; /* the listener was called out of turn since the last step */
};

#define PROCDB_NOT_COUNTED G_MAXUINT
/* Of names that are not profiles yet: forgotten all at once when there are more. */
#define PROCDB_MAX_UNSEEN 4096
#define PROCDB_US_PER_DAY (G_GINT64_CONSTANT(24) * 60 * 60 * G_USEC_PER_SEC)
/* How long a clock that was set, or has not been yet, may be wrong: an hour. */
#define PROCDB_PATIENCE_TICKS 3600

/*
 * Whether the clock, at now, is surely not set yet: machines without a clock
 * that runs on begin in the past, until they have asked for the time. What was
 * seen days later than now tells; for an hour, then it is what was seen that is wrong.
 */
static inline gboolean procdb_engine_clock_is_behind(const ProcdbEngine *engine, gint64 seen_us,
						     gint64 now)
{
	return seen_us - now > PROCDB_US_PER_DAY &&
	       engine->tick - engine->clock.doubted_at < PROCDB_PATIENCE_TICKS;
}

/* Whether the settings ask for the reference behaviour. */
static inline gboolean procdb_engine_is_reference(const ProcdbEngine *engine)
{
	return engine->settings.retention_days == 0;
}

/* Whether it predicts, also when no caller holds it. */
static inline gboolean procdb_engine_is_lasting(const ProcdbEngine *engine,
						const struct procdb_entry *entry)
{
	return entry->profile.override != PROCDB_NO_OVERRIDE ||
	       procdb_profile_is_confident(&entry->profile, &engine->settings.rules);
}

static inline gboolean procdb_engine_wants_prediction(const ProcdbEngine *engine,
						      const struct procdb_entry *entry)
{
	return entry->held || procdb_engine_is_lasting(engine, entry);
}

/* Whether it lasts for no other reason than that a file declares it. */
static inline gboolean procdb_engine_is_only_declared(const ProcdbEngine *engine,
						      const struct procdb_entry *entry)
{
	return entry->profile.declared &&
	       !procdb_profile_is_confident(&entry->profile, &engine->settings.rules);
}

/* clock.c */

/* How long the machine ran, all its runs together; from an arbitrary beginning. */
gint64 procdb_engine_run_us(const ProcdbEngine *engine);
/* It ran for at least so long, as far as a file says. */
void procdb_engine_begin_run(ProcdbEngine *engine, gint64 run_us);
/* Once a tick: notes whether the wall clock was set, and what follows for what was seen. */
void procdb_engine_check_clock(ProcdbEngine *engine);

/* predictions.c */

/* Has the next flush look at an entry. */
void procdb_engine_queue_prediction(ProcdbEngine *engine, struct procdb_entry *entry);
/* Notes that the init map has a prediction for this entry, or has none. */
void procdb_engine_set_published(ProcdbEngine *engine, struct procdb_entry *entry, bool published);
/* Removes the predictions in engine->map.retracting from the map. */
void procdb_engine_retract_queued(ProcdbEngine *engine);
/* Gives room that has appeared in the init map to remembered profiles; walks all there are. */
void procdb_engine_refill(ProcdbEngine *engine);
/* Whether other programs write to the init map, too. */
gboolean procdb_engine_is_shared(ProcdbEngine *engine);
/*
 * Whether a prediction for this name that another program wrote contradicts what we hold: then
 * it goes. entry: what is known of the name, or NULL.
 */
gboolean procdb_engine_is_contradicted(const ProcdbEngine *engine,
				       const struct procdb_entry *entry);
/*
 * Makes the init map hold what the table says, whatever it held, and nothing else; of a map
 * that is shared all stays that does not contradict.
 */
void procdb_engine_resync(ProcdbEngine *engine);

/* shared.c */

/* Once a tick: has what others overwrote or removed written again, in a map that is shared. */
void procdb_engine_compare(ProcdbEngine *engine);
/*
 * What to say of another program that writes predictions, and what to do; NULL if there is none.
 * *state is the same as a BackendState. Both static.
 */
const char *procdb_engine_other_writer(const ProcdbEngine *engine, const char **state);

/* engine-state.c */

/* Logs that a map operation failed, once until it works again; *failed is as last logged. */
void procdb_engine_log_failure(gboolean *failed, const GError *error);

/*
 * All entries, procdb_table_size() of them, in an array that the caller frees: for
 * code that removes or moves some, which renumbers those of the table.
 */
struct procdb_entry **procdb_engine_entries(const ProcdbEngine *engine);
/*
 * The next emission to the listener names this entry, and whether it is confident is judged anew.
 * To be called for each change of what was learned.
 */
void procdb_engine_mark_changed(ProcdbEngine *engine, struct procdb_entry *entry);
/* Has entry->confident say whether it is, by the rules that were taken; costs what has changed. */
void procdb_engine_judge(ProcdbEngine *engine, struct procdb_entry *entry);
/* Judges all by the rules of the settings, if those are others than before. */
void procdb_engine_take_rules(ProcdbEngine *engine);
/* Removes an entry from the table; its prediction goes with the next retract. */
void procdb_engine_remove(ProcdbEngine *engine, struct procdb_entry *entry);
/* Tells the listener which entries have changed, if any. */
void procdb_engine_emit_changes(ProcdbEngine *engine);
/* The same at once, after a request; the second and later ones between two steps wait for the step.
 */
void procdb_engine_emit_changes_now(ProcdbEngine *engine);

/* forget.c */

/* Puts an entry that is not live into the set where it belongs, or drops it. */
void procdb_engine_file_in_set(ProcdbEngine *engine, struct procdb_entry *entry);
/* Whether an entry is in the file: what predicts, and candidates. */
gboolean procdb_engine_is_saved(const ProcdbEngine *engine, const struct procdb_entry *entry);
/* Once a tick: lets what is stale leave, and forgets what is old or has no room. */
void procdb_engine_forget(ProcdbEngine *engine);

/* flood.c */

/* A name of this owner was not known before. */
void procdb_engine_count_new_name(ProcdbEngine *engine, guint16 owner);
/* Once a tick: looks for a user that creates too many. */
void procdb_engine_check_flood(ProcdbEngine *engine);

/* programs.c */

/* Once a tick: keeps what BPF counted of programs before its map forgets it. */
void procdb_engine_tick_programs(ProcdbEngine *engine);
/* The profile of a name goes, or is learned anew. */
void procdb_engine_forget_identity(ProcdbEngine *engine, const struct procdb_comm *comm);
/* All profiles were replaced: by those of a file with these identities, or NULL. Takes them over.
 */
void procdb_engine_replace_identities(ProcdbEngine *engine, GHashTable *identities);

/* rules.c */

/* All profiles were replaced: by those of a file with these rules, or NULL. Takes them over. */
void procdb_engine_replace_rules(ProcdbEngine *engine, GPtrArray *rules);

/* declared.c */

/* Puts what is declared, and what is held, in force again, after profiles went. */
void procdb_engine_put_declared(ProcdbEngine *engine);
/* Puts a hold in force in the table, in place of one before; FALSE without memory. */
gboolean procdb_engine_put_held(ProcdbEngine *engine, const struct procdb_comm *comm,
				enum procdb_tier tier);
/* Takes the hold of a name back, if there is one. */
void procdb_engine_take_held(ProcdbEngine *engine, const struct procdb_comm *comm);

/* database.c */

/* As procdb_engine_replace(), but profiles of other names stay; newest_us is when they were
 * seen that were seen just now. */
void procdb_engine_merge(ProcdbEngine *engine, const GArray *records, gint64 newest_us);

/* saving.c */

/* The file says all that is known: no failed save is left to be repeated. */
void procdb_engine_mark_saved(ProcdbEngine *engine);
/* The error of the last save for the status; "" when it worked. */
void procdb_engine_set_save_error(ProcdbEngine *engine, const char *message);
/* Before the engine is freed: a save under way ends without it; requests that wait for a save,
 * or for its end, get an error. */
void procdb_engine_abandon_save(ProcdbEngine *engine);
/* Saves, without waiting for it, if something changed and the time has come. */
void procdb_engine_save_if_due(ProcdbEngine *engine);
