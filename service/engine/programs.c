/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What is known of programs beside their behaviour: where they are, and what CPU time they took. */

#include "engine-state.h"

#include "classify.h"

#include <string.h>

/* Without requests, how often BPF's map is read: a name that leaves it takes its totals along. */
#define REFRESH_TICKS 60
/* Requests read it no more often than this; shares of shorter times say little. */
#define REFRESH_US (G_USEC_PER_SEC * 9 / 10)
/* As many as BPF's map has room for. */
#define MAX_PROGRAMS 4096

/*
 * What is known of a name, without the runs since the start, which its entry counts. Path, unit,
 * kind and user are of one task: never a path of one user with the ID of another.
 */
static gboolean identify(const ProcdbEngine *engine, const struct procdb_comm *comm,
			 struct procdb_identity *identity)
{
	const struct procdb_identity *kept = g_hash_table_lookup(engine->programs.kept, comm);
	const ProcdbProgram *program = procdb_engine_program(engine, comm);

	*identity = (struct procdb_identity){.comm = *comm, .path = "", .unit = ""};
	if (kept)
		*identity = *kept;
	if (!program)
		return kept != NULL;
	identity->cpu = procdb_add(identity->cpu, program->cpu);
	if (*program->last.path || !*identity->path) {
		identity->uid = program->last.uid;
		identity->kind = program->last.kind;
		identity->path = program->last.path;
		identity->unit = program->last.unit;
	}
	return TRUE;
}

gboolean procdb_engine_identity(const ProcdbEngine *engine, const struct procdb_entry *entry,
				struct procdb_identity *identity)
{
	const gboolean known = identify(engine, &entry->comm, identity);

	identity->runs = procdb_add(identity->runs, procdb_add(entry->found, entry->missed));
	return known;
}

/* A program is not counted any more: what it was is kept, if there is a profile. */
static void keep(ProcdbEngine *engine, const struct procdb_comm *comm)
{
	struct procdb_identity identity;

	if (procdb_table_find(engine->table, comm) && identify(engine, comm, &identity))
		procdb_identities_set(engine->programs.kept, &identity);
}

static void forget_unread(ProcdbEngine *engine, guint64 reading)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->programs.all);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((const ProcdbProgram *)value)->reading != reading) {
			keep(engine, &((const ProcdbProgram *)value)->comm);
			g_hash_table_iter_remove(&iter);
		}
}

void procdb_engine_forget_identity(ProcdbEngine *engine, const struct procdb_comm *comm)
{
	ProcdbProgram *program = g_hash_table_lookup(engine->programs.all, comm);

	g_hash_table_remove(engine->programs.kept, comm);
	if (program)
		program->cpu = 0;
}

gboolean procdb_engine_import_identity(ProcdbEngine *engine, const struct procdb_identity *identity,
				       gboolean add)
{
	const struct procdb_entry *entry = procdb_table_find(engine->table, &identity->comm);
	ProcdbProgram *program = g_hash_table_lookup(engine->programs.all, &identity->comm);
	struct procdb_identity taken = *identity, known;

	if (!entry)
		return FALSE;
	(void)identify(engine, &identity->comm, &known);
	if (!add) {
		/* These stay counted, and are added to it again. */
		taken.runs -= MIN(taken.runs, procdb_add(entry->found, entry->missed));
	} else {
		taken.runs = procdb_add(taken.runs, known.runs);
		taken.cpu = procdb_add(taken.cpu, program ? known.cpu - program->cpu : known.cpu);
	}
	if (program && !add)
		program->cpu = 0;
	/* An export of another user says of what it may not tell only how much that did. */
	if (*known.path && (add || !*taken.path)) {
		taken.uid = known.uid;
		taken.kind = known.kind;
		taken.path = known.path;
		taken.unit = known.unit;
	}
	/* Of a name that was never started nothing is known, and that is no program of root. */
	if (taken.runs == 0 && taken.cpu == 0 && !*taken.path && !*taken.unit &&
	    taken.kind == PROCDB_KIND_UNKNOWN)
		g_hash_table_remove(engine->programs.kept, &taken.comm);
	else
		procdb_identities_set(engine->programs.kept, &taken);
	engine->dirty = TRUE;
	return TRUE;
}

void procdb_engine_replace_identities(ProcdbEngine *engine, GHashTable *identities)
{
	GHashTableIter iter;
	gpointer key, value;

	/* The file may have counted these already. */
	g_hash_table_iter_init(&iter, engine->programs.all);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		((ProcdbProgram *)value)->cpu = 0;
	g_hash_table_unref(engine->programs.kept);
	engine->programs.kept = identities ? identities : procdb_identities_new();
	g_hash_table_iter_init(&iter, engine->programs.kept);
	while (g_hash_table_iter_next(&iter, &key, NULL))
		if (!procdb_table_find(engine->table, key))
			g_hash_table_iter_remove(&iter);
}

