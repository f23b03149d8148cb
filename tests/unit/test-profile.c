/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The rules of learning: votes, averages, confidence (tests/README.md says where they come from).
 */

#include <glib.h>
#include <string.h>

#include "classify.h"
#include "profile.h"

static const struct procdb_rules *rules = &procdb_reference_rules;

static struct procdb_class seen(guint tier, guint64 avg, guint64 dev, guint64 wf, guint64 csw)
{
	return (struct procdb_class){
	    .tier = (guint8)tier,
	    .avg_runtime = avg,
	    .runtime_dev = dev,
	    .wakeup_freq = wf,
	    .csw_rate = csw,
	};
}

static struct procdb_profile with_votes(guint32 batch, guint32 interactive, guint32 critical)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	profile.tier_votes[PROCDB_TIER_BATCH] = batch;
	profile.tier_votes[PROCDB_TIER_INTERACTIVE] = interactive;
	profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = critical;
	return profile;
}

static void learn_n(struct procdb_profile *profile, struct procdb_class class, guint n)
{
	for (guint i = 0; i < n; i++)
		procdb_profile_learn(profile, &class, i);
}

static void test_empty(void)
{
	struct procdb_profile profile;

	memset(&profile, 0xa5, sizeof(profile));
	procdb_profile_init(&profile);
	g_assert_cmpuint(procdb_profile_votes(&profile), ==, 0);
	g_assert_cmpfloat(procdb_profile_agreement(&profile), ==, 0.0);
	g_assert_cmpint(procdb_profile_dominant_tier(&profile), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpfloat(procdb_profile_confidence(&profile, rules), ==, 0.0);
	g_assert_false(procdb_profile_is_confident(&profile, rules));
	g_assert_cmpuint(profile.override, ==, PROCDB_NO_OVERRIDE);
	g_assert_cmpuint(profile.observations, ==, 0);
	g_assert_cmpint(profile.last_seen_us, ==, 0);
}

static void test_ties_go_to_the_highest_tier(void)
{
	static const struct {
		guint32 votes[3];
		enum procdb_tier dominant;
	} cases[] = {
	    {{1, 0, 0}, PROCDB_TIER_BATCH},
	    {{0, 1, 0}, PROCDB_TIER_INTERACTIVE},
	    {{0, 0, 1}, PROCDB_TIER_LAT_CRITICAL},
	    {{1, 1, 0}, PROCDB_TIER_INTERACTIVE},
	    {{1, 0, 1}, PROCDB_TIER_LAT_CRITICAL},
	    {{0, 1, 1}, PROCDB_TIER_LAT_CRITICAL},
	    {{1, 1, 1}, PROCDB_TIER_LAT_CRITICAL},
	    {{2, 1, 1}, PROCDB_TIER_BATCH},
	    {{1, 2, 1}, PROCDB_TIER_INTERACTIVE},
	    {{2, 2, 1}, PROCDB_TIER_INTERACTIVE},
	    {{G_MAXUINT32, G_MAXUINT32 - 1, 0}, PROCDB_TIER_BATCH},
	    {{G_MAXUINT32, G_MAXUINT32, 0}, PROCDB_TIER_INTERACTIVE},
	    {{G_MAXUINT32, G_MAXUINT32, G_MAXUINT32}, PROCDB_TIER_LAT_CRITICAL},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		struct procdb_profile profile =
		    with_votes(cases[i].votes[0], cases[i].votes[1], cases[i].votes[2]);

		g_assert_cmpint(procdb_profile_dominant_tier(&profile), ==, cases[i].dominant);
	}
}

static void test_agreement(void)
{
	struct procdb_profile profile = with_votes(1, 2, 4);

	g_assert_cmpfloat(procdb_profile_agreement(&profile), ==, 4.0 / 7.0);
	profile = with_votes(3, 0, 0);
	g_assert_cmpfloat(procdb_profile_agreement(&profile), ==, 1.0);
	/* The sum needs 34 bits. */
	profile = with_votes(G_MAXUINT32, G_MAXUINT32, G_MAXUINT32);
	g_assert_cmpuint(procdb_profile_votes(&profile), ==, 3 * (guint64)G_MAXUINT32);
	g_assert_cmpfloat(procdb_profile_agreement(&profile), ==,
			  (double)G_MAXUINT32 / (3.0 * G_MAXUINT32));
}

static void test_stability(void)
{
	struct procdb_profile profile = with_votes(0, 0, 0);

	g_assert_cmpfloat(procdb_profile_stability(&profile), ==, 0.0);
	profile.avg_runtime_ns = 1000;
	g_assert_cmpfloat(procdb_profile_stability(&profile), ==, 1.0);
	profile.runtime_dev_ns = 250;
	g_assert_cmpfloat(procdb_profile_stability(&profile), ==, 0.75);
	profile.runtime_dev_ns = 1000;
	g_assert_cmpfloat(procdb_profile_stability(&profile), ==, 0.0);
	profile.runtime_dev_ns = G_MAXUINT64;
	g_assert_cmpfloat(procdb_profile_stability(&profile), ==, 0.0);
	profile.avg_runtime_ns = G_MAXUINT64;
	g_assert_cmpfloat(procdb_profile_stability(&profile), ==, 0.0);
}

static void test_tier_is_clamped(void)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	for (guint tier = 0; tier <= G_MAXUINT8; tier++)
		learn_n(&profile, seen(tier, 1, 1, 1, 1), 1);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_BATCH], ==, 1);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_INTERACTIVE], ==, 1);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, 254);
}

