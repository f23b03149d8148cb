/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* An engine with maps in memory, a database in a directory of its own and time that stands still.
 */

#include "clock.h"
#include "engine.h"
#include "backend-memory.h"

typedef struct {
	char *directory;
	char *path; /* of the database */
	ProcdbBackend *backend;
	ProcdbEngine *engine;
	guint told;	 /* calls of profiles_changed */
	GArray *changed; /* struct procdb_comm: of the last such call */
	GArray *removed;
	guint stepped;
} EngineFixture;

/* The settings that most tests begin with: retention, and no save but on request. */
extern const ProcdbEngineSettings test_settings;
/* The same without retention. */
extern const ProcdbEngineSettings test_reference_settings;

/* Starts as a service does, but for the timer. The init map holds capacity entries. */
void engine_fixture_set_up(EngineFixture *f, const ProcdbEngineSettings *settings, guint capacity);
void engine_fixture_tear_down(EngineFixture *f);

/* A new engine on the same file, with new maps, as after a restart; profiles are loaded. */
void engine_fixture_restart(EngineFixture *f, guint capacity);

/* While blocked nothing can be saved; what was saved before is kept. */
void engine_fixture_block_saving(EngineFixture *f, gboolean blocked);

/* From now on warnings are no reason to abort a test. */
void engine_fixture_allow_warnings(void);

struct procdb_comm test_comm(const char *name);
struct procdb_class test_class(enum procdb_tier tier, guint64 avg_runtime);

/* One step, and the end of the save that it may have begun. */
void test_step(EngineFixture *f);
/* Lets BPF observe a task, and has the engine step once; n times. */
void test_learn(EngineFixture *f, const char *name, enum procdb_tier tier, guint n);
/* Steps n times. */
void test_steps(EngineFixture *f, guint n);

/* As procdb_engine_delete() and the like, and waits until it is in the file. */
gboolean test_delete(EngineFixture *f, const struct procdb_comm *comms, guint n, guint *deleted,
		     GError **error);
gboolean test_reset_all(EngineFixture *f, guint *deleted, GError **error);
gboolean test_override(EngineFixture *f, const struct procdb_comm *comm, guint8 tier,
		       GError **error);
gboolean test_import(EngineFixture *f, GArray *records, gboolean replace, GError **error);

/* The entry of a name, or NULL. */
const struct procdb_entry *test_find(EngineFixture *f, const char *name);
/* Whether the init map predicts a name; *tier (may be NULL) is what. */
gboolean test_predicts(EngineFixture *f, const char *name, enum procdb_tier *tier);
/* Whether a list of names holds one. */
gboolean test_names(const GArray *comms, const char *name);

/* Compares table, init map and counters with each other and with the settings. */
void test_check_consistent(EngineFixture *f);

/*
 * The same after flushing, and also that what waits for a place in the init map
 * waits for good reason: overrides come before what was learned, live ones
 * before remembered ones.
 */
void test_check_settled(EngineFixture *f);
/* Learns n confident names from prefix0 on, in an order of age. */
void test_learn_names(EngineFixture *f, const char *prefix, guint n);
/* Has these profiles in place of all others: confident ones, "name-00000" and so on. */
void test_import_many(EngineFixture *f, guint count);
/* Overrides a name, or takes that back; it has to work. */
void test_set_override(EngineFixture *f, const char *name, guint8 tier);
