/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "programs-json.h"

static const char *const text_keys[] = {"program", "unit", "kind"};

void program_reading_clear(ProgramReading *reading)
{
	for (gsize i = 0; i < G_N_ELEMENTS(reading->texts); i++)
		g_clear_pointer(&reading->texts[i], g_free);
}

gboolean program_reading_member(ProgramReading *reading, JsonText *text, const char *key,
				gboolean *is_one, GError **error)
{
	static const char *const kinds[] = {"process", "thread", "kernel", NULL};

	*is_one = TRUE;
	if (g_str_equal(key, "runs")) {
		reading->has_runs = TRUE;
		return json_value_uint(text, key, G_MAXUINT64, &reading->runs, error);
	}
	if (g_str_equal(key, "cpu_ns")) {
		reading->has_cpu = TRUE;
		return json_value_uint(text, key, G_MAXUINT64, &reading->cpu_ns, error);
	}
	if (g_str_equal(key, "uid")) {
		reading->has_uid = TRUE;
		return json_value_uint32(text, key, &reading->uid, error);
	}
	for (gsize i = 0; i < G_N_ELEMENTS(text_keys); i++) {
		if (!g_str_equal(key, text_keys[i]))
			continue;
		if (!json_value_text(text, key, &reading->texts[i], error))
			return FALSE;
		return !g_str_equal(key, "kind") || g_strv_contains(kinds, reading->texts[i]) ||
		       json_value_refuse(error, "\"kind\" must be process, thread or kernel");
	}
	*is_one = FALSE;
	return TRUE;
}

GVariant *program_reading_end(const ProgramReading *reading, const char *name)
{
	/* A name that was never started: a call for that alone would ask for a password again. */
	gboolean given = reading->runs > 0 || reading->cpu_ns > 0;
	GVariantDict row;

	g_variant_dict_init(&row, NULL);
	g_variant_dict_insert(&row, "name", "s", name);
	for (gsize i = 0; i < G_N_ELEMENTS(text_keys); i++)
		if (reading->texts[i]) {
			g_variant_dict_insert(&row, text_keys[i], "s", reading->texts[i]);
			given = TRUE;
		}
	if (reading->has_uid)
		g_variant_dict_insert(&row, "uid", "u", reading->uid);
	if (reading->has_runs)
		g_variant_dict_insert(&row, "runs", "t", reading->runs);
	if (reading->has_cpu)
		g_variant_dict_insert(&row, "cpu_ns", "t", reading->cpu_ns);
	if (given)
		return g_variant_dict_end(&row);
	g_variant_dict_clear(&row);
	return NULL;
}

void program_to_json(JsonObject *profile, const Row *row)
{
	static const char *const keys[] = {"runs", "cpu_ns", "program", "unit", "kind", "uid"};
	/* Without its user, that of another one is not told: it would become one of root's. */
	const gsize told = row->members && g_variant_lookup(row->members, "uid", "u", NULL)
			       ? G_N_ELEMENTS(keys)
			       : 2;

	for (gsize i = 0; row->members && i < told; i++) {
		g_autoptr(GVariant) value = g_variant_lookup_value(row->members, keys[i], NULL);

		if (value)
			json_object_set_member(profile, keys[i], ctl_json_from_variant(value));
	}
}

JsonNode *rules_to_json(const Rules *rules)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < rules->items->len; i++) {
		const Rule *rule = rules_get(rules, i);
		JsonBuilder *builder = ctl_json_begin();

		ctl_json_set_string(builder, rule->kind, rule->text);
		ctl_json_set_string(builder, "tier", rule->tier);
		json_array_add_element(array, ctl_json_end(builder));
	}
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}

/* An override while it is read. */
typedef struct {
	const char *kind; /* of rules_kinds */
	char *text;
	char *tier;
} RuleReading;

static void rule_reading_clear(RuleReading *reading)
{
	g_free(reading->text);
	g_free(reading->tier);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RuleReading, rule_reading_clear)

static gboolean read_member(JsonText *text, const char *key, gpointer data, GError **error)
{
	RuleReading *reading = data;

	if (json_value_is_none(text, error))
		return FALSE;
	if (g_str_equal(key, "tier"))
		return json_value_text(text, key, &reading->tier, error);
	for (const char *const *kind = rules_kinds; *kind; kind++) {
		if (!g_str_equal(key, *kind))
			continue;
		if (reading->kind)
			return json_value_refuse(
			    error,
			    "both \"program\" and \"unit\" are given: one of them has to go");
		reading->kind = *kind;
		return json_value_text(text, key, &reading->text, error);
	}
	return json_text_skip(text, error);
}

static gboolean read_rule(JsonText *text, GVariantBuilder *rules, GError **error)
{
	g_auto(RuleReading) reading = {0};

	if (json_text_kind(text) != JSON_TEXT_OBJECT)
		return json_value_refuse(error, "it is not an object");
	if (!json_text_object(text, read_member, &reading, error))
		return FALSE;
	if (!reading.kind)
		return json_value_refuse(error, "\"program\" or \"unit\" is missing");
	if (rows_tier_rank(reading.tier) < 0)
		return json_value_refuse(error,
					 "\"tier\" must be batch, interactive or lat-critical");
	g_variant_builder_add(rules, "(sss)", reading.kind, reading.text, reading.tier);
	return TRUE;
}

static gboolean read_element(JsonText *text, guint index, gpointer data, GError **error)
{
	GError *reason = NULL;

	if (read_rule(text, data, &reason))
		return TRUE;
	/* A place in the text says it all. */
	if (reason->domain != JSON_TEXT_ERROR)
		g_prefix_error(&reason, "override %u: ", index + 1);
	g_propagate_error(error, reason);
	return FALSE;
}

gboolean rules_from_json(JsonText *text, GVariantBuilder *rules, GError **error)
{
	if (json_text_kind(text) != JSON_TEXT_ARRAY)
		return json_value_refuse(error, "\"overrides\" must be an array");
	return json_text_array(text, read_element, rules, error);
}