static void test_first_copies_later_average(void)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	learn_n(&profile, seen(0, 100, 7, 3, 0), 1);
	g_assert_cmpuint(profile.avg_runtime_ns, ==, 100);
	g_assert_cmpuint(profile.runtime_dev_ns, ==, 7);
	g_assert_cmpuint(profile.wakeup_freq, ==, 3);
	g_assert_cmpuint(profile.csw_rate, ==, 0);
	learn_n(&profile, seen(0, 9, 8, 4, 15), 1);
	/* Rounded down: (700 + 9) / 8, (49 + 8) / 8, (21 + 4) / 8, 15 / 8. */
	g_assert_cmpuint(profile.avg_runtime_ns, ==, 88);
	g_assert_cmpuint(profile.runtime_dev_ns, ==, 7);
	g_assert_cmpuint(profile.wakeup_freq, ==, 3);
	g_assert_cmpuint(profile.csw_rate, ==, 1);
	g_assert_cmpuint(profile.observations, ==, 2);
}

static guint64 average(guint64 old, guint64 val)
{
	return (guint64)(((unsigned __int128)old * 7 + val) / 8);
}

static void test_averages_do_not_wrap(void)
{
	static const guint64 edges[] = {
	    0,
	    1,
	    7,
	    8,
	    G_MAXUINT64,
	    G_MAXUINT64 - 1,
	    G_MAXUINT64 / 7,
	    G_MAXUINT64 / 7 + 1,
	    G_GUINT64_CONSTANT(1) << 63,
	    (G_GUINT64_CONSTANT(1) << 63) - 1,
	};

	for (gsize i = 0; i < G_N_ELEMENTS(edges); i++) {
		for (gsize j = 0; j < G_N_ELEMENTS(edges); j++) {
			guint64 old = edges[i], val = edges[j];
			struct procdb_profile profile;

			procdb_profile_init(&profile);
			learn_n(&profile, seen(0, old, old, old, old), 1);
			learn_n(&profile, seen(0, val, val, val, val), 1);
			g_assert_cmpuint(profile.avg_runtime_ns, ==, average(old, val));
			g_assert_cmpuint(profile.runtime_dev_ns, ==, average(old, val));
			g_assert_cmpuint(profile.wakeup_freq, ==, average(old, val));
			g_assert_cmpuint(profile.csw_rate, ==, average(old, val));
			g_assert_cmpuint(profile.avg_runtime_ns, >=, MIN(old, val));
			g_assert_cmpuint(profile.avg_runtime_ns, <=, MAX(old, val));
		}
	}
}

static void test_counters_saturate(void)
{
	struct procdb_profile profile = with_votes(G_MAXUINT32 - 1, 0, 0);

	profile.observations = G_MAXUINT32 - 1;
	learn_n(&profile, seen(0, 1, 1, 1, 1), 3);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_BATCH], ==, G_MAXUINT32);
	g_assert_cmpuint(profile.observations, ==, G_MAXUINT32);
	/* Still averaged, not copied as the first one is. */
	g_assert_cmpuint(profile.avg_runtime_ns, ==, 0);
}

