/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The database where it is full, read-only, foreign or something else: the old file stays. */

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store-fixture.h"

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

/* What took the name of a file of ours is not lost, and blocks no save. */
static void test_a_folder_beside_it_blocks_no_save(struct fixture *fixture, gconstpointer data)
{
	static const char *const names[] = {"db.tmp", "db.prev", "db.bad-20200101T000000Z"};

	must_save(fixture, 3, 1);
	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *path = g_build_filename(fixture->folder, names[i], NULL);
		g_autofree char *mine = g_build_filename(path, "mine", NULL);
		g_autofree char *kept =
		    g_strdup_printf("%s/%s%s/mine", fixture->folder, names[i],
				    strstr(names[i], ".bad-") ? "" : ".not-ours-1");

		(void)g_remove(path);
		g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
		put(mine, "mine", -1);
		must_save(fixture, 3, 2 + (guint)i);
		assert_loads(fixture, 3, 2 + (guint)i, PROCDB_SOURCE_NEWEST);
		assert_content(kept, "mine");
	}
	/* Ten bad files later, too. */
	for (guint i = 0; i < 10; i++) {
		damage(fixture->path, -1);
		must_save(fixture, 3, 10 + i);
	}
	g_assert_cmpuint(count_quarantined(fixture), ==, 8 + 1);
}

/* As where the root is thrown away at each boot: the link stays, and what it leads to is new. */
static void test_a_link_is_followed_and_kept(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *persistent = g_build_filename(fixture->top, "persistent", NULL);
	g_autofree char *target = g_build_filename(persistent, "procdb.bin", NULL);

	g_assert_cmpint(g_mkdir(persistent, 0700), ==, 0);
	g_assert_cmpint(symlink("../persistent/procdb.bin", fixture->path), ==, 0);
	procdb_store_free(fixture->store);
	fixture->store = procdb_store_new(fixture->path);
	g_assert_cmpstr(procdb_store_path(fixture->store), ==, target);
	for (guint i = 1; i < 4; i++) {
		must_save(fixture, 3, i);
		assert_loads(fixture, 3, i, PROCDB_SOURCE_NEWEST);
		g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_SYMLINK));
		g_assert_true(g_file_test(target, G_FILE_TEST_IS_REGULAR));
	}
}

/* A disk that is not mounted: nothing is written where it will be. */
static void test_a_link_to_what_is_not_there_is_no_place(struct fixture *fixture,
							 gconstpointer data)
{
	g_autofree char *disk = g_build_filename(fixture->top, "disk", NULL);

	g_assert_cmpint(symlink("../disk/procdb.bin", fixture->path), ==, 0);
	procdb_store_free(fixture->store);
	fixture->store = procdb_store_new(fixture->path);
	assert_loads(fixture, 0, 0, PROCDB_SOURCE_NONE);
	assert_save_fails(fixture, G_IO_ERROR_NOT_FOUND, "disk");
	g_assert_false(g_file_test(disk, G_FILE_TEST_EXISTS));
	g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_SYMLINK));
	g_assert_cmpint(g_mkdir(disk, 0700), ==, 0);
	must_save(fixture, 3, 1);
}

/* While the service runs: the disk was full, say, and the database moved to another one. */
static void test_a_link_that_comes_later_is_not_replaced(struct fixture *fixture,
							 gconstpointer data)
{
	g_autofree char *moved = g_build_filename(fixture->top, "moved", NULL);
	g_autofree char *again = g_build_filename(fixture->top, "again", NULL);

	must_save(fixture, 3, 1);
	g_assert_cmpint(g_rename(fixture->path, moved), ==, 0);
	g_assert_cmpint(symlink(moved, fixture->path), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_NOT_REGULAR_FILE, "restart");
	g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_SYMLINK));
	procdb_store_free(fixture->store);
	fixture->store = procdb_store_new(fixture->path);
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
	must_save(fixture, 3, 2);
	g_assert_true(g_file_test(fixture->path, G_FILE_TEST_IS_SYMLINK));
	/* And to yet another one. */
	g_assert_cmpint(g_rename(moved, again), ==, 0);
	g_assert_cmpint(g_remove(fixture->path), ==, 0);
	g_assert_cmpint(symlink(again, fixture->path), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_NOT_REGULAR_FILE, again);
	g_assert_false(g_file_test(moved, G_FILE_TEST_EXISTS));
}

