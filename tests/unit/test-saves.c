/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Saves that callers ask for: of what is clean at once, of all that wait together. And what reads
 * the file, and waits for them. */

#include <glib/gstdio.h>
#include <sys/stat.h>

#include "engine-fixture.h"
#include "engine-state.h"

static guint told;
static guint failed;
static guint saved;

static void on_saved(guint count, const GError *error, gpointer data)
{
	told++;
	failed += error != NULL;
	saved = count;
	if (error)
		g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_SAVE_FAILED);
}

static void set_up(EngineFixture *f, gconstpointer data)
{
	told = failed = saved = 0;
	engine_fixture_set_up(f, &test_settings, 512);
	engine_fixture_allow_warnings();
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	engine_fixture_tear_down(f);
}

static void request(EngineFixture *f, guint times)
{
	for (guint i = 0; i < times; i++)
		procdb_engine_request_save(f->engine, on_saved, NULL);
}

static void wait_until_told(guint times)
{
	while (told < times)
		g_main_context_iteration(NULL, TRUE);
	g_assert_cmpuint(told, ==, times);
}

static ino_t inode(EngineFixture *f)
{
	struct stat st;

	g_assert_cmpint(stat(f->path, &st), ==, 0);
	return st.st_ino;
}

static void test_what_is_clean_is_answered_at_once(EngineFixture *f, gconstpointer data)
{
	ino_t before;

	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	before = inode(f);
	request(f, 1000);
	g_assert_cmpuint(told, ==, 1000);
	g_assert_cmpuint(saved, ==, 1);
	g_assert_cmpuint(inode(f), ==, before);
}

/* Another program may have removed it, or put another in its place. */
static void test_what_is_not_our_file_is_written(EngineFixture *f, gconstpointer data)
{
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_cmpint(g_remove(f->path), ==, 0);
	request(f, 1);
	wait_until_told(1);
	(void)inode(f);
}

static void test_all_that_wait_share_a_save(EngineFixture *f, gconstpointer data)
{
	request(f, 100);
	g_assert_cmpuint(told, ==, 0);
	wait_until_told(100);
	g_assert_cmpuint(failed, ==, 0);
	g_assert_false(f->engine->dirty);
	engine_fixture_restart(f, 512);
	g_assert_nonnull(test_find(f, "cc1"));
}

/* What was learned after it began is in the next one, which waits for its second. */
static void test_no_oftener_than_once_a_second(EngineFixture *f, gconstpointer data)
{
	const gint64 began = g_get_monotonic_time();

	for (guint i = 1; i <= 3; i++) {
		g_autofree char *name = g_strdup_printf("later%u", i);

		request(f, 1);
		/* Without waiting, as test_learn() would. */
		for (guint times = 0; times < 3; times++) {
			struct procdb_comm comm = test_comm(name);
			struct procdb_class class = test_class(PROCDB_TIER_BATCH, 1000);

			test_maps_observe(f->backend, &comm, &class);
			procdb_engine_step(f->engine);
		}
		request(f, 1);
		wait_until_told(2 * i);
		g_assert_cmpuint(saved, ==, 1 + i);
	}
	g_assert_cmpint(g_get_monotonic_time() - began, >=, 3 * G_USEC_PER_SEC - 100000);
	g_assert_cmpuint(failed, ==, 0);
}

/* A caller that changes something waits for the disk only, and all that do meanwhile for one save.
 */
static void test_changes_wait_for_no_second(EngineFixture *f, gconstpointer data)
{
	for (guint i = 1; i <= 20; i++) {
		g_autofree char *name = g_strdup_printf("o%u", i);
		const struct procdb_comm comm = test_comm(name);

		g_assert_true(procdb_engine_override(f->engine, &comm, PROCDB_TIER_BATCH, NULL));
		procdb_engine_keep(f->engine, on_saved, NULL);
		g_assert_cmpuint(told, ==, i - 1);
		/* However long the disk takes: it has begun at once. */
		g_assert_nonnull(f->engine->saves.running);
		g_assert_cmpuint(f->engine->saves.next, ==, 0);
		wait_until_told(i);
	}
	g_assert_cmpuint(failed, ==, 0);
}

/* A save that began before knows nothing of it, and leaves the older file. */
static void test_what_is_deleted_during_a_save_is_forgotten(EngineFixture *f, gconstpointer data)
{
	const struct procdb_comm comm = test_comm("cc1");
	g_autofree char *prev = g_strconcat(f->path, ".prev", NULL);

	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	test_learn(f, "later", PROCDB_TIER_BATCH, 3);
	request(f, 1);
	g_assert_true(procdb_engine_delete(f->engine, &comm, 1, NULL, NULL));
	procdb_engine_keep(f->engine, on_saved, NULL);
	g_assert_nonnull(f->engine->saves.running);
	wait_until_told(2);
	g_assert_cmpuint(failed, ==, 0);
	g_assert_false(g_file_test(prev, G_FILE_TEST_EXISTS));
	engine_fixture_restart(f, 512);
	g_assert_null(test_find(f, "cc1"));
	g_assert_nonnull(test_find(f, "later"));
}

static void test_a_failure_is_told(EngineFixture *f, gconstpointer data)
{
	engine_fixture_block_saving(f, TRUE);
	request(f, 2);
	wait_until_told(2);
	g_assert_cmpuint(failed, ==, 2);
	g_assert_true(f->engine->dirty);
	engine_fixture_block_saving(f, FALSE);
	request(f, 1);
	wait_until_told(3);
	g_assert_cmpuint(failed, ==, 2);
}

