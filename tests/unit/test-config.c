/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/*
 * The configuration: what each key takes, what is said of what it does not
 * take, and which file wins. Built with folders below the current one in place
 * of /usr/lib and /etc.
 */

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "remove-tree.h"

typedef struct {
	char *folder; /* the current one while the test runs */
	char *before;
	ProcdbConfig config;
	GPtrArray *problems;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
	f->before = g_get_current_dir();
	/* In memory where there is such a folder: one test writes thousands of files. */
	f->folder = g_build_filename(g_access("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir(),
				     "procdb-config-XXXXXX", NULL);
	g_assert_nonnull(g_mkdtemp(f->folder));
	g_assert_cmpint(g_chdir(f->folder), ==, 0);
	procdb_config_init(&f->config);
	f->problems = g_ptr_array_new_with_free_func(g_free);
}

static void tear_down(Fixture *f, gconstpointer data)
{
	procdb_config_clear(&f->config);
	g_ptr_array_unref(f->problems);
	g_assert_cmpint(g_chdir(f->before), ==, 0);
	remove_tree(f->folder);
	g_free(f->folder);
	g_free(f->before);
}

static void write_bytes(const char *path, const void *bytes, gssize len)
{
	g_autofree char *folder = g_path_get_dirname(path);
	g_autoptr(GError) error = NULL;

	g_assert_cmpint(g_mkdir_with_parents(folder, 0755), ==, 0);
	g_file_set_contents_full(path, bytes, len, G_FILE_SET_CONTENTS_NONE, 0600, &error);
	g_assert_no_error(error);
}

static void write_text(const char *path, const char *text)
{
	write_bytes(path, text, -1);
}

static void read_system_files(Fixture *f)
{
	g_auto(GStrv) files = procdb_config_files(NULL);

	procdb_config_read(&f->config, NULL, (const char *const *)files, f->problems);
}

static void read_text(Fixture *f, const char *text)
{
	const char *const files[] = {"one.conf", NULL};

	write_text(files[0], text);
	procdb_config_read(&f->config, NULL, files, f->problems);
}

static const char *the_problem(Fixture *f)
{
	g_assert_cmpuint(f->problems->len, ==, 1);
	return f->problems->pdata[0];
}

static void assert_mentions(const char *sentence, const char *part)
{
	if (!strstr(sentence, part))
		g_error("\"%s\" does not mention \"%s\"", sentence, part);
}

static void assert_no_problem(Fixture *f)
{
	if (f->problems->len > 0)
		g_error("%s", (const char *)f->problems->pdata[0]);
}

static void test_defaults(Fixture *f, gconstpointer data)
{
	read_system_files(f);
	assert_no_problem(f);
	g_assert_cmpstr(f->config.backend, ==, "auto");
	g_assert_true(g_path_is_absolute(f->config.database));
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
	g_assert_cmpfloat(f->config.engine.rules.min_confidence, ==, 0.6);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 512);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 60);
	g_assert_cmpuint(f->config.engine.retention_days, ==, 30);
	g_assert_true(g_strv_contains((const char *const *)f->config.compositors, "gnome-shell"));
	for (guint i = 0; f->config.compositors[i]; i++)
		g_assert_cmpuint(strlen(f->config.compositors[i]), <, 16);
}

static void test_every_key_is_read(Fixture *f, gconstpointer data)
{
	read_text(f, "# A comment\n"
		     "[Service]\nBackend=pinned\nCompositors=sway; my shell ;;river;\n"
		     "[Learning]\nMinObservations=7\nMinConfidence=0.75\nMaxProfiles=1024\n"
		     "StaleTicks=3600\n"
		     "[Database]\nPath=/srv/my data/procdb.bin\nRetentionDays=0\nMaxRetained=9\n"
		     "SaveIntervalSec=0\n");
	assert_no_problem(f);
	g_assert_cmpstr(f->config.backend, ==, "pinned");
	g_assert_cmpuint(g_strv_length(f->config.compositors), ==, 3);
	g_assert_cmpstr(f->config.compositors[1], ==, "my shell");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 7);
	g_assert_cmpfloat(f->config.engine.rules.min_confidence, ==, 0.75);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 1024);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 3600);
	g_assert_cmpstr(f->config.database, ==, "/srv/my data/procdb.bin");
	g_assert_cmpuint(f->config.engine.retention_days, ==, 0);
	g_assert_cmpuint(f->config.engine.max_retained, ==, 9);
	g_assert_cmpuint(f->config.engine.save_interval_s, ==, 0);
}

