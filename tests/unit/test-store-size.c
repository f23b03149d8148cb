/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* How large a database may be, how much of it is taken, and what that takes of memory. */

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store-fixture.h"

/* In the unit there are 64 MiB for all, and 16384 profiles by default. */
#ifdef __SANITIZE_ADDRESS__
#define MOST_KIB (256 << 10) /* it keeps what was freed */
#else
#define MOST_KIB (16 << 10)
#endif
static const ProcdbLimit usual = {16384, 1024};

static void limit_to(struct fixture *fixture, guint profiles, guint overrides)
{
	procdb_store_set_limit(fixture->store, &(ProcdbLimit){profiles, overrides});
}

static void test_the_most_recently_seen_are_taken(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) all = records_make(30000, 1);
	g_autoptr(GArray) expected = records_new();
	g_autoptr(GArray) records = records_new();
	const ProcdbStoreReport *report;
	ProcdbDiag diag;

	/* Those of index 7, 17, 27 ... that are entries; and all overrides. */
	for (guint i = 0; i < all->len; i++) {
		struct procdb_record *record = records_at(all, i);

		if (i % 10 == 7)
			record->profile.last_seen_us *= 2;
		if (i % 10 == 7 || record->hidden)
			g_array_append_vals(expected, record, 1);
	}
	g_assert_true(procdb_store_save(fixture->store, (const struct procdb_record *)all->data,
					all->len, NULL));
	limit_to(fixture, 2000, 10000);
	report = load(fixture, records, &diag);
	g_assert_cmpint(report->source, ==, PROCDB_SOURCE_NEWEST);
	g_assert_cmpuint(report->left_out, ==, 30000 - 12000);
	g_assert_cmpuint(records->len, ==, 12000);
	g_assert_true(records_equal(expected, records));
	limit_to(fixture, 20000, 10000);
	g_assert_cmpuint(load(fixture, records, &diag)->left_out, ==, 0);
	g_assert_true(records_equal(all, records));
	limit_to(fixture, 0, 0);
	g_assert_cmpuint(load(fixture, records, &diag)->left_out, ==, 30000);
	g_assert_cmpuint(records->len, ==, 0);
}

/* The later of two of one name counts, also when it is far behind. */
static void test_the_later_of_one_name_counts(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) all = records_make(30000, 1);
	g_autoptr(GArray) records = records_new();
	struct procdb_record *first = records_at(all, 0);
	struct procdb_record *last = records_at(all, 29998);
	guint found = 0;
	ProcdbDiag diag;

	last->comm = first->comm;
	first->profile.last_seen_us = G_MAXINT64;
	g_assert_true(procdb_store_save(fixture->store, (const struct procdb_record *)all->data,
					all->len, NULL));
	limit_to(fixture, 100, 10);
	load(fixture, records, &diag);
	g_assert_cmpuint(records->len, ==, 110);
	for (guint i = 0; i < records->len; i++) {
		if (memcmp(&records_at(records, i)->comm, &last->comm, sizeof(last->comm)) != 0)
			continue;
		g_assert_true(record_equal(records_at(records, i), last));
		found++;
	}
	g_assert_cmpuint(found, ==, 1);
}

static glong peak_kib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* A valid header and nothing behind it that takes room on the disk. */
static void make_large(const char *path, guint32 count, goffset size)
{
	const guint32 header[] = {GUINT32_TO_LE(0x42444450), GUINT32_TO_LE(2),
				  GUINT32_TO_LE(count)};

	put(path, (const char *)header, sizeof(header));
	g_assert_cmpint(truncate(path, size), ==, 0);
}

static void test_larger_than_any_of_ours_is_quarantined(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	const ProcdbStoreReport *report;
	ProcdbDiag diag;
	glong before;

	procdb_store_set_limit(fixture->store, &usual);
	make_large(fixture->path, 2000000, PROCDB_MAX_FILE_SIZE + 1);
	before = peak_kib();
	report = load(fixture, records, &diag);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_TOO_LARGE);
	g_assert_cmpint(report->source, ==, PROCDB_SOURCE_NONE);
	g_assert_nonnull(strstr(report->message, "too-large"));
	g_assert_cmpuint(count_quarantined(fixture), ==, 1);
	g_assert_cmpint(peak_kib() - before, <, MOST_KIB);
	must_save(fixture, 30, 1);
	must_save(fixture, 30, 2);
	make_large(fixture->path, 1, 1LL << 40);
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_PREVIOUS);
	g_assert_cmpuint(count_quarantined(fixture), ==, 2);
	assert_loads(fixture, 30, 1, PROCDB_SOURCE_NEWEST);
}

