/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * How configuration files are written and found: as systemd has it; and that what cannot be
 * understood of [Apply] means that nothing is applied.
 */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "config-fixture.h"

static void link_to(const char *target, const char *path)
{
	g_autofree char *directory = g_path_get_dirname(path);

	g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
	g_assert_cmpint(symlink(target, path), ==, 0);
}

/* What is understood, and what comes of it. */
static const char *const understood[] = {
    "[Apply]\nMode=none\n",
    "[Apply]\nMode=none",
    "[Apply]\r\nMode=none\r\n",
    "\xef\xbb\xbf[Apply]\nMode=none\n",
    "; a comment as systemd has it\n# and another\n[Apply]\n  ; one more\nMode=none\n",
    "[Apply]\nMode=\\\nnone\n",
    "[Apply]\nMode=\\\n# between the two\nnone\n",
    "[Apply]\n Mode = none \n\n",
    "[X-Ansible]\nmanaged=yes\n[Apply]\nX-Note=mine\nMode=none\n",
    "[Apply]\nMode=auto\n[Learning]\n[Apply]\nMode=none\n",
};

static void test_understood(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, data);
	config_assert_no_problem(f);
	g_assert_false(f->verdict.apply_unclear);
	g_assert_cmpstr(f->config.apply_mode, ==, "none");
}

typedef struct {
	const char *text;
	const char *mention;
} Unclear;

static const Unclear unclear[] = {
    {"[Apply]\nMode=none # only observe\n", "one.conf:2: [Apply] Mode=none # only observe is not"},
    {"[Apply]\nMode=none # only observe\n", "a comment needs a line of its own"},
    {"[Apply]\nMode=none ; only observe\n", "a comment needs a line of its own"},
    {"[Apply]\nMode=\"none\"\n", "without quotation marks"},
    {"[Apply]\nMode=None\n", "one of auto, slices, none"},
    {"[Apply]\nMode=\n", "one of auto, slices, none"},
    {"[apply]\nMode=none\n", "there is [Apply] Mode="},
    {"[apply]\nmode=none\n", "there is [Apply] Mode="},
    {"[Aply]\nMode=none\n", "there is [Apply] Mode="},
    {"[Apply]\nmode=none\n", "there is [Apply] Mode="},
    {"[Apply]\nMod=none\n", "[Apply] Mod is not a known setting"},
    {"[Apply]\nMode none\n", "one.conf:2: \"Mode none\" is neither"},
    {"[Apply\nMode=none\n", "one.conf:1: the section [Apply does not end"},
    {"Mode=none\n", "one.conf:1: Mode= comes before the first section"},
    {"Apply: none\n", "neither Key=value nor a comment"},
    {"[Apply]\nBatchSliceUSec=20ms\n", "0, or a whole number from 100 to 99000"},
    {"[Apply]\nBatchNice=-5\n", "a whole number from 0 to"},
    {"[Observe]\nMode=none\n", "there is [Apply] Mode="},
};

static void test_unclear(ConfigFixture *f, gconstpointer data)
{
	const Unclear *wrong = data;

	config_read_text(f, wrong->text);
	g_assert_cmpuint(f->verdict.problems->len, >=, 1);
	config_assert_mentions(f->verdict.problems->pdata[0], wrong->mention);
	config_assert_mentions(f->verdict.problems->pdata[f->verdict.problems->len - 1],
			       "nothing is applied until it is fixed");
	g_assert_true(f->verdict.apply_unclear);
	g_assert_cmpstr(f->config.apply_mode, ==, "none");
}

/* A later file that is right does not say what the wrong one meant. */
static void test_a_later_file_does_not_put_it_right(ConfigFixture *f, gconstpointer data)
{
	config_write("etc/procdb.conf", "[Apply]\nMode=no\n");
	config_write("etc/procdb.conf.d/a.conf", "[Apply]\nMode=slices\n");
	config_read_system(f);
	g_assert_cmpuint(f->verdict.problems->len, ==, 1);
	g_assert_cmpstr(f->config.apply_mode, ==, "none");
}

static void test_other_sections_do_not_keep_it_from_applying(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, "[Learning]\nMinObservations=x\ngarbage\n[Database]\nPaht=/x\n"
			    "[Custom]\nOwner=me\n");
	g_assert_cmpuint(f->verdict.problems->len, ==, 4);
	g_assert_false(f->verdict.apply_unclear);
	g_assert_cmpstr(f->config.apply_mode, ==, "auto");
}

/* As a file is after a crash, when its length was on the disk and its bytes were not. */
static void test_nul_bytes(ConfigFixture *f, gconstpointer data)
{
	config_write_bytes("etc/procdb.conf", "[Learning]\n\0\0\0\0\0", 16);
	config_read_system(f);
	config_assert_mentions(config_the_problem(f),
			       "etc/procdb.conf: there is a NUL byte in line 2");
	g_assert_cmpstr(f->config.apply_mode, ==, "none");
}