static void test_limits_are_allowed(Fixture *f, gconstpointer data)
{
	read_text(f, "[Learning]\nMinObservations=1\nMinConfidence=0\nMaxProfiles=1\n");
	read_text(f, "[Learning]\nMinObservations=1000\nMinConfidence=1\nMaxProfiles=65536\n");
	assert_no_problem(f);
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
    {"Database", "Path", "procdb.bin", "absolute path", "/procdb.bin"},
    {"Database", "Path", "", "absolute path", "/procdb.bin"},
    {"Database", "Path", "/var/lib/\xff\xfe", "absolute path", "/procdb.bin"},
    {"Database", "RetentionDays", "36501", "0 to 36500", "30"},
    {"Database", "RetentionDays", "-1", "0 to 36500", "30"},
    {"Database", "MaxRetained", "1048577", "0 to 1048576", "16384"},
    {"Database", "SaveIntervalSec", "86401", "0 to 86400", "300"},
    {"Database", "SaveIntervalSec", "5 min", "0 to 86400", "300"},
};

static void test_wrong_value(Fixture *f, gconstpointer data)
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
	read_text(f, text);
	problem = the_problem(f);
	g_assert_true(g_utf8_validate(problem, -1, NULL));
	assert_mentions(problem, "one.conf");
	assert_mentions(problem, wrong->group);
	assert_mentions(problem, wrong->key);
	assert_mentions(problem, wrong->allowed);
	assert_mentions(problem, wrong->in_force);
	assert_mentions(problem, "stays in force");
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
		g_assert_true(g_str_has_suffix(f->config.database, "/procdb.bin"));
	}
}

static void test_unknown_keys(Fixture *f, gconstpointer data)
{
	read_text(f, "[Learning]\nMinObservation=5\n[learning]\nMinObservations=5\n"
		     "[Database]\nMinObservations=5\n");
	g_assert_cmpuint(f->problems->len, ==, 3);
	assert_mentions(f->problems->pdata[0], "[Learning] MinObservation ");
	assert_mentions(f->problems->pdata[1], "[learning] MinObservations ");
	assert_mentions(f->problems->pdata[2], "[Database] MinObservations ");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
}

static void test_a_later_wrong_value_leaves_the_earlier(Fixture *f, gconstpointer data)
{
	write_text("usr/procdb.conf", "[Learning]\nMinObservations=5\n");
	write_text("etc/procdb.conf", "[Learning]\nMinObservations=many\n");
	read_system_files(f);
	assert_mentions(the_problem(f), "etc/procdb.conf");
	assert_mentions(the_problem(f), "5 stays in force");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 5);
}

static void test_files_in_order(Fixture *f, gconstpointer data)
{
	g_auto(GStrv) files = NULL;

	write_text("usr/procdb.conf", "[Learning]\nMinObservations=5\nMaxProfiles=1\n");
	write_text("etc/procdb.conf", "[Learning]\nMinObservations=6\nStaleTicks=1\n");
	write_text("etc/procdb.conf.d/20-b.conf", "[Learning]\nStaleTicks=20\n");
	write_text("etc/procdb.conf.d/10-a.conf", "[Learning]\nStaleTicks=10\nMaxProfiles=10\n");
	write_text("etc/procdb.conf.d/9-z.conf", "[Database]\nRetentionDays=9\n");
	write_text("etc/procdb.conf.d/30-c.conf~", "[Learning]\nStaleTicks=30\n");
	write_text("etc/procdb.conf.d/.#a.conf", "[Learning]\nStaleTicks=32\n");
	write_text("etc/procdb.conf.d/README", "[Learning]\nStaleTicks=31\n");
	write_text("usr/procdb.conf.d/40-d.conf", "[Learning]\nStaleTicks=40\n");
	files = procdb_config_files(NULL);
	g_assert_cmpuint(g_strv_length(files), ==, 5);
	g_assert_cmpstr(files[0], ==, "usr/procdb.conf");
	g_assert_cmpstr(files[1], ==, "etc/procdb.conf");
	g_assert_cmpstr(files[2], ==, "etc/procdb.conf.d/10-a.conf");
	g_assert_cmpstr(files[3], ==, "etc/procdb.conf.d/20-b.conf");
	g_assert_cmpstr(files[4], ==, "etc/procdb.conf.d/9-z.conf");
	read_system_files(f);
	assert_no_problem(f);
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
	g_assert_cmpuint(f->config.engine.rules.stale_ticks, ==, 20);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 10);
	g_assert_cmpuint(f->config.engine.retention_days, ==, 9);
}

