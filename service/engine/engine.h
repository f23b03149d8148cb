/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The loop: owns a table, a store and a backend, and once a second takes in what
 * was observed, publishes what is confident and lets go of what is stale.
 * Knows nothing of D-Bus: a listener learns what changed.
 */

#include <gio/gio.h>

#include "backend.h"
#include "identities.h"
#include "rules.h"
#include "store.h"
#include "table.h"

typedef struct _ProcdbEngine ProcdbEngine;

#define PROCDB_ENGINE_ERROR (procdb_engine_error_quark())
GQuark procdb_engine_error_quark(void);
typedef enum {
	PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE,
	PROCDB_ENGINE_ERROR_SAVE_FAILED,
	PROCDB_ENGINE_ERROR_LOAD_FAILED,
	PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED,
	PROCDB_ENGINE_ERROR_DECLARED,	  /* a file says so, and only it can take it back */
	PROCDB_ENGINE_ERROR_CONTRADICTED, /* two overrides of one name do not add up */
} ProcdbEngineError;

typedef struct {
	struct procdb_rules rules;
	/*
	 * Days that a confident profile is remembered after it left the live
	 * table. 0 is the reference behaviour: it is forgotten, and a prediction
	 * stays in the init map when its profile loses confidence.
	 */
	guint retention_days;
	/*
	 * The best tier (enum procdb_tier) that tasks of others than root can
	 * teach: any user may run anything under any name.
	 */
	guint max_user_tier;
	/* Lessons of users with an ID below this, which other users cannot turn; 0: none. */
	guint protect_below_uid;
	guint max_retained; /* profiles remembered beyond the live table */
	/* Of those that are not confident yet, as many more; 0: they are forgotten at once. */
	guint max_candidates;
	guint save_interval_s; /* save at most this often when something changed; 0 = only on
				  request and at stop */
} ProcdbEngineSettings;

/* The reference rules, 30 days, 16384 remembered and 4096 candidates, a save every 300 s. */
extern const ProcdbEngineSettings procdb_engine_default_settings;

/* An override that a file of the configuration declares. */
typedef struct {
	struct procdb_comm comm;
	enum procdb_tier tier;
	char *source; /* the path of the file */
} ProcdbDeclaration;

/* Declarations by name; of one name the later counts. Free with g_hash_table_unref(). */
GHashTable *procdb_declarations_new(void);
void procdb_declarations_set(GHashTable *declarations, const struct procdb_comm *comm,
			     enum procdb_tier tier, const char *source);
GHashTable *procdb_declarations_copy(GHashTable *declarations);

typedef struct {
	/*
	 * Profiles changed since the last call, at the end of a step or at once
	 * after a request. changed and removed hold struct procdb_comm.
	 */
	void (*profiles_changed)(const GArray *changed, const GArray *removed, gpointer user_data);
	/* The end of each step. */
	void (*stepped)(gpointer user_data);
} ProcdbEngineListener;

/* An engine without profiles that does nothing yet. Takes store and backend over. */
ProcdbEngine *procdb_engine_new(const ProcdbEngineSettings *settings, ProcdbStore *store,
				ProcdbBackend *backend);
/* Stops the loop and frees; does not save. */
void procdb_engine_free(ProcdbEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbEngine, procdb_engine_free)

/* The listener stays the caller's and has to outlive the engine. */
void procdb_engine_set_listener(ProcdbEngine *engine, const ProcdbEngineListener *listener,
				gpointer user_data);

/*
 * For tests: another wall clock (µs since the epoch) than g_get_real_time(), and the
 * only one: that it moves ahead means that time passed, not that it was set.
 */
void procdb_engine_set_clock(ProcdbEngine *engine, gint64 (*clock_us)(void));

const ProcdbEngineSettings *procdb_engine_settings(const ProcdbEngine *engine);
/* Puts other settings in force; the table follows at the next tick. */
void procdb_engine_configure(ProcdbEngine *engine, const ProcdbEngineSettings *settings);

/* Observes and publishes through another backend from now on; takes it over, closes the old one. */
void procdb_engine_set_backend(ProcdbEngine *engine, ProcdbBackend *backend);

/* Attaches, publishes once, and runs procdb_engine_step() every second from now on. */
void procdb_engine_start(ProcdbEngine *engine);

/* The parts of a step, in their order, and the whole: refresh, ingest, flush, tick. */
void procdb_engine_ingest(ProcdbEngine *engine);
void procdb_engine_flush(ProcdbEngine *engine);
void procdb_engine_tick(ProcdbEngine *engine);
void procdb_engine_step(ProcdbEngine *engine);

/* The tick counter: steps since the start. Setting it is for replays of recorded scripts. */
guint64 procdb_engine_get_tick(const ProcdbEngine *engine);
void procdb_engine_set_tick(ProcdbEngine *engine, guint64 tick);

