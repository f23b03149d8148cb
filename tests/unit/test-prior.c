/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What a farm says is a prior: it predicts at once, and yields to what this machine sees. */

#include "engine-fixture.h"

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, 1024);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	test_check_consistent(f);
	engine_fixture_tear_down(f);
}

/* Takes over what a farm says of a name, as "farm pull" does: merged. */
static void pull(EngineFixture *f, const char *name, enum procdb_tier tier, guint votes)
{
	g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct procdb_record));
	struct procdb_record record = {.comm = test_comm(name)};
	g_autoptr(GError) error = NULL;

	procdb_profile_init(&record.profile);
	record.profile.tier_votes[tier] = votes;
	record.profile.observations = votes;
	record.profile.avg_runtime_ns = 77;
	record.profile.last_seen_us = test_clock_us();
	record.profile.teachers = PROCDB_TAUGHT_BY_FARM;
	g_array_append_val(records, record);
	g_assert_true(procdb_engine_import(f->engine, records, FALSE, TRUE, &error));
	g_assert_no_error(error);
	test_check_consistent(f);
}

static void assert_predicts(EngineFixture *f, const char *name, enum procdb_tier expected)
{
	enum procdb_tier tier;

	g_assert_true(test_predicts(f, name, &tier));
	g_assert_cmpint(tier, ==, expected);
}

static const struct procdb_profile *profile_of(EngineFixture *f, const char *name)
{
	return &test_find(f, name)->profile;
}

static void test_it_predicts_at_once_and_after_a_restart(EngineFixture *f, gconstpointer data)
{
	pull(f, "cc1", PROCDB_TIER_BATCH, 3);
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	engine_fixture_restart(f, 1024);
	test_steps(f, 1);
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
	g_assert_true(procdb_profile_is_prior(profile_of(f, "cc1")));
}

static void test_it_weighs_three_votes_whatever_it_claims(EngineFixture *f, gconstpointer data)
{
	pull(f, "cc1", PROCDB_TIER_BATCH, 1000000);
	g_assert_cmpuint(procdb_profile_votes(profile_of(f, "cc1")), ==, PROCDB_PRIOR_VOTES);
	g_assert_cmpuint(profile_of(f, "cc1")->observations, ==, PROCDB_PRIOR_VOTES);
}

static void test_it_brings_nothing_but_a_prior(EngineFixture *f, gconstpointer data)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = profile.observations = 1000000;
	profile.override = PROCDB_TIER_BATCH;
	profile.teachers = PROCDB_TAUGHT_BY_ROOT;
	profile.owner = 1000;
	profile.right = profile.wrong = 7;
	profile.withdrawals = 3;
	procdb_profile_of_farm(&profile);
	g_assert_true(procdb_profile_is_prior(&profile));
	g_assert_cmpuint(profile.override, ==, PROCDB_NO_OVERRIDE);
	g_assert_cmpuint(profile.observations, ==, PROCDB_PRIOR_VOTES);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, PROCDB_PRIOR_VOTES);
	g_assert_cmpuint(profile.owner + profile.right + profile.wrong + profile.withdrawals, ==,
			 0);
}

static void test_it_yields_to_the_first_that_contradicts(EngineFixture *f, gconstpointer data)
{
	pull(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 3);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_false(test_predicts(f, "cc1", NULL));
	g_assert_cmpuint(profile_of(f, "cc1")->observations, ==, 1);
	g_assert_cmpuint(profile_of(f, "cc1")->tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, 0);
	g_assert_cmpuint(profile_of(f, "cc1")->teachers & PROCDB_TAUGHT_BY_FARM, ==, 0);
	/* As fast as if there had been none. */
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 2);
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
}

static void test_it_yields_after_others_agreed(EngineFixture *f, gconstpointer data)
{
	pull(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 3);
	test_learn(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 1);
	assert_predicts(f, "cc1", PROCDB_TIER_LAT_CRITICAL);
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	g_assert_false(test_predicts(f, "cc1", NULL));
	g_assert_cmpuint(profile_of(f, "cc1")->tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, 1);
}

static void test_it_takes_nothing_from_what_was_seen_here(EngineFixture *f, gconstpointer data)
{
	test_learn(f, "cc1", PROCDB_TIER_BATCH, 1);
	pull(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 3);
	g_assert_cmpuint(profile_of(f, "cc1")->observations, ==, 1);
	g_assert_cmpuint(profile_of(f, "cc1")->tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, 0);
}

static void test_a_newer_one_takes_its_place(EngineFixture *f, gconstpointer data)
{
	pull(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 3);
	pull(f, "cc1", PROCDB_TIER_BATCH, 3);
	g_assert_cmpuint(procdb_profile_votes(profile_of(f, "cc1")), ==, PROCDB_PRIOR_VOTES);
	assert_predicts(f, "cc1", PROCDB_TIER_BATCH);
}

static void test_one_that_was_withdrawn_does_not_come_back(EngineFixture *f, gconstpointer data)
{
	const struct procdb_comm comm = test_comm("cc1");

	pull(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 3);
	test_maps_score(f->backend, &comm, (struct procdb_score){.wrong = 4});
	test_steps(f, 1);
	g_assert_cmpuint(profile_of(f, "cc1")->withdrawals, ==, 1);
	pull(f, "cc1", PROCDB_TIER_LAT_CRITICAL, 3);
	g_assert_false(test_predicts(f, "cc1", NULL));
}

static void add(const char *path, void (*test)(EngineFixture *, gconstpointer))
{
	g_test_add(path, EngineFixture, NULL, set_up, test, tear_down);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	add("/prior/predicts-at-once-and-after-a-restart",
	    test_it_predicts_at_once_and_after_a_restart);
	add("/prior/weighs-three-votes-whatever-it-claims",
	    test_it_weighs_three_votes_whatever_it_claims);
	add("/prior/brings-nothing-but-a-prior", test_it_brings_nothing_but_a_prior);
	add("/prior/yields-to-the-first-that-contradicts",
	    test_it_yields_to_the_first_that_contradicts);
	add("/prior/yields-after-others-agreed", test_it_yields_after_others_agreed);
	add("/prior/takes-nothing-from-what-was-seen-here",
	    test_it_takes_nothing_from_what_was_seen_here);
	add("/prior/a-newer-one-takes-its-place", test_a_newer_one_takes_its_place);
	add("/prior/one-that-was-withdrawn-does-not-come-back",
	    test_one_that_was_withdrawn_does_not_come_back);
	return g_test_run();
}
