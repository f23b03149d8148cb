/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The database file: what is saved is found again, whole, the newest that there is. */

#include <unistd.h>

#include "store-fixture.h"

static void assert_same(const char *a, gsize a_len, const char *b, gsize b_len)
{
	g_assert_cmpuint(a_len, ==, b_len);
	g_assert_true(memcmp(a, b, a_len) == 0);
}

static char *quarantined_path(struct fixture *fixture)
{
	const char *name = procdb_store_report(fixture->store)->quarantined;

	g_assert_nonnull(name);
	return g_build_filename(fixture->folder, name, NULL);
}

static void test_missing_file_is_empty(struct fixture *fixture, gconstpointer data)
{
	assert_loads(fixture, 0, 0, PROCDB_SOURCE_NONE);
	g_assert_null(procdb_store_report(fixture->store)->message);
}

static void test_save_and_load(struct fixture *fixture, gconstpointer data)
{
	struct stat st;

	for (guint generation = 1; generation < 4; generation++) {
		must_save(fixture, 100 * generation, generation);
		assert_loads(fixture, 100 * generation, generation, PROCDB_SOURCE_NEWEST);
		g_assert_null(procdb_store_report(fixture->store)->message);
	}
	g_assert_cmpint(g_stat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0600);
}

static void test_missing_folders_are_made(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *path = g_build_filename(fixture->folder, "a", "b", "db", NULL);
	g_autofree char *folder = g_path_get_dirname(path);
	struct stat st;

	procdb_store_free(fixture->store);
	fixture->store = procdb_store_new(path);
	must_save(fixture, 3, 1);
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
	g_assert_cmpint(g_stat(folder, &st), ==, 0);
	g_assert_cmpint(st.st_mode & 0777, ==, 0700);
}

static void test_previous_is_used_when_the_newest_is_damaged(struct fixture *fixture,
							     gconstpointer data)
{
	static const long places[] = {0, 5, 9, 40, 200, -20, -1};

	for (guint i = 0; i < G_N_ELEMENTS(places); i++) {
		g_autofree char *aside = NULL;
		g_autofree char *bad = NULL;
		g_autofree char *kept = NULL;
		gsize bad_len;
		gsize kept_len;

		must_save(fixture, 20, 2 * i);
		must_save(fixture, 20, 2 * i + 1);
		damage(fixture->path, places[i]);
		g_assert_true(g_file_get_contents(fixture->path, &bad, &bad_len, NULL));

		assert_loads(fixture, 20, 2 * i, PROCDB_SOURCE_PREVIOUS);
		g_assert_nonnull(procdb_store_report(fixture->store)->message);
		aside = quarantined_path(fixture);
		g_assert_true(g_file_get_contents(aside, &kept, &kept_len, NULL));
		assert_same(bad, bad_len, kept, kept_len);
		/* And from now on it is the newest. */
		assert_loads(fixture, 20, 2 * i, PROCDB_SOURCE_NEWEST);
	}
	must_save(fixture, 20, 99);
	assert_loads(fixture, 20, 99, PROCDB_SOURCE_NEWEST);
	damage(fixture->path, -1);
	assert_loads(fixture, 20, 2 * G_N_ELEMENTS(places) - 2, PROCDB_SOURCE_PREVIOUS);
}

static void test_damage_without_previous_leaves_the_entries(struct fixture *fixture,
							    gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;

	must_save(fixture, 30, 1);
	damage(fixture->path, -30);
	for (guint i = 0; i < 2; i++) {
		const ProcdbStoreReport *report = load(fixture, records, &diag);

		g_assert_cmpint(diag, ==, PROCDB_DIAG_NONE);
		g_assert_cmpint(report->newest.ext, ==, PROCDB_EXT_DAMAGED);
		g_assert_cmpint(report->source, ==, PROCDB_SOURCE_NEWEST);
		g_assert_cmpuint(records->len, ==, 20);
		/* The same file is not quarantined twice. */
		g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	}
	must_save(fixture, 30, 2);
	assert_loads(fixture, 30, 2, PROCDB_SOURCE_NEWEST);
	g_assert_false(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
}

static void test_bad_file_is_quarantined_not_overwritten(struct fixture *fixture,
							 gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	g_autofree char *aside = NULL;
	const ProcdbStoreReport *report;
	ProcdbDiag diag;

	put(fixture->path, "not a database", -1);
	report = load(fixture, records, &diag);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_MAGIC);
	g_assert_cmpint(report->source, ==, PROCDB_SOURCE_NONE);
	g_assert_cmpuint(records->len, ==, 0);
	aside = quarantined_path(fixture);
	g_assert_true(g_regex_match_simple("/db\\.bad-[0-9]{8}T[0-9]{6}Z$", aside, 0, 0));
	must_save(fixture, 3, 1);
	assert_content(aside, "not a database");
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
}

