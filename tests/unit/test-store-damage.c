/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Damage that no checksum tells of: blocks of zeros, and a file that lost its end. */

#include <unistd.h>

#include "store-fixture.h"

/* As a file system leaves what it never wrote. */
static void zero(const char *path, gsize from, gsize to)
{
	g_autofree char *content = NULL;
	gsize len;

	g_assert_true(g_file_get_contents(path, &content, &len, NULL));
	to = MIN(to, len);
	g_assert_cmpuint(from, <, to);
	memset(content + from, 0, to - from);
	put(path, content, (gssize)len);
}

/* What loads in place of generation 2: generation 1, with a sentence, and for good. */
static void assert_previous_is_used(struct fixture *fixture, guint n)
{
	assert_loads(fixture, n, 1, PROCDB_SOURCE_PREVIOUS);
	g_assert_cmpint(procdb_store_report(fixture->store)->newest.ext, ==, PROCDB_EXT_DAMAGED);
	g_assert_nonnull(strstr(procdb_store_report(fixture->store)->message, "zeros"));
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	assert_loads(fixture, n, 1, PROCDB_SOURCE_NEWEST);
}

static void save_two(struct fixture *fixture, guint n)
{
	must_save(fixture, n, 1);
	must_save(fixture, n, 2);
}

static void test_a_tail_of_zeros(struct fixture *fixture, gconstpointer data)
{
	save_two(fixture, 150);
	zero(fixture->path, 4096, G_MAXSIZE);
	assert_previous_is_used(fixture, 150);
}

/* A disk that was not there yet, or a file with the wrong owner: nothing in memory has what it has.
 */
static void test_what_could_not_be_read_is_kept(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *away = g_strconcat(fixture->path, ".away", NULL);
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	g_autoptr(GError) error = NULL;
	ProcdbDiag diag;

	must_save(fixture, 30, 1);
	g_assert_cmpint(rename(fixture->path, away), ==, 0);
	if (data) {
		/* Not a regular file. */
		g_assert_cmpint(g_mkdir(fixture->path, 0700), ==, 0);
		g_assert_false(procdb_store_load(fixture->store, records, &diag, &error));
		g_assert_cmpint(rmdir(fixture->path), ==, 0);
	} else {
		g_assert_true(procdb_store_load(fixture->store, records, &diag, &error));
		g_assert_cmpuint(records->len, ==, 0);
	}
	g_assert_cmpint(rename(away, fixture->path), ==, 0);
	must_save(fixture, 3, 2);
	must_save(fixture, 3, 3);
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
}

static void test_only_the_extension_is_zeros(struct fixture *fixture, gconstpointer data)
{
	save_two(fixture, 30);
	zero(fixture->path, HEADER + 20 * ENTRY, G_MAXSIZE);
	assert_previous_is_used(fixture, 30);
}

/* A file without an extension, as that of the reference: entries of zeros are of no program. */
static void test_entries_of_zeros(struct fixture *fixture, gconstpointer data)
{
	save_two(fixture, 150);
	g_assert_cmpint(truncate(fixture->path, (off_t)(HEADER + 100 * ENTRY)), ==, 0);
	zero(fixture->path, 4096, G_MAXSIZE);
	assert_previous_is_used(fixture, 150);
}

static void test_zeros_without_a_previous_file(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;

	must_save(fixture, 150, 2);
	zero(fixture->path, 4096, G_MAXSIZE);
	g_assert_cmpint(load(fixture, records, &diag)->source, ==, PROCDB_SOURCE_NEWEST);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_NONE);
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	/* Up to the entry that the zeros begin in; none of no program. */
	g_assert_cmpuint(records->len, ==, (4096 - HEADER) / ENTRY + 1);
	for (guint i = 0; i < records->len; i++)
		g_assert_cmpmem(records_at(records, i)->comm.bytes + 8, 4, "name", 4);
}

/* The running service finds it when it saves: what is good stays the previous one. */
static void test_zeros_do_not_become_the_previous_file(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *good = NULL;
	g_autofree char *prev = NULL;
	gsize len, prev_len;

	save_two(fixture, 150);
	g_assert_true(g_file_get_contents(fixture->prev, &good, &len, NULL));
	zero(fixture->path, 4096, G_MAXSIZE);
	must_save(fixture, 150, 3);
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	g_assert_true(g_file_get_contents(fixture->prev, &prev, &prev_len, NULL));
	g_assert_cmpuint(prev_len, ==, len);
	g_assert_true(memcmp(prev, good, len) == 0);
	assert_loads(fixture, 150, 3, PROCDB_SOURCE_NEWEST);
}