static void test_an_empty_file_is_noted(ConfigFixture *f, gconstpointer data)
{
	config_write("etc/procdb.conf.d/a.conf", "");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->verdict.notes->len, ==, 1);
	config_assert_mentions(f->verdict.notes->pdata[0], "a.conf: the file is empty");
}

static void test_what_cannot_be_read_may_have_said_none(ConfigFixture *f, gconstpointer data)
{
	g_assert_cmpint(g_mkdir_with_parents("etc/procdb.conf.d/a.conf", 0755), ==, 0);
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "a.conf: it is not a regular file");
	g_assert_cmpstr(f->config.apply_mode, ==, "none");
}

static void test_a_file_that_is_too_large(ConfigFixture *f, gconstpointer data)
{
	g_autofree char *text = g_strnfill(1024 * 1024, '#');

	config_write("etc/procdb.conf", text);
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "larger than 1 MiB");
}

static void test_drop_ins_of_all_directories_by_name(ConfigFixture *f, gconstpointer data)
{
	g_auto(GStrv) files = NULL;

	config_write("usr/procdb.conf.d/20-b.conf", "[Learning]\nStaleTicks=20\n");
	config_write("usr/procdb.conf.d/10-a.conf", "[Learning]\nMaxProfiles=1\n");
	config_write("run/procdb.conf.d/15-r.conf", "[Learning]\nStaleTicks=15\n");
	config_write("run/procdb.conf.d/10-a.conf", "[Learning]\nMaxProfiles=2\n");
	config_write("etc/procdb.conf.d/10-a.conf", "[Learning]\nMinObservations=9\n");
	config_write("run/procdb.conf", "[Learning]\nMinObservations=8\n");
	files = procdb_config_files(NULL, NULL);
	g_assert_cmpuint(g_strv_length(files), ==, 4);
	g_assert_cmpstr(files[0], ==, "run/procdb.conf");
	g_assert_cmpstr(files[1], ==, "etc/procdb.conf.d/10-a.conf");
	g_assert_cmpstr(files[2], ==, "run/procdb.conf.d/15-r.conf");
	g_assert_cmpstr(files[3], ==, "usr/procdb.conf.d/20-b.conf");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 20);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 512);
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 9);
}

static void test_a_masked_drop_in(ConfigFixture *f, gconstpointer data)
{
	config_write("usr/procdb.conf.d/50-vendor.conf", "[Learning]\nStaleTicks=20\n");
	link_to("/dev/null", "etc/procdb.conf.d/50-vendor.conf");
	link_to("/dev/null", "etc/procdb.conf.d/60-other.conf");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->verdict.notes->len, ==, 0);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 60);
}

static void test_a_masked_main_file(ConfigFixture *f, gconstpointer data)
{
	config_write("usr/procdb.conf", "[Learning]\nStaleTicks=20\n");
	link_to("/dev/null", "etc/procdb.conf");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 60);
}

static void test_a_link_that_leads_nowhere(ConfigFixture *f, gconstpointer data)
{
	config_write("usr/procdb.conf.d/a.conf", "[Learning]\nStaleTicks=20\n");
	link_to("/nonexistent", "etc/procdb.conf.d/a.conf");
	link_to("/nonexistent", "etc/procdb.conf");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->verdict.notes->len, ==, 2);
	config_assert_mentions(f->verdict.notes->pdata[0], "the link leads nowhere");
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 20);
}

/* A file, a link to nowhere or to /dev/null in place of a directory. */
static void test_drop_ins_that_are_no_directory(ConfigFixture *f, gconstpointer data)
{
	config_write("etc/procdb.conf", "[Apply]\nMode=slices\n");
	config_write("run/procdb.conf.d/a.conf", "[Learning]\nStaleTicks=20\n");
	link_to("/dev/null", "etc/procdb.conf.d");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpint(g_remove("etc/procdb.conf.d"), ==, 0);
	link_to("/nonexistent", "etc/procdb.conf.d");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->verdict.notes->len, ==, 1);
	config_assert_mentions(f->verdict.notes->pdata[0], "procdb.conf.d: the link leads nowhere");
	g_assert_cmpint(g_remove("etc/procdb.conf.d"), ==, 0);
	link_to("procdb.conf.d", "etc/procdb.conf.d");
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "procdb.conf.d: Too many levels of symbolic");
	g_assert_true(f->verdict.apply_unclear);
	g_assert_cmpstr(f->config.apply_mode, ==, "none");
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 20);
}

static void test_a_file_in_place_of_drop_ins(ConfigFixture *f, gconstpointer data)
{
	config_write("etc/procdb.conf.d", "[Learning]\nStaleTicks=30\n");
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "Not a directory");
	g_assert_true(f->verdict.apply_unclear);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 60);
}

