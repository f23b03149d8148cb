/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The database file in a folder of its own: what is saved stays, whatever happens. */

#include <errno.h>
#include <glib/gstdio.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "records.h"
#include "store.h"

struct fixture {
	char *top;
	char *folder;
	char *path;
	char *prev;
	char *temp;
	ProcdbStore *store;
};

static void set_up(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GError) error = NULL;

	fixture->top = g_dir_make_tmp("procdb-store-XXXXXX", &error);
	g_assert_no_error(error);
	fixture->folder = g_build_filename(fixture->top, "state", NULL);
	g_assert_cmpint(g_mkdir(fixture->folder, 0700), ==, 0);
	fixture->path = g_build_filename(fixture->folder, "db", NULL);
	fixture->prev = g_strconcat(fixture->path, ".prev", NULL);
	fixture->temp = g_strconcat(fixture->path, ".tmp", NULL);
	fixture->store = procdb_store_new(fixture->path);
}

static void remove_tree(const char *path)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
		g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
		const char *name;

		while ((name = g_dir_read_name(dir))) {
			g_autofree char *child = g_build_filename(path, name, NULL);

			remove_tree(child);
		}
	}
	g_assert_cmpint(g_remove(path), ==, 0);
}

static void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_clear_pointer(&fixture->store, procdb_store_free);
	remove_tree(fixture->top);
	g_free(fixture->top);
	g_free(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->prev);
	g_free(fixture->temp);
}

static gboolean save(struct fixture *fixture, guint n, guint generation, GError **error)
{
	g_autoptr(GArray) records = records_make(n, generation);

	return procdb_store_save(fixture->store, (const struct procdb_record *)records->data,
				 records->len, error);
}

static void must_save(struct fixture *fixture, guint n, guint generation)
{
	g_autoptr(GError) error = NULL;

	save(fixture, n, generation, &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test(fixture->temp, G_FILE_TEST_EXISTS));
}

static const ProcdbStoreReport *load(struct fixture *fixture, GArray *records, ProcdbDiag *diag)
{
	g_autoptr(GError) error = NULL;

	g_array_set_size(records, 0);
	procdb_store_load(fixture->store, records, diag, &error);
	g_assert_no_error(error);
	return procdb_store_report(fixture->store);
}

static void assert_loads(struct fixture *fixture, guint n, guint generation, ProcdbSource source)
{
	g_autoptr(GArray) expected = records_make(n, generation);
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;

	g_assert_cmpint(load(fixture, records, &diag)->source, ==, source);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_NONE);
	g_assert_true(records_equal(expected, records));
}

static void put(const char *path, const char *data, gssize len)
{
	g_autoptr(GError) error = NULL;

	g_file_set_contents_full(path, data, len, G_FILE_SET_CONTENTS_NONE, 0600, &error);
	g_assert_no_error(error);
}

static void assert_content(const char *path, const char *expected)
{
	g_autofree char *content = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &content, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(content, ==, expected);
}

static void assert_same(const char *a, gsize a_len, const char *b, gsize b_len)
{
	g_assert_cmpuint(a_len, ==, b_len);
	g_assert_true(memcmp(a, b, a_len) == 0);
}

/* Flips a bit of a file in place, as a bad disk would. */
static void damage(const char *path, long offset)
{
	FILE *file = g_fopen(path, "r+");
	int byte;

	g_assert_nonnull(file);
	g_assert_cmpint(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), ==, 0);
	byte = fgetc(file);
	g_assert_cmpint(fseek(file, -1, SEEK_CUR), ==, 0);
	g_assert_cmpint(fputc(byte ^ 4, file), !=, EOF);
	g_assert_cmpint(fclose(file), ==, 0);
}

static guint count_set_aside(struct fixture *fixture)
{
	g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
	const char *name;
	guint n = 0;

	while ((name = g_dir_read_name(dir)))
		n += g_str_has_prefix(name, "db.bad-");
	return n;
}

static char *set_aside_path(struct fixture *fixture)
{
	const char *name = procdb_store_report(fixture->store)->set_aside;

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
		aside = set_aside_path(fixture);
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
		/* The same one is not set aside twice. */
		g_assert_cmpuint(count_set_aside(fixture), ==, 1);
	}
	must_save(fixture, 30, 2);
	assert_loads(fixture, 30, 2, PROCDB_SOURCE_NEWEST);
	g_assert_false(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
	g_assert_cmpuint(count_set_aside(fixture), ==, 1);
}

static void test_bad_file_is_set_aside_not_overwritten(struct fixture *fixture, gconstpointer data)
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
	aside = set_aside_path(fixture);
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
		g_assert_cmpuint(count_set_aside(fixture), <=, 8);
		g_clear_pointer(&last, g_free);
		last = set_aside_path(fixture);
		assert_content(last, content);
	}
}

