/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * Every allocation of the core fails in turn. (GLib ends the process when it
 * gets no memory; that is a kill like any other, see tests/crash.)
 */

#include <stdlib.h>

#include "engine-fixture.h"

/* The core's allocations, which the linker leads here (--wrap). */
void *__real_calloc(size_t n, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);

static guint until_failure; /* allocations that still work, plus one; 0: all do */
static guint failures;

static gboolean fails(void)
{
	if (until_failure == 0 || --until_failure > 0)
		return FALSE;
	failures++;
	return TRUE;
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(old, n, size);
}

static struct procdb_comm numbered(guint number)
{
	g_autofree char *name = g_strdup_printf("n%u", number);

	return test_comm(name);
}

/* Adds names, and adds again the one that did not fit. The number of failures. */
static guint fill(struct procdb_table *table, guint names)
{
	guint refused = 0;

	for (guint i = 0; i < names; i++) {
		struct procdb_comm comm = numbered(i);
		bool created;
		struct procdb_entry *entry = procdb_table_ensure(table, &comm, &created);

		if (!entry) {
			refused++;
			g_assert_cmpuint(procdb_table_size(table), ==, i);
			g_assert_null(procdb_table_find(table, &comm));
			entry = procdb_table_ensure(table, &comm, &created);
		}
		g_assert_true(created);
		g_assert_true(entry == procdb_table_find(table, &comm));
		procdb_table_move(table, entry, (enum procdb_set)(i % PROCDB_SETS));
	}
	return refused;
}

static void test_a_table_is_as_before(void)
{
	guint nth = 0;

	do {
		struct procdb_table *table;
		struct procdb_entry **sorted;

		failures = 0;
		until_failure = ++nth;
		table = procdb_table_new();
		if (!table) {
			g_assert_cmpuint(failures, ==, 1);
			continue;
		}
		/* More buckets are a matter of speed: not to get them refuses nothing. */
		g_assert_cmpuint(fill(table, 300), <=, failures);
		g_assert_cmpuint(procdb_table_size(table), ==, 300);
		for (guint i = 0; i < 300; i++) {
			struct procdb_comm comm = numbered(i);

			g_assert_nonnull(procdb_table_find(table, &comm));
		}
		sorted = procdb_table_sorted(table);
		g_assert_true(sorted || failures == 1);
		free(sorted);
		procdb_table_free(table);
	} while (failures > 0);
	g_test_message("%u allocations failed in turn", nth - 1);
	g_assert_cmpuint(nth, >, 300);
	until_failure = 0;
}

static void learn_all(EngineFixture *f, guint names)
{
	for (guint i = 0; i < names; i++) {
		struct procdb_comm comm = numbered(i);
		struct procdb_class class = test_class(PROCDB_TIER_BATCH, 1000000);

		test_maps_observe(f->backend, &comm, &class);
	}
	test_step(f);
}

/* An observation is lost, and nothing else. */
static void test_learning_goes_on(void)
{
	guint nth = 0;

	engine_fixture_allow_warnings();
	do {
		EngineFixture f;
		guint observations = 0;

		engine_fixture_set_up(&f, &test_settings, 512);
		failures = 0;
		until_failure = ++nth;
		for (guint i = 0; i < 4; i++)
			learn_all(&f, 70);
		until_failure = 0;
		test_check_settled(&f);
		for (guint i = 0; i < 70; i++) {
			struct procdb_comm comm = numbered(i);
			const struct procdb_entry *entry =
			    procdb_engine_find(f.engine, &comm, NULL);

			observations += entry->profile.observations;
			g_assert_true(
			    procdb_engine_prediction(f.engine, &comm, &(struct procdb_class){0}));
		}
		g_assert_cmpuint(observations, >=, 4 * 70 - failures);
		engine_fixture_tear_down(&f);
	} while (failures > 0);
	g_test_message("%u allocations failed in turn", nth - 1);
	g_assert_cmpuint(nth, >, 70);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/memory/a-table-is-as-before", test_a_table_is_as_before);
	g_test_add_func("/memory/learning-goes-on", test_learning_goes_on);
	return g_test_run();
}
