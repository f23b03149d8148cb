/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What is known of the program of a profile, over restarts, and until the profile goes. */

#include <string.h>

#include "engine-fixture.h"

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, 512);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	engine_fixture_tear_down(f);
}

/* BPF has counted so much of cc1; path: of the last one, "" where BPF saw none start. */
static void count(EngineFixture *f, guint64 cpu, guint32 uid, const char *path)
{
	struct procdb_program program = {.cpu = cpu, .uid = uid, .kind = PROCDB_KIND_PROCESS};
	struct procdb_comm comm = test_comm("cc1");

	memcpy(program.path, path, strlen(path));
	if (*path)
		strcpy(program.unit, "build.service");
	test_maps_count_program(f->backend, &comm, &program);
}

static void run(EngineFixture *f, guint32 runs)
{
	struct procdb_comm comm = test_comm("cc1");

	test_maps_score(f->backend, &comm, (struct procdb_score){.found = 1, .missed = runs - 1});
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
}

static void save(EngineFixture *f)
{
	g_autoptr(GError) error = NULL;

	procdb_engine_save(f->engine, NULL, &error);
	g_assert_no_error(error);
}

static void assert_known(EngineFixture *f, guint64 runs, guint64 cpu, guint32 uid, const char *path)
{
	struct procdb_identity identity;

	g_assert_true(procdb_engine_identity(f->engine, test_find(f, "cc1"), &identity));
	g_assert_cmpuint(identity.runs, ==, runs);
	g_assert_cmpuint(identity.cpu, ==, cpu);
	g_assert_cmpuint(identity.uid, ==, uid);
	g_assert_cmpuint(identity.kind, ==, PROCDB_KIND_PROCESS);
	g_assert_cmpstr(identity.path, ==, path);
	g_assert_cmpstr(identity.unit, ==, "build.service");
}

static void test_a_restart_keeps_it(EngineFixture *f, gconstpointer data)
{
	count(f, 1000, 1001, "/usr/lib/cc1");
	run(f, 7);
	save(f);
	assert_known(f, 7, 1000, 1001, "/usr/lib/cc1");
	engine_fixture_restart(f, 512);
	assert_known(f, 7, 1000, 1001, "/usr/lib/cc1");
}

/* Counts go on from there, once each, however often the service starts. */
static void test_counts_go_on(EngineFixture *f, gconstpointer data)
{
	for (guint start = 1; start <= 3; start++) {
		count(f, 1000, 1001, "/usr/lib/cc1");
		run(f, 5);
		save(f);
		save(f);
		assert_known(f, 5 * start, 1000 * start, 1001, "/usr/lib/cc1");
		engine_fixture_restart(f, 512);
	}
}

/* What runs since before the start has no path of this start, and another user's no other's path.
 */
static void test_path_and_user_belong_together(EngineFixture *f, gconstpointer data)
{
	count(f, 1000, 1001, "/home/alice/cc1");
	run(f, 1);
	save(f);
	engine_fixture_restart(f, 512);
	count(f, 10, 1002, "");
	procdb_engine_refresh_programs(f->engine);
	assert_known(f, 1, 1010, 1001, "/home/alice/cc1");
	g_usleep(G_USEC_PER_SEC);
	count(f, 20, 1002, "/home/bob/cc1");
	procdb_engine_refresh_programs(f->engine);
	assert_known(f, 1, 1020, 1002, "/home/bob/cc1");
}

/* A copy of BPF's map with these versions before and behind the user and the path, a second later.
 */
static void copy(EngineFixture *f, guint32 version, guint32 again, guint32 uid, const char *path)
{
	struct procdb_program program = {
	    .version = version, .version_again = again, .uid = uid, .kind = PROCDB_KIND_PROCESS};
	struct procdb_comm comm = test_comm("cc1");

	g_strlcpy(program.path, path, sizeof(program.path));
	strcpy(program.unit, "build.service");
	test_maps_count_program(f->backend, &comm, &program);
	test_clock_advance(G_USEC_PER_SEC);
	procdb_engine_refresh_programs(f->engine);
}

/* No lock is taken: a copy may have the user of one task and the path of the next one. */
static void test_a_torn_copy_tells_nothing(EngineFixture *f, gconstpointer data)
{
	struct procdb_identity identity;

	run(f, 1);
	copy(f, 0, 2, 1001, "/home/bob/cc1");
	g_assert_true(procdb_engine_identity(f->engine, test_find(f, "cc1"), &identity));
	g_assert_cmpstr(identity.path, ==, "");
	copy(f, 2, 2, 1001, "/home/alice/cc1");
	assert_known(f, 1, 0, 1001, "/home/alice/cc1");
	/* Made from the beginning, from the end, and all of it while BPF wrote. */
	copy(f, 2, 4, 1001, "/home/bob/cc1");
	assert_known(f, 1, 0, 1001, "/home/alice/cc1");
	copy(f, 4, 2, 1002, "/home/alice/cc1");
	assert_known(f, 1, 0, 1001, "/home/alice/cc1");
	copy(f, 3, 3, 1002, "/home/alice/cc1");
	assert_known(f, 1, 0, 1001, "/home/alice/cc1");
	copy(f, 4, 4, 1002, "/home/bob/cc1");
	assert_known(f, 1, 0, 1002, "/home/bob/cc1");
}