static void test_number_of_bad_files_is_bounded(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	g_autofree char *last = NULL;
	ProcdbDiag diag;

	for (guint i = 0; i < 20; i++) {
		g_autofree char *content = g_strdup_printf("bad file %u", i);

		put(fixture->path, content, -1);
		load(fixture, records, &diag);
		g_assert_cmpuint(count_quarantined(fixture), <=, 8);
		g_clear_pointer(&last, g_free);
		last = quarantined_path(fixture);
		assert_content(last, content);
	}
}

static void test_foreign_writer_is_respected(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *golden =
	    g_test_build_filename(G_TEST_DIST, "..", "golden", "v2.bin", NULL);
	g_autofree char *content = NULL;
	g_autofree char *prev = NULL;
	g_autofree char *ours = NULL;
	gsize len;
	gsize prev_len;
	gsize ours_len;

	must_save(fixture, 3, 1);
	must_save(fixture, 3, 2);
	/* A foreign file gives way, and does not become the previous one. */
	g_assert_true(g_file_get_contents(golden, &content, &len, NULL));
	put(fixture->path, content, (gssize)len);
	g_assert_true(g_file_get_contents(fixture->prev, &ours, &ours_len, NULL));
	must_save(fixture, 3, 3);
	g_assert_true(g_file_get_contents(fixture->prev, &prev, &prev_len, NULL));
	assert_same(ours, ours_len, prev, prev_len);
	/* A bad file is quarantined, and a good one stays. */
	put(fixture->path, "torn", -1);
	must_save(fixture, 3, 4);
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	g_clear_pointer(&prev, g_free);
	g_assert_true(g_file_get_contents(fixture->prev, &prev, &prev_len, NULL));
	assert_same(ours, ours_len, prev, prev_len);
	assert_loads(fixture, 3, 4, PROCDB_SOURCE_NEWEST);
}

static void test_forgetting_leaves_no_older_content(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_make(3, 3);
	g_autoptr(GError) error = NULL;

	must_save(fixture, 3, 1);
	must_save(fixture, 3, 2);
	g_assert_true(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
	procdb_store_save_forgetting(fixture->store, (const struct procdb_record *)records->data,
				     records->len, &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
	assert_loads(fixture, 3, 3, PROCDB_SOURCE_NEWEST);
}

static void test_leftover_is_cleaned(struct fixture *fixture, gconstpointer data)
{
	must_save(fixture, 3, 1);
	put(fixture->temp, "half a fi", -1);
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
	g_assert_false(g_file_test(fixture->temp, G_FILE_TEST_EXISTS));
	put(fixture->temp, "half a fi", -1);
	must_save(fixture, 3, 2);
	assert_loads(fixture, 3, 2, PROCDB_SOURCE_NEWEST);
}

struct saved {
	guint calls;
	guint ok;
	guint pending;
};

static void on_saved(GObject *source, GAsyncResult *result, gpointer data)
{
	g_autoptr(GError) error = NULL;
	struct saved *saved = data;

	saved->calls++;
	if (procdb_store_save_finish(result, &error))
		saved->ok++;
	else if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_PENDING))
		saved->pending++;
	else
		g_assert_no_error(error);
}

static void save_async(struct fixture *fixture, guint n, guint generation, struct saved *saved)
{
	procdb_store_save_async(fixture->store, records_make(n, generation), FALSE, on_saved,
				saved);
}

static void wait_for_calls(const struct saved *saved, guint calls)
{
	while (saved->calls < calls)
		g_main_context_iteration(NULL, TRUE);
}

static void test_save_in_a_thread(struct fixture *fixture, gconstpointer data)
{
	struct saved saved = {0};

	for (guint i = 1; i <= 20; i++) {
		save_async(fixture, 100, i, &saved);
		wait_for_calls(&saved, i);
		g_assert_false(procdb_store_is_saving(fixture->store));
		assert_loads(fixture, 100, i, PROCDB_SOURCE_NEWEST);
	}
	g_assert_cmpuint(saved.ok, ==, 20);
}

