/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What the engine finds again in the file that it left. */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "engine-fixture.h"
#include "engine-state.h"

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, data, 1024);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	engine_fixture_tear_down(f);
}

static void save(EngineFixture *f)
{
	g_autoptr(GError) error = NULL;

	procdb_engine_save(f->engine, NULL, &error);
	g_assert_no_error(error);
}

/* Puts an X where there was none. */
static void damage(EngineFixture *f, long offset)
{
	int fd = g_open(f->path, O_WRONLY);

	g_assert_cmpint(fd, >=, 0);
	g_assert_cmpint(pwrite(fd, "X", 1, offset), ==, 1);
	g_assert_true(g_close(fd, NULL));
}

static gboolean is_dirty(EngineFixture *f)
{
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine, &status);
	return status.dirty;
}

static void score(EngineFixture *f, const char *name, guint32 right, guint32 wrong)
{
	struct procdb_comm comm = test_comm(name);

	test_maps_score(f->backend, &comm, (struct procdb_score){.right = right, .wrong = wrong});
	test_step(f);
}

static void learn_something(EngineFixture *f)
{
	test_learn(f, "as", PROCDB_TIER_BATCH, 3);
	/* Withdrawn, and learned anew. */
	score(f, "as", 1, 5);
	test_learn(f, "as", PROCDB_TIER_BATCH, 3);
	score(f, "as", 2, 3);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 9);
	test_learn(f, "cc1", PROCDB_TIER_INTERACTIVE, 1);
	test_clock_advance(G_USEC_PER_SEC);
	test_learn(f, "sway", PROCDB_TIER_LAT_CRITICAL, 5);
	test_learn(f, "unsure", PROCDB_TIER_BATCH, 1);
	test_learn(f, "unsure", PROCDB_TIER_INTERACTIVE, 1);
	test_set_override(f, "unsure", PROCDB_TIER_BATCH);
	test_set_override(f, "never-seen", PROCDB_TIER_INTERACTIVE);
}

static void assert_same_profile(const struct procdb_profile *a, const struct procdb_profile *b)
{
	g_assert_true(memcmp(a->tier_votes, b->tier_votes, sizeof(a->tier_votes)) == 0);
	g_assert_cmpuint(a->observations, ==, b->observations);
	g_assert_cmpuint(a->avg_runtime_ns, ==, b->avg_runtime_ns);
	g_assert_cmpuint(a->runtime_dev_ns, ==, b->runtime_dev_ns);
	g_assert_cmpuint(a->wakeup_freq, ==, b->wakeup_freq);
	g_assert_cmpuint(a->csw_rate, ==, b->csw_rate);
	g_assert_cmpint(a->first_seen_us, ==, b->first_seen_us);
	g_assert_cmpint(a->last_seen_us, ==, b->last_seen_us);
	g_assert_cmpuint(a->override, ==, b->override);
	g_assert_cmpuint(a->teachers, ==, b->teachers);
	g_assert_cmpuint(a->right, ==, b->right);
	g_assert_cmpuint(a->wrong, ==, b->wrong);
	g_assert_cmpuint(a->recent_right, ==, b->recent_right);
	g_assert_cmpuint(a->recent_wrong, ==, b->recent_wrong);
	g_assert_cmpuint(a->withdrawals, ==, b->withdrawals);
	g_assert_true(procdb_profile_confidence(a, &procdb_reference_rules) ==
		      procdb_profile_confidence(b, &procdb_reference_rules));
}

