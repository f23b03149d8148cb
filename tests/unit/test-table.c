/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The table against a plain array that is searched and sorted by brute force. */

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "table.h"

typedef struct procdb_table Table;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, procdb_table_free)

static struct procdb_comm name_of(guint i)
{
	struct procdb_comm comm = {0};

	g_snprintf((char *)comm.bytes, sizeof(comm.bytes), "task-%u", i);
	return comm;
}

static struct procdb_entry *ensure(Table *table, guint i)
{
	struct procdb_comm comm = name_of(i);
	struct procdb_entry *entry = procdb_table_ensure(table, &comm, NULL);

	g_assert_nonnull(entry);
	return entry;
}

static void test_a_new_entry_is_empty_and_live(void)
{
	g_autoptr(Table) table = procdb_table_new();
	struct procdb_comm comm = name_of(1);
	struct procdb_entry *entry;
	bool created = false;

	g_assert_null(procdb_table_find(table, &comm));
	entry = procdb_table_ensure(table, &comm, &created);
	g_assert_true(created);
	g_assert_cmpmem(&entry->comm, sizeof(entry->comm), &comm, sizeof(comm));
	g_assert_cmpint(entry->set, ==, PROCDB_SET_LIVE);
	g_assert_cmpuint(entry->profile.observations, ==, 0);
	g_assert_cmpuint(entry->profile.override, ==, PROCDB_NO_OVERRIDE);
	g_assert_false(entry->pending || entry->changed || entry->published);
	g_assert_true(procdb_table_ensure(table, &comm, &created) == entry);
	g_assert_false(created);
	g_assert_true(procdb_table_find(table, &comm) == entry);
	g_assert_cmpuint(procdb_table_size(table), ==, 1);
}

static void test_names_are_16_bytes_not_strings(void)
{
	static const guint8 names[][PROCDB_COMM_LEN] = {
	    {0},
	    {'a'},
	    {'a', 0, 'b'},
	    {'a', 0, 'c'},
	    {0, 'a'},
	    {0xff, 0xfe},
	    {'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'},
	    {'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'y'},
	};
	g_autoptr(Table) table = procdb_table_new();

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
		struct procdb_comm comm;
		bool created;

		memcpy(&comm, names[i], sizeof(comm));
		g_assert_nonnull(procdb_table_ensure(table, &comm, &created));
		g_assert_true(created);
	}
	g_assert_cmpuint(procdb_table_size(table), ==, G_N_ELEMENTS(names));
}

static void test_many_names_are_found_again(void)
{
	enum { N = 50000 };
	g_autoptr(Table) table = procdb_table_new();

	for (guint i = 0; i < N; i++)
		ensure(table, i)->profile.observations = i;
	g_assert_cmpuint(procdb_table_size(table), ==, N);
	for (guint i = 0; i < N; i++) {
		struct procdb_comm comm = name_of(i);

		g_assert_cmpuint(procdb_table_find(table, &comm)->profile.observations, ==, i);
	}
	for (guint i = 0; i < N; i += 2) {
		struct procdb_comm comm = name_of(i);

		procdb_table_remove(table, procdb_table_find(table, &comm));
	}
	for (guint i = 0; i < N; i++) {
		struct procdb_comm comm = name_of(i);

		g_assert_true((procdb_table_find(table, &comm) == NULL) == (i % 2 == 0));
	}
	g_assert_cmpuint(procdb_table_size(table), ==, N / 2);
}

