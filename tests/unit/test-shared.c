/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* An init map that a scheduler writes as well, which learns itself. */

#include <string.h>

#include "engine-fixture.h"

#define CAPACITY 8
/* In so many steps the map is compared at least once. */
#define COMPARED 5

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, CAPACITY);
	test_maps_share(f->backend);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	engine_fixture_tear_down(f);
}

static void write_theirs(EngineFixture *f, const char *name, enum procdb_tier tier)
{
	struct procdb_comm comm = test_comm(name);
	struct procdb_class class = test_class(tier, 1000);

	test_maps_plant(f->backend, &comm, &class);
}

static void remove_one(EngineFixture *f, const char *name)
{
	struct procdb_comm comm = test_comm(name);

	test_maps_remove(f->backend, &comm);
}

static void override(EngineFixture *f, const char *name, enum procdb_tier tier)
{
	struct procdb_comm comm = test_comm(name);
	g_autoptr(GError) error = NULL;

	test_override(f, &comm, (guint8)tier, &error);
	g_assert_no_error(error);
}

static const char *reason(EngineFixture *f)
{
	ProcdbEngineStatus status;

	procdb_engine_status(f->engine, &status);
	g_assert_cmpstr(status.backend.token, ==, "active");
	g_assert_true(*status.backend.reason || g_str_equal(status.backend.state, "active"));
	return status.backend.reason;
}

static void check(EngineFixture *f, const char *name, enum procdb_tier tier)
{
	enum procdb_tier found;

	g_assert_true(test_predicts(f, name, &found));
	g_assert_cmpint(found, ==, tier);
}

static void test_an_override_is_written_again(EngineFixture *f, gconstpointer data)
{
	override(f, "own", PROCDB_TIER_LAT_CRITICAL);
	write_theirs(f, "own", PROCDB_TIER_BATCH);
	test_steps(f, COMPARED);
	check(f, "own", PROCDB_TIER_LAT_CRITICAL);
	remove_one(f, "own");
	test_steps(f, COMPARED);
	check(f, "own", PROCDB_TIER_LAT_CRITICAL);
	test_check_consistent(f);
}

static void test_what_was_removed_is_written_again(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	test_learn(f, "as", PROCDB_TIER_BATCH, 4);
	remove_one(f, "cc1");
	remove_one(f, "as");
	test_steps(f, COMPARED);
	check(f, "cc1", PROCDB_TIER_BATCH);
	check(f, "as", PROCDB_TIER_BATCH);
	test_check_consistent(f);
}

static void test_a_remembered_one_is_written_again(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	test_steps(f, (guint)test_settings.rules.stale_ticks + 2);
	g_assert_cmpint(test_find(f, "cc1")->set, ==, PROCDB_SET_PREDICTED);
	remove_one(f, "cc1");
	test_steps(f, COMPARED);
	check(f, "cc1", PROCDB_TIER_BATCH);
	g_assert_cmpint(test_find(f, "cc1")->set, ==, PROCDB_SET_PREDICTED);
	test_check_consistent(f);
}

static void test_a_withdrawal_holds(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");

	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	test_maps_score(f->backend, &comm, (struct procdb_score){.wrong = 4});
	test_steps(f, 1);
	g_assert_false(test_predicts(f, "cc1", NULL));
	write_theirs(f, "cc1", PROCDB_TIER_BATCH);
	test_steps(f, COMPARED);
	g_assert_false(test_predicts(f, "cc1", NULL));
	test_check_consistent(f);
}

static void test_what_cannot_be_removed_is_removed_later(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = test_comm("cc1");

	engine_fixture_allow_warnings();
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	test_learn(f, "as", PROCDB_TIER_BATCH, 4);
	test_maps_fail_every(f->backend, 1);
	procdb_engine_delete(f->engine, &comm, 1, NULL, NULL);
	comm = test_comm("as");
	procdb_engine_delete(f->engine, &comm, 1, NULL, NULL);
	g_assert_true(test_predicts(f, "cc1", NULL));
	test_step(f);
	test_maps_fail_every(f->backend, 0);
	/* It has one again meanwhile. */
	override(f, "as", PROCDB_TIER_LAT_CRITICAL);
	test_steps(f, 2);
	g_assert_false(test_predicts(f, "cc1", NULL));
	check(f, "as", PROCDB_TIER_LAT_CRITICAL);
	test_check_consistent(f);
}