/* In a process of its own, whose memory is not ours. */
static void save_elsewhere(struct fixture *fixture, guint n)
{
	pid_t child = fork();
	int status = 1;

	g_assert_cmpint(child, >=, 0);
	if (child == 0)
		_exit(save(fixture, n, 1, NULL) ? 0 : 1);
	g_assert_cmpint(waitpid(child, &status, 0), ==, child);
	g_assert_cmpint(status, ==, 0);
}

static void test_the_largest_is_read_in_little_memory(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	const ProcdbStoreReport *report;
	struct stat st;
	ProcdbDiag diag;
	glong before;

	save_elsewhere(fixture, PROCDB_MAX_RECORDS);
	g_assert_cmpint(g_stat(fixture->path, &st), ==, 0);
	g_assert_cmpint(st.st_size, >, PROCDB_MAX_FILE_SIZE - PROCDB_RULES_SIZE - 1024);
	procdb_store_set_limit(fixture->store, &usual);
	before = peak_kib();
	report = load(fixture, records, &diag);
	g_test_message("%ld KiB for a file of %ld MiB", peak_kib() - before,
		       (long)st.st_size >> 20);
	g_assert_null(report->message);
	g_assert_cmpuint(records->len, ==, usual.profiles + usual.overrides);
	g_assert_cmpuint(report->left_out, ==, PROCDB_MAX_RECORDS - records->len);
	g_assert_cmpint(peak_kib() - before, <, MOST_KIB);
}

/* A million entries of the reference: no checksum, and nothing but the entries. */
static void test_a_million_plain_entries(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;
	glong before;

	make_large(fixture->path, 1000000, 12 + 64000000);
	procdb_store_set_limit(fixture->store, &usual);
	before = peak_kib();
	/* They are all zeros, which is no database either. */
	g_assert_cmpint(load(fixture, records, &diag)->newest.ext, ==, PROCDB_EXT_DAMAGED);
	g_assert_cmpuint(records->len, ==, 0);
	g_assert_cmpint(peak_kib() - before, <, MOST_KIB);
}

/* As when it is cut off while it is read. */
static void test_a_file_that_becomes_shorter(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GArray) records = records_new();
	ProcdbDecoded decoded;
	struct stat st;
	int fd;

	must_save(fixture, 3000, 1);
	g_assert_cmpint(g_stat(fixture->path, &st), ==, 0);
	fd = g_open(fixture->path, O_RDONLY | O_CLOEXEC, 0);
	g_assert_cmpint(fd, >=, 0);
	for (off_t at = st.st_size - 1; at >= 0; at = at * 3 / 4 - 1) {
		g_auto(ProcdbReader) reader = {0};

		g_assert_cmpint(truncate(fixture->path, at), ==, 0);
		procdb_reader_init_file(&reader, fd, (gsize)st.st_size);
		procdb_codec_read(&reader, &usual, records, NULL, NULL, &decoded);
		g_assert_true(reader.failed);
		g_assert_cmpint(reader.error, ==, 0);
		g_assert_cmpuint(records->len, ==, 0);
	}
	g_assert_true(g_close(fd, NULL));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	/* First, while the peak is still that of a small process. */
	ADD_STORE_TEST("size/the-largest-is-read-in-little-memory",
		       test_the_largest_is_read_in_little_memory);
	ADD_STORE_TEST("size/a-million-plain-entries", test_a_million_plain_entries);
	ADD_STORE_TEST("size/larger-than-any-of-ours-is-quarantined",
		       test_larger_than_any_of_ours_is_quarantined);
	ADD_STORE_TEST("size/the-most-recently-seen-are-taken",
		       test_the_most_recently_seen_are_taken);
	ADD_STORE_TEST("size/the-later-of-one-name-counts", test_the_later_of_one_name_counts);
	ADD_STORE_TEST("size/a-file-that-becomes-shorter", test_a_file_that_becomes_shorter);
	return g_test_run();
}