static void test_all_is_found_again(EngineFixture *f, gconstpointer data)
{
	static const char *const names[] = {"as", "cc1", "sway", "unsure"};
	struct procdb_profile before[G_N_ELEMENTS(names)];
	enum procdb_tier tier;

	learn_something(f);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		before[i] = test_find(f, names[i])->profile;
	g_assert_cmpuint(before[0].withdrawals, ==, 1);
	g_assert_cmpuint(before[0].recent_wrong, ==, 3);
	save(f);
	engine_fixture_restart(f, 1024);
	for (guint i = 0; i < G_N_ELEMENTS(names); i++)
		assert_same_profile(&before[i], &test_find(f, names[i])->profile);
	g_assert_true(test_predicts(f, "unsure", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_BATCH);
	g_assert_true(test_predicts(f, "never-seen", &tier));
	g_assert_cmpint(tier, ==, PROCDB_TIER_INTERACTIVE);
	test_check_settled(f);
}

/* As scx_pandemonium reads it; but an admin's word stays an admin's word. */
static void test_reference_mode_reads_the_entries(EngineFixture *f, gconstpointer data)
{
	const struct procdb_profile *profile;

	learn_something(f);
	save(f);
	engine_fixture_restart(f, 1024);
	profile = &test_find(f, "cc1")->profile;
	g_assert_cmpuint(profile->tier_votes[PROCDB_TIER_BATCH], ==, 10);
	g_assert_cmpuint(profile->tier_votes[PROCDB_TIER_INTERACTIVE], ==, 0);
	profile = &test_find(f, "unsure")->profile;
	g_assert_cmpuint(profile->override, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(profile->observations, ==, 0);
}

static void test_deleted_does_not_come_back_from_the_previous_file(EngineFixture *f,
								   gconstpointer data)
{
	g_autofree char *prev = g_strconcat(f->path, ".prev", NULL);
	struct procdb_comm comm = test_comm("cc1");
	g_autoptr(GError) error = NULL;

	learn_something(f);
	save(f);
	test_delete(f, &comm, 1, NULL, &error);
	g_assert_no_error(error);
	g_assert_false(g_file_test(prev, G_FILE_TEST_EXISTS));

	/* The newest is lost: then there is nothing, rather than what was deleted. */
	damage(f, 0);
	engine_fixture_allow_warnings();
	engine_fixture_restart(f, 1024);
	g_assert_null(test_find(f, "cc1"));
}

/* A file without our block gets the overrides of the one before, but none that was cleared. */
static void test_a_cleared_override_does_not_come_back(EngineFixture *f, gconstpointer data)
{
	g_autofree char *prev = g_strconcat(f->path, ".prev", NULL);

	test_set_override(f, "cc1", PROCDB_TIER_INTERACTIVE);
	save(f);
	g_assert_true(g_file_test(prev, G_FILE_TEST_EXISTS));
	test_set_override(f, "cc1", PROCDB_NO_OVERRIDE);
	g_assert_false(g_file_test(prev, G_FILE_TEST_EXISTS));
}

/* The disk was full when it was deleted: then at the next save. */
static void check_deleted_goes_for_good(EngineFixture *f, gboolean by_itself)
{
	g_autofree char *prev = g_strconcat(f->path, ".prev", NULL);
	struct procdb_comm comm = test_comm("cc1");

	learn_something(f);
	save(f);
	engine_fixture_allow_warnings();
	engine_fixture_block_saving(f, TRUE);
	g_assert_false(test_delete(f, &comm, 1, NULL, NULL));
	engine_fixture_block_saving(f, FALSE);
	g_assert_true(is_dirty(f));
	if (by_itself) {
		/* As if some seconds had passed. */
		f->engine->settings.save_interval_s = 300;
		f->engine->saves.due = 1;
		test_step(f);
	} else {
		save(f);
	}
	g_assert_false(is_dirty(f));
	g_assert_false(g_file_test(prev, G_FILE_TEST_EXISTS));
	test_learn(f, "later", PROCDB_TIER_BATCH, 5);
	save(f);
	g_assert_true(g_file_test(prev, G_FILE_TEST_EXISTS));
	damage(f, 0);
	engine_fixture_restart(f, 1024);
	g_assert_nonnull(test_find(f, "sway"));
	g_assert_null(test_find(f, "cc1"));
}

static void test_deleted_goes_for_good_with_the_next_save(EngineFixture *f, gconstpointer data)
{
	check_deleted_goes_for_good(f, FALSE);
}

static void test_deleted_goes_for_good_by_itself(EngineFixture *f, gconstpointer data)
{
	check_deleted_goes_for_good(f, TRUE);
}

static void test_damaged_file_is_replaced_by_the_previous(EngineFixture *f, gconstpointer data)
{
	learn_something(f);
	save(f);
	test_learn(f, "later", PROCDB_TIER_BATCH, 5);
	save(f);
	damage(f, 100);
	engine_fixture_allow_warnings();
	engine_fixture_restart(f, 1024);
	g_assert_nonnull(test_find(f, "sway"));
	g_assert_cmpuint(test_find(f, "unsure")->profile.override, ==, PROCDB_TIER_BATCH);
	g_assert_null(test_find(f, "later"));
}

/* At its end the reference's file holds what it knows then. */
static void test_what_the_reference_forgets_is_a_change(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 3);
	save(f);
	g_assert_false(is_dirty(f));
	test_steps(f, 61);
	g_assert_null(test_find(f, "cc1"));
	g_assert_true(is_dirty(f));
}

/* What is left of a damaged file is worth a good one soon. */
static void test_a_damaged_file_is_written_anew(EngineFixture *f, gconstpointer data)
{
	struct stat st;

	learn_something(f);
	save(f);
	engine_fixture_restart(f, 1024);
	g_assert_false(is_dirty(f));
	/* The last byte belongs to the extension: the entries are still good. */
	g_assert_cmpint(stat(f->path, &st), ==, 0);
	damage(f, st.st_size - 1);
	engine_fixture_allow_warnings();
	engine_fixture_restart(f, 1024);
	g_assert_nonnull(test_find(f, "sway"));
	g_assert_true(is_dirty(f));
	save(f);
	engine_fixture_restart(f, 1024);
	g_assert_nonnull(test_find(f, "sway"));
	g_assert_false(is_dirty(f));
}

/* After going back to an older version of the service. */
static void test_a_file_of_a_newer_version_is_kept(EngineFixture *f, gconstpointer data)
{
	g_autofree char *folder = g_path_get_dirname(f->path);
	g_autofree char *content = NULL;
	g_autoptr(GDir) dir = NULL;
	guint32 entries, version = GUINT32_TO_LE(7), crc;
	guint kept = 0;
	const char *name;
	gsize len;

	learn_something(f);
	save(f);
	g_assert_true(g_file_get_contents(f->path, &content, &len, NULL));
	memcpy(&entries, content + 8, sizeof(entries));
	memcpy(content + 12 + 64 * GUINT32_FROM_LE(entries) + 4, &version, sizeof(version));
	crc = GUINT32_TO_LE((guint32)crc32_z(0, (const guint8 *)content, len - 8));
	memcpy(content + len - 8, &crc, sizeof(crc));
	g_assert_true(g_file_set_contents(f->path, content, (gssize)len, NULL));
	engine_fixture_allow_warnings();
	for (guint i = 0; i < 2; i++) {
		engine_fixture_restart(f, 1024);
		g_assert_nonnull(test_find(f, "sway"));
		g_assert_null(test_find(f, "never-seen"));
		g_assert_false(is_dirty(f));
	}
	test_learn(f, "later", PROCDB_TIER_BATCH, 3);
	save(f);
	save(f);
	dir = g_dir_open(folder, 0, NULL);
	while ((name = g_dir_read_name(dir))) {
		g_autofree char *path = g_build_filename(folder, name, NULL);
		g_autofree char *again = NULL;

		if (!strstr(name, ".bad-"))
			continue;
		g_assert_true(g_file_get_contents(path, &again, NULL, NULL));
		g_assert_true(memcmp(again, content, len) == 0);
		kept++;
	}
	g_assert_cmpuint(kept, ==, 1);
}

static void test_no_profile_was_seen_in_the_future(EngineFixture *f, gconstpointer data)
{
	learn_something(f);
	test_clock_advance(1000 * G_USEC_PER_SEC);
	test_learn(f, "sway", PROCDB_TIER_LAT_CRITICAL, 1);
	save(f);
	/* The clock was set back. */
	test_clock_advance(-1000 * G_USEC_PER_SEC);
	engine_fixture_restart(f, 1024);
	g_assert_cmpint(test_find(f, "sway")->profile.last_seen_us, ==, test_clock_us());
}

static gint64 stand_still(void)
{
	return 0;
}

/* From here on only the wall clock moves. */
static void stop_running(EngineFixture *f)
{
	const gint64 run_us = procdb_engine_run_us(f->engine);

	f->engine->clock.run_us = stand_still;
	procdb_engine_begin_run(f->engine, run_us);
}

/* As on a board without a clock of its own, until the network tells it the time. */
static void test_a_clock_that_is_set_late_loses_nothing(EngineFixture *f, gconstpointer data)
{
	const gint64 late = 400 * PROCDB_US_PER_DAY;

	learn_something(f);
	save(f);
	test_clock_advance(-late);
	engine_fixture_restart(f, 1024);
	stop_running(f);
	/* One is seen and gone before the clock is right, one is seen just then. */
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	test_learn(f, "early", PROCDB_TIER_BATCH, 5);
	test_steps(f, 100);
	test_learn(f, "sway", PROCDB_TIER_LAT_CRITICAL, 1);
	test_learn(f, "new", PROCDB_TIER_BATCH, 5);
	test_clock_advance(late + G_USEC_PER_SEC);
	test_steps(f, 100);
	g_assert_nonnull(test_find(f, "as"));
	g_assert_nonnull(test_find(f, "cc1"));
	g_assert_nonnull(test_find(f, "sway"));
	g_assert_nonnull(test_find(f, "new"));
	g_assert_cmpint(test_find(f, "new")->profile.last_seen_us, ==, test_clock_us());
	test_check_consistent(f);
}

/* A clock that stays where it is in the end is right. */
static void test_a_file_from_the_future_is_caught_up(EngineFixture *f, gconstpointer data)
{
	learn_something(f);
	save(f);
	test_clock_advance(-400 * PROCDB_US_PER_DAY);
	engine_fixture_restart(f, 1024);
	procdb_engine_set_tick(f->engine, 3600);
	test_learn(f, "sway", PROCDB_TIER_LAT_CRITICAL, 1);
	g_assert_cmpint(test_find(f, "sway")->profile.last_seen_us, ==, test_clock_us());
	test_clock_advance(400 * PROCDB_US_PER_DAY);
}

static void add(const char *name, const ProcdbEngineSettings *settings,
		void (*test)(EngineFixture *, gconstpointer))
{
	g_autofree char *path = g_strconcat("/database/", name, NULL);

	g_test_add(path, EngineFixture, settings, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("all-is-found-again", &test_settings, test_all_is_found_again);
	add("reference-mode-reads-the-entries", &test_reference_settings,
	    test_reference_mode_reads_the_entries);
	add("deleted-does-not-come-back-from-the-previous-file", &test_settings,
	    test_deleted_does_not_come_back_from_the_previous_file);
	add("a-cleared-override-does-not-come-back", &test_settings,
	    test_a_cleared_override_does_not_come_back);
	add("deleted-goes-for-good-with-the-next-save", &test_settings,
	    test_deleted_goes_for_good_with_the_next_save);
	add("deleted-goes-for-good-by-itself", &test_settings,
	    test_deleted_goes_for_good_by_itself);
	add("damaged-file-is-replaced-by-the-previous", &test_settings,
	    test_damaged_file_is_replaced_by_the_previous);
	add("a-damaged-file-is-written-anew", &test_settings, test_a_damaged_file_is_written_anew);
	add("a-file-of-a-newer-version-is-kept", &test_settings,
	    test_a_file_of_a_newer_version_is_kept);
	add("what-the-reference-forgets-is-a-change", &test_reference_settings,
	    test_what_the_reference_forgets_is_a_change);
	add("no-profile-was-seen-in-the-future", &test_settings,
	    test_no_profile_was_seen_in_the_future);
	add("a-clock-that-is-set-late-loses-nothing", &test_settings,
	    test_a_clock_that_is_set_late_loses_nothing);
	add("a-file-from-the-future-is-caught-up", &test_settings,
	    test_a_file_from_the_future_is_caught_up);
	return g_test_run();
}
