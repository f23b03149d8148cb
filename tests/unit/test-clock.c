/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What is remembered when the wall clock is set, wrongly too, and set right again. */

#include <string.h>

#include "engine-fixture.h"
#include "log.h"
#include "engine-state.h"

#define HOUR_TICKS 3600
#define NAMES 100

static gint64 error_us; /* of the wall clock */
static guint lines;	/* logged under PROCDB_MESSAGE_FORGOTTEN */
static char *last_line;

static gint64 wall_us(void)
{
	return test_clock_us() + error_us;
}

static GLogWriterOutput count_line(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				   gpointer data)
{
	gboolean counts = FALSE;
	const char *message = "";

	for (gsize i = 0; i < n_fields; i++) {
		if (g_str_equal(fields[i].key, "MESSAGE_ID"))
			counts = g_str_equal(fields[i].value, PROCDB_MESSAGE_FORGOTTEN);
		else if (g_str_equal(fields[i].key, "MESSAGE"))
			message = fields[i].value;
	}
	if (counts) {
		lines++;
		g_free(last_line);
		last_line = g_strdup(message);
	}
	return G_LOG_WRITER_HANDLED;
}

static void assert_logged(guint n, const char *words)
{
	g_assert_cmpuint(lines, ==, n);
	if (n > 0 && !strstr(last_line, words))
		g_error("\"%s\" does not say \"%s\"", last_line, words);
	lines = 0;
}

/* As a running service: only the wall clock is wrong, and it is not set yet. */
static void use_wall_clock(EngineFixture *f)
{
	const gint64 run_us = procdb_engine_run_us(f->engine);

	procdb_engine_set_clock(f->engine, wall_us);
	f->engine->clock.boot_us = test_clock_us;
	f->engine->clock.run_us = test_clock_us;
	procdb_engine_begin_run(f->engine, run_us);
	test_step(f);
}

static void restart(EngineFixture *f)
{
	engine_fixture_restart(f, 512);
	use_wall_clock(f);
}

static void learn_names(EngineFixture *f)
{
	struct procdb_class class = test_class(PROCDB_TIER_BATCH, 1000000);

	for (guint times = 0; times < 3; times++) {
		for (guint i = 0; i < NAMES; i++) {
			g_autofree char *name = g_strdup_printf("n%u", i);
			struct procdb_comm comm = test_comm(name);

			test_maps_observe(f->backend, &comm, &class);
		}
		test_step(f);
	}
}

static guint known(EngineFixture *f)
{
	return (guint)procdb_table_size(procdb_engine_table(f->engine));
}

/* Remembered are a hundred names, seen minutes ago. */
static void set_up(EngineFixture *f, gconstpointer data)
{
	error_us = 0;
	lines = 0;
	engine_fixture_set_up(f, &test_settings, 512);
	use_wall_clock(f);
	learn_names(f);
	test_steps(f, 100);
	g_assert_cmpuint(known(f), ==, NAMES);
	g_assert_cmpuint(lines, ==, 0);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	test_check_consistent(f);
	engine_fixture_tear_down(f);
}

static void assert_none_in_the_future(EngineFixture *f)
{
	const struct procdb_table *table = procdb_engine_table(f->engine);

	for (size_t i = 0; i < procdb_table_size(table); i++)
		g_assert_cmpint(procdb_table_at(table, i)->profile.last_seen_us, <=, wall_us());
}

static void test_ahead_for_a_while_forgets_nothing(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "live", PROCDB_TIER_BATCH, 3);
	error_us = 31 * PROCDB_US_PER_DAY;
	test_steps(f, HOUR_TICKS - 10);
	g_assert_cmpuint(known(f), ==, NAMES + 1);
	assert_logged(1, "31 days");
	test_learn(f, "seen-meanwhile", PROCDB_TIER_BATCH, 3);
	error_us = 0;
	test_steps(f, HOUR_TICKS + 10);
	g_assert_cmpuint(known(f), ==, NAMES + 2);
	/* And nothing is remembered for longer because of it. */
	assert_none_in_the_future(f);
	assert_logged(0, "");
}

/* The age of a profile counts in the time that the machine ran. */
static void test_ahead_for_good_forgets_nothing(EngineFixture *f, gconstpointer data)
{
	error_us = 31 * PROCDB_US_PER_DAY;
	test_steps(f, HOUR_TICKS + 2);
	g_assert_cmpuint(known(f), ==, NAMES);
	assert_logged(1, "31 days");
	test_clock_advance(31 * PROCDB_US_PER_DAY);
	test_steps(f, 1);
	g_assert_cmpuint(known(f), ==, 0);
	assert_logged(1, "Forgot 100 profiles");
}

static void test_hours_ahead_are_no_matter(EngineFixture *f, gconstpointer data)
{
	test_clock_advance(29 * PROCDB_US_PER_DAY + PROCDB_US_PER_DAY / 2);
	test_steps(f, 1);
	error_us = PROCDB_US_PER_DAY / 2 + 1000 * G_USEC_PER_SEC;
	test_steps(f, 1);
	g_assert_cmpuint(known(f), ==, NAMES);
	test_clock_advance(PROCDB_US_PER_DAY / 2 + G_USEC_PER_SEC);
	test_steps(f, 1);
	g_assert_cmpuint(known(f), ==, 0);
	assert_logged(1, "Forgot 100 profiles");
}