static void test_what_only_they_know_is_theirs(EngineFixture *f, gconstpointer data)
{
	write_theirs(f, "theirs", PROCDB_TIER_INTERACTIVE);
	/* Known, and not well enough to predict: no contradiction. */
	test_learn(f, "new", PROCDB_TIER_BATCH, 1);
	write_theirs(f, "new", PROCDB_TIER_LAT_CRITICAL);
	test_steps(f, COMPARED);
	check(f, "theirs", PROCDB_TIER_INTERACTIVE);
	check(f, "new", PROCDB_TIER_LAT_CRITICAL);
	/* New maps, with what a scheduler wrote at its start. */
	test_maps_replace(f->backend);
	write_theirs(f, "theirs", PROCDB_TIER_INTERACTIVE);
	test_steps(f, 2);
	check(f, "theirs", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpstr(reason(f), ==, "");
}

static void test_their_entries_take_room(EngineFixture *f, gconstpointer data)
{
	for (guint i = 0; i < CAPACITY; i++) {
		g_autofree char *name = g_strdup_printf("theirs%u", i);

		write_theirs(f, name, PROCDB_TIER_BATCH);
	}
	test_steps(f, COMPARED);
	/* No room, and no failures either, which would be warnings. */
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 4);
	remove_one(f, "theirs0");
	remove_one(f, "theirs1");
	test_steps(f, COMPARED + 1);
	check(f, "cc1", PROCDB_TIER_BATCH);
	check(f, "theirs7", PROCDB_TIER_BATCH);
}

static void test_a_writer_is_told_as_long_as_it_writes(EngineFixture *f, gconstpointer data)
{
	override(f, "own", PROCDB_TIER_LAT_CRITICAL);
	test_steps(f, COMPARED);
	g_assert_cmpstr(reason(f), ==, "");
	write_theirs(f, "own", PROCDB_TIER_BATCH);
	test_steps(f, COMPARED);
	g_assert_nonnull(strstr(reason(f), "--no-adaptive"));
	test_steps(f, 61 + COMPARED);
	g_assert_cmpstr(reason(f), ==, "");
}

static void test_a_map_of_our_own_is_not_compared(EngineFixture *f, gconstpointer data)
{
	engine_fixture_restart(f, CAPACITY);
	write_theirs(f, "theirs", PROCDB_TIER_BATCH);
	override(f, "own", PROCDB_TIER_LAT_CRITICAL);
	write_theirs(f, "own", PROCDB_TIER_BATCH);
	test_steps(f, COMPARED);
	/* It is not looked at, for no other program writes there. */
	g_assert_cmpstr(reason(f), ==, "");
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/shared/an-override-is-written-again", test_an_override_is_written_again);
	add("/shared/what-was-removed-is-written-again", test_what_was_removed_is_written_again);
	add("/shared/a-remembered-one-is-written-again", test_a_remembered_one_is_written_again);
	add("/shared/a-withdrawal-holds", test_a_withdrawal_holds);
	add("/shared/what-cannot-be-removed-is-removed-later",
	    test_what_cannot_be_removed_is_removed_later);
	add("/shared/what-only-they-know-is-theirs", test_what_only_they_know_is_theirs);
	add("/shared/their-entries-take-room", test_their_entries_take_room);
	add("/shared/a-writer-is-told-as-long-as-it-writes",
	    test_a_writer_is_told_as_long_as_it_writes);
	add("/shared/a-map-of-our-own-is-not-compared", test_a_map_of_our_own_is_not_compared);
	return g_test_run();
}
