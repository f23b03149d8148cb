/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "known.h"

/* What is asked for where rows are not told as JSON, which has all that there is. */
static const char *const fields[] = {"name",
				     "tier",
				     "confidence",
				     "confident",
				     "observations",
				     "avg_runtime_ns",
				     "origin",
				     "prediction_source",
				     "held",
				     "kind",
				     "cpu_ns",
				     "runs",
				     NULL};

struct Known {
	GHashTable *profiles; /* name -> KnownProfile */
	gboolean with_json;
	guint64 serial;	   /* of the last answer; 0: the service does not say */
	guint64 heard;	   /* the last signal, or what an answer of all has of them */
	gboolean is_stale; /* something could not be read */
};

static void profile_free(KnownProfile *profile)
{
	if (!profile)
		return;
	g_free(profile->tier);
	g_free(profile->origin);
	g_clear_pointer(&profile->json, json_node_unref);
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
	copy->json = profile->json ? json_node_ref(profile->json) : NULL;
	return copy;
}

static KnownProfile *profile_of(const Known *known, const Row *row, guint64 serial)
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
	    .json = known->with_json ? ctl_json_from_row(row) : NULL,
	    .serial = serial,
	};
	return profile;
}

static gboolean is_same(const KnownProfile *before, const KnownProfile *after)
{
	if (after->json)
		return json_node_equal(before->json, after->json);
	return g_str_equal(before->tier, after->tier) && before->confidence == after->confidence &&
	       before->predicts == after->predicts && before->is_held == after->is_held &&
	       before->is_kernel_thread == after->is_kernel_thread &&
	       before->observations == after->observations &&
	       g_str_equal(before->origin, after->origin);
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
static void take_row(Known *known, const Row *row, guint64 serial, GPtrArray *changes)
{
	KnownProfile *after = profile_of(known, row, serial);
	const KnownProfile *before = g_hash_table_lookup(known->profiles, row->name);

	if (changes && (!before || !is_same(before, after)))
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

/* Reads all, or what changed since the last answer. changes may be NULL if nothing is known yet. */
static gboolean read_rows(Known *known, Ctl *ctl, gboolean is_all, GPtrArray *changes,
			  GError **error)
{
	GVariantDict filter = G_VARIANT_DICT_INIT(NULL);
	g_autoptr(Rows) rows = NULL;
	guint64 serial;

	if (!is_all && known->serial > 0)
		g_variant_dict_insert(&filter, "changed_since", "t", known->serial);
	rows = rows_query(ctl, g_variant_dict_end(&filter), known->with_json ? NULL : fields,
			  &serial, error);
	known->is_stale = !rows;
	if (!rows)
		return FALSE;
	known->serial = serial;
	for (guint i = 0; i < rows->items->len; i++)
		take_row(known, rows_get(rows, i), serial, changes);
	if (is_all) {
		drop_others(known, rows, changes);
		known->heard = MAX(known->heard, serial);
	}
	return TRUE;
}

Known *known_new(Ctl *ctl, gboolean with_json, GError **error)
{
	Known *known = g_new0(Known, 1);

	known->with_json = with_json;
	known->profiles =
	    g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)profile_free);
	if (!read_rows(known, ctl, TRUE, NULL, error)) {
		known_free(known);
		return NULL;
	}
	return known;
}

void known_free(Known *known)
{
	g_hash_table_unref(known->profiles);
	g_free(known);
}

guint64 known_serial(const Known *known)
{
	return known->serial;
}

GPtrArray *known_read_again(Known *known, Ctl *ctl, GError **error)
{
	GPtrArray *changes = g_ptr_array_new_with_free_func(change_free);

	known->serial = known->heard = 0;
	read_rows(known, ctl, TRUE, changes, error);
	return changes;
}

/* An answer that is as new as the signal has what came back since. */
static void drop_removed(Known *known, guint64 serial, const char *const *removed,
			 GPtrArray *changes)
{
	for (; *removed; removed++) {
		const KnownProfile *profile = g_hash_table_lookup(known->profiles, *removed);

		if (profile && profile->serial < serial)
			drop(known, *removed, changes);
	}
}

GPtrArray *known_update(Known *known, Ctl *ctl, guint64 serial, const char *const *changed,
			const char *const *removed, GError **error)
{
	GPtrArray *changes = g_ptr_array_new_with_free_func(change_free);
	/* Signals were missed, or more changed than one can name. */
	const gboolean is_all =
	    known->is_stale || serial != known->heard + 1 || (!*changed && !*removed);

	/* It waited here while all was read. */
	if (serial <= known->heard)
		return changes;
	known->heard = serial;
	if (!is_all)
		drop_removed(known, serial, removed, changes);
	/* What an answer to an earlier signal has is not asked for again. */
	if (is_all || (*changed && serial > known->serial))
		read_rows(known, ctl, is_all, changes, error);
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
