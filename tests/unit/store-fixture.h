/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* A store in a folder of its own. */

#include <glib/gstdio.h>
#include <stdio.h>

#include "records.h"
#include "remove-tree.h"
#include "store.h"

/* Sizes in the file, in bytes. */
#define HEADER 12u
#define ENTRY 64u

struct fixture {
	char *top;
	char *folder;
	char *path;
	char *prev;
	char *temp;
	ProcdbStore *store;
};

static inline void set_up(struct fixture *fixture, gconstpointer data)
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

static inline void tear_down(struct fixture *fixture, gconstpointer data)
{
	g_clear_pointer(&fixture->store, procdb_store_free);
	remove_tree(fixture->top);
	g_free(fixture->top);
	g_free(fixture->folder);
	g_free(fixture->path);
	g_free(fixture->prev);
	g_free(fixture->temp);
}

static inline gboolean save(struct fixture *fixture, guint n, guint generation, GError **error)
{
	g_autoptr(GArray) records = records_make(n, generation);

	return procdb_store_save(fixture->store, (const struct procdb_record *)records->data,
				 records->len, error);
}

static inline void must_save(struct fixture *fixture, guint n, guint generation)
{
	g_autoptr(GError) error = NULL;

	save(fixture, n, generation, &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test(fixture->temp, G_FILE_TEST_EXISTS));
}

static inline const ProcdbStoreReport *load(struct fixture *fixture, GArray *records,
					    ProcdbDiag *diag)
{
	g_autoptr(GError) error = NULL;

	g_array_set_size(records, 0);
	procdb_store_load(fixture->store, records, diag, &error);
	g_assert_no_error(error);
	return procdb_store_report(fixture->store);
}

static inline void assert_loads(struct fixture *fixture, guint n, guint generation,
				ProcdbSource source)
{
	g_autoptr(GArray) expected = records_make(n, generation);
	g_autoptr(GArray) records = records_new();
	ProcdbDiag diag;

	g_assert_cmpint(load(fixture, records, &diag)->source, ==, source);
	g_assert_cmpint(diag, ==, PROCDB_DIAG_NONE);
	g_assert_true(records_equal(expected, records));
}

static inline void put(const char *path, const char *data, gssize len)
{
	g_autoptr(GError) error = NULL;

	g_file_set_contents_full(path, data, len, G_FILE_SET_CONTENTS_NONE, 0600, &error);
	g_assert_no_error(error);
}

static inline void assert_content(const char *path, const char *expected)
{
	g_autofree char *content = NULL;
	g_autoptr(GError) error = NULL;

	g_file_get_contents(path, &content, NULL, &error);
	g_assert_no_error(error);
	g_assert_cmpstr(content, ==, expected);
}

/* Flips a bit of a file in place, as a bad disk would. */
static inline void damage(const char *path, long offset)
{
	FILE *file = g_fopen(path, "r+");
	int byte;

	if (!file)
		g_error("%s cannot be opened", path);
	g_assert_cmpint(fseek(file, offset, offset < 0 ? SEEK_END : SEEK_SET), ==, 0);
	byte = fgetc(file);
	g_assert_cmpint(fseek(file, -1, SEEK_CUR), ==, 0);
	g_assert_cmpint(fputc(byte ^ 4, file), !=, EOF);
	g_assert_cmpint(fclose(file), ==, 0);
}

static inline guint count_quarantined(struct fixture *fixture)
{
	g_autoptr(GDir) dir = g_dir_open(fixture->folder, 0, NULL);
	const char *name;
	guint n = 0;

	while ((name = g_dir_read_name(dir)))
		n += g_str_has_prefix(name, "db.bad-");
	return n;
}

#define ADD_STORE_TEST(name, function)                                                             \
	g_test_add("/store/" name, struct fixture, NULL, set_up, function, tear_down)
