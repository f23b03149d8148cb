/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Whether the wall clock can be believed: it may be set, wrongly too, and set right again. */

#include "log.h"
#include "engine-state.h"

/*
 * The beginning, as long as no file says how long the machine ran: early enough that profiles seen
 * years ago are not before it.
 */
#define FIRST_RUN_US (36500 * PROCDB_US_PER_DAY)

gint64 procdb_engine_run_us(const ProcdbEngine *engine)
{
	return engine->clock.run_base_us + engine->clock.run_us() - engine->clock.run_begun_us;
}

void procdb_engine_begin_run(ProcdbEngine *engine, gint64 run_us)
{
	engine->clock.run_base_us = MAX(run_us, FIRST_RUN_US);
	engine->clock.run_begun_us = engine->clock.run_us();
}

void procdb_engine_set_clock(ProcdbEngine *engine, gint64 (*clock_us)(void))
{
	const gint64 run_us = procdb_engine_run_us(engine);

	engine->clock_us = clock_us;
	/* A clock that only runs, and is never set. */
	engine->clock.boot_us = clock_us;
	engine->clock.run_us = clock_us;
	procdb_engine_begin_run(engine, run_us);
	engine->clock.known = FALSE;
}

/* A profile seen in the future means that the clock was wrong then, or is now. */
static void doubt_the_past(ProcdbEngine *engine)
{
	engine->clock.doubted_at = engine->tick;
	engine->clock.caught_up = FALSE;
}

/* Takes what was seen in the future for seen now: else it would be remembered for longer. */
static void catch_up(ProcdbEngine *engine)
{
	const size_t n = procdb_table_size(engine->table);
	g_autofree struct procdb_entry **all = procdb_engine_entries(engine);
	const gint64 now = engine->clock_us();

	for (size_t i = 0; i < n; i++) {
		struct procdb_profile *profile = &all[i]->profile;

		if (profile->last_seen_us <= now)
			continue;
		profile->last_seen_us = now;
		profile->first_seen_us = MIN(profile->first_seen_us, now);
		procdb_table_aged(engine->table, all[i]);
		engine->dirty |= procdb_engine_wants_prediction(engine, all[i]);
		procdb_engine_mark_changed(engine, all[i]);
	}
	engine->clock.caught_up = TRUE;
}

void procdb_engine_check_clock(ProcdbEngine *engine)
{
	struct procdb_clock *clock = &engine->clock;
	const gint64 booted_us = engine->clock_us() - clock->boot_us();
	const gint64 set_by = clock->known ? booted_us - clock->booted_us : 0;

	if (set_by <= PROCDB_US_PER_DAY) {
		if (clock->ahead || set_by < -PROCDB_US_PER_DAY)
			doubt_the_past(engine);
		clock->ahead = FALSE;
	} else if (!clock->ahead) {
		clock->ahead = TRUE;
		clock->ahead_at = engine->tick;
		if (!procdb_engine_is_reference(engine))
			procdb_log(G_LOG_LEVEL_WARNING, PROCDB_MESSAGE_FORGOTTEN,
				   "The clock was set ahead by %" G_GINT64_FORMAT
				   " days; no profile is forgotten because of it",
				   set_by / PROCDB_US_PER_DAY);
	} else if (engine->tick - clock->ahead_at >= PROCDB_PATIENCE_TICKS) {
		/* It was wrong before. */
		clock->ahead = FALSE;
	}
	if (!clock->ahead)
		clock->booted_us = booted_us;
	clock->known = TRUE;
	if (!clock->caught_up && engine->tick - clock->doubted_at >= PROCDB_PATIENCE_TICKS)
		catch_up(engine);
}
