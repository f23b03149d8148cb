/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "config-fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "remove-tree.h"

static void set_up(ConfigFixture *f, gconstpointer data)
{
	f->before = g_get_current_dir();
	/* In memory where there is such a directory: one test writes thousands of files. */
	f->directory =
	    g_build_filename(g_access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir(),
			     "procdb-config-XXXXXX", NULL);
	g_assert_nonnull(g_mkdtemp(f->directory));
	g_assert_cmpint(g_chdir(f->directory), ==, 0);
	procdb_config_init(&f->config);
	procdb_verdict_init(&f->verdict);
}

static void tear_down(ConfigFixture *f, gconstpointer data)
{
	procdb_config_clear(&f->config);
	procdb_verdict_clear(&f->verdict);
	g_assert_cmpint(g_chdir(f->before), ==, 0);
	remove_tree(f->directory);
	g_free(f->directory);
	g_free(f->before);
}

void config_test_add(const char *path, gconstpointer data,
		     void (*test)(ConfigFixture *, gconstpointer))
{
	g_test_add(path, ConfigFixture, data, set_up, test, tear_down);
}

void config_write_bytes(const char *path, const void *bytes, gssize len)
{
	g_autofree char *directory = g_path_get_dirname(path);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
	g_file_set_contents_full(path, bytes, len, G_FILE_SET_CONTENTS_NONE, 0600, &error);
	g_assert_no_error(error);
}

void config_write(const char *path, const char *text)
{
	config_write_bytes(path, text, -1);
}

void config_read_system(ConfigFixture *f)
{
	g_auto(GStrv) files = procdb_config_files(NULL, f->verdict.notes);

	procdb_config_read(&f->config, NULL, (const char *const *)files, &f->verdict);
}

void config_read_text(ConfigFixture *f, const char *text)
{
	const char *const files[] = {"one.conf", NULL};

	config_write(files[0], text);
	procdb_config_read(&f->config, NULL, files, &f->verdict);
}

const char *config_the_problem(ConfigFixture *f)
{
	g_assert_cmpuint(f->verdict.problems->len, ==, 1);
	return f->verdict.problems->pdata[0];
}

void config_assert_mentions(const char *sentence, const char *part)
{
	if (!strstr(sentence, part))
		g_error("\"%s\" does not mention \"%s\"", sentence, part);
}

void config_assert_no_problem(ConfigFixture *f)
{
	if (f->verdict.problems->len > 0)
		g_error("%s", (const char *)f->verdict.problems->pdata[0]);
}