/* Time that passes is no error of the clock. */
static void test_the_retention_ends_at_once(EngineFixture *f, gconstpointer data)
{
	test_clock_advance(7 * PROCDB_US_PER_DAY);
	test_steps(f, 1);
	g_assert_cmpuint(known(f), ==, NAMES);
	test_clock_advance(24 * PROCDB_US_PER_DAY);
	test_steps(f, 1);
	g_assert_cmpuint(known(f), ==, 0);
	assert_logged(1, "Forgot 100 profiles");
}

/* A machine that was off for weeks has run no program meanwhile. */
static void test_a_start_after_the_retention_forgets_nothing(EngineFixture *f, gconstpointer data)
{
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	test_clock_advance(31 * PROCDB_US_PER_DAY);
	restart(f);
	g_assert_cmpuint(known(f), ==, NAMES);
	assert_logged(0, "");
}

/* Few at once are nothing to tell, but at a start. */
static void test_few_are_told_at_a_start_only(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;

	g_assert_true(test_reset_all(f, NULL, NULL));
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	test_steps(f, 100);
	settings.retention_days = 60;
	procdb_engine_configure(f->engine, &settings);
	test_clock_advance(31 * PROCDB_US_PER_DAY);
	test_learn(f, "later", PROCDB_TIER_BATCH, 3);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	procdb_engine_configure(f->engine, &test_settings);
	test_steps(f, 1);
	g_assert_cmpuint(known(f), ==, 1);
	assert_logged(0, "");
	restart(f);
	g_assert_cmpuint(known(f), ==, 1);
	assert_logged(1, "Forgot 1 profile ");
}

/* Seen in the future: a year, when the clock was wrong. */
static void restart_from_the_future(EngineFixture *f)
{
	error_us = 400 * PROCDB_US_PER_DAY;
	test_learn(f, "future", PROCDB_TIER_BATCH, 3);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	error_us = 0;
	restart(f);
	g_assert_cmpint(test_find(f, "future")->profile.last_seen_us, >, wall_us());
	lines = 0;
}

static void test_no_profile_is_immortal(EngineFixture *f, gconstpointer data)
{
	restart_from_the_future(f);
	procdb_engine_set_tick(f->engine, HOUR_TICKS - 2);
	test_steps(f, 1);
	g_assert_cmpint(test_find(f, "future")->profile.last_seen_us, >, wall_us());
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	test_steps(f, 1);
	g_assert_cmpint(test_find(f, "future")->profile.last_seen_us, ==, wall_us());
	/* The file has it too, in time. */
	g_assert_true(f->engine->dirty);
	test_clock_advance(31 * PROCDB_US_PER_DAY);
	test_steps(f, 1);
	g_assert_null(test_find(f, "future"));
}

static void test_an_hour_later_the_order_is_right(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineSettings settings = test_settings;

	restart_from_the_future(f);
	procdb_engine_set_tick(f->engine, HOUR_TICKS);
	test_steps(f, 1);
	test_clock_advance(G_USEC_PER_SEC);
	for (guint i = 0; i < 3; i++) {
		g_autofree char *name = g_strdup_printf("later%u", i);

		test_learn(f, name, PROCDB_TIER_BATCH, 3);
	}
	test_steps(f, 100);
	settings.max_retained = 3;
	procdb_engine_configure(f->engine, &settings);
	test_steps(f, 1);
	g_assert_null(test_find(f, "future"));
	g_assert_nonnull(test_find(f, "later0"));
	assert_logged(1, "Forgot 101 profiles");
}

/* The engine's own clocks, which are not set here. */
static void test_the_clocks_of_the_machine(EngineFixture *f, gconstpointer data)
{
	g_autoptr(ProcdbEngine) engine =
	    procdb_engine_new(&test_settings, procdb_store_new(f->path), test_maps_new(1));
	gint64 boot_us = engine->clock.boot_us();

	g_assert_true(engine->clock_us == g_get_real_time);
	g_usleep(20000);
	g_assert_cmpint(engine->clock.boot_us() - boot_us, >=, 20000);
	g_assert_cmpint(engine->clock.boot_us() - boot_us, <, 60 * G_USEC_PER_SEC);
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	engine_fixture_allow_warnings();
	g_log_set_writer_func(count_line, NULL, NULL);
	add("/clock/ahead-for-a-while-forgets-nothing", test_ahead_for_a_while_forgets_nothing);
	add("/clock/ahead-for-good-forgets-nothing", test_ahead_for_good_forgets_nothing);
	add("/clock/hours-ahead-are-no-matter", test_hours_ahead_are_no_matter);
	add("/clock/the-retention-ends-at-once", test_the_retention_ends_at_once);
	add("/clock/a-start-after-the-retention-forgets-nothing",
	    test_a_start_after_the_retention_forgets_nothing);
	add("/clock/few-are-told-at-a-start-only", test_few_are_told_at_a_start_only);
	add("/clock/no-profile-is-immortal", test_no_profile_is_immortal);
	add("/clock/an-hour-later-the-order-is-right", test_an_hour_later_the_order_is_right);
	add("/clock/the-clocks-of-the-machine", test_the_clocks_of_the_machine);
	return g_test_run();
}
