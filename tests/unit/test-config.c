/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * The configuration: what each key takes, what is said of what it does not
 * take, and which file wins. Built with directories below the current one in place
 * of /usr/lib and /etc.
 */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "config-fixture.h"

static void test_defaults(ConfigFixture *f, gconstpointer data)
{
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpstr(f->config.backend, ==, "auto");
	g_assert_true(g_path_is_absolute(f->config.database));
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
	g_assert_cmpfloat(f->config.engine.rules.min_confidence, ==, 0.6);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 512);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 60);
	g_assert_cmpuint(f->config.engine.retention_days, ==, 30);
	g_assert_true(
	    g_strv_contains((const char *const *)f->config.observer.compositors, "gnome-shell"));
	for (guint i = 0; f->config.observer.compositors[i]; i++)
		g_assert_cmpuint(strlen(f->config.observer.compositors[i]), <, 16);
}

static void test_every_key_is_read(ConfigFixture *f, gconstpointer data)
{
	config_read_text(
	    f, "# A comment\n"
	       "[Service]\nBackend=pinned\nCompositors=sway; my shell ;;river;\n"
	       "[Learning]\nMinObservations=7\nMinConfidence=0.75\nMaxProfiles=1024\n"
	       "StaleTicks=3600\n"
	       "[Database]\nPath=/srv/my data/procdb.bin\nRetentionDays=0\nMaxRetained=9\n"
	       "SaveIntervalSec=0\n");
	config_assert_no_problem(f);
	g_assert_cmpstr(f->config.backend, ==, "pinned");
	g_assert_cmpuint(g_strv_length(f->config.observer.compositors), ==, 3);
	g_assert_cmpstr(f->config.observer.compositors[1], ==, "my shell");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 7);
	g_assert_cmpfloat(f->config.engine.rules.min_confidence, ==, 0.75);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 1024);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 3600);
	g_assert_cmpstr(f->config.database, ==, "/srv/my data/procdb.bin");
	g_assert_cmpuint(f->config.engine.retention_days, ==, 0);
	g_assert_cmpuint(f->config.engine.max_retained, ==, 9);
	g_assert_cmpuint(f->config.engine.save_interval_s, ==, 0);
}

static void test_limits_are_allowed(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, "[Learning]\nMinObservations=1\nMinConfidence=0\nMaxProfiles=1\n");
	config_read_text(f,
			 "[Learning]\nMinObservations=1000\nMinConfidence=1\nMaxProfiles=65536\n");
	config_assert_no_problem(f);
	g_assert_cmpfloat(f->config.engine.rules.min_confidence, ==, 1.0);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 65536);
}

/* Group, key, a value that is not allowed, what is, and what stays in force. */
typedef struct {
	const char *group;
	const char *key;
	const char *value;
	const char *allowed;
	const char *in_force;
} Wrong;

static const Wrong wrong_values[] = {
    {"Service", "Backend", "", "auto", "auto"},
    {"Service", "Backend", "Observer", "observer", "auto"},
    {"Service", "Backend", "auto|observer", "pinned", "auto"},
    {"Learning", "MinObservations", "0", "1 to 1000", "3"},
    {"Learning", "MinObservations", "1001", "1 to 1000", "3"},
    {"Learning", "MinObservations", "-3", "1 to 1000", "3"},
    {"Learning", "MinObservations", "+3", "1 to 1000", "3"},
    {"Learning", "MinObservations", "3.0", "whole number", "3"},
    {"Learning", "MinObservations", "0x10", "whole number", "3"},
    {"Learning", "MinObservations", "4294967299", "1 to 1000", "3"},
    {"Learning", "MinObservations", "18446744073709551619", "1 to 1000", "3"},
    {"Learning", "MinConfidence", "60%", "0 to 1", "0.6"},
    {"Learning", "MinConfidence", "0,7", "0 to 1", "0.6"},
    {"Learning", "MinConfidence", "1.0001", "0 to 1", "0.6"},
    {"Learning", "MinConfidence", "-0.1", "0 to 1", "0.6"},
    {"Learning", "MinConfidence", "nan", "0 to 1", "0.6"},
    {"Learning", "MinConfidence", "inf", "0 to 1", "0.6"},
    {"Learning", "MinConfidence", "", "0 to 1", "0.6"},
    {"Learning", "MaxProfiles", "0", "1 to 65536", "512"},
    {"Learning", "MaxProfiles", "65537", "1 to 65536", "512"},
    {"Learning", "StaleTicks", "0", "1 to 604800", "60"},
    {"Learning", "StaleTicks", "604801", "1 to 604800", "60"},
    {"Database", "Path", "procdb.bin", "absolute path", "/profiles.bin"},
    {"Database", "Path", "", "absolute path", "/profiles.bin"},
    {"Database", "Path", "/var/lib/\xff\xfe", "absolute path", "/profiles.bin"},
    {"Database", "RetentionDays", "36501", "0 to 36500", "30"},
    {"Database", "RetentionDays", "-1", "0 to 36500", "30"},
    {"Database", "MaxRetained", "1048577", "0 to 1048576", "16384"},
    {"Database", "SaveIntervalSec", "86401", "0 to 86400", "300"},
    {"Database", "SaveIntervalSec", "5 min", "0 to 86400", "300"},
};