static void test_order_of_leaving(void)
{
	g_autoptr(Table) table = procdb_table_new();
	struct procdb_entry *a = ensure(table, 1), *b = ensure(table, 2);

	/* Equal age and observations: by bytes of the name. */
	g_assert_true(procdb_table_oldest(table, PROCDB_SET_LIVE) == a);
	a->profile.observations = 1;
	procdb_table_aged(table, a);
	g_assert_true(procdb_table_oldest(table, PROCDB_SET_LIVE) == b);
	b->profile.last_seen_tick = 1;
	procdb_table_aged(table, b);
	g_assert_true(procdb_table_oldest(table, PROCDB_SET_LIVE) == a);
	/* Out of the live set the wall clock counts, which may be before 1970. */
	a->profile.last_seen_us = G_MAXINT64;
	b->profile.last_seen_us = G_MININT64;
	procdb_table_move(table, a, PROCDB_SET_RETAINED);
	procdb_table_move(table, b, PROCDB_SET_RETAINED);
	g_assert_true(procdb_table_oldest(table, PROCDB_SET_RETAINED) == b);
	g_assert_null(procdb_table_oldest(table, PROCDB_SET_LIVE));
	g_assert_null(procdb_table_oldest(table, PROCDB_SET_PREDICTED));
	g_assert_null(procdb_table_oldest(table, PROCDB_SET_OVERRIDE));
}

static void test_names_compare_as_unsigned_bytes(void)
{
	g_autoptr(Table) table = procdb_table_new();
	struct procdb_comm high = {{0x80}}, low = {{0x7f}};
	g_autofree struct procdb_entry **sorted = NULL;

	procdb_table_ensure(table, &high, NULL);
	procdb_table_ensure(table, &low, NULL);
	sorted = procdb_table_sorted(table);
	g_assert_cmpuint(sorted[0]->comm.bytes[0], ==, 0x7f);
	g_assert_cmpuint(procdb_table_oldest(table, PROCDB_SET_LIVE)->comm.bytes[0], ==, 0x7f);
}

static void test_sorted_of_nothing(void)
{
	g_autoptr(Table) table = procdb_table_new();
	g_autofree struct procdb_entry **sorted = procdb_table_sorted(table);

	g_assert_nonnull(sorted);
	g_assert_cmpuint(procdb_table_size(table), ==, 0);
	procdb_table_free(NULL);
}

/* What the table should hold: by name, absent where there is no entry. */
typedef struct {
	gboolean there;
	enum procdb_set set;
	guint64 tick;
	gint64 us;
	guint32 observations;
} Model;

#define MODEL_NAMES 400

static int compare_model(const Model *model, guint a, guint b, enum procdb_set set)
{
	struct procdb_comm x = name_of(a), y = name_of(b);

	if (set == PROCDB_SET_LIVE && model[a].tick != model[b].tick)
		return model[a].tick < model[b].tick ? -1 : 1;
	if (set != PROCDB_SET_LIVE && model[a].us != model[b].us)
		return model[a].us < model[b].us ? -1 : 1;
	if (model[a].observations != model[b].observations)
		return model[a].observations < model[b].observations ? -1 : 1;
	return memcmp(&x, &y, sizeof(x));
}

static void check_against_model(const Table *table, const Model *model)
{
	for (int set = 0; set < PROCDB_SETS; set++) {
		guint n = 0, oldest = 0;
		struct procdb_entry *entry = procdb_table_oldest(table, (enum procdb_set)set);

		for (guint i = 0; i < MODEL_NAMES; i++) {
			if (!model[i].there || model[i].set != (enum procdb_set)set)
				continue;
			if (n++ == 0 || compare_model(model, i, oldest, (enum procdb_set)set) < 0)
				oldest = i;
		}
		g_assert_cmpuint(procdb_table_count(table, (enum procdb_set)set), ==, n);
		g_assert_true((entry == NULL) == (n == 0));
		if (entry) {
			struct procdb_comm comm = name_of(oldest);

			g_assert_cmpmem(&entry->comm, sizeof(comm), &comm, sizeof(comm));
		}
	}
}

static void check_all_there(const Table *table, const Model *model)
{
	g_autofree struct procdb_entry **sorted = procdb_table_sorted(table);
	g_autoptr(GHashTable) visited = g_hash_table_new(NULL, NULL);
	guint n = 0;

	for (guint i = 0; i < MODEL_NAMES; i++) {
		struct procdb_comm comm = name_of(i);
		struct procdb_entry *entry = procdb_table_find(table, &comm);

		g_assert_true((entry != NULL) == model[i].there);
		if (!entry)
			continue;
		n++;
		g_assert_cmpint(entry->set, ==, model[i].set);
		g_assert_cmpuint(entry->profile.observations, ==, model[i].observations);
	}
	g_assert_cmpuint(procdb_table_size(table), ==, n);
	for (guint i = 0; i < n; i++) {
		g_assert_true(g_hash_table_add(visited, procdb_table_at(table, i)));
		if (i > 0)
			g_assert_cmpint(memcmp(&sorted[i - 1]->comm, &sorted[i]->comm,
					       sizeof(struct procdb_comm)),
					<, 0);
	}
}