static void test_foreign_writer_is_respected(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *golden =
	    g_test_build_filename(G_TEST_DIST, "..", "golden", "v2.bin", NULL);
	g_autofree char *content = NULL;
	g_autofree char *prev = NULL;
	gsize len;
	gsize prev_len;

	must_save(fixture, 3, 1);
	must_save(fixture, 3, 2);
	/* A good file becomes the previous one. */
	g_assert_true(g_file_get_contents(golden, &content, &len, NULL));
	put(fixture->path, content, (gssize)len);
	must_save(fixture, 3, 3);
	g_assert_true(g_file_get_contents(fixture->prev, &prev, &prev_len, NULL));
	assert_same(content, len, prev, prev_len);
	/* A bad one is set aside, and what is good stays. */
	put(fixture->path, "torn", -1);
	must_save(fixture, 3, 4);
	g_assert_cmpuint(count_set_aside(fixture), ==, 1);
	g_clear_pointer(&prev, g_free);
	g_assert_true(g_file_get_contents(fixture->prev, &prev, &prev_len, NULL));
	assert_same(content, len, prev, prev_len);
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

static void test_link_in_place_of_temp_is_not_followed(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *victim = g_build_filename(fixture->top, "victim", NULL);

	put(victim, "precious", -1);
	g_assert_cmpint(symlink(victim, fixture->temp), ==, 0);
	must_save(fixture, 3, 1);
	assert_content(victim, "precious");
	g_assert_cmpint(link(victim, fixture->temp), ==, 0);
	must_save(fixture, 3, 2);
	assert_content(victim, "precious");
	assert_loads(fixture, 3, 2, PROCDB_SOURCE_NEWEST);
}

static void assert_save_fails(struct fixture *fixture, GIOErrorEnum code, const char *words)
{
	g_autoptr(GError) error = NULL;

	g_assert_false(save(fixture, 2000, 77, &error));
	g_assert_error(error, G_IO_ERROR, (int)code);
	if (!strstr(error->message, words))
		g_error("\"%s\" does not say \"%s\"", error->message, words);
}

static void test_folder_in_place_of_temp_fails_the_save(struct fixture *fixture, gconstpointer data)
{
	must_save(fixture, 3, 1);
	g_assert_cmpint(g_mkdir(fixture->temp, 0700), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_IS_DIRECTORY, "db.tmp");
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
}

static void test_what_is_no_file_cannot_be_read(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	g_autoptr(GError) error = NULL;
	ProcdbDiag diag;

	g_assert_cmpint(mkfifo(fixture->path, 0600), ==, 0);
	g_assert_false(procdb_store_load(fixture->store, records, &diag, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
	g_clear_error(&error);
	g_assert_cmpint(g_remove(fixture->path), ==, 0);

	put(fixture->path, "", 0);
	g_assert_cmpint(truncate(fixture->path, 1ll << 40), ==, 0);
	g_assert_false(procdb_store_load(fixture->store, records, &diag, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_MESSAGE_TOO_LARGE);
	g_assert_cmpuint(records->len, ==, 0);
}

static void test_unsafe_folder_is_refused(struct fixture *fixture, gconstpointer data)
{
	must_save(fixture, 3, 1);
	g_assert_cmpint(g_chmod(fixture->folder, 0777), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_PERMISSION_DENIED, "writable for others");
	g_assert_cmpint(g_chmod(fixture->folder, 01777), ==, 0);
	must_save(fixture, 3, 2);
	g_assert_cmpint(g_chmod(fixture->folder, 0700), ==, 0);
	assert_loads(fixture, 3, 2, PROCDB_SOURCE_NEWEST);
}

static gboolean need_root(void)
{
	if (geteuid() == 0)
		return TRUE;
	g_test_skip("needs root");
	return FALSE;
}

static void test_foreign_owned_folder_is_refused(struct fixture *fixture, gconstpointer data)
{
	if (!need_root())
		return;
	must_save(fixture, 3, 1);
	g_assert_cmpint(chown(fixture->folder, 65534, 65534), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_PERMISSION_DENIED, "belongs to user 65534");
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
}

/* Mounts a small tmpfs on the folder, for this process only; FALSE where that is not allowed. */
static gboolean mount_small(struct fixture *fixture)
{
	if (!need_root())
		return FALSE;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		g_test_skip("cannot make a mount namespace");
		return FALSE;
	}
	g_assert_cmpint(mount("tmpfs", fixture->folder, "tmpfs", 0, "size=64k,mode=0700"), ==, 0);
	return TRUE;
}

static void test_full_disk_leaves_the_old_file(struct fixture *fixture, gconstpointer data)
{
	if (!mount_small(fixture))
		return;
	must_save(fixture, 30, 1);
	for (guint i = 0; i < 3; i++)
		assert_save_fails(fixture, G_IO_ERROR_NO_SPACE, "No space left on device");
	g_assert_false(g_file_test(fixture->temp, G_FILE_TEST_EXISTS));
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_NEWEST);
	must_save(fixture, 31, 2);
	assert_loads(fixture, 31, 2, PROCDB_SOURCE_NEWEST);
	g_assert_cmpint(umount(fixture->folder), ==, 0);
}

static void test_read_only_disk_leaves_the_old_file(struct fixture *fixture, gconstpointer data)
{
	if (!mount_small(fixture))
		return;
	must_save(fixture, 30, 1);
	must_save(fixture, 30, 2);
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_READ_ONLY, "Read-only file system");
	assert_loads(fixture, 30, 2, PROCDB_SOURCE_NEWEST);

	/* With a bad file, the previous one is used even though nothing can be set aside. */
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT, NULL), ==, 0);
	damage(fixture->path, -1);
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_PREVIOUS);
	g_assert_null(procdb_store_report(fixture->store)->set_aside);
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT, NULL), ==, 0);
	must_save(fixture, 30, 3);
	g_assert_cmpuint(count_set_aside(fixture), ==, 1);
	damage(fixture->path, -1);
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_PREVIOUS);
	g_assert_cmpint(umount(fixture->folder), ==, 0);
}

