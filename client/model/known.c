/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "known.h"

struct Known {
	GHashTable *profiles; /* name -> KnownProfile */
	guint64 serial;	      /* of the last answer; 0: the service does not say */
};

static void profile_free(KnownProfile *profile)
{
	if (!profile)
		return;
	g_free(profile->tier);
	g_free(profile->origin);
	json_node_unref(profile->json);
	g_free(profile);
}

static KnownProfile *profile_copy(const KnownProfile *profile)
{
	KnownProfile *copy;

	if (!profile)
		return NULL;
	copy = g_memdup2(profile, sizeof(*profile));
	copy->tier = g_strdup(profile->tier);
	copy->origin = g_strdup(profile->origin);
	copy->json = json_node_ref(profile->json);
	return copy;
}

static KnownProfile *profile_of(const Row *row)
{
	KnownProfile *profile = g_new0(KnownProfile, 1);

	*profile = (KnownProfile){
	    .tier = g_strdup(rows_word(row)),
	    .confidence = row->confidence,
	    .predicts = rows_predicts(row),
	    .is_held = row->held != NULL,
	    .is_kernel_thread = rows_is_kernel_thread(row),
	    .observations = row->observations,
	    .origin = g_strdup(row->origin),
	    .json = ctl_json_from_row(row),
	};
	return profile;
}

static void change_free(gpointer data)
{
	Change *change = data;

	g_free(change->name);
	profile_free(change->before);
	profile_free(change->after);
	g_free(change);
}

static void add(GPtrArray *changes, const char *name, const KnownProfile *before,
		const KnownProfile *after)
{
	Change *change = g_new(Change, 1);

	*change = (Change){
	    .name = g_strdup(name), .before = profile_copy(before), .after = profile_copy(after)};
	g_ptr_array_add(changes, change);
}

/* changes may be NULL. */
static void take_row(Known *known, const Row *row, GPtrArray *changes)
{
	KnownProfile *after = profile_of(row);
	const KnownProfile *before = g_hash_table_lookup(known->profiles, row->name);

	if (changes && (!before || !json_node_equal(before->json, after->json)))
		add(changes, row->name, before, after);
	g_hash_table_insert(known->profiles, g_strdup(row->name), after);
}

static void drop(Known *known, const char *name, GPtrArray *changes)
{
	const KnownProfile *before = g_hash_table_lookup(known->profiles, name);

	if (!before)
		return;
	add(changes, name, before, NULL);
	g_hash_table_remove(known->profiles, name);
}

/* What left without a word, as when more changed than a signal can name. */
static void drop_others(Known *known, const Rows *rows, GPtrArray *changes)
{
	g_autoptr(GHashTable) there = g_hash_table_new(g_str_hash, g_str_equal);
	g_autoptr(GList) names = g_hash_table_get_keys(known->profiles);

	for (guint i = 0; i < rows->items->len; i++)
		g_hash_table_add(there, (gpointer)rows_get(rows, i)->name);
	for (GList *name = names; name; name = name->next) {
		if (!g_hash_table_contains(there, name->data)) {
			g_autofree char *copy = g_strdup(name->data);

			drop(known, copy, changes);
		}
	}
}

static void take_rows(Known *known, const Rows *rows, GPtrArray *changes)
{
	for (guint i = 0; rows && i < rows->items->len; i++)
		take_row(known, rows_get(rows, i), changes);
}

Known *known_new(Ctl *ctl, GError **error)
{
	Known *known = g_new0(Known, 1);
	g_autoptr(Rows) rows = NULL;

	known->profiles =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)profile_free);
	rows = rows_query(ctl, NULL, NULL, &known->serial, error);
	if (!rows) {
		known_free(known);
		return NULL;
	}
	take_rows(known, rows, NULL);
	return known;
}

void known_free(Known *known)
{
	g_hash_table_unref(known->profiles);
	g_free(known);
}

static Rows *fetch_changed(Known *known, Ctl *ctl)
{
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);

	if (known->serial > 0)
		g_variant_dict_insert(&filter, "changed_since", "t", known->serial);
	return rows_query(ctl, g_variant_dict_end(&filter), NULL, &known->serial, NULL);
}

GPtrArray *known_update(Known *known, Ctl *ctl, guint64 serial, const char *const *changed,
			const char *const *removed)
{
	GPtrArray *changes = g_ptr_array_new_with_free_func(change_free);
	/* They begin anew with each start of the service. */
	const gboolean is_all = (!*changed && !*removed) || serial < known->serial;
	g_autoptr(Rows) rows = NULL;

	for (; *removed; removed++)
		drop(known, *removed, changes);
	if (is_all)
		known->serial = 0;
	if (is_all || *changed)
		rows = fetch_changed(known, ctl);
	take_rows(known, rows, changes);
	if (rows && is_all)
		drop_others(known, rows, changes);
	return changes;
}

gboolean known_is_of(const KnownProfile *profile, const char *word)
{
	return profile && g_str_equal(profile->tier, word);
}

/* As the tables have it: with a question mark where nothing is predicted. */
static char *state(const KnownProfile *profile)
{
	if (profile->is_held)
		return g_strdup_printf("%s (held)", profile->tier);
	if (g_str_equal(profile->origin, PROCDB_ORIGIN_OVERRIDE))
		return g_strdup_printf("%s (override)", profile->tier);
	return g_strdup_printf("%s%s %.2f", profile->tier, profile->predicts ? "" : "?",
			       profile->confidence);
}

static gboolean is_told(const KnownProfile *before, const KnownProfile *after)
{
	return !g_str_equal(before->tier, after->tier) || before->is_held != after->is_held ||
	       before->predicts != after->predicts || !g_str_equal(before->origin, after->origin);
}

char *change_text(const Change *change, gboolean all)
{
	const KnownProfile *before = change->before, *after = change->after;
	g_autofree char *was = before ? state(before) : NULL;
	g_autofree char *is = after ? state(after) : NULL;

	if (!after)
		return g_strdup_printf(", was %s", was);
	if (!before)
		return g_strdup_printf(": %s", is);
	if (!all && !is_told(before, after))
		return NULL;
	return g_strdup_printf(": %s -> %s%s%s", was, is,
			       after->predicts && !before->predicts ? ", predicts now" : "",
			       !after->predicts && before->predicts ? ", predicts no more" : "");
}

JsonNode *change_json(const Change *change)
{
	JsonBuilder *builder = ctl_json_begin();
	const KnownProfile *const states[] = {change->before, change->after};
	const char *const members[] = {"before", "after"};

	ctl_json_set_string(builder, "name", change->name);
	for (size_t i = 0; i < G_N_ELEMENTS(states); i++)
		ctl_json_set(builder, members[i],
			     states[i] ? json_node_ref(states[i]->json)
				       : json_node_init_null(json_node_alloc()));
	return ctl_json_end(builder);
}