/* Each by a service of its own. */
static void test_a_lock_whose_file_was_removed_is_taken_anew(struct fixture *fixture,
							     gconstpointer data)
{
	g_autofree char *lock = g_strconcat(fixture->path, ".lock", NULL);
	ProcdbStore *second = procdb_store_new(fixture->path);
	g_autoptr(GArray) records = records_make(3, 2);
	g_autoptr(GError) error = NULL;

	procdb_store_claim(fixture->store);
	procdb_store_claim(second);
	must_save(fixture, 3, 1);
	g_assert_cmpint(g_remove(lock), ==, 0);
	procdb_store_save(second, (const struct procdb_record *)records->data, records->len,
			  &error);
	g_assert_no_error(error);
	assert_save_fails(fixture, G_IO_ERROR_BUSY, "another service");
	procdb_store_free(g_steal_pointer(&fixture->store));
	/* That of the other one stays. */
	g_assert_true(g_file_test(lock, G_FILE_TEST_EXISTS));
	procdb_store_free(second);
	g_assert_false(g_file_test(lock, G_FILE_TEST_EXISTS));
}

static void test_only_what_was_saved_is_current(struct fixture *fixture, gconstpointer data)
{
	g_assert_false(procdb_store_is_current(fixture->store));
	must_save(fixture, 3, 1);
	g_assert_true(procdb_store_is_current(fixture->store));
	damage(fixture->path, -1);
	put(fixture->path, "other", -1);
	g_assert_false(procdb_store_is_current(fixture->store));
	must_save(fixture, 3, 2);
	g_assert_cmpint(g_remove(fixture->path), ==, 0);
	g_assert_false(procdb_store_is_current(fixture->store));
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
	g_assert_cmpuint(records->len, ==, 0);
}

/* A device or a socket has other users: it keeps its name, and nothing is left beside it. */
static void test_what_is_no_file_is_not_replaced(struct fixture *fixture, gconstpointer data)
{
	static const mode_t kinds[] = {S_IFIFO, S_IFSOCK, S_IFCHR, S_IFDIR};
	g_autofree char *link = g_build_filename(fixture->folder, "link", NULL);
	struct stat before, after;

	g_assert_cmpint(symlink("db", link), ==, 0);
	for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
		/* The device is 1:3, /dev/null. */
		if (kinds[i] == S_IFDIR)
			g_assert_cmpint(g_mkdir(fixture->path, 0700), ==, 0);
		else if (mknod(fixture->path, kinds[i] | 0600, kinds[i] == S_IFCHR ? 0x103 : 0) < 0)
			continue; /* not root */
		g_assert_cmpint(lstat(fixture->path, &before), ==, 0);
		for (guint through_link = 0; through_link < 2; through_link++) {
			procdb_store_free(fixture->store);
			fixture->store = procdb_store_new(through_link ? link : fixture->path);
			assert_save_fails(fixture, G_IO_ERROR_NOT_REGULAR_FILE, "Path=");
			g_assert_cmpint(lstat(fixture->path, &after), ==, 0);
			g_assert_cmpuint(after.st_ino, ==, before.st_ino);
			g_assert_cmpuint(after.st_mode, ==, before.st_mode);
			g_assert_false(g_file_test(fixture->temp, G_FILE_TEST_EXISTS));
		}
		g_assert_cmpint(g_remove(fixture->path), ==, 0);
	}
	must_save(fixture, 3, 1);
}

