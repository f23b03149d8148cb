/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Random lives of an engine: after each operation table, init map and counters
 * must agree. The seed is printed; --seed repeats a run.
 */

#include "engine-fixture.h"

#define OPERATIONS 100000
#define NAMES 60

static struct procdb_comm random_name(void)
{
	g_autofree char *name = g_strdup_printf("n%d", g_test_rand_int_range(0, NAMES));

	return test_comm(name);
}

static void observe(EngineFixture *f)
{
	struct procdb_comm comm = random_name();
	/* Names keep to a tier of their own most of the time, so that some are confident. */
	guint tier =
	    g_test_rand_int_range(0, 8) ? comm.bytes[1] % 3u : (guint)g_test_rand_int_range(0, 256);
	struct procdb_class class =
	    test_class((enum procdb_tier)tier, (guint64)g_test_rand_int_range(900, 1100));

	if (g_test_rand_int_range(0, 50) == 0)
		class.avg_runtime = (guint64)g_test_rand_int() << 32 | 1;
	test_maps_observe(f->backend, &comm, &class);
}

static void judge(EngineFixture *f)
{
	struct procdb_comm comm = random_name();
	struct procdb_score score = {
	    .found = (guint32)g_test_rand_int_range(0, 10),
	    .missed = (guint32)g_test_rand_int_range(0, 10),
	    .right = (guint32)g_test_rand_int_range(0, 10),
	    .wrong = (guint32)g_test_rand_int_range(0, 10),
	};

	if (g_test_rand_int_range(0, 100) == 0)
		score.wrong = G_MAXUINT32;
	test_maps_score(f->backend, &comm, score);
}

static void change_settings(EngineFixture *f)
{
	ProcdbEngineSettings settings = *procdb_engine_settings(f->engine);

	settings.rules.max_profiles = (guint32)g_test_rand_int_range(1, NAMES);
	settings.rules.stale_ticks = (guint64)g_test_rand_int_range(1, 40);
	settings.rules.min_observations = (guint32)g_test_rand_int_range(1, 6);
	settings.max_retained = (guint)g_test_rand_int_range(0, NAMES);
	procdb_engine_configure(f->engine, &settings);
}

/* One operation; whether table and map have to agree after it. */
static gboolean act(EngineFixture *f)
{
	struct procdb_comm comm = random_name();
	int what = g_test_rand_int_range(0, 1000);

	if (what < 550) {
		observe(f);
	} else if (what < 600) {
		judge(f);
	} else if (what < 950) {
		procdb_engine_step(f->engine);
		test_clock_advance(g_test_rand_int_range(0, 2 * G_USEC_PER_SEC));
		return TRUE;
	} else if (what < 965) {
		test_delete(f, &comm, 1, NULL, NULL);
	} else if (what < 975) {
		test_override(f, &comm, (guint8)g_test_rand_int_range(0, 3), NULL);
	} else if (what < 990) {
		test_override(f, &comm, PROCDB_NO_OVERRIDE, NULL);
	} else if (what < 992) {
		test_reset_all(f, NULL, NULL);
	} else if (what < 994) {
		test_maps_replace(f->backend);
	} else if (what < 996) {
		change_settings(f);
	} else if (what < 997) {
		procdb_engine_load(f->engine, NULL, NULL);
	} else if (what < 998) {
		test_clock_advance(g_test_rand_int_range(-20, 40) * G_TIME_SPAN_DAY);
	} else {
		f->backend = test_maps_new((guint)g_test_rand_int_range(1, NAMES));
		procdb_engine_set_backend(f->engine, f->backend);
	}
	return FALSE;
}

static void test_nothing_fails(gconstpointer settings)
{
	EngineFixture f;

	engine_fixture_set_up(&f, settings, 20);
	for (guint i = 0; i < OPERATIONS; i++) {
		if (act(&f))
			test_check_consistent(&f);
		if (i % 1000 == 0) {
			procdb_engine_step(f.engine);
			test_check_settled(&f);
		}
	}
	engine_fixture_tear_down(&f);
}

static void test_sometimes_operations_fail(gconstpointer settings)
{
	EngineFixture f;

	engine_fixture_allow_warnings();
	engine_fixture_set_up(&f, settings, 20);
	for (guint round = 0; round < OPERATIONS / 200; round++) {
		test_maps_fail_every(f.backend, (guint)g_test_rand_int_range(1, 40));
		for (guint i = 0; i < 180; i++)
			act(&f);
		test_maps_fail_every(f.backend, 0);
		test_steps(&f, 3);
		test_check_settled(&f);
	}
	engine_fixture_tear_down(&f);
}

/* Ten thousands of maps that come and go, and fail, are not of interest. */
static GLogWriterOutput leave_out(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				  gpointer data)
{
	if (level & (G_LOG_LEVEL_WARNING | G_LOG_LEVEL_MESSAGE))
		return G_LOG_WRITER_HANDLED;
	return g_log_writer_default(level, fields, n_fields, data);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_log_set_writer_func(leave_out, NULL, NULL);
	g_test_add_data_func("/random/retaining/nothing-fails", &test_settings, test_nothing_fails);
	g_test_add_data_func("/random/retaining/sometimes-operations-fail", &test_settings,
			     test_sometimes_operations_fail);
	g_test_add_data_func("/random/reference/nothing-fails", &test_reference_settings,
			     test_nothing_fails);
	g_test_add_data_func("/random/reference/sometimes-operations-fail",
			     &test_reference_settings, test_sometimes_operations_fail);
	return g_test_run();
}
