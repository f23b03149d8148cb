/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Which profiles leave when there are too many: shares, evidence, age. */

#include <glib.h>
#include <string.h>

#include "eviction.h"

#define MINUTE_US (60 * G_USEC_PER_SEC)

typedef struct {
	struct procdb_entry *entries;
	struct procdb_standing *all;
	size_t n;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
	f->entries = g_new0(struct procdb_entry, 10000);
	f->all = g_new0(struct procdb_standing, 10000);
	f->n = 0;
}

static void tear_down(Fixture *f, gconstpointer data)
{
	g_free(f->entries);
	g_free(f->all);
}

static void add(Fixture *f, guint16 owner, guint32 evidence, gint64 seen, guint count)
{
	for (guint i = 0; i < count; i++) {
		struct procdb_entry *entry = &f->entries[f->n];

		memcpy(entry->comm.bytes, &f->n, sizeof(f->n));
		entry->profile.last_seen_us = seen + i;
		f->all[f->n++] = (struct procdb_standing){entry, owner, evidence, FALSE};
	}
}

static guint staying(const Fixture *f, guint16 owner)
{
	guint count = 0;

	for (size_t i = 0; i < f->n; i++)
		count += f->all[i].owner == owner && !f->all[i].leaves;
	return count;
}

static void test_enough_room(Fixture *f, gconstpointer data)
{
	add(f, 0, 1, 0, 10);
	g_assert_cmpuint(procdb_eviction_choose(f->all, f->n, 10), ==, 0);
	g_assert_cmpuint(staying(f, 0), ==, 10);
}

static void test_a_flood_pushes_out_its_own(Fixture *f, gconstpointer data)
{
	add(f, 0, 10, 0, 300);
	add(f, 1000, 1, 0, 300);
	add(f, 2001, 64, 1000, 5000);
	g_assert_cmpuint(procdb_eviction_choose(f->all, f->n, 1000), ==, 4600);
	g_assert_cmpuint(staying(f, 0), ==, 300);
	g_assert_cmpuint(staying(f, 1000), ==, 300);
	g_assert_cmpuint(staying(f, 2001), ==, 400);
}

static void test_half_belongs_to_each(Fixture *f, gconstpointer data)
{
	add(f, 0, 10, 0, 1000);
	add(f, 1000, 1, 0, 300);
	add(f, 2001, 1, 0, 900);
	procdb_eviction_choose(f->all, f->n, 1000);
	g_assert_cmpuint(staying(f, 0), ==, 500);
	g_assert_cmpuint(staying(f, 1000), ==, 250);
	g_assert_cmpuint(staying(f, 2001), ==, 250);
}

static void test_what_users_do_not_need_is_roots(Fixture *f, gconstpointer data)
{
	add(f, 0, 10, 0, 1000);
	add(f, 1000, 1, 0, 100);
	procdb_eviction_choose(f->all, f->n, 800);
	g_assert_cmpuint(staying(f, 0), ==, 700);
	g_assert_cmpuint(staying(f, 1000), ==, 100);
}

static void test_least_evidence_first_then_age(Fixture *f, gconstpointer data)
{
	add(f, 1000, 3, 0, 2);
	add(f, 1000, 2, 50, 1);
	add(f, 1000, 2, 10, 1);
	procdb_eviction_choose(f->all, f->n, 3);
	for (size_t i = 0; i < f->n; i++)
		g_assert_cmpint(f->all[i].leaves, ==, f->all[i].entry->profile.last_seen_us == 10);
}

static void test_none_and_one(Fixture *f, gconstpointer data)
{
	add(f, 0, 1, 0, 3);
	add(f, 5, 1, 0, 3);
	g_assert_cmpuint(procdb_eviction_choose(f->all, f->n, 0), ==, 6);
	g_assert_cmpuint(procdb_eviction_choose(f->all, f->n, 1), ==, 5);
	g_assert_cmpuint(procdb_eviction_choose(f->all, f->n, 5), ==, 1);
}

/* As many leave as have to, whichever they are, and no user has more than another that lacks. */
static void test_random(Fixture *f, gconstpointer data)
{
	for (guint round = 0; round < 200; round++) {
		guint counts[8], most = 0, lacking = G_MAXUINT;
		size_t keep, leaving;

		f->n = 0;
		for (guint i = 0; i < 8; i++) {
			counts[i] = (guint)g_test_rand_int_range(0, i == 3 ? 400 : 60);
			add(f, (guint16)(i * 7), (guint)g_test_rand_int_range(0, 5), 0, counts[i]);
		}
		keep = (size_t)g_test_rand_int_range(0, 500);
		leaving = procdb_eviction_choose(f->all, f->n, keep);
		g_assert_cmpuint(leaving, ==, f->n > keep ? f->n - keep : 0);
		for (guint i = 1; i < 8; i++) {
			guint stay = staying(f, (guint16)(i * 7));

			most = MAX(most, stay);
			if (stay < counts[i])
				lacking = MIN(lacking, stay);
		}
		if (lacking != G_MAXUINT)
			g_assert_cmpuint(most, <=, lacking + 1);
		g_assert_cmpuint(staying(f, 0), >=, MIN(counts[0], keep - keep / 2));
	}
}

static void test_owners(void)
{
	g_assert_cmpuint(procdb_owner_of_uid(0), ==, 0);
	g_assert_cmpuint(procdb_owner_of_uid(1000), ==, 1000);
	g_assert_cmpuint(procdb_owner_of_uid(61439), ==, 61439);
	/* Those that one user maps into namespaces are of few owners. */
	g_assert_cmpuint(procdb_owner_of_uid(100000), ==, procdb_owner_of_uid(131071));
	g_assert_cmpuint(procdb_owner_of_uid(131072), ==, procdb_owner_of_uid(165535));
	g_assert_cmpuint(procdb_owner_of_uid(G_MAXUINT32), !=, 0);
}

static void test_evidence(void)
{
	struct procdb_profile profile;

	procdb_profile_init(&profile);
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 0);
	profile.observations = 40;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 40);
	profile.observations = 1000;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 64);
	/* All in one minute, and in three. */
	profile.first_seen_us = profile.last_seen_us = MINUTE_US;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 1);
	profile.last_seen_us += 2 * MINUTE_US;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 3);
	profile.last_seen_us = 0;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 1);
	profile.last_seen_us = G_MAXINT64;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 64);
	/* What a farm said leaves before anything that was seen here, whatever times it gives. */
	profile.teachers = PROCDB_TAUGHT_BY_FARM;
	profile.observations = PROCDB_PRIOR_VOTES;
	g_assert_cmpuint(procdb_profile_evidence(&profile), ==, 0);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *path;
		void (*test)(Fixture *, gconstpointer);
	} tests[] = {
	    {"/eviction/enough-room", test_enough_room},
	    {"/eviction/a-flood-pushes-out-its-own", test_a_flood_pushes_out_its_own},
	    {"/eviction/half-belongs-to-each", test_half_belongs_to_each},
	    {"/eviction/what-users-do-not-need-is-roots", test_what_users_do_not_need_is_roots},
	    {"/eviction/least-evidence-first-then-age", test_least_evidence_first_then_age},
	    {"/eviction/none-and-one", test_none_and_one},
	    {"/eviction/random", test_random},
	};

	g_test_init(&argc, &argv, NULL);
	for (gsize i = 0; i < G_N_ELEMENTS(tests); i++)
		g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].test, tear_down);
	g_test_add_func("/eviction/owners", test_owners);
	g_test_add_func("/eviction/evidence", test_evidence);
	return g_test_run();
}