static void change_age(Table *table, struct procdb_entry *entry, Model *model)
{
	/* Few values, so that ties are common. */
	model->tick = (guint64)g_test_rand_int_range(0, 8);
	model->us = g_test_rand_int_range(-4, 4);
	model->observations = (guint32)g_test_rand_int_range(0, 3);
	entry->profile.last_seen_tick = model->tick;
	entry->profile.last_seen_us = model->us;
	entry->profile.observations = model->observations;
	procdb_table_aged(table, entry);
}

static void test_random_operations(void)
{
	g_autofree Model *model = g_new0(Model, MODEL_NAMES);
	g_autoptr(Table) table = procdb_table_new();

	for (guint step = 0; step < 60000; step++) {
		/* Grows, shrinks, grows: half of the time more goes in than out. */
		gboolean growing = step / 10000 % 2 == 0;
		guint i = (guint)g_test_rand_int_range(0, MODEL_NAMES);
		struct procdb_comm comm = name_of(i);
		struct procdb_entry *entry = procdb_table_find(table, &comm);
		int what = g_test_rand_int_range(0, 10);

		if (!entry) {
			if (!growing && what < 8)
				continue;
			entry = ensure(table, i);
			model[i] = (Model){.there = TRUE, .set = PROCDB_SET_LIVE};
			change_age(table, entry, &model[i]);
		} else if (what < (growing ? 1 : 5)) {
			procdb_table_remove(table, entry);
			model[i].there = FALSE;
		} else if (what < 8) {
			change_age(table, entry, &model[i]);
		} else {
			model[i].set = (enum procdb_set)g_test_rand_int_range(0, PROCDB_SETS);
			procdb_table_move(table, entry, model[i].set);
		}
		check_against_model(table, model);
		if (step % 500 == 0)
			check_all_there(table, model);
	}
	check_all_there(table, model);
}

static void test_draining_each_set_is_sorting_it(void)
{
	for (int set = 0; set < PROCDB_SETS; set++) {
		g_autoptr(Table) table = procdb_table_new();
		g_autofree Model *model = g_new0(Model, MODEL_NAMES);
		struct procdb_entry *entry;
		guint previous = MODEL_NAMES, n = 0;

		for (guint i = 0; i < MODEL_NAMES; i++) {
			entry = ensure(table, i);
			change_age(table, entry, &model[i]);
			procdb_table_move(table, entry, (enum procdb_set)set);
		}
		while ((entry = procdb_table_oldest(table, (enum procdb_set)set))) {
			guint i = (guint)atoi((const char *)entry->comm.bytes + strlen("task-"));

			if (previous != MODEL_NAMES)
				g_assert_cmpint(
				    compare_model(model, previous, i, (enum procdb_set)set), <, 0);
			previous = i;
			n++;
			procdb_table_remove(table, entry);
		}
		g_assert_cmpuint(n, ==, MODEL_NAMES);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/table/a-new-entry-is-empty-and-live", test_a_new_entry_is_empty_and_live);
	g_test_add_func("/table/names-are-16-bytes-not-strings",
			test_names_are_16_bytes_not_strings);
	g_test_add_func("/table/many-names-are-found-again", test_many_names_are_found_again);
	g_test_add_func("/table/order-of-leaving", test_order_of_leaving);
	g_test_add_func("/table/names-compare-as-unsigned-bytes",
			test_names_compare_as_unsigned_bytes);
	g_test_add_func("/table/sorted-of-nothing", test_sorted_of_nothing);
	g_test_add_func("/table/random-operations", test_random_operations);
	g_test_add_func("/table/draining-each-set-is-sorting-it",
			test_draining_each_set_is_sorting_it);
	return g_test_run();
}