static void test_learning_sets_the_tick_only(void)
{
	struct procdb_profile profile;
	struct procdb_class class = seen(0, 1, 1, 1, 1);

	procdb_profile_init(&profile);
	profile.first_seen_us = 5;
	profile.last_seen_us = 6;
	profile.override = PROCDB_TIER_BATCH;
	profile.teachers = PROCDB_TAUGHT_BY_USERS;
	procdb_profile_learn(&profile, &class, G_MAXUINT64);
	g_assert_cmpuint(profile.last_seen_tick, ==, G_MAXUINT64);
	g_assert_cmpint(profile.first_seen_us, ==, 5);
	g_assert_cmpint(profile.last_seen_us, ==, 6);
	g_assert_cmpuint(profile.override, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(profile.teachers, ==, PROCDB_TAUGHT_BY_USERS);
}

static void test_votes_above_a_cap_count_for_it(void)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	profile.tier_votes[PROCDB_TIER_BATCH] = 1;
	profile.tier_votes[PROCDB_TIER_INTERACTIVE] = 2;
	g_assert_false(procdb_profile_cap(&profile, PROCDB_TIER_LAT_CRITICAL));
	g_assert_false(procdb_profile_cap(&profile, PROCDB_TIER_INTERACTIVE));
	profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = G_MAXUINT32 - 1;
	g_assert_true(procdb_profile_cap(&profile, PROCDB_TIER_INTERACTIVE));
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_BATCH], ==, 1);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_INTERACTIVE], ==, G_MAXUINT32);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, 0);
}

static void test_only_votes_that_are_not_of_root_are_capped(void)
{
	static const uint8_t users = PROCDB_TAUGHT_BY_USERS, farm = PROCDB_TAUGHT_BY_FARM;
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	for (unsigned int teachers = 0; teachers <= PROCDB_TEACHERS_ALL; teachers++) {
		const bool capped =
		    teachers == users || teachers == farm || teachers == users + farm;

		profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = 3;
		profile.teachers = (uint8_t)teachers;
		g_assert_cmpint(procdb_profile_cap_users(&profile, PROCDB_TIER_BATCH), ==, capped);
		g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_LAT_CRITICAL], ==, capped ? 0 : 3);
		/* There is no more to cap. */
		g_assert_false(procdb_profile_cap_users(&profile, PROCDB_TIER_BATCH));
	}
}

static struct procdb_profile voted(uint32_t batch, uint32_t critical)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	profile.tier_votes[PROCDB_TIER_BATCH] = batch;
	profile.tier_votes[PROCDB_TIER_LAT_CRITICAL] = critical;
	profile.observations = batch + critical;
	return profile;
}

static double evidence(uint32_t batch, uint32_t critical)
{
	struct procdb_profile profile = voted(batch, critical);
	struct procdb_rules own = procdb_reference_rules;

	own.by_evidence = true;
	return procdb_profile_confidence(&profile, &own);
}

static void test_confidence_grows_with_the_evidence(void)
{
	double before = 0;

	g_assert_cmpfloat(evidence(2, 0), ==, 0.0);
	for (uint32_t n = 3; n <= 64; n++) {
		g_assert_cmpfloat(evidence(n, 0), >, before);
		before = evidence(n, 0);
	}
	g_assert_cmpfloat_with_epsilon(evidence(3, 0), 0.75, 1e-12);
	g_assert_cmpfloat_with_epsilon(evidence(4, 0), 0.80, 1e-12);
	g_assert_cmpfloat(evidence(UINT32_MAX, 0), <=, 1.0);
}

static void test_tasks_that_disagree_predict_nothing(void)
{
	g_assert_cmpfloat(evidence(79, 21), ==, 0.0);
	g_assert_cmpfloat(evidence(2, 1), ==, 0.0);
	/* One that strays does not silence many. */
	g_assert_cmpfloat(evidence(30, 1), >, 0.9);
	g_assert_cmpfloat(evidence(8, 2), >=, 0.6);
	g_assert_cmpfloat(evidence(4, 1), <, 0.65);
}

static void test_a_brief_life_says_nothing_against_others(void)
{
	struct procdb_profile profile = voted(5, 0);
	struct procdb_class seen = {.tier = PROCDB_TIER_BATCH, .avg_runtime = 1000};

	procdb_profile_learn_brief(&profile, &seen, 7);
	g_assert_cmpuint(procdb_profile_votes(&profile), ==, 5);
	g_assert_cmpuint(profile.observations, ==, 6);
	profile = voted(0, 0);
	procdb_profile_learn_brief(&profile, &seen, 7);
	g_assert_cmpuint(profile.tier_votes[PROCDB_TIER_INTERACTIVE], ==, 1);
	g_assert_cmpuint(profile.last_seen_tick, ==, 7);
}