static void test_import_only_while_there_is_no_file(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *golden =
	    g_test_build_filename(G_TEST_DIST, "..", "golden", "v1.bin", NULL);
	g_autofree char *older = g_build_filename(fixture->top, "older.bin", NULL);
	g_autofree char *link = g_build_filename(fixture->top, "link.bin", NULL);
	g_autofree char *content = NULL;
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;
	gsize len;

	g_assert_true(g_file_get_contents(golden, &content, &len, NULL));
	procdb_store_set_import(fixture->store, older);
	assert_loads(fixture, 0, 0, PROCDB_SOURCE_NONE);
	put(older, content, (gssize)len);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_IMPORT);
	g_assert_cmpuint(records->len, ==, 4);

	put(older, "junk, and more junk", -1);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
	g_assert_nonnull(procdb_store_report(fixture->store)->message);
	g_assert_cmpuint(records->len, ==, 0);

	put(older, content, (gssize)len);
	g_assert_cmpint(symlink(older, link), ==, 0);
	procdb_store_set_import(fixture->store, link);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
	g_assert_cmpuint(records->len, ==, 0);

	procdb_store_set_import(fixture->store, older);
	if (geteuid() == 0) {
		g_assert_cmpint(chown(older, 65534, 65534), ==, 0);
		g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
		g_assert_cmpuint(records->len, ==, 0);
		g_assert_cmpint(chown(older, 0, 0), ==, 0);
	}
	must_save(fixture, 3, 1);
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
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
	g_autoptr(GArray) records = records_make(n, generation);

	procdb_store_save_async(fixture->store, (const struct procdb_record *)records->data,
				records->len, on_saved, saved);
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

#define ADD(name, function)                                                                        \
	g_test_add("/store/" name, struct fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD("missing-file-is-empty", test_missing_file_is_empty);
	ADD("save-and-load", test_save_and_load);
	ADD("missing-folders-are-made", test_missing_folders_are_made);
	ADD("previous-is-used-when-the-newest-is-damaged",
	    test_previous_is_used_when_the_newest_is_damaged);
	ADD("damage-without-previous-leaves-the-entries",
	    test_damage_without_previous_leaves_the_entries);
	ADD("bad-file-is-set-aside-not-overwritten", test_bad_file_is_set_aside_not_overwritten);
	ADD("number-of-bad-files-is-bounded", test_number_of_bad_files_is_bounded);
	ADD("foreign-writer-is-respected", test_foreign_writer_is_respected);
	ADD("forgetting-leaves-no-older-content", test_forgetting_leaves_no_older_content);
	ADD("leftover-is-cleaned", test_leftover_is_cleaned);
	ADD("link-in-place-of-temp-is-not-followed", test_link_in_place_of_temp_is_not_followed);
	ADD("folder-in-place-of-temp-fails-the-save", test_folder_in_place_of_temp_fails_the_save);
	ADD("what-is-no-file-cannot-be-read", test_what_is_no_file_cannot_be_read);
	ADD("unsafe-folder-is-refused", test_unsafe_folder_is_refused);
	ADD("foreign-owned-folder-is-refused", test_foreign_owned_folder_is_refused);
	ADD("full-disk-leaves-the-old-file", test_full_disk_leaves_the_old_file);
	ADD("read-only-disk-leaves-the-old-file", test_read_only_disk_leaves_the_old_file);
	ADD("import-only-while-there-is-no-file", test_import_only_while_there_is_no_file);
	ADD("save-in-a-thread", test_save_in_a_thread);
	ADD("one-save-at-a-time", test_one_save_at_a_time);
	ADD("older-save-never-wins", test_older_save_never_wins);
	ADD("store-may-go-during-a-save", test_store_may_go_during_a_save);
	return g_test_run();
}
