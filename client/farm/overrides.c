/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "overrides.h"

#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "decisions.h"
#include "farm-known.h"
#include "scripts.h"

/* Where this machine remembers what it took over: names and tiers. */
#define MEMORY "overrides"
#define MEMORY_TYPE "a{ss}"

GHashTable *farm_overrides_read(FarmSession *session, GError **error)
{
	g_autofree char *key = farm_session_key(session, "overrides", NULL);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;
	GHashTable *machines;

	g_ptr_array_add(words, (gpointer) "HGETALL");
	g_ptr_array_add(words, key);
	reply = farm_store_call(session->store, words, error);
	if (!reply || !farm_session_check_pairs(reply, error))
		return NULL;
	machines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
					 (GDestroyNotify)g_hash_table_unref);
	for (gsize i = 0; i < reply->elements; i += 2)
		if (farm_is_word(reply->element[i]->str))
			g_hash_table_insert(machines, g_strdup(reply->element[i]->str),
					    farm_decisions_parse(reply->element[i + 1]->str));
	return machines;
}

/*
 * What was taken over; nothing if there is no such file yet. NULL with error set where it cannot be
 * read: what came from the farm would then be pushed as a word of this machine.
 */
static GHashTable *memory_read(const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, MEMORY, NULL);
	g_autoptr(GHashTable) memory =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_autoptr(GError) failure = NULL;
	g_autoptr(GVariant) all = NULL;
	g_autoptr(GBytes) bytes = NULL;
	const char *name, *tier;
	GVariantIter iter;
	char *content;
	gsize length;

	if (!g_file_get_contents(path, &content, &length, &failure)) {
		if (g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
			return g_steal_pointer(&memory);
		g_propagate_error(error, g_steal_pointer(&failure));
		return NULL;
	}
	bytes = g_bytes_new_take(content, length);
	all =
	    g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE(MEMORY_TYPE), bytes, FALSE));
	if (!g_variant_is_normal_form(all))
		return g_steal_pointer(&memory);
	g_variant_iter_init(&iter, all);
	while (g_variant_iter_next(&iter, "{&s&s}", &name, &tier))
		g_hash_table_insert(memory, g_strdup(name), g_strdup(tier));
	return g_steal_pointer(&memory);
}

/* The exit code for a memory that cannot be read. */
static int report_memory(const GError *error)
{
	g_printerr("What was taken over from the farm cannot be told from what was decided here: "
		   "%s. No override is sent or taken over.\n",
		   error ? error->message : MEMORY);
	return CTL_FAILED;
}

static gboolean memory_write(GHashTable *memory, const char *directory, GError **error)
{
	g_autofree char *path = g_build_filename(directory, MEMORY, NULL);
	GVariantBuilder builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE(MEMORY_TYPE));
	g_autoptr(GVariant) all = NULL;
	GHashTableIter iter;
	gpointer name, tier;

	g_hash_table_iter_init(&iter, memory);
	while (g_hash_table_iter_next(&iter, &name, &tier))
		g_variant_builder_add(&builder, "{ss}", name, tier);
	all = g_variant_ref_sink(g_variant_builder_end(&builder));
	return farm_known_make_directory(directory, error) &&
	       g_file_set_contents_full(
		   path, g_variant_get_data(all), (gssize)g_variant_get_size(all),
		   /* Any user may list overrides; root pulls them, and the unit's user pushes. */
		   G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644, error);
}

static gboolean is_set_here(const Row *row, gpointer user_data)
{
	const char *source = NULL;

	return g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE) && row->members &&
	       g_variant_lookup(row->members, "override_source", "&s", &source) &&
	       g_str_equal(source, "administrator");
}

/* The record of this machine, "TIER NAME" a line. */
static char *record_of(const Rows *rows, GHashTable *memory, guint *count_of)
{
	g_autoptr(GString) text = g_string_new(NULL);

	for (guint i = 0; i < rows->items->len && *count_of < FARM_MAX_OVERRIDES; i++) {
		const Row *row = rows_get(rows, i);

		if (g_strcmp0(g_hash_table_lookup(memory, row->name), row->tier) == 0)
			continue;
		g_string_append_printf(text, "%s %s\n", row->tier, row->name);
		(*count_of)++;
	}
	return g_strdup(text->str);
}

static gboolean send_record(FarmSession *session, const char *record, GError **error)
{
	g_autofree char *digest =
	    g_compute_checksum_for_string(G_CHECKSUM_SHA1, farm_script_decide, -1);
	g_autofree char *overrides = farm_session_key(session, "overrides", NULL);
	g_autofree char *seen = farm_session_key(session, "seen", NULL);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;
	const char *const all[] = {"EVALSHA", digest, "2", overrides, seen, session->host, record};

	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		g_ptr_array_add(words, (gpointer)all[i]);
	reply = farm_store_run(session->store, words, farm_script_decide, error);
	return reply != NULL;
}