static void test_wrong_value(ConfigFixture *f, gconstpointer data)
{
	const Wrong *wrong = data;
	g_autofree char *text = g_strdup_printf("[%s]\n%s=%s\n[Learning]\nStaleTicks=61\n",
						wrong->group, wrong->key, wrong->value);
	const char *problem;

	/* The key after it is read all the same. */
	if (g_str_equal(wrong->key, "StaleTicks")) {
		g_free(text);
		text = g_strdup_printf("[Learning]\nStaleTicks=%s\n[Learning]\nMaxProfiles=9\n",
				       wrong->value);
	}
	config_read_text(f, text);
	problem = config_the_problem(f);
	g_assert_true(g_utf8_validate(problem, -1, NULL));
	config_assert_mentions(problem, "one.conf");
	config_assert_mentions(problem, wrong->group);
	config_assert_mentions(problem, wrong->key);
	config_assert_mentions(problem, wrong->allowed);
	config_assert_mentions(problem, wrong->in_force);
	config_assert_mentions(problem, "stays in force");
	if (g_str_equal(wrong->key, "StaleTicks")) {
		g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 60);
		g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 9);
	} else {
		g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 61);
		g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
		g_assert_cmpfloat(f->config.engine.rules.min_confidence, ==, 0.6);
		g_assert_cmpuint(f->config.engine.retention_days, ==, 30);
		g_assert_cmpuint(f->config.engine.save_interval_s, ==, 300);
		g_assert_cmpstr(f->config.backend, ==, "auto");
		g_assert_true(g_str_has_suffix(f->config.database, "/profiles.bin"));
	}
}

static void test_unknown_keys(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, "[Learning]\nMinObservation=5\n[learning]\nMinObservations=5\n"
			    "[Database]\nMinObservations=5\n");
	g_assert_cmpuint(f->verdict.problems->len, ==, 3);
	config_assert_mentions(f->verdict.problems->pdata[0], "[Learning] MinObservation ");
	config_assert_mentions(f->verdict.problems->pdata[1], "[learning] MinObservations ");
	config_assert_mentions(f->verdict.problems->pdata[2], "[Database] MinObservations ");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
}

static void test_a_later_wrong_value_leaves_the_earlier(ConfigFixture *f, gconstpointer data)
{
	config_write("usr/procdb.conf", "[Learning]\nMinObservations=5\n");
	config_write("etc/procdb.conf", "[Learning]\nMinObservations=many\n");
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "etc/procdb.conf");
	config_assert_mentions(config_the_problem(f), "5 stays in force");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 5);
}

static void test_files_in_order(ConfigFixture *f, gconstpointer data)
{
	g_auto(GStrv) files = NULL;

	config_write("usr/procdb.conf", "[Learning]\nMinObservations=5\nMaxProfiles=1\n");
	config_write("etc/procdb.conf", "[Learning]\nMinObservations=6\nStaleTicks=1\n");
	config_write("etc/procdb.conf.d/20-b.conf", "[Learning]\nStaleTicks=20\n");
	config_write("etc/procdb.conf.d/10-a.conf", "[Learning]\nStaleTicks=10\nMaxProfiles=10\n");
	config_write("etc/procdb.conf.d/9-z.conf", "[Database]\nRetentionDays=9\n");
	config_write("etc/procdb.conf.d/30-c.conf~", "[Learning]\nStaleTicks=30\n");
	config_write("etc/procdb.conf.d/.#a.conf", "[Learning]\nStaleTicks=32\n");
	config_write("etc/procdb.conf.d/README", "[Learning]\nStaleTicks=31\n");
	files = procdb_config_files(NULL, NULL);
	g_assert_cmpuint(g_strv_length(files), ==, 5);
	g_assert_cmpstr(files[0], ==, "usr/procdb.conf");
	g_assert_cmpstr(files[1], ==, "etc/procdb.conf");
	g_assert_cmpstr(files[2], ==, "etc/procdb.conf.d/10-a.conf");
	g_assert_cmpstr(files[3], ==, "etc/procdb.conf.d/20-b.conf");
	g_assert_cmpstr(files[4], ==, "etc/procdb.conf.d/9-z.conf");
	config_read_system(f);
	config_assert_no_problem(f);
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 20);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 10);
	g_assert_cmpuint(f->config.engine.retention_days, ==, 9);
}