/* BPF's map forgets the oldest, and counts on without what executed it. */
static void test_an_entry_that_is_remade_forgets_no_path(EngineFixture *f, gconstpointer data)
{
	count(f, 1000, 1001, "/usr/lib/cc1");
	run(f, 1);
	procdb_engine_refresh_programs(f->engine);
	g_usleep(G_USEC_PER_SEC);
	count(f, 10, 0, "");
	procdb_engine_refresh_programs(f->engine);
	assert_known(f, 1, 1010, 1001, "/usr/lib/cc1");
	save(f);
	engine_fixture_restart(f, 512);
	assert_known(f, 1, 1010, 1001, "/usr/lib/cc1");
}

static void on_saved(guint number, const GError *error, gpointer data)
{
	g_assert_no_error(error);
	*(gboolean *)data = TRUE;
}

/* Starts and CPU time are no reason to write each minute, but a save that is asked for has them. */
static void test_a_save_has_what_was_only_counted(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");
	ProcdbEngineStatus status;
	gboolean saved = FALSE;

	count(f, 1000, 1001, "/usr/lib/cc1");
	run(f, 1);
	save(f);
	test_maps_score(f->backend, &comm, (struct procdb_score){.found = 4});
	test_step(f);
	procdb_engine_status(f->engine, &status);
	g_assert_false(status.dirty);
	g_assert_true(status.counted);
	procdb_engine_request_save(f->engine, on_saved, &saved);
	while (!saved)
		g_main_context_iteration(NULL, TRUE);
	engine_fixture_restart(f, 512);
	assert_known(f, 5, 1000, 1001, "/usr/lib/cc1");
}

static void test_loading_again_counts_once(EngineFixture *f, gconstpointer data)
{
	guint loaded;

	count(f, 1000, 1001, "/usr/lib/cc1");
	run(f, 7);
	save(f);
	g_assert_true(procdb_engine_reload(f->engine, &loaded, NULL));
	assert_known(f, 7, 1000, 1001, "/usr/lib/cc1");
}

static void test_a_deleted_profile_takes_it_along(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");
	struct procdb_identity identity;

	count(f, 1000, 1001, "/usr/lib/cc1");
	run(f, 7);
	save(f);
	engine_fixture_restart(f, 512);
	g_assert_true(test_delete(f, &comm, 1, NULL, NULL));
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	save(f);
	g_assert_false(procdb_engine_identity(f->engine, test_find(f, "cc1"), &identity));
	engine_fixture_restart(f, 512);
	g_assert_false(procdb_engine_identity(f->engine, test_find(f, "cc1"), &identity));
	g_assert_cmpuint(identity.runs, ==, 0);
	g_assert_cmpstr(identity.path, ==, "");
}

/* Starts come before a profile; those before a reset are forgotten with it. */
static void test_a_reset_forgets_starts(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");

	test_maps_score(f->backend, &comm, (struct procdb_score){.missed = 3});
	test_step(f);
	procdb_engine_reset(f->engine);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_cmpuint(test_find(f, "cc1")->missed, ==, 0);
	/* An overridden profile stays, without what was counted. */
	run(f, 7);
	g_assert_true(test_override(f, &comm, PROCDB_TIER_BATCH, NULL));
	procdb_engine_reset(f->engine);
	g_assert_cmpuint(test_find(f, "cc1")->found, ==, 0);
	g_assert_cmpuint(test_find(f, "cc1")->missed, ==, 0);
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/known-programs/a-restart-keeps-it", test_a_restart_keeps_it);
	add("/known-programs/counts-go-on", test_counts_go_on);
	add("/known-programs/path-and-user-belong-together", test_path_and_user_belong_together);
	add("/known-programs/a-torn-copy-tells-nothing", test_a_torn_copy_tells_nothing);
	add("/known-programs/an-entry-that-is-remade-forgets-no-path",
	    test_an_entry_that_is_remade_forgets_no_path);
	add("/known-programs/a-save-has-what-was-only-counted",
	    test_a_save_has_what_was_only_counted);
	add("/known-programs/loading-again-counts-once", test_loading_again_counts_once);
	add("/known-programs/a-deleted-profile-takes-it-along",
	    test_a_deleted_profile_takes_it_along);
	add("/known-programs/a-reset-forgets-starts", test_a_reset_forgets_starts);
	return g_test_run();
}