static const ProcdbDeclaration *declared(ConfigFixture *f, const char *name)
{
	struct procdb_comm comm = {0};

	memcpy(comm.bytes, name, strlen(name));
	return g_hash_table_lookup(f->config.overrides, &comm);
}

static void test_overrides_are_declared(ConfigFixture *f, gconstpointer data)
{
	config_write("usr/procdb.conf.d/90-ffmpeg.conf", "[Overrides]\nffmpeg=batch\nx264=batch\n");
	config_write("run/procdb.conf.d/50-run.conf", "[Overrides]\nffmpeg=interactive\n");
	config_write("etc/procdb.conf.d/10-mine.conf", "[Overrides]\nffmpeg=lat-critical\n"
						       "my game=lat-critical\n"
						       "X-Plane-x86_64=batch\n");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(g_hash_table_size(f->config.overrides), ==, 4);
	/* That of the administrator, whatever the names of the files are. */
	g_assert_cmpint(declared(f, "ffmpeg")->tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpstr(declared(f, "ffmpeg")->source, ==, "etc/procdb.conf.d/10-mine.conf");
	g_assert_cmpstr(declared(f, "x264")->source, ==, "usr/procdb.conf.d/90-ffmpeg.conf");
	g_assert_cmpint(declared(f, "my game")->tier, ==, PROCDB_TIER_LAT_CRITICAL);
	/* Elsewhere such keys are notes of other programs. */
	g_assert_cmpint(declared(f, "X-Plane-x86_64")->tier, ==, PROCDB_TIER_BATCH);
}

static void test_overrides_that_cannot_be(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, "[Overrides]\ntelegram-desktop=batch\nffmpeg=slow\nok=batch\n");
	g_assert_cmpuint(f->verdict.problems->len, ==, 2);
	config_assert_mentions(f->verdict.problems->pdata[0], "one.conf:2: ");
	config_assert_mentions(f->verdict.problems->pdata[0], "15 bytes, telegram-deskto");
	config_assert_mentions(f->verdict.problems->pdata[1], "batch, interactive, lat-critical");
	g_assert_nonnull(declared(f, "ok"));
	g_assert_cmpstr(f->config.apply_mode, ==, "auto");
}

/* Of a reload that was refused all stays, [Apply] too. */
static void test_beside_one_that_runs_nothing_changes(ConfigFixture *f, gconstpointer data)
{
	const char *const files[] = {"one.conf", NULL};
	g_auto(ProcdbConfig) running;

	procdb_config_copy(&running, &f->config);
	config_write(files[0], "[Apply]\nMode=no\n");
	procdb_config_read(&f->config, &running, files, &f->verdict);
	config_assert_mentions(config_the_problem(f), "; auto stays in force");
	g_assert_cmpstr(f->config.apply_mode, ==, "auto");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(understood); i++) {
		g_autofree char *path = g_strdup_printf("/config-files/understood/%zu", i);

		config_test_add(path, understood[i], test_understood);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(unclear); i++) {
		g_autofree char *path = g_strdup_printf("/config-files/unclear/%zu", i);

		config_test_add(path, &unclear[i], test_unclear);
	}
	config_test_add("/config-files/a-later-file-does-not-put-it-right", NULL,
			test_a_later_file_does_not_put_it_right);
	config_test_add("/config-files/other-sections-do-not-keep-it-from-applying", NULL,
			test_other_sections_do_not_keep_it_from_applying);
	config_test_add("/config-files/nul-bytes", NULL, test_nul_bytes);
	config_test_add("/config-files/an-empty-file-is-noted", NULL, test_an_empty_file_is_noted);
	config_test_add("/config-files/what-cannot-be-read-may-have-said-none", NULL,
			test_what_cannot_be_read_may_have_said_none);
	config_test_add("/config-files/a-file-that-is-too-large", NULL,
			test_a_file_that_is_too_large);
	config_test_add("/config-files/drop-ins-of-all-directories-by-name", NULL,
			test_drop_ins_of_all_directories_by_name);
	config_test_add("/config-files/a-masked-drop-in", NULL, test_a_masked_drop_in);
	config_test_add("/config-files/a-masked-main-file", NULL, test_a_masked_main_file);
	config_test_add("/config-files/a-link-that-leads-nowhere", NULL,
			test_a_link_that_leads_nowhere);
	config_test_add("/config-files/drop-ins-that-are-no-directory", NULL,
			test_drop_ins_that_are_no_directory);
	config_test_add("/config-files/a-file-in-place-of-drop-ins", NULL,
			test_a_file_in_place_of_drop_ins);
	config_test_add("/config-files/beside-one-that-runs-nothing-changes", NULL,
			test_beside_one_that_runs_nothing_changes);
	config_test_add("/config-files/overrides-are-declared", NULL, test_overrides_are_declared);
	config_test_add("/config-files/overrides-that-cannot-be", NULL,
			test_overrides_that_cannot_be);
	return g_test_run();
}