static void test_only_the_file_that_was_named(ConfigFixture *f, gconstpointer data)
{
	g_auto(GStrv) files = procdb_config_files("mine.conf", NULL);

	config_write("etc/procdb.conf", "[Learning]\nMinObservations=6\n");
	g_assert_cmpuint(g_strv_length(files), ==, 1);
	procdb_config_read(&f->config, NULL, (const char *const *)files, &f->verdict);
	/* It was asked for, so it has to be there. */
	config_assert_mentions(config_the_problem(f), "mine.conf");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
}

static void test_a_directory_is_no_file(ConfigFixture *f, gconstpointer data)
{
	g_assert_cmpint(g_mkdir_with_parents("etc/procdb.conf", 0755), ==, 0);
	config_write("etc/procdb.conf.d/a.conf", "[Learning]\nMinObservations=6\n");
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "etc/procdb.conf");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
}

static void test_a_fifo_is_no_file(ConfigFixture *f, gconstpointer data)
{
	config_write("etc/procdb.conf.d/b.conf", "[Learning]\nMinObservations=6\n");
	g_assert_cmpint(mkfifo("etc/procdb.conf.d/a.conf", 0600), ==, 0);
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "etc/procdb.conf.d/a.conf");
	config_assert_mentions(config_the_problem(f), "it is ignored as a whole");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
}

/* Where all of it is refused, nothing is ignored, and what stays is what runs. */
static void test_beside_one_that_runs(ConfigFixture *f, gconstpointer data)
{
	const char *const files[] = {"one.conf", "none.conf", NULL};
	g_auto(ProcdbConfig) running;

	procdb_config_copy(&running, &f->config);
	running.engine.rules.min_observations = 2;
	config_write(files[0], "[Learning]\nMinObservations=x\nNoSuch=1\n");
	procdb_config_read(&f->config, &running, files, &f->verdict);
	g_assert_cmpuint(f->verdict.problems->len, ==, 3);
	config_assert_mentions(f->verdict.problems->pdata[0], "; 2 stays in force");
	config_assert_mentions(f->verdict.problems->pdata[1], "NoSuch is not a known setting");
	for (guint i = 0; i < f->verdict.problems->len; i++)
		g_assert_null(strstr(f->verdict.problems->pdata[i], "ignored"));
}

static void test_a_line_that_is_none(ConfigFixture *f, gconstpointer data)
{
	config_write("usr/procdb.conf", "[Learning]\nMinObservations=5\n");
	config_write("etc/procdb.conf", "[Learning]\nMinObservations=6\nthis is no key\n");
	config_write("etc/procdb.conf.d/a.conf", "[Learning]\nMaxProfiles=7\n");
	config_read_system(f);
	config_assert_mentions(config_the_problem(f), "etc/procdb.conf:3: \"this is no key\"");
	/* As for systemd, that line does not count, and everything else does. */
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 7);
	g_assert_cmpstr(f->config.apply_mode, ==, "auto");
}

static void test_the_last_of_equal_keys_counts(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, "[Learning]\nMinObservations=5\nMinObservations=6\n[Database]\n"
			    "[Learning]\nMinObservations=7\n");
	config_assert_no_problem(f);
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 7);
}

static void test_spaces_do_not_matter(ConfigFixture *f, gconstpointer data)
{
	config_read_text(f, "[Learning]\r\n  MinObservations  =  5  \r\n\r\n# note\r\n");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 5);
}

static void test_problems_are_text(ConfigFixture *f, gconstpointer data)
{
	static const char *const files[] = {"\xff\n.conf", NULL};

	config_write(files[0], "[\xfe]\nKey=1\n[Learning]\nMin\xff=1\nMin\033[31m=2\n"
			       "Min\342\200\250line=3\n"
			       "MinObservations=\xff\033\n");
	procdb_config_read(&f->config, NULL, files, &f->verdict);
	g_assert_cmpuint(f->verdict.problems->len, >=, 1);
	for (guint i = 0; i < f->verdict.problems->len; i++) {
		const char *problem = f->verdict.problems->pdata[i];

		g_assert_true(g_utf8_validate(problem, -1, NULL));
		for (const char *c = problem; *c; c = g_utf8_next_char(c))
			g_assert_true(g_unichar_isprint(g_utf8_get_char(c)));
		/* A separator of lines, which GLib takes for printable. */
		g_assert_null(strstr(problem, "\342\200\250"));
	}
}