void procdb_engine_note_identity(ProcdbEngine *engine, const struct procdb_identity *seen)
{
	const struct procdb_identity *kept =
	    g_hash_table_lookup(engine->programs.kept, &seen->comm);
	const struct procdb_entry *entry = procdb_table_find(engine->table, &seen->comm);
	struct procdb_identity noted = *seen;

	/* What was executed under its name has told, and any task may call itself so. */
	if (*seen->path == '\0' || !entry ||
	    (kept && *kept->path && (kept->runs > 0 || entry->found > 0 || entry->missed > 0)) ||
	    (kept && kept->uid == seen->uid &&
	     strncmp(kept->path, seen->path, PROCDB_PATH_LEN - 1) == 0))
		return;
	noted.runs = kept ? kept->runs : 0;
	noted.cpu = kept ? kept->cpu : 0;
	procdb_identities_set(engine->programs.kept, &noted);
	engine->counted = TRUE;
}

static ProcdbProgram *ensure(ProcdbEngine *engine, const struct procdb_comm *comm)
{
	ProcdbProgram *program = g_hash_table_lookup(engine->programs.all, comm);

	if (program)
		return program;
	program = g_new0(ProcdbProgram, 1);
	program->comm = *comm;
	/* The key is in the value. */
	g_hash_table_insert(engine->programs.all, &program->comm, program);
	return program;
}

/* What was added to a count of BPF's, which begins anew with each map and each entry of it. */
static guint64 added(guint64 before, guint64 now)
{
	return now >= before ? now - before : now;
}

static void add_waits(ProcdbProgram *program, const struct procdb_program *now)
{
	const struct procdb_program *before = &program->last;

	for (guint side = 0; side < PROCDB_DELAY_SIDES; side++)
		for (guint i = 0; i < PROCDB_WAIT_OCTAVES; i++) {
			const guint64 sum = program->waits[side][i] +
					    added(before->waits[side][i], now->waits[side][i]);

			program->waits[side][i] = (guint32)MIN(sum, G_MAXUINT32);
		}
}

/*
 * Of a copy that BPF wrote to meanwhile the file may be another user's, and an entry that BPF's map
 * had dropped counts again before the next start is seen: what was known before stays.
 */
static void take_identity(ProcdbProgram *program, const struct procdb_program *now)
{
	const struct procdb_program before = program->last;

	program->last = *now;
	if (procdb_program_is_whole(now) && (*now->path || !*before.path))
		return;
	program->last.uid = before.uid;
	program->last.kind = before.kind;
	memcpy(program->last.path, before.path, sizeof(before.path));
	memcpy(program->last.unit, before.unit, sizeof(before.unit));
}

/* A reading of BPF's map. */
struct reading {
	ProcdbEngine *engine;
	gint64 passed_us; /* since the one before, or since the start */
};

/* Sums that stay at their greatest value: a map may hold anything. */
static void take(const struct procdb_comm *comm, const struct procdb_program *now, gpointer data)
{
	const struct reading *reading = data;
	ProcdbProgram *program = ensure(reading->engine, comm);
	const struct procdb_program *before = &program->last;
	guint64 cpu;

	program->reading = reading->engine->programs.reading;
	/* Most of thousands did nothing since the last reading. */
	if (memcmp(before, now, sizeof(*now)) == 0) {
		program->cpu_share = 0;
		return;
	}
	cpu = added(before->cpu, now->cpu);
	program->cpu = procdb_add(program->cpu, cpu);
	program->alive = procdb_add(program->alive, added(before->alive, now->alive));
	program->wakeups = procdb_add(program->wakeups, added(before->wakeups, now->wakeups));
	program->switches = procdb_add(program->switches, added(before->switches, now->switches));
	add_waits(program, now);
	program->cpu_share =
	    reading->passed_us > 0 ? (double)cpu / 1000 / (double)reading->passed_us : 0;
	take_identity(program, now);
	reading->engine->counted = TRUE;
}

void procdb_engine_refresh_programs(ProcdbEngine *engine)
{
	const gint64 now = g_get_monotonic_time();
	/* Since the last reading, or since BPF began to count. */
	const gint64 passed_us = now - MAX(engine->programs.read_us, engine->programs.began_us);
	struct reading reading = {engine, passed_us};
	GHashTableIter iter;
	gpointer value;

	if (engine->programs.read_us > 0 && passed_us < REFRESH_US)
		return;
	engine->programs.reading++;
	if (!procdb_backend_programs(engine->backend, take, &reading)) {
		/* Nothing counts yet. */
		engine->programs.began_us = now;
		return;
	}
	engine->programs.read_us = now;
	g_hash_table_iter_init(&iter, engine->programs.all);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((const ProcdbProgram *)value)->reading != engine->programs.reading)
			((ProcdbProgram *)value)->cpu_share = 0;
	if (g_hash_table_size(engine->programs.all) > MAX_PROGRAMS)
		forget_unread(engine, engine->programs.reading);
}

void procdb_engine_tick_programs(ProcdbEngine *engine)
{
	if (engine->tick % REFRESH_TICKS == 0)
		procdb_engine_refresh_programs(engine);
}

const ProcdbProgram *procdb_engine_program(const ProcdbEngine *engine,
					   const struct procdb_comm *comm)
{
	return g_hash_table_lookup(engine->programs.all, comm);
}