static void test_one_save_at_a_time(struct fixture *fixture, gconstpointer data)
{
	struct saved saved = {0};

	for (guint i = 0; i < 50; i++)
		save_async(fixture, 500, i, &saved);
	wait_for_calls(&saved, 50);
	g_assert_cmpuint(saved.ok, >=, 1);
	g_assert_cmpuint(saved.ok + saved.pending, ==, 50);
}

static void test_older_save_never_wins(struct fixture *fixture, gconstpointer data)
{
	struct saved saved = {0};

	for (guint i = 0; i < 100; i++) {
		save_async(fixture, 50, 1000 + i, &saved);
		must_save(fixture, 50, i);
		wait_for_calls(&saved, i + 1);
		assert_loads(fixture, 50, i, PROCDB_SOURCE_NEWEST);
	}
	g_assert_cmpuint(saved.ok, ==, 100);
}

static void test_a_load_waits_for_a_save(struct fixture *fixture, gconstpointer data)
{
	struct saved saved = {0};

	for (guint i = 0; i < 100; i++) {
		save_async(fixture, 50, i, &saved);
		assert_loads(fixture, 50, i, PROCDB_SOURCE_NEWEST);
		wait_for_calls(&saved, i + 1);
	}
	g_assert_cmpuint(saved.ok, ==, 100);
}

static void test_forgetting_in_a_thread(struct fixture *fixture, gconstpointer data)
{
	struct saved saved = {0};

	must_save(fixture, 3, 1);
	must_save(fixture, 3, 2);
	g_assert_true(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
	procdb_store_save_async(fixture->store, records_make(3, 3), TRUE, on_saved, &saved);
	wait_for_calls(&saved, 1);
	g_assert_cmpuint(saved.ok, ==, 1);
	g_assert_false(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
	assert_loads(fixture, 3, 3, PROCDB_SOURCE_NEWEST);
}

static void test_store_may_go_during_a_save(struct fixture *fixture, gconstpointer data)
{
	struct saved saved = {0};

	for (guint i = 0; i < 20; i++) {
		save_async(fixture, 200, i, &saved);
		procdb_store_free(fixture->store);
		fixture->store = procdb_store_new(fixture->path);
		wait_for_calls(&saved, i + 1);
		assert_loads(fixture, 200, i, PROCDB_SOURCE_NEWEST);
	}
	g_assert_cmpuint(saved.ok, ==, 20);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_STORE_TEST("missing-file-is-empty", test_missing_file_is_empty);
	ADD_STORE_TEST("save-and-load", test_save_and_load);
	ADD_STORE_TEST("missing-folders-are-made", test_missing_folders_are_made);
	ADD_STORE_TEST("previous-is-used-when-the-newest-is-damaged",
		       test_previous_is_used_when_the_newest_is_damaged);
	ADD_STORE_TEST("damage-without-previous-leaves-the-entries",
		       test_damage_without_previous_leaves_the_entries);
	ADD_STORE_TEST("bad-file-is-quarantined-not-overwritten",
		       test_bad_file_is_quarantined_not_overwritten);
	ADD_STORE_TEST("number-of-bad-files-is-bounded", test_number_of_bad_files_is_bounded);
	ADD_STORE_TEST("foreign-writer-is-respected", test_foreign_writer_is_respected);
	ADD_STORE_TEST("forgetting-leaves-no-older-content",
		       test_forgetting_leaves_no_older_content);
	ADD_STORE_TEST("leftover-is-cleaned", test_leftover_is_cleaned);
	ADD_STORE_TEST("save-in-a-thread", test_save_in_a_thread);
	ADD_STORE_TEST("one-save-at-a-time", test_one_save_at_a_time);
	ADD_STORE_TEST("older-save-never-wins", test_older_save_never_wins);
	ADD_STORE_TEST("a-load-waits-for-a-save", test_a_load_waits_for_a_save);
	ADD_STORE_TEST("forgetting-in-a-thread", test_forgetting_in_a_thread);
	ADD_STORE_TEST("store-may-go-during-a-save", test_store_may_go_during_a_save);
	return g_test_run();
}