/*
 * Replaces all profiles by these records (of struct procdb_record; of two of
 * one name the later counts). Returns how many there are now. The init map
 * follows with the next step.
 */
guint procdb_engine_replace(ProcdbEngine *engine, const GArray *records);

/*
 * What a save writes: an array of struct procdb_record that the caller unrefs. *predicting (may
 * be NULL) is how many of these predict or are overrides; the rest are candidates.
 */
GArray *procdb_engine_records(const ProcdbEngine *engine, guint *predicting);

/*
 * Replaces all profiles by those of the database; by none if it cannot be
 * read. *loaded (may be NULL) is their number. FALSE only for a file that is
 * there and cannot be read (PROCDB_ENGINE_ERROR_LOAD_FAILED).
 */
gboolean procdb_engine_load(ProcdbEngine *engine, guint *loaded, GError **error);

/*
 * Reads the database again and replaces all profiles by those of the file; *loaded is
 * their number. What is known is given up only for a good file: where there is none it
 * stays, with *loaded 0, and so does everything when the file is damaged, or is being
 * written (PROCDB_ENGINE_ERROR_LOAD_FAILED): call it when procdb_engine_when_saved() says.
 */
gboolean procdb_engine_reload(ProcdbEngine *engine, guint *loaded, GError **error);

/*
 * Writes the database; durable when it returns. *saved (may be NULL) is the
 * number of profiles in it. PROCDB_ENGINE_ERROR_SAVE_FAILED.
 */
gboolean procdb_engine_save(ProcdbEngine *engine, guint *saved, GError **error);

/* error is NULL when it worked; saved is then as for procdb_engine_save(). */
typedef void (*ProcdbEngineSaved)(guint saved, const GError *error, gpointer user_data);

/*
 * The same without blocking: the I/O is in a thread, and starts once a second at most.
 * Requests that come meanwhile are answered by the next save that holds all there is now; if the
 * file holds it already, func is called at once. func is called exactly once, at the latest with an
 * error from procdb_engine_free().
 */
void procdb_engine_request_save(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data);

/*
 * The same after one of the changes below, which an administrator waits for: as soon as no
 * other save is under way.
 */
void procdb_engine_keep(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data);

/*
 * Calls func, with saved 0, when no save is under way and no change waits for one; at once if that
 * is so now. For what reads the file, which would have to wait for the save. Those that wait are
 * called one by one, between which the main loop goes on. func is called exactly once, at the
 * latest with an error from procdb_engine_free().
 */
void procdb_engine_when_saved(ProcdbEngine *engine, ProcdbEngineSaved func, gpointer user_data);

/* The table, for reading. */
const struct procdb_table *procdb_engine_table(const ProcdbEngine *engine);
/* An entry, or NULL with PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE. */
const struct procdb_entry *procdb_engine_find(const ProcdbEngine *engine,
					      const struct procdb_comm *comm, GError **error);

/* The number of confident profiles; costs what has changed. */
guint procdb_engine_confident(ProcdbEngine *engine);

/* The number of overrides in force, those of names, programs and units. */
guint procdb_engine_count_overrides(const ProcdbEngine *engine);

/*
 * Changes what is known, in the table and the init map; the file follows, which
 * procdb_engine_keep() tells.
 *
 * Forgets profiles, with their overrides. All or nothing: with an unknown name none is
 * deleted. *deleted (may be NULL) counts; a name given twice counts once.
 */
gboolean procdb_engine_delete(ProcdbEngine *engine, const struct procdb_comm *comms, guint n,
			      guint *deleted, GError **error);
/* Forgets everything learned, and returns of how many; overrides stay. */
guint procdb_engine_reset(ProcdbEngine *engine);

/* An admin's word above what is learned: a tier, or PROCDB_NO_OVERRIDE to take it back. */
gboolean procdb_engine_override(ProcdbEngine *engine, const struct procdb_comm *comm, guint8 tier,
				GError **error);

/*
 * An override for a time, above all others, in place of a hold of the name before. Neither saved
 * nor exported. The caller of this bounds their number.
 */
gboolean procdb_engine_hold(ProcdbEngine *engine, const struct procdb_comm *comm,
			    enum procdb_tier tier, GError **error);
/* Ends the hold of a name, if there is one. */
void procdb_engine_release(ProcdbEngine *engine, const struct procdb_comm *comm);

/*
 * Overrides by program and by unit (of ProcdbRule), for tasks that execute something from now on:
 * below a hold of their name, above an override of it. Persistent as those.
 */
const GPtrArray *procdb_engine_rules(const ProcdbEngine *engine);
/* Adds one, or changes its tier; FALSE with PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED. */
gboolean procdb_engine_set_rule(ProcdbEngine *engine, ProcdbRuleKind kind, const char *text,
				enum procdb_tier tier, GError **error);
/* FALSE with PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE where there is none. */
gboolean procdb_engine_clear_rule(ProcdbEngine *engine, ProcdbRuleKind kind, const char *text,
				  GError **error);