/* The name of no bytes is one as any other where tasks had it. */
static void test_the_empty_name_is_a_name(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *golden =
	    g_test_build_filename(G_TEST_DIST, "..", "golden", "v2.bin", NULL);
	g_autofree char *content = NULL;
	g_autoptr(GArray) records = records_new();
	guint empty = 0;
	ProcdbDiag diag;
	gsize len;

	g_assert_true(g_file_get_contents(golden, &content, &len, NULL));
	put(fixture->path, content, (gssize)len);
	g_assert_null(load(fixture, records, &diag)->message);
	g_assert_cmpuint(records->len, ==, 8);
	for (guint i = 0; i < records->len; i++)
		empty += records_at(records, i)->comm.bytes[0] == 0;
	g_assert_cmpuint(empty, ==, 1);
}

/* An override of the empty name has observations of no program, and a checksum. */
static void test_an_override_of_the_empty_name(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_make(3, 1);
	g_autoptr(GArray) again = records_new();
	struct procdb_record *record = records_at(records, 2);
	ProcdbDiag diag;

	memset(&record->comm, 0, sizeof(record->comm));
	procdb_profile_init(&record->profile);
	record->profile.override = PROCDB_TIER_BATCH;
	record->hidden = true;
	g_assert_true(procdb_store_save(fixture->store, (const struct procdb_record *)records->data,
					records->len, NULL));
	g_assert_null(load(fixture, again, &diag)->message);
	g_assert_true(records_equal(records, again));
}

/* Cut off exactly where the entries end, or written by the reference: there is no telling. */
static void test_a_foreign_file_takes_nothing_away(struct fixture *fixture, gconstpointer data)
{
	static const guint8 empty[HEADER] = {'P', 'D', 'D', 'B', 2};
	g_autoptr(GArray) expected = records_make(30, 1);
	g_autoptr(GArray) records = records_new();
	const ProcdbStoreReport *report;
	ProcdbDiag diag;

	/* An entry with an override, beside the ten profiles that have nothing else. */
	records_at(expected, 0)->profile.override = PROCDB_TIER_BATCH;
	for (guint i = 0; i < 2; i++)
		g_assert_true(procdb_store_save(
		    fixture->store, (const struct procdb_record *)expected->data, 30, NULL));
	/* scx_pandemonium forgets after a minute, and saves what it has. */
	g_assert_true(g_file_set_contents(fixture->path, (const char *)empty, HEADER, NULL));
	for (guint round = 0; round < 2; round++) {
		report = load(fixture, records, &diag);
		g_assert_cmpint(report->source, ==, PROCDB_SOURCE_MERGED);
		g_assert_nonnull(
		    strstr(report->message, "30 profiles of the previous version stay"));
		g_assert_cmpuint(count_quarantined(fixture), ==, 0);
		g_assert_true(records_equal(records, expected));
	}
	/* Nor does the save that follows take the place of what ours was. */
	must_save(fixture, 1, 2);
	g_assert_true(g_file_set_contents(fixture->path, (const char *)empty, HEADER, NULL));
	load(fixture, records, &diag);
	g_assert_true(records_equal(records, expected));
}

static void test_a_good_file_decides_on_overrides(struct fixture *fixture, gconstpointer data)
{
	must_save(fixture, 30, 1);
	must_save(fixture, 1, 1);
	assert_loads(fixture, 1, 1, PROCDB_SOURCE_NEWEST);
	g_assert_null(procdb_store_report(fixture->store)->message);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ADD_STORE_TEST("damage/a-tail-of-zeros", test_a_tail_of_zeros);
	ADD_STORE_TEST("damage/only-the-extension-is-zeros", test_only_the_extension_is_zeros);
	ADD_STORE_TEST("damage/what-was-not-there-is-kept", test_what_could_not_be_read_is_kept);
	g_test_add("/store/damage/what-could-not-be-read-is-kept", struct fixture, "unreadable",
		   set_up, test_what_could_not_be_read_is_kept, tear_down);
	ADD_STORE_TEST("damage/entries-of-zeros", test_entries_of_zeros);
	ADD_STORE_TEST("damage/zeros-without-a-previous-file", test_zeros_without_a_previous_file);
	ADD_STORE_TEST("damage/zeros-do-not-become-the-previous-file",
		       test_zeros_do_not_become_the_previous_file);
	ADD_STORE_TEST("damage/the-empty-name-is-a-name", test_the_empty_name_is_a_name);
	ADD_STORE_TEST("damage/an-override-of-the-empty-name", test_an_override_of_the_empty_name);
	ADD_STORE_TEST("damage/overrides-of-the-previous-file-stay",
		       test_a_foreign_file_takes_nothing_away);
	ADD_STORE_TEST("damage/a-good-file-decides-on-overrides",
		       test_a_good_file_decides_on_overrides);
	return g_test_run();
}
