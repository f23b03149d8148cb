/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "json.h"

#include <stdio.h>
#include <string.h>

#include "entry.h"

/*
 * Why not json_gvariant_serialize(): json-glib has no unsigned numbers, so that it prints
 * 2^64 - 1 as -1 (1.6.6), and the votes, a tuple, become an array without names. Here a number
 * beyond G_MAXINT64 is a text that begins with this mark until it is written. What the service
 * sends holds no control characters.
 */
#define UINT_MARK "\001"
#define UINT_MARK_WRITTEN "\"\\u0001"
#define MARK_LEN (sizeof(UINT_MARK_WRITTEN) - 1)

static JsonNode *from_uint(guint64 value)
{
	JsonNode *node = json_node_alloc();
	g_autofree char *marked = NULL;

	if (value <= G_MAXINT64)
		return json_node_init_int(node, (gint64)value);
	marked = g_strdup_printf(UINT_MARK "%" G_GUINT64_FORMAT, value);
	return json_node_init_string(node, marked);
}

static JsonNode *from_votes(const guint32 votes[PROCDB_TIERS])
{
	JsonBuilder *builder = ctl_json_begin();

	for (size_t i = 0; i < PROCDB_TIERS; i++)
		ctl_json_set_uint(builder, procdb_tier_names[i], votes[i]);
	return ctl_json_end(builder);
}

static JsonNode *from_member(const char *name, GVariant *value)
{
	guint32 votes[PROCDB_TIERS];

	if (g_str_equal(name, "votes") && g_variant_is_of_type(value, G_VARIANT_TYPE("(uuu)"))) {
		g_variant_get(value, "(uuu)", &votes[0], &votes[1], &votes[2]);
		return from_votes(votes);
	}
	return ctl_json_from_variant(value);
}

/* Adds the entries of any dictionary whose keys are strings. */
static void set_members(JsonBuilder *builder, GVariant *dict)
{
	const gsize count = g_variant_n_children(dict);

	for (gsize i = 0; i < count; i++) {
		g_autoptr(GVariant) key = NULL, value = entry_at(dict, i, &key);
		const char *name = g_variant_get_string(key, NULL);

		ctl_json_set(builder, name, from_member(name, value));
	}
}

static JsonNode *from_dict(GVariant *dict)
{
	JsonBuilder *builder = ctl_json_begin();

	set_members(builder, dict);
	return ctl_json_end(builder);
}

static JsonNode *from_container(GVariant *value)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();
	GVariantIter iter;
	GVariant *child;

	g_variant_iter_init(&iter, value);
	while ((child = g_variant_iter_next_value(&iter))) {
		json_array_add_element(array, ctl_json_from_variant(child));
		g_variant_unref(child);
	}
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}

JsonNode *ctl_json_from_variant(GVariant *value)
{
	g_autoptr(GVariant) inner = NULL;

	switch (g_variant_classify(value)) {
	case G_VARIANT_CLASS_BOOLEAN:
		return json_node_init_boolean(json_node_alloc(), g_variant_get_boolean(value));
	case G_VARIANT_CLASS_BYTE:
		return from_uint(g_variant_get_byte(value));
	case G_VARIANT_CLASS_INT16:
		return json_node_init_int(json_node_alloc(), g_variant_get_int16(value));
	case G_VARIANT_CLASS_UINT16:
		return from_uint(g_variant_get_uint16(value));
	case G_VARIANT_CLASS_INT32:
		return json_node_init_int(json_node_alloc(), g_variant_get_int32(value));
	case G_VARIANT_CLASS_UINT32:
		return from_uint(g_variant_get_uint32(value));
	case G_VARIANT_CLASS_INT64:
		return json_node_init_int(json_node_alloc(), g_variant_get_int64(value));
	case G_VARIANT_CLASS_UINT64:
		return from_uint(g_variant_get_uint64(value));
	case G_VARIANT_CLASS_DOUBLE:
		return json_node_init_double(json_node_alloc(), g_variant_get_double(value));
	case G_VARIANT_CLASS_STRING:
	case G_VARIANT_CLASS_OBJECT_PATH:
	case G_VARIANT_CLASS_SIGNATURE:
		return json_node_init_string(json_node_alloc(), g_variant_get_string(value, NULL));
	case G_VARIANT_CLASS_VARIANT:
		inner = g_variant_get_variant(value);
		return ctl_json_from_variant(inner);
	case G_VARIANT_CLASS_ARRAY:
		if (g_variant_is_of_type(value, G_VARIANT_TYPE("a{s*}")))
			return from_dict(value);
		return from_container(value);
	case G_VARIANT_CLASS_TUPLE:
	case G_VARIANT_CLASS_DICT_ENTRY:
		return from_container(value);
	case G_VARIANT_CLASS_HANDLE:
	case G_VARIANT_CLASS_MAYBE:
		break;
	}
	return json_node_init_null(json_node_alloc());
}

static char *snake_case(const char *name)
{
	GString *out = g_string_new(NULL);

	for (const char *at = name; *at; at++) {
		if (g_ascii_isupper(*at) && at > name)
			g_string_append_c(out, '_');
		g_string_append_c(out, g_ascii_tolower(*at));
	}
	return g_string_free(out, FALSE);
}

