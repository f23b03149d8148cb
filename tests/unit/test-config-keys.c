/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Each key of the table reaches what a reload puts in force: none can be forgotten. */

#include "config.h"

#include <string.h>

/* Something that any key can be, and most are not by default. */
static const char *const values[] = {"none",  "slices",	     "observer", "some;names", "no",  "yes",
				     "batch", "/else/where", "0.25",	 "7",	       "200", NULL};

/* Gives a key another value than it has. */
static void change(ProcdbConfig *config, const char *group, const char *key)
{
	g_autofree char *before = procdb_config_get(config, group, key);

	for (const char *const *value = values; *value; value++) {
		g_autofree char *problem = NULL;

		if (g_str_equal(*value, before))
			continue;
		problem = procdb_config_set(config, group, key, *value);
		if (!problem)
			return;
	}
	g_error("[%s] %s: no other value is allowed", group, key);
}

/*
 * Whole structs, so that no member can be forgotten. The padding is the same too: one
 * is a copy of the other.
 */
static gboolean same_bytes(const void *a, const void *b, size_t size)
{
	return memcmp(a, b, size) == 0;
}

static gboolean same_engine(const ProcdbConfig *a, const ProcdbConfig *b)
{
	return same_bytes(&a->engine, &b->engine, sizeof(a->engine));
}

static gboolean same_apply(const ProcdbConfig *a, const ProcdbConfig *b)
{
	return same_bytes(&a->apply, &b->apply, sizeof(a->apply)) &&
	       g_str_equal(a->apply_mode, b->apply_mode);
}

static void test_every_key_that_differs_takes_effect(void)
{
	const char *group, *key;
	guint n = 0;

	for (; procdb_config_key(n, &group, &key); n++) {
		g_auto(ProcdbConfig) before, after;
		gboolean same_backend, observes;

		procdb_config_init(&before);
		procdb_config_copy(&after, &before);
		change(&after, group, key);
		same_backend = procdb_config_same_backend(&before, &after);
		observes = g_str_equal(group, "Service") || g_str_equal(group, "Observer") ||
			   g_str_equal(key, "MaxUserTier");
		g_test_message("[%s] %s", group, key);
		g_assert_true(same_backend == !observes);
		g_assert_true(same_engine(&before, &after) ==
			      !(g_str_equal(group, "Learning") ||
				(g_str_equal(group, "Database") && !g_str_equal(key, "Path"))));
		g_assert_true(same_apply(&before, &after) == !g_str_equal(group, "Apply"));
		g_assert_true(g_str_equal(before.database, after.database) ==
			      !g_str_equal(key, "Path"));
	}
	g_assert_cmpuint(n, >=, 25);
}

static void test_every_value_is_read_back(void)
{
	const char *group, *key;

	for (guint i = 0; procdb_config_key(i, &group, &key); i++) {
		g_auto(ProcdbConfig) from, to;
		g_autofree char *value = NULL, *read = NULL, *problem = NULL;

		procdb_config_init(&from);
		procdb_config_init(&to);
		change(&from, group, key);
		value = procdb_config_get(&from, group, key);
		problem = procdb_config_set(&to, group, key, value);
		g_assert_null(problem);
		read = procdb_config_get(&to, group, key);
		g_assert_cmpstr(read, ==, value);
	}
}

/* Those are no slices: who writes 20 may mean 20 ms, and would get the shortest that there is. */
static void test_a_slice_that_is_too_short_is_refused(void)
{
	static const char *const slices[] = {"BatchSliceUSec", "InteractiveSliceUSec",
					     "LatCriticalSliceUSec"};

	for (guint i = 0; i < G_N_ELEMENTS(slices); i++) {
		g_auto(ProcdbConfig) config;
		g_autofree char *least = NULL, *most = NULL, *after = NULL;

		procdb_config_init(&config);
		g_assert_null(procdb_config_set(&config, "Apply", slices[i], "0"));
		least = procdb_config_set(&config, "Apply", slices[i], "1");
		most = procdb_config_set(&config, "Apply", slices[i], "99");
		g_assert_nonnull(least);
		g_assert_nonnull(most);
		g_assert_nonnull(strstr(most, "0, or a whole number from 100 to 99000"));
		after = procdb_config_get(&config, "Apply", slices[i]);
		g_assert_cmpstr(after, ==, "0");
		g_assert_null(procdb_config_set(&config, "Apply", slices[i], "100"));
	}
}

/* The greatest value of a setting, which is a whole number. */
static void set_most(ProcdbConfig *config, const char *group, const char *key, guint most)
{
	g_autofree char *value = g_strdup_printf("%u", most);
	g_autofree char *beyond = g_strdup_printf("%u", most + 1);
	g_autofree char *problem = NULL;

	g_assert_null(procdb_config_set(config, group, key, value));
	problem = procdb_config_set(config, group, key, beyond);
	g_assert_nonnull(problem);
}

/* Else a service that is full would save nothing from then on. */
static void test_what_can_be_known_at_most_can_be_saved(void)
{
	g_auto(ProcdbConfig) config;
	const ProcdbEngineSettings *engine = &config.engine;

	procdb_config_init(&config);
	set_most(&config, "Database", "MaxRetained", PROCDB_RETAINED_LIMIT);
	set_most(&config, "Database", "MaxCandidates", PROCDB_PROFILES_LIMIT);
	set_most(&config, "Learning", "MaxProfiles", PROCDB_PROFILES_LIMIT);
	g_assert_cmpuint((gsize)engine->max_retained + engine->max_candidates +
			     engine->rules.max_profiles + PROCDB_MAX_OVERRIDES,
			 <=, PROCDB_MAX_RECORDS);
}

static void test_what_bpf_is_told_is_the_configuration(void)
{
	g_auto(ProcdbConfig) config;
	ProcdbObserverSettings settings;

	procdb_config_init(&config);
	g_assert_null(procdb_config_set(&config, "Observer", "ExitMinUSec", "300"));
	g_assert_null(procdb_config_set(&config, "Observer", "RenewSec", "86400"));
	g_assert_null(procdb_config_set(&config, "Observer", "ReferenceRule", "yes"));
	g_assert_null(procdb_config_set(&config, "Learning", "MaxUserTier", "batch"));
	settings = procdb_config_observer(&config);
	g_assert_cmpuint(settings.observing.exit_min_ns, ==, 300000);
	g_assert_cmpuint(settings.observing.renew_ns, ==, G_GUINT64_CONSTANT(86400000000000));
	g_assert_cmpuint(settings.observing.reference_rule, ==, 1);
	g_assert_cmpuint(settings.observing.max_user_tier, ==, PROCDB_TIER_BATCH);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/config/every-key-that-differs-takes-effect",
			test_every_key_that_differs_takes_effect);
	g_test_add_func("/config/every-value-is-read-back", test_every_value_is_read_back);
	g_test_add_func("/config/a-slice-that-is-too-short-is-refused",
			test_a_slice_that_is_too_short_is_refused);
	g_test_add_func("/config/what-can-be-known-at-most-can-be-saved",
			test_what_can_be_known_at_most_can_be_saved);
	g_test_add_func("/config/what-bpf-is-told-is-the-configuration",
			test_what_bpf_is_told_is_the_configuration);
	return g_test_run();
}