/* A compiler's runs are as long as its files. Two votes are two, beside many that said nothing. */
static void test_runs_of_any_length_agree(void)
{
	struct procdb_profile profile = voted(10, 0);
	struct procdb_rules own = procdb_reference_rules;

	profile.avg_runtime_ns = profile.runtime_dev_ns = 1000000;
	g_assert_false(procdb_profile_is_confident(&profile, &own));
	own.by_evidence = true;
	g_assert_true(procdb_profile_is_confident(&profile, &own));
	profile = voted(2, 0);
	profile.observations = 12;
	g_assert_false(procdb_profile_is_confident(&profile, &own));
}

static void test_no_profile_is_confident_too_early(void)
{
	struct procdb_rules lenient = procdb_reference_rules;
	struct procdb_class class = seen(PROCDB_TIER_BATCH, 1, 1, 1, 1);
	struct procdb_profile profile;

	lenient.min_confidence = 0;
	procdb_profile_init(&profile);
	for (int i = 0; i < 3; i++) {
		g_assert_false(procdb_profile_is_confident(&profile, &lenient));
		procdb_profile_learn(&profile, &class, 0);
	}
	g_assert_true(procdb_profile_is_confident(&profile, &lenient));
	procdb_profile_withdraw(&profile);
	g_assert_false(procdb_profile_is_confident(&profile, &lenient));
}

static void test_confidence_needs_observations(void)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	learn_n(&profile, seen(0, 1000, 0, 1, 1), 2);
	g_assert_cmpfloat(procdb_profile_confidence(&profile, rules), ==, 0.0);
	learn_n(&profile, seen(0, 1000, 0, 1, 1), 1);
	g_assert_cmpfloat(procdb_profile_confidence(&profile, rules), ==, 1.0);
	g_assert_true(procdb_profile_is_confident(&profile, rules));
}

static void test_confidence_in_the_order_of_the_reference(void)
{
	struct procdb_profile profile = with_votes(0, 1, 6);
	double stability = 1.0 - 333.0 / 1001.0;

	profile.observations = 7;
	profile.avg_runtime_ns = 1001;
	profile.runtime_dev_ns = 333;
	g_assert_cmpfloat(procdb_profile_confidence(&profile, rules), ==,
			  6.0 / 7.0 * (0.5 + 0.5 * stability));
	/* Wildly varying run times halve it, however well the votes agree. */
	profile = with_votes(5, 0, 0);
	profile.observations = 5;
	profile.avg_runtime_ns = 10;
	profile.runtime_dev_ns = 20;
	g_assert_cmpfloat(procdb_profile_confidence(&profile, rules), ==, 0.5);
	g_assert_false(procdb_profile_is_confident(&profile, rules));
}

static void test_confident_at_the_threshold(void)
{
	struct procdb_rules own = *rules;
	struct procdb_profile profile = with_votes(3, 0, 0);

	profile.observations = 3;
	own.min_confidence = 0.5;
	g_assert_cmpfloat(procdb_profile_confidence(&profile, &own), ==, 0.5);
	g_assert_true(procdb_profile_is_confident(&profile, &own));
	own.min_confidence = 0.5 + 1e-15;
	g_assert_false(procdb_profile_is_confident(&profile, &own));
	own.min_observations = 4;
	own.min_confidence = 0.0;
	g_assert_cmpfloat(procdb_profile_confidence(&profile, &own), ==, 0.0);
}

