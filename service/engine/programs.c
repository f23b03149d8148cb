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

static void forget_unread(ProcdbEngine *engine, guint64 reading)
{
	GHashTableIter iter;
	gpointer value;

	g_hash_table_iter_init(&iter, engine->programs.all);
	while (g_hash_table_iter_next(&iter, NULL, &value))
		if (((const ProcdbProgram *)value)->reading != reading)
			g_hash_table_iter_remove(&iter);
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

/* While BPF writes, the program's file may be another user's: what was known before stays. */
static void take_identity(ProcdbProgram *program, const struct procdb_program *now)
{
	const struct procdb_program before = program->last;

	program->last = *now;
	if (!now->writing)
		return;
	program->last.uid = before.uid;
	program->last.kind = before.kind;
	memcpy(program->last.path, before.path, sizeof(before.path));
	memcpy(program->last.unit, before.unit, sizeof(before.unit));
}

/* Sums that stay at their greatest value: a map may hold anything. */
static void take(ProcdbEngine *engine, const struct procdb_named_program *named, gint64 passed_us)
{
	ProcdbProgram *program = ensure(engine, &named->comm);
	const struct procdb_program *now = &named->program, *before = &program->last;
	guint64 cpu = added(before->cpu, now->cpu);

	program->cpu = procdb_add(program->cpu, cpu);
	program->alive = procdb_add(program->alive, added(before->alive, now->alive));
	program->wakeups = procdb_add(program->wakeups, added(before->wakeups, now->wakeups));
	program->switches = procdb_add(program->switches, added(before->switches, now->switches));
	add_waits(program, now);
	program->cpu_share = passed_us > 0 ? (double)cpu / 1000 / (double)passed_us : 0;
	take_identity(program, now);
	program->reading = engine->programs.reading;
}

void procdb_engine_refresh_programs(ProcdbEngine *engine)
{
	g_autoptr(GArray) found = NULL;
	gint64 now = g_get_monotonic_time(), passed_us = now - engine->programs.read_us;
	GHashTableIter iter;
	gpointer value;

	if (engine->programs.read_us > 0 && passed_us < REFRESH_US)
		return;
	found = g_array_new(FALSE, FALSE, sizeof(struct procdb_named_program));
	if (!procdb_backend_programs(engine->backend, found))
		return;
	engine->programs.reading++;
	for (guint i = 0; i < found->len; i++)
		take(engine, &g_array_index(found, struct procdb_named_program, i),
		     engine->programs.read_us > 0 ? passed_us : 0);
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