static void test_random_bytes(ConfigFixture *f, gconstpointer data)
{
	static const char seed[] = "[Service]\nBackend=pinned\nCompositors=sway;river\n"
				   "[Learning]\nMinObservations=7\nMinConfidence=0.75\n"
				   "StaleTicks=3600\n[Database]\nPath=/srv/procdb.bin\n";
	static const char *const files[] = {"random.conf", NULL};

	for (guint i = 0; i < 3000; i++) {
		char bytes[sizeof(seed)];

		memcpy(bytes, seed, sizeof(seed));
		for (int n = g_test_rand_int_range(1, 20); n > 0; n--)
			bytes[g_test_rand_int_range(0, sizeof(seed) - 1)] = (char)g_test_rand_int();
		config_write_bytes(files[0], bytes, g_test_rand_int_range(0, sizeof(seed)));
		g_ptr_array_set_size(f->verdict.problems, 0);
		procdb_config_read(&f->config, NULL, files, &f->verdict);
		g_assert_cmpuint(f->config.engine.rules.min_observations, >=, 1);
		g_assert_cmpuint(f->config.engine.rules.min_observations, <=, 1000);
		g_assert_true(f->config.engine.rules.min_confidence >= 0 &&
			      f->config.engine.rules.min_confidence <= 1);
		g_assert_cmpuint(f->config.engine.rules.stale_ticks, >=, 1);
		g_assert_true(g_path_is_absolute(f->config.database));
		g_assert_true(g_utf8_validate(f->config.database, -1, NULL));
		g_assert_nonnull(f->config.observer.compositors);
		for (guint j = 0; j < f->verdict.problems->len; j++)
			g_assert_true(g_utf8_validate(f->verdict.problems->pdata[j], -1, NULL));
	}
}

static void test_copy_is_deep(ConfigFixture *f, gconstpointer data)
{
	g_auto(ProcdbConfig) copy = {0};

	procdb_config_copy(&copy, &f->config);
	g_assert_null(procdb_config_set(&copy, "Service", "Backend", "none"));
	g_assert_null(procdb_config_set(&copy, "Service", "Compositors", "a"));
	g_assert_null(procdb_config_set(&copy, "Database", "Path", "/x"));
	g_assert_cmpstr(f->config.backend, ==, "auto");
	g_assert_cmpstr(f->config.observer.compositors[0], !=, "a");
	g_assert_cmpstr(f->config.database, !=, "/x");
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	config_test_add("/config/defaults", NULL, test_defaults);
	config_test_add("/config/every-key-is-read", NULL, test_every_key_is_read);
	config_test_add("/config/limits-are-allowed", NULL, test_limits_are_allowed);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong_values); i++) {
		g_autofree char *path =
		    g_strdup_printf("/config/wrong-value/%s/%zu", wrong_values[i].key, i);

		config_test_add(path, &wrong_values[i], test_wrong_value);
	}
	config_test_add("/config/unknown-keys", NULL, test_unknown_keys);
	config_test_add("/config/a-later-wrong-value-leaves-the-earlier", NULL,
			test_a_later_wrong_value_leaves_the_earlier);
	config_test_add("/config/files-in-order", NULL, test_files_in_order);
	config_test_add("/config/only-the-file-that-was-named", NULL,
			test_only_the_file_that_was_named);
	config_test_add("/config/a-directory-is-no-file", NULL, test_a_directory_is_no_file);
	config_test_add("/config/a-fifo-is-no-file", NULL, test_a_fifo_is_no_file);
	config_test_add("/config/beside-one-that-runs", NULL, test_beside_one_that_runs);
	config_test_add("/config/a-line-that-is-none", NULL, test_a_line_that_is_none);
	config_test_add("/config/the-last-of-equal-keys-counts", NULL,
			test_the_last_of_equal_keys_counts);
	config_test_add("/config/spaces-do-not-matter", NULL, test_spaces_do_not_matter);
	config_test_add("/config/problems-are-text", NULL, test_problems_are_text);
	config_test_add("/config/random-bytes", NULL, test_random_bytes);
	config_test_add("/config/copy-is-deep", NULL, test_copy_is_deep);
	return g_test_run();
}