/* What they decide for a task: PROCDB_DECISION() of ledger.h, or 0. */
guint8 procdb_engine_decide(const ProcdbEngine *engine, const struct procdb_execution *execution);

/* The tier that new tasks of this name start in, if it predicts. */
enum procdb_tier procdb_entry_tier(const struct procdb_entry *entry);
/*
 * The serial of the last call of profiles_changed(): each has the next one, and entries have that
 * of their last change. 0 before the first; that begins above all serials of earlier services, as
 * far as the clock tells.
 */
guint64 procdb_engine_serial(const ProcdbEngine *engine);

/*
 * Takes over profiles from elsewhere (of struct procdb_record, each name once), in place of
 * what was learned of the same names or, with replace, of all; with merge they are added to
 * that. Overrides stay unless a record has another one, which with merge is
 * PROCDB_ENGINE_ERROR_CONTRADICTED. That and PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED change nothing.
 * Left in records are those that were taken over: a prior of a name that was seen here is not.
 */
gboolean procdb_engine_import(ProcdbEngine *engine, GArray *records, gboolean replace,
			      gboolean merge, GError **error);

/*
 * Puts these overrides in force, in place of those that were declared before. An override of
 * an administrator on the bus comes first, and shows the declared one again when it is
 * cleared.
 */
void procdb_engine_declare(ProcdbEngine *engine, GHashTable *declarations);
/* The declaration of a name, or NULL. */
const ProcdbDeclaration *procdb_engine_declaration(const ProcdbEngine *engine,
						   const struct procdb_comm *comm);

/* What the tasks of a name took since the service began, and the last of them. */
typedef struct {
	struct procdb_comm comm;
	struct procdb_program last; /* as BPF has it, with the counts of its present map only */
	guint64 cpu;		    /* ns on a CPU */
	guint64 alive;		    /* ns that they lived, each counted */
	guint64 wakeups;
	guint64 switches; /* voluntary context switches */
	/* As of struct procdb_program; a full counter stays full. */
	guint32 waits[PROCDB_DELAY_SIDES][PROCDB_WAIT_OCTAVES];
	double cpu_share; /* of one CPU, between the last two readings */
	guint64 reading;  /* the engine's: the last one that had it */
} ProcdbProgram;

/* Reads what BPF counted, at most once a second: call it before procdb_engine_program(). */
void procdb_engine_refresh_programs(ProcdbEngine *engine);
/* NULL for a name of which nothing was counted. Valid until the main loop runs again. */
const ProcdbProgram *procdb_engine_program(const ProcdbEngine *engine,
					   const struct procdb_comm *comm);

/*
 * What is known of the program of a profile: of the last one that was started under its name, and
 * counts of all, those before the start of the service included. FALSE, with counts of 0 and empty
 * texts, where nothing is known. The texts are valid until the main loop runs again.
 */
gboolean procdb_engine_identity(const ProcdbEngine *engine, const struct procdb_entry *entry,
				struct procdb_identity *identity);
/*
 * Keeps where the program of a name is that is never executed under it, as of a thread; its texts
 * end at a zero, or after PROCDB_PATH_LEN and PROCDB_UNIT_LEN bytes.
 */
void procdb_engine_note_identity(ProcdbEngine *engine, const struct procdb_identity *seen);
/*
 * Takes over what another service, or this one earlier, knew of the program of a profile; add: runs
 * and CPU time are added to what is known, and a path that is known here stays. FALSE where there
 * is no profile of the name: nothing changes.
 */
gboolean procdb_engine_import_identity(ProcdbEngine *engine, const struct procdb_identity *identity,
				       gboolean add);

/* The entry of a name in the init map now; FALSE when there is none. */
gboolean procdb_engine_prediction(ProcdbEngine *engine, const struct procdb_comm *comm,
				  struct procdb_class *prediction);

typedef struct {
	ProcdbBackendStatus backend;
	guint64 observations; /* taken in since the start */
	/* Since the start: execs that found a prediction or not, and how those ended. */
	guint64 found;
	guint64 missed;
	guint64 right;
	guint64 wrong;
	/* The same by tier: predicted (first), turned out to be (second). */
	guint64 outcomes[PROCDB_TIERS][PROCDB_TIERS];
	guint overrides;
	gint64 last_save_us;	     /* wall clock; 0 = not yet */
	const char *last_save_error; /* "" when the last save worked */
	const char *database_path;
	const char *database_problem; /* what was wrong with it at the last load, or "" */
	const char *flood; /* which user creates too many names, and how many; "" if none does */
	gboolean dirty;	   /* something learned is not in the file yet */
	gboolean counted;  /* nor are starts or CPU time, for which alone no file is written */
} ProcdbEngineStatus;
/* Strings stay valid until the engine runs again. */
void procdb_engine_status(ProcdbEngine *engine, ProcdbEngineStatus *status);