static void test_something_else_is_not_read_as_a_whole(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	struct rusage before, after;
	ProcdbDiag diag;

	put(fixture->path, "#!/bin/sh", -1);
	g_assert_cmpint(truncate(fixture->path, 200 << 20), ==, 0);
	getrusage(RUSAGE_SELF, &before);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_MAGIC);
	getrusage(RUSAGE_SELF, &after);
	g_assert_cmpint(after.ru_maxrss - before.ru_maxrss, <, 20 << 10);

	/* Nor is one of any size. */
	g_assert_cmpint(g_remove(fixture->path), ==, 0);
	put(fixture->path, "", 0);
	g_assert_cmpint(truncate(fixture->path, 1LL << 40), ==, 0);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_MAGIC);
	g_assert_cmpuint(records->len, ==, 0);
	g_assert_cmpuint(count_quarantined(fixture), ==, 2);
	getrusage(RUSAGE_SELF, &after);
	g_assert_cmpint(after.ru_maxrss - before.ru_maxrss, <, 20 << 10);
}

static void test_unsafe_folder_is_refused(struct fixture *fixture, gconstpointer data)
{
	must_save(fixture, 3, 1);
	g_assert_cmpint(g_chmod(fixture->folder, 0777), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_PERMISSION_DENIED, "writable for other users");
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

/* A user that can put a file there could teach anything. */
static void test_foreign_file_where_others_may_write_is_not_read(struct fixture *fixture,
								 gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	g_autoptr(GError) error = NULL;
	ProcdbDiag diag;

	if (!need_root())
		return;
	must_save(fixture, 3, 1);
	g_assert_cmpint(chown(fixture->path, 65534, 65534), ==, 0);
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
	g_assert_cmpint(g_chmod(fixture->folder, 01777), ==, 0);
	g_assert_false(procdb_store_load(fixture->store, records, &diag, &error));
	g_assert_error(error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
	g_assert_cmpuint(records->len, ==, 0);
	/* It is kept, but not as the previous one. */
	must_save(fixture, 3, 2);
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	assert_loads(fixture, 3, 2, PROCDB_SOURCE_NEWEST);
	g_assert_false(g_file_test(fixture->prev, G_FILE_TEST_EXISTS));
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

/* As by "docker -v FILE" or impermanence of files. */
static void test_a_mount_is_refused_with_the_remedy(struct fixture *fixture, gconstpointer data)
{
	if (!need_root())
		return;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		g_test_skip("cannot make a mount namespace");
		return;
	}
	must_save(fixture, 3, 1);
	g_assert_cmpint(mount(fixture->path, fixture->path, NULL, MS_BIND, NULL), ==, 0);
	assert_save_fails(fixture, G_IO_ERROR_BUSY, "mount its directory instead");
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
	g_assert_cmpint(umount(fixture->path), ==, 0);
	must_save(fixture, 3, 2);
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

	/* With a bad file, the previous one is used even though no file can be quarantined. */
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT, NULL), ==, 0);
	damage(fixture->path, -1);
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT | MS_RDONLY, NULL), ==, 0);
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_PREVIOUS);
	g_assert_null(procdb_store_report(fixture->store)->quarantined);
	g_assert_cmpint(mount(NULL, fixture->folder, NULL, MS_REMOUNT, NULL), ==, 0);
	must_save(fixture, 30, 3);
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	damage(fixture->path, -1);
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_PREVIOUS);
	g_assert_cmpint(umount(fixture->folder), ==, 0);
}

/* scx_pandemonium has written its file in the place of ours, which is the previous one now. */
static void test_import_takes_ours_from_beside_a_foreign_file(struct fixture *fixture,
							      gconstpointer data)
{
	g_autofree char *golden =
	    g_test_build_filename(G_TEST_DIST, "..", "golden", "v2.bin", NULL);
	g_autofree char *older = g_build_filename(fixture->top, "older.bin", NULL);
	g_autofree char *older_prev = g_build_filename(fixture->top, "older.bin.prev", NULL);
	g_autoptr(GArray) records = records_new();
	g_autofree char *content = NULL;
	ProcdbDiag diag;
	guint foreign;
	gsize len;

	must_save(fixture, 30, 1);
	g_assert_cmpint(rename(fixture->path, older_prev), ==, 0);
	g_assert_true(g_file_get_contents(golden, &content, &len, NULL));
	put(older, content, (gssize)len);
	foreign = (guint)(len - HEADER) / ENTRY;
	procdb_store_add_import(fixture->store, older);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_IMPORT);
	g_assert_cmpuint(records->len, >, 30);
	g_assert_cmpuint(records->len, <=, 30 + foreign);
}