static void test_override_wins_and_does_not_teach(void)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	learn_n(&profile, seen(0, 1000, 1, 2, 3), 3);
	profile.override = PROCDB_TIER_LAT_CRITICAL;
	g_assert_cmpint(procdb_profile_tier(&profile), ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpint(procdb_profile_dominant_tier(&profile), ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(procdb_profile_votes(&profile), ==, 3);
	g_assert_cmpuint(procdb_profile_prediction(&profile).tier, ==, PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(procdb_profile_prediction(&profile).avg_runtime, ==, 1000);
	profile.override = PROCDB_NO_OVERRIDE;
	g_assert_cmpint(procdb_profile_tier(&profile), ==, PROCDB_TIER_BATCH);
}

static void test_prediction_of_a_bare_override(void)
{
	struct procdb_profile profile;
	struct procdb_class prediction;

	procdb_profile_init(&profile);
	profile.override = PROCDB_TIER_BATCH;
	prediction = procdb_profile_prediction(&profile);
	g_assert_cmpuint(prediction.tier, ==, PROCDB_TIER_BATCH);
	g_assert_cmpuint(prediction.avg_runtime, ==, PROCDB_PRIOR_AVG_RUNTIME);
	g_assert_cmpuint(prediction.wakeup_freq, ==, PROCDB_PRIOR_WAKEUP_FREQ);
	g_assert_cmpuint(prediction.runtime_dev, ==, 0);
	g_assert_cmpuint(prediction.csw_rate, ==, 0);
}

static void test_prediction_leaks_no_padding(void)
{
	static const guint8 zeros[7];
	struct procdb_profile profile;
	struct procdb_class class = seen(1, 2, 3, 4, 5);
	struct procdb_class prediction;

	memset(class.pad, 0xff, sizeof(class.pad));
	procdb_profile_init(&profile);
	learn_n(&profile, class, 3);
	prediction = procdb_profile_prediction(&profile);
	g_assert_cmpmem(prediction.pad, sizeof(prediction.pad), zeros, sizeof(zeros));
	g_assert_cmpuint(prediction.avg_runtime, ==, 2);
	g_assert_cmpuint(prediction.runtime_dev, ==, 3);
	g_assert_cmpuint(prediction.wakeup_freq, ==, 4);
	g_assert_cmpuint(prediction.csw_rate, ==, 5);
}

static void test_tier_names(void)
{
	static const char *const wrong[] = {
	    "", "Batch", "batch ", "latcritical", "LAT_CRITICAL", "interactiv", "0"};

	for (int i = 0; i < PROCDB_TIERS; i++) {
		enum procdb_tier tier = PROCDB_TIERS;

		g_assert_true(procdb_tier_parse(procdb_tier_name((enum procdb_tier)i), &tier));
		g_assert_cmpint(tier, ==, i);
	}
	g_assert_cmpstr(procdb_tier_name(PROCDB_TIER_BATCH), ==, "batch");
	g_assert_cmpstr(procdb_tier_name(PROCDB_TIER_INTERACTIVE), ==, "interactive");
	g_assert_cmpstr(procdb_tier_name(PROCDB_TIER_LAT_CRITICAL), ==, "lat-critical");
	/* What another scheduler's map may hold. */
	g_assert_cmpstr(procdb_tier_name((enum procdb_tier)255), ==, "lat-critical");
	for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
		enum procdb_tier tier = PROCDB_TIER_INTERACTIVE;

		g_assert_false(procdb_tier_parse(wrong[i], &tier));
		g_assert_cmpint(tier, ==, PROCDB_TIER_INTERACTIVE);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/profile/empty", test_empty);
	g_test_add_func("/profile/ties-go-to-the-highest-tier", test_ties_go_to_the_highest_tier);
	g_test_add_func("/profile/agreement", test_agreement);
	g_test_add_func("/profile/stability", test_stability);
	g_test_add_func("/profile/tier-is-clamped", test_tier_is_clamped);
	g_test_add_func("/profile/first-copies-later-average", test_first_copies_later_average);
	g_test_add_func("/profile/averages-do-not-wrap", test_averages_do_not_wrap);
	g_test_add_func("/profile/counters-saturate", test_counters_saturate);
	g_test_add_func("/profile/learning-sets-the-tick-only", test_learning_sets_the_tick_only);
	g_test_add_func("/profile/votes-above-a-cap-count-for-it",
			test_votes_above_a_cap_count_for_it);
	g_test_add_func("/profile/only-votes-that-are-not-of-root-are-capped",
			test_only_votes_that_are_not_of_root_are_capped);
	g_test_add_func("/profile/no-profile-is-confident-too-early",
			test_no_profile_is_confident_too_early);
	g_test_add_func("/profile/confidence-grows-with-the-evidence",
			test_confidence_grows_with_the_evidence);
	g_test_add_func("/profile/tasks-that-disagree-predict-nothing",
			test_tasks_that_disagree_predict_nothing);
	g_test_add_func("/profile/a-brief-life-says-nothing-against-others",
			test_a_brief_life_says_nothing_against_others);
	g_test_add_func("/profile/runs-of-any-length-agree", test_runs_of_any_length_agree);
	g_test_add_func("/profile/confidence-needs-observations",
			test_confidence_needs_observations);
	g_test_add_func("/profile/confidence-in-the-order-of-the-reference",
			test_confidence_in_the_order_of_the_reference);
	g_test_add_func("/profile/confident-at-the-threshold", test_confident_at_the_threshold);
	g_test_add_func("/profile/override-wins-and-does-not-teach",
			test_override_wins_and_does_not_teach);
	g_test_add_func("/profile/prediction-of-a-bare-override",
			test_prediction_of_a_bare_override);
	g_test_add_func("/profile/prediction-leaks-no-padding", test_prediction_leaks_no_padding);
	g_test_add_func("/profile/tier-names", test_tier_names);
	return g_test_run();
}
