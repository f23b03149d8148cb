/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The engine while operations on the maps fail: it makes up for it, and does not fill the log. */

#include "engine-fixture.h"

static void set_up(EngineFixture *f, gconstpointer settings)
{
	engine_fixture_set_up(f, settings, 4);
}

static void tear_down(EngineFixture *f, gconstpointer settings)
{
	engine_fixture_tear_down(f);
}

static void override_and_back(EngineFixture *f)
{
	test_set_override(f, "mine", PROCDB_TIER_LAT_CRITICAL);
	test_set_override(f, "mine", PROCDB_NO_OVERRIDE);
}

/* What a service does in its life, while every n-th map operation fails. */
static void live_with_failures(EngineFixture *f, guint n)
{
	static const char *const names[] = {"a", "b", "c", "d", "e", "f", "g"};

	test_maps_fail_every(f->backend, n);
	for (guint i = 0; i < 40; i++) {
		struct procdb_comm comm = test_comm(names[i % G_N_ELEMENTS(names)]);
		struct procdb_class class = test_class((enum procdb_tier)(i / 20 % 2), 1000);

		for (guint j = 0; j < G_N_ELEMENTS(names); j++) {
			struct procdb_comm other = test_comm(names[j]);

			if (i % (j + 1) == 0)
				test_maps_observe(f->backend, &other, &class);
		}
		procdb_engine_step(f->engine);
		test_clock_advance(G_USEC_PER_SEC);
		if (i == 15)
			test_set_override(f, "mine", PROCDB_TIER_LAT_CRITICAL);
		if (i == 17)
			test_delete(f, &comm, 1, NULL, NULL);
		if (i == 25)
			test_maps_replace(f->backend);
		if (i == 30)
			test_steps(f, 70);
		if (i == 35)
			test_set_override(f, "mine", PROCDB_NO_OVERRIDE);
	}
	test_maps_fail_every(f->backend, 0);
	test_steps(f, 3);
	test_check_consistent(f);
}

static void test_any_failing_operation(EngineFixture *f, gconstpointer data)
{
	engine_fixture_allow_warnings();
	for (guint n = 1; n <= 60; n++) {
		EngineFixture own;

		engine_fixture_set_up(&own, data, 4);
		live_with_failures(&own, n);
		engine_fixture_tear_down(&own);
	}
}

static guint warnings;

static GLogWriterOutput count_warning(GLogLevelFlags level, const GLogField *fields, gsize n_fields,
				      gpointer data)
{
	warnings += (level & G_LOG_LEVEL_WARNING) != 0;
	return g_log_writer_default(level, fields, n_fields, data);
}

static void test_failures_are_logged_once_a_kind(EngineFixture *f, gconstpointer data)
{
	ProcdbEngineStatus status;

	/* Once in a process, and for good. */
	g_log_set_writer_func(count_warning, NULL, NULL);
	engine_fixture_allow_warnings();
	test_learn_names(f, "n", 3);
	warnings = 0;
	test_maps_fail_every(f->backend, 1);
	for (guint i = 0; i < 20; i++) {
		/* Something to drain, publish and withdraw, and a reason to compare all. */
		test_learn(f, "n0", i % 2 ? PROCDB_TIER_BATCH : PROCDB_TIER_INTERACTIVE, 1);
		procdb_engine_configure(f->engine, procdb_engine_settings(f->engine));
		override_and_back(f);
	}
	g_assert_cmpuint(warnings, >=, 1);
	/* Draining, scores, reading, writing and withdrawing predictions. */
	g_assert_cmpuint(warnings, <=, 5);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpuint(status.backend.errors, >=, 20);
	test_maps_fail_every(f->backend, 0);
	test_steps(f, 2);
	test_check_settled(f);
}

static void add(const char *name, void (*test)(EngineFixture *, gconstpointer),
		const ProcdbEngineSettings *settings)
{
	g_autofree char *path = g_strdup_printf(
	    "/map-failures/%s/%s", settings->retention_days > 0 ? "retaining" : "reference", name);

	g_test_add(path, EngineFixture, settings, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	const ProcdbEngineSettings *retaining = &test_settings;
	const ProcdbEngineSettings *reference = &test_reference_settings;

	g_test_init(&argc, &argv, NULL);
	add("any-failing-operation", test_any_failing_operation, retaining);
	add("any-failing-operation", test_any_failing_operation, reference);
	add("failures-are-logged-once-a-kind", test_failures_are_logged_once_a_kind, retaining);
	return g_test_run();
}