static void test_import_only_while_there_is_no_file(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *golden =
	    g_test_build_filename(G_TEST_DIST, "..", "golden", "v1.bin", NULL);
	g_autofree char *older = g_build_filename(fixture->top, "older.bin", NULL);
	g_autofree char *link = g_build_filename(fixture->top, "link.bin", NULL);
	g_autofree char *target = g_build_filename(fixture->top, "target.bin", NULL);
	g_autofree char *content = NULL;
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;
	gsize len;

	g_assert_true(g_file_get_contents(golden, &content, &len, NULL));
	procdb_store_add_import(fixture->store, older);
	procdb_store_add_import(fixture->store, link);
	assert_loads(fixture, 0, 0, PROCDB_SOURCE_NONE);
	put(older, content, (gssize)len);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_IMPORT);
	g_assert_cmpuint(records->len, ==, 4);

	put(older, "junk, and more junk", -1);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
	g_assert_nonnull(procdb_store_report(fixture->store)->message);
	g_assert_cmpuint(records->len, ==, 0);

	g_assert_cmpint(unlink(older), ==, 0);
	put(target, content, (gssize)len);
	g_assert_cmpint(symlink(target, link), ==, 0);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
	g_assert_cmpuint(records->len, ==, 0);
	g_assert_cmpint(unlink(link), ==, 0);

	put(older, content, (gssize)len);
	if (geteuid() == 0) {
		g_assert_cmpint(chown(older, 65534, 65534), ==, 0);
		g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NONE);
		g_assert_cmpuint(records->len, ==, 0);
		g_assert_cmpint(chown(older, 0, 0), ==, 0);
	}
	must_save(fixture, 3, 1);
	assert_loads(fixture, 3, 1, PROCDB_SOURCE_NEWEST);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_STORE_TEST("link-in-place-of-temp-is-not-followed",
		       test_link_in_place_of_temp_is_not_followed);
	ADD_STORE_TEST("a-folder-beside-it-blocks-no-save", test_a_folder_beside_it_blocks_no_save);
	ADD_STORE_TEST("a-link-is-followed-and-kept", test_a_link_is_followed_and_kept);
	ADD_STORE_TEST("a-link-to-what-is-not-there-is-no-place",
		       test_a_link_to_what_is_not_there_is_no_place);
	ADD_STORE_TEST("a-link-that-comes-later-is-not-replaced",
		       test_a_link_that_comes_later_is_not_replaced);
	ADD_STORE_TEST("a-lock-whose-file-was-removed-is-taken-anew",
		       test_a_lock_whose_file_was_removed_is_taken_anew);
	ADD_STORE_TEST("only-what-was-saved-is-current", test_only_what_was_saved_is_current);
	ADD_STORE_TEST("a-mount-is-refused-with-the-remedy",
		       test_a_mount_is_refused_with_the_remedy);
	ADD_STORE_TEST("what-is-no-file-cannot-be-read", test_what_is_no_file_cannot_be_read);
	ADD_STORE_TEST("what-is-no-file-is-not-replaced", test_what_is_no_file_is_not_replaced);
	ADD_STORE_TEST("something-else-is-not-read-as-a-whole",
		       test_something_else_is_not_read_as_a_whole);
	ADD_STORE_TEST("foreign-file-where-others-may-write-is-not-read",
		       test_foreign_file_where_others_may_write_is_not_read);
	ADD_STORE_TEST("unsafe-folder-is-refused", test_unsafe_folder_is_refused);
	ADD_STORE_TEST("foreign-owned-folder-is-refused", test_foreign_owned_folder_is_refused);
	ADD_STORE_TEST("full-disk-leaves-the-old-file", test_full_disk_leaves_the_old_file);
	ADD_STORE_TEST("read-only-disk-leaves-the-old-file",
		       test_read_only_disk_leaves_the_old_file);
	ADD_STORE_TEST("import-takes-ours-from-beside-a-foreign-file",
		       test_import_takes_ours_from_beside_a_foreign_file);
	ADD_STORE_TEST("import-only-while-there-is-no-file",
		       test_import_only_while_there_is_no_file);
	return g_test_run();
}