static void test_only_the_file_that_was_named(Fixture *f, gconstpointer data)
{
	g_auto(GStrv) files = procdb_config_files("mine.conf");

	write_text("etc/procdb.conf", "[Learning]\nMinObservations=6\n");
	g_assert_cmpuint(g_strv_length(files), ==, 1);
	procdb_config_read(&f->config, NULL, (const char *const *)files, f->problems);
	/* It was asked for, so it has to be there. */
	assert_mentions(the_problem(f), "mine.conf");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 3);
}

static void test_a_folder_is_no_file(Fixture *f, gconstpointer data)
{
	g_assert_cmpint(g_mkdir_with_parents("etc/procdb.conf", 0755), ==, 0);
	write_text("etc/procdb.conf.d/a.conf", "[Learning]\nMinObservations=6\n");
	read_system_files(f);
	assert_mentions(the_problem(f), "etc/procdb.conf");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
}

static void test_a_fifo_is_no_file(Fixture *f, gconstpointer data)
{
	write_text("etc/procdb.conf.d/b.conf", "[Learning]\nMinObservations=6\n");
	g_assert_cmpint(mkfifo("etc/procdb.conf.d/a.conf", 0600), ==, 0);
	read_system_files(f);
	assert_mentions(the_problem(f), "etc/procdb.conf.d/a.conf");
	assert_mentions(the_problem(f), "it is ignored as a whole");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 6);
}

/* Where all of it is refused, nothing is ignored, and what stays is what runs. */
static void test_beside_one_that_runs(Fixture *f, gconstpointer data)
{
	const char *const files[] = {"one.conf", "none.conf", NULL};
	g_auto(ProcdbConfig) running;

	procdb_config_copy(&running, &f->config);
	running.engine.rules.min_observations = 2;
	write_text(files[0], "[Learning]\nMinObservations=x\nNoSuch=1\n");
	procdb_config_read(&f->config, &running, files, f->problems);
	g_assert_cmpuint(f->problems->len, ==, 3);
	assert_mentions(f->problems->pdata[0], "; 2 stays in force");
	assert_mentions(f->problems->pdata[1], "NoSuch is no setting");
	for (guint i = 0; i < f->problems->len; i++)
		g_assert_null(strstr(f->problems->pdata[i], "ignored"));
}

static void test_a_file_that_does_not_parse(Fixture *f, gconstpointer data)
{
	write_text("usr/procdb.conf", "[Learning]\nMinObservations=5\n");
	write_text("etc/procdb.conf", "[Learning]\nMinObservations=6\nthis is no key\n");
	write_text("etc/procdb.conf.d/a.conf", "[Learning]\nMaxProfiles=7\n");
	read_system_files(f);
	assert_mentions(the_problem(f), "etc/procdb.conf");
	/* Nothing of it counts, everything else does. */
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 5);
	g_assert_cmpuint(f->config.engine.rules.max_profiles, ==, 7);
}

static void test_the_last_of_equal_keys_counts(Fixture *f, gconstpointer data)
{
	read_text(f, "[Learning]\nMinObservations=5\nMinObservations=6\n[Database]\n"
		     "[Learning]\nMinObservations=7\n");
	assert_no_problem(f);
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 7);
}

static void test_spaces_do_not_matter(Fixture *f, gconstpointer data)
{
	read_text(f, "[Learning]\r\n  MinObservations  =  5  \r\n\r\n# note\r\n");
	g_assert_cmpuint(f->config.engine.rules.min_observations, ==, 5);
}