static void test_a_caller_that_waits_at_the_end_is_told(EngineFixture *f, gconstpointer data)
{
	request(f, 2);
	test_learn(f, "later", PROCDB_TIER_BATCH, 1);
	f->engine->dirty = TRUE;
	request(f, 3);
	engine_fixture_restart(f, 512);
	g_assert_cmpuint(told, ==, 5);
}

/* What was on its way when a reader was called. */
typedef struct {
	EngineFixture *f;
	guint calls;
	guint told; /* savers */
	gboolean failed;
} Reader;

static void on_may_read(guint count, const GError *error, gpointer data)
{
	Reader *reader = data;
	guint loaded;

	reader->calls++;
	reader->told = told;
	reader->failed = error != NULL;
	if (error) {
		g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED);
		return;
	}
	g_assert_null(reader->f->engine->saves.running);
	g_assert_true(procdb_engine_reload(reader->f->engine, &loaded, NULL));
}

static void keep_override(EngineFixture *f, const char *name)
{
	const struct procdb_comm comm = test_comm(name);

	g_assert_true(procdb_engine_override(f->engine, &comm, PROCDB_TIER_BATCH, NULL));
	procdb_engine_keep(f->engine, on_saved, NULL);
}

static void test_a_reader_waits_for_no_save(EngineFixture *f, gconstpointer data)
{
	Reader reader = {.f = f};

	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	procdb_engine_when_saved(f->engine, on_may_read, &reader);
	g_assert_cmpuint(reader.calls, ==, 1);
	g_assert_nonnull(test_find(f, "cc1"));
}

/* The loop goes on, and no change that is reported as saved is thrown away. */
static void test_readers_wait_for_changes_and_in_the_loop(EngineFixture *f, gconstpointer data)
{
	Reader readers[] = {{.f = f}, {.f = f}, {.f = f}};
	g_autoptr(GError) error = NULL;
	guint loaded;

	keep_override(f, "first");
	g_assert_nonnull(f->engine->saves.running);
	keep_override(f, "second");
	for (guint i = 0; i < G_N_ELEMENTS(readers); i++)
		procdb_engine_when_saved(f->engine, on_may_read, &readers[i]);
	g_assert_cmpuint(readers[0].calls, ==, 0);
	/* It would wait for the disk. */
	g_assert_false(procdb_engine_reload(f->engine, &loaded, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LOAD_FAILED);
	while (readers[2].calls == 0)
		g_main_context_iteration(NULL, TRUE);
	for (guint i = 0; i < G_N_ELEMENTS(readers); i++) {
		g_assert_cmpuint(readers[i].calls, ==, 1);
		g_assert_cmpuint(readers[i].told, ==, 2);
		g_assert_false(readers[i].failed);
	}
	g_assert_cmpuint(failed, ==, 0);
	g_assert_nonnull(test_find(f, "first"));
	g_assert_nonnull(test_find(f, "second"));
}

/* What was asked for before is saved before; but any user may request one save after the other. */
static void test_a_reader_comes_before_later_saves(EngineFixture *f, gconstpointer data)
{
	Reader reader = {.f = f};

	request(f, 1);
	g_assert_nonnull(f->engine->saves.running);
	f->engine->dirty = TRUE;
	request(f, 1);
	procdb_engine_when_saved(f->engine, on_may_read, &reader);
	/* Without the second that saves keep between them. */
	wait_until_told(1);
	g_assert_nonnull(f->engine->saves.running);
	g_assert_cmpuint(reader.calls, ==, 0);
	f->engine->dirty = TRUE;
	request(f, 1);
	/* As if the next could begin at once. */
	f->engine->saves.requested_us = 0;
	wait_until_told(3);
	g_assert_cmpuint(reader.calls, ==, 1);
	g_assert_cmpuint(reader.told, ==, 2);
	g_assert_cmpuint(failed, ==, 0);
}

static void test_a_reader_that_waits_at_the_end_is_told(EngineFixture *f, gconstpointer data)
{
	Reader reader = {.f = f};

	request(f, 1);
	procdb_engine_when_saved(f->engine, on_may_read, &reader);
	g_assert_cmpuint(reader.calls, ==, 0);
	engine_fixture_restart(f, 512);
	g_assert_cmpuint(reader.calls, ==, 1);
	g_assert_true(reader.failed);
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/saves/what-is-clean-is-answered-at-once", test_what_is_clean_is_answered_at_once);
	add("/saves/what-is-not-our-file-is-written", test_what_is_not_our_file_is_written);
	add("/saves/all-that-wait-share-a-save", test_all_that_wait_share_a_save);
	add("/saves/no-oftener-than-once-a-second", test_no_oftener_than_once_a_second);
	add("/saves/changes-wait-for-no-second", test_changes_wait_for_no_second);
	add("/saves/what-is-deleted-during-a-save-is-forgotten",
	    test_what_is_deleted_during_a_save_is_forgotten);
	add("/saves/a-failure-is-told", test_a_failure_is_told);
	add("/saves/a-caller-that-waits-at-the-end-is-told",
	    test_a_caller_that_waits_at_the_end_is_told);
	add("/saves/a-reader-waits-for-no-save", test_a_reader_waits_for_no_save);
	add("/saves/readers-wait-for-changes-and-in-the-loop",
	    test_readers_wait_for_changes_and_in_the_loop);
	add("/saves/a-reader-comes-before-later-saves", test_a_reader_comes_before_later_saves);
	add("/saves/a-reader-that-waits-at-the-end-is-told",
	    test_a_reader_that_waits_at_the_end_is_told);
	return g_test_run();
}