JsonNode *ctl_json_from_properties(GVariant *properties)
{
	JsonBuilder *builder = ctl_json_begin();
	GVariantIter iter;
	const char *name;
	GVariant *value;

	g_variant_iter_init(&iter, properties);
	while (g_variant_iter_loop(&iter, "{&sv}", &name, &value)) {
		g_autofree char *member = snake_case(name);

		ctl_json_set(builder, member, ctl_json_from_variant(value));
	}
	return ctl_json_end(builder);
}

static void set_columns(JsonBuilder *builder, const Row *row)
{
	ctl_json_set_string(builder, "name", row->name);
	ctl_json_set_string(builder, "tier", row->tier);
	ctl_json_set(builder, "confidence",
		     json_node_init_double(json_node_alloc(), row->confidence));
	ctl_json_set(builder, "confident",
		     json_node_init_boolean(json_node_alloc(), row->confident));
	ctl_json_set_uint(builder, "observations", row->observations);
	ctl_json_set(builder, "votes", from_votes(row->votes));
	ctl_json_set_uint(builder, "avg_runtime_ns", row->avg_runtime_ns);
	ctl_json_set_uint(builder, "runtime_dev_ns", row->runtime_dev_ns);
	ctl_json_set_uint(builder, "wakeup_freq", row->wakeup_freq);
	ctl_json_set_uint(builder, "csw_rate", row->csw_rate);
	ctl_json_set(builder, "last_seen_us",
		     json_node_init_int(json_node_alloc(), row->last_seen_us));
	ctl_json_set_string(builder, "origin", row->origin);
	if (row->taught_by) {
		ctl_json_set(builder, "first_seen_us",
			     json_node_init_int(json_node_alloc(), row->first_seen_us));
		ctl_json_set_uint(builder, "right", row->right);
		ctl_json_set_uint(builder, "wrong", row->wrong);
		ctl_json_set_uint(builder, "withdrawals", row->withdrawals);
		ctl_json_set_string(builder, "taught_by", row->taught_by);
		ctl_json_set_uint(builder, "owner", row->owner);
	}
}

JsonNode *ctl_json_from_row(const Row *row)
{
	JsonBuilder *builder = ctl_json_begin();

	if (row->members)
		set_members(builder, row->members);
	else
		set_columns(builder, row);
	/* An export is read again by a service, to which this is no member. */
	if (!row->taught_by)
		ctl_json_set(builder, "brief",
			     json_node_init_boolean(json_node_alloc(), rows_is_brief(row)));
	return ctl_json_end(builder);
}

JsonNode *ctl_json_from_rows(const Rows *rows)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < rows->items->len; i++)
		json_array_add_element(array, ctl_json_from_row(rows_get(rows, i)));
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}

JsonNode *ctl_json_from_strings(const char *const *strings)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (; *strings; strings++)
		json_array_add_string_element(array, *strings);
	json_node_init_array(node, array);
	json_array_unref(array);
	return node;
}

/*
 * Makes numbers of what json-glib had to write as texts, and takes away the ".0" that it puts
 * behind a number without a point, also if it has an exponent.
 */
static void mend_numbers(char *text)
{
	gboolean in_string = FALSE;
	char *to = text;

	for (const char *at = text; *at; at++) {
		/* Since GLib 2.76, g_str_has_prefix() measures all that follows. */
		if (!in_string && strncmp(at, UINT_MARK_WRITTEN, MARK_LEN) == 0) {
			for (at += MARK_LEN; g_ascii_isdigit(*at); at++)
				*to++ = *at;
			continue;
		}
		if (in_string && *at == '\\')
			*to++ = *at++;
		else if (*at == '"')
			in_string = !in_string;
		*to++ = *at;
		if (in_string || *at != 'e' || at == text || !g_ascii_isdigit(at[-1]))
			continue;
		if (at[1] == '+' || at[1] == '-')
			*to++ = *++at;
		while (g_ascii_isdigit(at[1]))
			*to++ = *++at;
		if (at[1] == '.' && at[2] == '0')
			at += 2;
	}
	*to = '\0';
}

char *ctl_json_to_text(JsonNode *node, gboolean pretty)
{
	char *text = json_to_string(node, pretty);

	mend_numbers(text);
	return text;
}

static void print(JsonNode *node, gboolean pretty)
{
	g_autofree char *text = ctl_json_to_text(node, pretty);

	json_node_unref(node);
	puts(text);
}

void ctl_json_print(JsonNode *node)
{
	print(node, TRUE);
}

void ctl_json_print_line(JsonNode *node)
{
	print(node, FALSE);
}

JsonBuilder *ctl_json_begin(void)
{
	return json_builder_begin_object(json_builder_new());
}

void ctl_json_set(JsonBuilder *builder, const char *name, JsonNode *value)
{
	json_builder_set_member_name(builder, name);
	json_builder_add_value(builder, value);
}

void ctl_json_set_string(JsonBuilder *builder, const char *name, const char *value)
{
	ctl_json_set(builder, name, json_node_init_string(json_node_alloc(), value));
}

void ctl_json_set_uint(JsonBuilder *builder, const char *name, guint64 value)
{
	ctl_json_set(builder, name, from_uint(value));
}

JsonNode *ctl_json_end(JsonBuilder *builder)
{
	JsonNode *node;

	json_builder_end_object(builder);
	node = json_builder_get_root(builder);
	g_object_unref(builder);
	return node;
}

void ctl_json_print_count(const char *name, guint64 count)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_uint(builder, name, count);
	ctl_json_print(ctl_json_end(builder));
}