static void test_problems_are_text(Fixture *f, gconstpointer data)
{
	static const char *const files[] = {"\xff\n.conf", NULL};

	write_text(files[0], "[\xfe]\nKey=1\n[Learning]\nMin\xff=1\nMin\033[31m=2\n"
			     "MinObservations=\xff\033\n");
	procdb_config_read(&f->config, NULL, files, f->problems);
	g_assert_cmpuint(f->problems->len, >=, 1);
	for (guint i = 0; i < f->problems->len; i++) {
		const char *problem = f->problems->pdata[i];

		g_assert_true(g_utf8_validate(problem, -1, NULL));
		for (const char *c = problem; *c; c = g_utf8_next_char(c))
			g_assert_true(g_unichar_isprint(g_utf8_get_char(c)));
	}
}

static void test_random_bytes(Fixture *f, gconstpointer data)
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
		write_bytes(files[0], bytes, g_test_rand_int_range(0, sizeof(seed)));
		g_ptr_array_set_size(f->problems, 0);
		procdb_config_read(&f->config, NULL, files, f->problems);
		g_assert_cmpuint(f->config.engine.rules.min_observations, >=, 1);
		g_assert_cmpuint(f->config.engine.rules.min_observations, <=, 1000);
		g_assert_true(f->config.engine.rules.min_confidence >= 0 &&
			      f->config.engine.rules.min_confidence <= 1);
		g_assert_cmpuint(f->config.engine.rules.stale_ticks, >=, 1);
		g_assert_true(g_path_is_absolute(f->config.database));
		g_assert_true(g_utf8_validate(f->config.database, -1, NULL));
		g_assert_nonnull(f->config.compositors);
		for (guint j = 0; j < f->problems->len; j++)
			g_assert_true(g_utf8_validate(f->problems->pdata[j], -1, NULL));
	}
}

static void test_copy_is_deep(Fixture *f, gconstpointer data)
{
	g_auto(ProcdbConfig) copy = {0};

	procdb_config_copy(&copy, &f->config);
	g_assert_null(procdb_config_set(&copy, "Service", "Backend", "none"));
	g_assert_null(procdb_config_set(&copy, "Service", "Compositors", "a"));
	g_assert_null(procdb_config_set(&copy, "Database", "Path", "/x"));
	g_assert_cmpstr(f->config.backend, ==, "auto");
	g_assert_cmpstr(f->config.compositors[0], !=, "a");
	g_assert_cmpstr(f->config.database, !=, "/x");
}

static void add(const char *path, gconstpointer data, void (*test)(Fixture *, gconstpointer))
{
	g_test_add(path, Fixture, data, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/config/defaults", NULL, test_defaults);
	add("/config/every-key-is-read", NULL, test_every_key_is_read);
	add("/config/limits-are-allowed", NULL, test_limits_are_allowed);
	for (gsize i = 0; i < G_N_ELEMENTS(wrong_values); i++) {
		g_autofree char *path =
		    g_strdup_printf("/config/wrong-value/%s/%zu", wrong_values[i].key, i);

		add(path, &wrong_values[i], test_wrong_value);
	}
	add("/config/unknown-keys", NULL, test_unknown_keys);
	add("/config/a-later-wrong-value-leaves-the-earlier", NULL,
	    test_a_later_wrong_value_leaves_the_earlier);
	add("/config/files-in-order", NULL, test_files_in_order);
	add("/config/only-the-file-that-was-named", NULL, test_only_the_file_that_was_named);
	add("/config/a-folder-is-no-file", NULL, test_a_folder_is_no_file);
	add("/config/a-fifo-is-no-file", NULL, test_a_fifo_is_no_file);
	add("/config/beside-one-that-runs", NULL, test_beside_one_that_runs);
	add("/config/a-file-that-does-not-parse", NULL, test_a_file_that_does_not_parse);
	add("/config/the-last-of-equal-keys-counts", NULL, test_the_last_of_equal_keys_counts);
	add("/config/spaces-do-not-matter", NULL, test_spaces_do_not_matter);
	add("/config/problems-are-text", NULL, test_problems_are_text);
	add("/config/random-bytes", NULL, test_random_bytes);
	add("/config/copy-is-deep", NULL, test_copy_is_deep);
	return g_test_run();
}
