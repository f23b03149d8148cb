/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What programs profiles are of, in the file: found again whole, and no reason to give it up. */

#include "identities.h"
#include "store-fixture.h"

static struct procdb_comm comm_at(guint i)
{
	struct procdb_comm comm = {0};
	g_autofree char *name = g_strdup_printf("program-%u", i);

	memcpy(comm.bytes, name, strlen(name));
	return comm;
}

static struct procdb_identity identity_at(guint i)
{
	return (struct procdb_identity){
	    .comm = comm_at(i),
	    .runs = 3 * i,
	    .cpu = G_MAXUINT64 - i,
	    .uid = 1000 + i,
	    .kind = (guint8)(i % 4),
	    .path = i % 3 ? "/usr/bin/\x01\xff" : "",
	    .unit = i % 5 ? "app-gnome-org.gnome.Builder-77.scope" : "",
	};
}

/* Saves a profile and n identities; of the file's section, so many bytes are cut off. */
static void save_identities(struct fixture *fixture, guint n, gsize cut)
{
	GByteArray *writer = procdb_identities_begin();
	g_autoptr(GBytes) bytes = NULL;

	for (guint i = 0; i < n; i++) {
		const struct procdb_identity identity = identity_at(i);

		procdb_identities_add(writer, &identity);
	}
	bytes = procdb_identities_end(writer);
	procdb_store_set_identities(
	    fixture->store, g_bytes_new_from_bytes(bytes, 0, g_bytes_get_size(bytes) - cut));
	must_save(fixture, 10, 1);
}

/* The profiles have to be there, whatever is with the identities, which are returned. */
static GHashTable *load_identities(struct fixture *fixture)
{
	GHashTable *identities;

	assert_loads(fixture, 10, 1, PROCDB_SOURCE_NEWEST);
	g_assert_null(procdb_store_report(fixture->store)->message);
	identities = procdb_store_take_identities(fixture->store);
	g_assert_nonnull(identities);
	return identities;
}

static void assert_identity(GHashTable *identities, guint i)
{
	const struct procdb_identity expected = identity_at(i);
	const struct procdb_identity *found = g_hash_table_lookup(identities, &expected.comm);

	g_assert_nonnull(found);
	g_assert_cmpuint(found->runs, ==, expected.runs);
	g_assert_cmpuint(found->cpu, ==, expected.cpu);
	g_assert_cmpuint(found->uid, ==, expected.uid);
	g_assert_cmpuint(found->kind, ==, expected.kind);
	g_assert_cmpstr(found->path, ==, expected.path);
	g_assert_cmpstr(found->unit, ==, expected.unit);
}

static void test_round_trip(struct fixture *fixture, gconstpointer data)
{
	const guint n = GPOINTER_TO_UINT(data);
	g_autoptr(GHashTable) identities = NULL;

	save_identities(fixture, n, 0);
	identities = load_identities(fixture);
	g_assert_cmpuint(g_hash_table_size(identities), ==, MIN(n, PROCDB_MAX_IDENTITIES));
	for (guint i = 0; i < MIN(n, PROCDB_MAX_IDENTITIES); i++)
		assert_identity(identities, i);
}

static void test_an_older_file_has_none(struct fixture *fixture, gconstpointer data)
{
	g_autoptr(GHashTable) identities = NULL;

	save_identities(fixture, 5, 0);
	/* They are of one save: what a service does not know it does not write again. */
	must_save(fixture, 10, 1);
	identities = load_identities(fixture);
	g_assert_cmpuint(g_hash_table_size(identities), ==, 0);
}

static void test_texts_are_cut(struct fixture *fixture, gconstpointer data)
{
	g_autofree char *path = g_strnfill(70000, 'p'), *unit = g_strnfill(70000, 'u');
	const struct procdb_identity identity = {.comm = comm_at(1), .path = path, .unit = unit};
	GByteArray *writer = procdb_identities_begin();
	g_autoptr(GHashTable) identities = NULL;
	const struct procdb_identity *found;

	procdb_identities_add(writer, &identity);
	procdb_store_set_identities(fixture->store, procdb_identities_end(writer));
	must_save(fixture, 10, 1);
	identities = load_identities(fixture);
	found = g_hash_table_lookup(identities, &identity.comm);
	g_assert_cmpuint(strlen(found->path), ==, PROCDB_PATH_LEN - 1);
	g_assert_cmpuint(strlen(found->unit), ==, PROCDB_UNIT_LEN - 1);
}

static void test_a_section_that_ends_early(struct fixture *fixture, gconstpointer data)
{
	for (gsize cut = 1; cut < 200; cut++) {
		g_autoptr(GHashTable) identities = NULL;

		save_identities(fixture, 3, cut);
		identities = load_identities(fixture);
		g_assert_cmpuint(g_hash_table_size(identities), <, 3);
	}
}

static void test_a_section_of_any_bytes(struct fixture *fixture, gconstpointer data)
{
	for (guint round = 0; round < 200; round++) {
		GByteArray *bytes = g_byte_array_new();
		g_autoptr(GHashTable) identities = NULL;
		/* A size of the fixed part that may be, or none that can. */
		const guint32 head[] = {
		    GUINT32_TO_LE(round % 3 ? 40 + round % 7 : (guint32)g_random_int()),
		    GUINT32_TO_LE(G_MAXUINT32)};

		g_byte_array_append(bytes, (const guint8 *)head, sizeof(head));
		for (guint i = 0; i < 100 + round; i++) {
			const guint8 byte =
			    round % 2 ? (guint8)g_random_int() : (guint8)(round % 5);

			g_byte_array_append(bytes, &byte, 1);
		}
		procdb_store_set_identities(fixture->store, g_byte_array_free_to_bytes(bytes));
		must_save(fixture, 10, 1);
		identities = load_identities(fixture);
		g_assert_cmpuint(g_hash_table_size(identities), <=, 10);
	}
}

static void test_a_damaged_file_gives_way_to_the_one_before(struct fixture *fixture,
							    gconstpointer data)
{
	g_autoptr(GHashTable) identities = NULL;

	save_identities(fixture, 4, 0);
	save_identities(fixture, 9, 0);
	damage(fixture->path, -60);
	assert_loads(fixture, 10, 1, PROCDB_SOURCE_PREVIOUS);
	identities = procdb_store_take_identities(fixture->store);
	g_assert_cmpuint(g_hash_table_size(identities), ==, 4);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add("/identities/round-trip", struct fixture, GUINT_TO_POINTER(20), set_up,
		   test_round_trip, tear_down);
	g_test_add("/identities/a-large-file", struct fixture,
		   GUINT_TO_POINTER(PROCDB_MAX_IDENTITIES + 100), set_up, test_round_trip,
		   tear_down);
	g_test_add("/identities/an-older-file-has-none", struct fixture, NULL, set_up,
		   test_an_older_file_has_none, tear_down);
	g_test_add("/identities/texts-are-cut", struct fixture, NULL, set_up, test_texts_are_cut,
		   tear_down);
	g_test_add("/identities/a-section-that-ends-early", struct fixture, NULL, set_up,
		   test_a_section_that_ends_early, tear_down);
	g_test_add("/identities/a-section-of-any-bytes", struct fixture, NULL, set_up,
		   test_a_section_of_any_bytes, tear_down);
	g_test_add("/identities/a-damaged-file", struct fixture, NULL, set_up,
		   test_a_damaged_file_gives_way_to_the_one_before, tear_down);
	return g_test_run();
}
