/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Overrides by program and by unit, in the file: found again whole, and no reason to give it up. */

#include "rules.h"
#include "store-fixture.h"

static GPtrArray *rules_of(guint n)
{
	GPtrArray *rules = procdb_rules_new();

	for (guint i = 0; i < n; i++) {
		g_autofree char *text = g_strdup_printf("/srv/%u/\x01\xff*.py", i);

		procdb_rules_set(rules, i % 2 ? PROCDB_RULE_UNIT : PROCDB_RULE_PROGRAM, text,
				 (enum procdb_tier)(i % PROCDB_TIERS));
	}
	return rules;
}

/* Saves a profile and n rules; of the file's section, so many bytes are cut off. */
static void save_rules(struct fixture *fixture, guint n, gsize cut)
{
	g_autoptr(GPtrArray) rules = rules_of(n);
	g_autoptr(GBytes) bytes = procdb_rules_encode(rules);

	procdb_store_set_rules(
	    fixture->store,
	    bytes ? g_bytes_new_from_bytes(bytes, 0, g_bytes_get_size(bytes) - cut) : NULL);
	must_save(fixture, 10, 1);
}

/* The profiles have to be there, whatever is with the rules, which are returned. */
static GPtrArray *load_rules(struct fixture *fixture)
{
	GPtrArray *rules;

	assert_loads(fixture, 10, 1, PROCDB_SOURCE_NEWEST);
	g_assert_null(procdb_store_report(fixture->store)->message);
	rules = procdb_store_take_rules(fixture->store);
	g_assert_nonnull(rules);
	return rules;
}

static void test_round_trip(struct fixture *fixture, gconstpointer data)
{
	static const guint counts[] = {0, 1, 7, PROCDB_MAX_RULES, PROCDB_MAX_RULES + 9};

	for (gsize i = 0; i < G_N_ELEMENTS(counts); i++) {
		const guint n = MIN(counts[i], PROCDB_MAX_RULES);
		g_autoptr(GPtrArray) found = NULL, expected = rules_of(n);

		save_rules(fixture, counts[i], 0);
		found = load_rules(fixture);
		g_assert_cmpuint(found->len, ==, n);
		for (guint j = 0; j < n; j++) {
			const ProcdbRule *a = found->pdata[j], *b = expected->pdata[j];

			g_assert_cmpint(a->kind, ==, b->kind);
			g_assert_cmpint(a->tier, ==, b->tier);
			g_assert_cmpstr(a->text, ==, b->text);
		}
	}
}

static void test_they_are_beside_identities(struct fixture *fixture, gconstpointer data)
{
	static const guint8 none[] = {40, 0, 0, 0, 0, 0, 0, 0};
	g_autoptr(GPtrArray) rules = NULL;

	procdb_store_set_identities(fixture->store, g_bytes_new_static(none, sizeof(none)));
	save_rules(fixture, 3, 0);
	rules = load_rules(fixture);
	g_assert_cmpuint(rules->len, ==, 3);
}

static void test_a_section_that_ends_early(struct fixture *fixture, gconstpointer data)
{
	for (gsize cut = 1; cut < 60; cut++) {
		g_autoptr(GPtrArray) rules = NULL;

		save_rules(fixture, 3, cut);
		rules = load_rules(fixture);
		g_assert_cmpuint(rules->len, <, 3);
	}
}

static void test_a_section_of_any_bytes(struct fixture *fixture, gconstpointer data)
{
	for (guint round = 0; round < 200; round++) {
		GByteArray *bytes = g_byte_array_new();
		g_autoptr(GPtrArray) rules = NULL;
		/* A size of the fixed part that may be, or none that can. */
		const guint32 head[] = {
		    GUINT32_TO_LE(round % 3 ? 4 + round % 7 : (guint32)g_random_int()),
		    GUINT32_TO_LE(G_MAXUINT32)};

		g_byte_array_append(bytes, (const guint8 *)head, sizeof(head));
		for (guint i = 0; i < 100 + round; i++) {
			const guint8 byte =
			    round % 2 ? (guint8)g_random_int() : (guint8)(round % 5);

			g_byte_array_append(bytes, &byte, 1);
		}
		procdb_store_set_rules(fixture->store, g_byte_array_free_to_bytes(bytes));
		must_save(fixture, 10, 1);
		rules = load_rules(fixture);
		g_assert_cmpuint(rules->len, <=, PROCDB_MAX_RULES);
		for (guint i = 0; i < rules->len; i++) {
			const ProcdbRule *rule = rules->pdata[i];

			g_assert_true(rule->kind < PROCDB_RULE_KINDS && rule->tier < PROCDB_TIERS);
			g_assert_cmpuint(strlen(rule->text), >, 0);
			g_assert_cmpuint(strlen(rule->text), <=, PROCDB_MAX_RULE_TEXT);
		}
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/rules-file/round-trip", struct fixture, NULL, set_up, test_round_trip,
		   tear_down);
	g_test_add("/rules-file/beside-identities", struct fixture, NULL, set_up,
		   test_they_are_beside_identities, tear_down);
	g_test_add("/rules-file/ends-early", struct fixture, NULL, set_up,
		   test_a_section_that_ends_early, tear_down);
	g_test_add("/rules-file/any-bytes", struct fixture, NULL, set_up,
		   test_a_section_of_any_bytes, tear_down);
	return g_test_run();
}