int farm_overrides_push(Ctl *ctl, FarmSession *session, const char *directory, guint *count_of)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(GHashTable) memory = memory_read(directory, &error);
	g_autoptr(Rows) rows = NULL;
	g_autofree char *record = NULL;

	*count_of = 0;
	if (!memory)
		return report_memory(error);
	rows = rows_query(ctl, NULL, NULL, NULL, &error);
	if (!rows)
		return failure_report("QueryProfiles", NULL, error);
	rows_keep(rows, is_set_here, NULL);
	record = record_of(rows, memory, count_of);
	return send_record(session, record, &error) ? CTL_OK : farm_session_report(session, error);
}

/* The overrides here, of whatever source. */
static GHashTable *overrides_here(const Rows *rows)
{
	GHashTable *here = g_hash_table_new(g_str_hash, g_str_equal);

	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);

		if (g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE))
			g_hash_table_insert(here, (gpointer)row->name, (gpointer)row->tier);
	}
	return here;
}

typedef struct {
	GHashTable *sum;
	GHashTable *here;
} Now;

/* What no machine says any more, and is not in effect here, is of no use. */
static gboolean is_over(gpointer name, gpointer tier, gpointer data)
{
	const Now *now = data;

	return !g_hash_table_contains(now->sum, name) &&
	       g_strcmp0(g_hash_table_lookup(now->here, name), tier) != 0;
}

/* The names to take over, sorted; the rest is counted. */
static GPtrArray *choose(const Now *now, GHashTable *memory, FarmTaken *taken)
{
	g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(now->sum), (GCompareFunc)strcmp);
	GPtrArray *chosen = g_ptr_array_new();

	for (const GList *name = names; name; name = name->next) {
		const FarmDecision *decision = g_hash_table_lookup(now->sum, name->data);
		const char *tier = g_hash_table_lookup(now->here, name->data);

		if (decision->verdict != FARM_AGREED) {
			taken->unsure++;
		} else if (!tier) {
			/* Taken over before, and cleared here since: that was a decision, too. */
			if (g_strcmp0(g_hash_table_lookup(memory, name->data), decision->tier) == 0)
				taken->kept++;
			else
				g_ptr_array_add(chosen, name->data);
		} else if (!g_str_equal(tier, decision->tier)) {
			taken->kept++;
			g_printerr("The override of \"%s\" to %s stays; the farm says %s.\n",
				   (const char *)name->data, tier, decision->tier);
		}
	}
	return chosen;
}

/* Sets them, and remembers in memory which of them are set. */
static int set_all(Ctl *ctl, const GPtrArray *chosen, GHashTable *sum, GHashTable *memory,
		   FarmTaken *taken)
{
	for (guint i = 0; i < chosen->len; i++) {
		const char *name = chosen->pdata[i];
		const FarmDecision *decision = g_hash_table_lookup(sum, name);
		g_autoptr(GError) error = NULL;

		if (!procdb_dbus_proc_db1_call_set_override_sync(ctl->proxy, name, decision->tier,
								 ctl->call_flags, ctl->timeout_ms,
								 NULL, &error))
			return failure_report("SetOverride", name, error);
		g_hash_table_insert(memory, g_strdup(name), g_strdup(decision->tier));
		taken->taken++;
	}
	return CTL_OK;
}

int farm_overrides_pull(Ctl *ctl, FarmSession *session, const FarmOptions *options,
			const Rows *rows, FarmTaken *taken)
{
	const char *directory = farm_directory(options);
	g_autoptr(GError) error = NULL;
	g_autoptr(GError) unreadable = NULL;
	g_autoptr(GHashTable) machines = farm_overrides_read(session, &error);
	g_autoptr(GHashTable) here = overrides_here(rows);
	g_autoptr(GHashTable) memory = memory_read(directory, &unreadable);
	g_autoptr(GHashTable) sum = NULL;
	g_autoptr(GPtrArray) chosen = NULL;
	Now now;
	int status;

	*taken = (FarmTaken){0};
	if (!machines)
		return farm_session_report(session, error);
	if (!memory)
		return report_memory(unreadable);
	sum = farm_decisions_sum(machines, session->host, (guint)MAX(options->quorum, 1));
	now = (Now){sum, here};
	chosen = choose(&now, memory, taken);
	status = set_all(ctl, chosen, sum, memory, taken);
	g_hash_table_foreach_remove(memory, is_over, &now);
	if (taken->taken == 0 || memory_write(memory, directory, &error))
		return status;
	g_printerr("What was taken over from the farm counts as decided here: %s.\n",
		   error->message);
	return CTL_FAILED;
}
