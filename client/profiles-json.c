/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "profiles-json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "escape.h"

/* The format needs 4; json-glib's parser recurses without a limit. */
#define MAX_DEPTH 32

G_DEFINE_QUARK(profiles - json - error, profiles_json_error)

JsonNode *profiles_to_json(const Rows *rows)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_string(builder, "format", PROFILES_JSON_FORMAT);
	ctl_json_set_uint(builder, "version", PROFILES_JSON_VERSION);
	ctl_json_set(builder, "exported_us",
		     json_node_init_int(json_node_alloc(), g_get_real_time()));
	ctl_json_set(builder, "profiles", ctl_json_from_rows(rows));
	return ctl_json_end(builder);
}

static gboolean refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
static gboolean refuse(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (error)
		*error = g_error_new_valist(PROFILES_JSON_ERROR, 0, format, args);
	va_end(args);
	return FALSE;
}

static gboolean check_depth(const char *data, gsize length, GError **error)
{
	gboolean in_string = FALSE;
	guint depth = 0;

	for (gsize i = 0; i < length; i++) {
		if (in_string && data[i] == '\\')
			i++;
		else if (data[i] == '"')
			in_string = !in_string;
		else if (!in_string && (data[i] == '[' || data[i] == '{'))
			depth++;
		else if (!in_string && (data[i] == ']' || data[i] == '}') && depth > 0)
			depth--;
		if (depth > MAX_DEPTH)
			return refuse(error, "it is nested too deeply");
	}
	return TRUE;
}

static gboolean read_string(JsonObject *object, const char *key, const char **value, GError **error)
{
	JsonNode *node = json_object_get_member(object, key);

	if (!node || json_node_get_value_type(node) != G_TYPE_STRING)
		return refuse(error, "\"%s\" must be a text", key);
	*value = json_node_get_string(node);
	return TRUE;
}

/* Whole numbers beyond INT64_MAX are exported as floating-point ones. */
static gboolean read_uint(JsonObject *object, const char *key, guint64 max, guint64 *value,
			  GError **error)
{
	JsonNode *node = json_object_get_member(object, key);
	GType type = node ? json_node_get_value_type(node) : G_TYPE_INVALID;

	double number = -1;

	if (type == G_TYPE_INT64 && json_node_get_int(node) >= 0) {
		*value = (guint64)json_node_get_int(node);
		if (*value <= max)
			return TRUE;
	}
	if (type == G_TYPE_DOUBLE)
		number = json_node_get_double(node);
	if (number >= 0 && number <= 0x1p64 && floor(number) == number) {
		/* 2^64 stands for the 64-bit values that round up to it. */
		*value = number >= 0x1p64 ? G_MAXUINT64 : (guint64)number;
		if (*value <= max)
			return TRUE;
	}
	return refuse(error, "\"%s\" must be a whole number from 0 to %" G_GUINT64_FORMAT, key,
		      max);
}

static gboolean read_votes(JsonObject *object, guint64 votes[ROWS_TIERS], GError **error)
{
	JsonNode *node = json_object_get_member(object, "votes");

	if (!node || !JSON_NODE_HOLDS_OBJECT(node))
		return refuse(error, "\"votes\" must be an object by tier");
	for (size_t i = 0; i < ROWS_TIERS; i++) {
		if (!read_uint(json_node_get_object(node), rows_tiers[i], G_MAXUINT32, &votes[i],
			       error))
			return FALSE;
	}
	return TRUE;
}

static gboolean read_confidence(JsonObject *object, double *confidence, GError **error)
{
	JsonNode *node = json_object_get_member(object, "confidence");
	GType type = node ? json_node_get_value_type(node) : G_TYPE_INVALID;

	if (type == G_TYPE_DOUBLE || type == G_TYPE_INT64) {
		*confidence = json_node_get_double(node);
		if (type == G_TYPE_INT64)
			*confidence = (double)json_node_get_int(node);
		if (*confidence >= 0 && *confidence <= 1)
			return TRUE;
	}
	return refuse(error, "\"confidence\" must be a number from 0 to 1");
}

static gboolean read_flag(JsonObject *object, const char *key, gboolean *value, GError **error)
{
	JsonNode *node = json_object_get_member(object, key);

	if (!node || json_node_get_value_type(node) != G_TYPE_BOOLEAN)
		return refuse(error, "\"%s\" must be true or false", key);
	*value = json_node_get_boolean(node);
	return TRUE;
}

static gboolean check_words(const char *tier, const char *origin, GError **error)
{
	if (rows_tier_rank(tier) < 0)
		return refuse(error, "\"tier\" must be batch, interactive or lat-critical");
	if (!g_strv_contains(rows_origins, origin))
		return refuse(error, "\"origin\" must be live, retained or override");
	return TRUE;
}

static gboolean read_profile(JsonObject *object, GVariantBuilder *builder, GError **error)
{
	const char *name = NULL, *tier = NULL, *origin = NULL;
	guint64 observations = 0, votes[ROWS_TIERS] = {0};
	guint64 runtime = 0, deviation = 0, wakeups = 0, switches = 0, seen = 0;
	gboolean confident = FALSE;
	double confidence = 0;

	if (!read_string(object, "name", &name, error) ||
	    !read_string(object, "tier", &tier, error) ||
	    !read_confidence(object, &confidence, error) ||
	    !read_flag(object, "confident", &confident, error) ||
	    !read_uint(object, "observations", G_MAXUINT32, &observations, error) ||
	    !read_votes(object, votes, error) ||
	    !read_uint(object, "avg_runtime_ns", G_MAXUINT64, &runtime, error) ||
	    !read_uint(object, "runtime_dev_ns", G_MAXUINT64, &deviation, error) ||
	    !read_uint(object, "wakeup_freq", G_MAXUINT64, &wakeups, error) ||
	    !read_uint(object, "csw_rate", G_MAXUINT64, &switches, error) ||
	    !read_uint(object, "last_seen_us", G_MAXINT64, &seen, error) ||
	    !read_string(object, "origin", &origin, error) || !check_words(tier, origin, error))
		return FALSE;
	if (!g_utf8_validate(name, -1, NULL))
		return refuse(error, "\"name\" must be valid UTF-8");
	g_variant_builder_add(builder, "(ssdbu(uuu)ttttxs)", name, tier, confidence, confident,
			      (guint32)observations, (guint32)votes[0], (guint32)votes[1],
			      (guint32)votes[2], runtime, deviation, wakeups, switches,
			      (gint64)seen, origin);
	return TRUE;
}

static GVariant *read_profiles(JsonArray *array, GError **error)
{
	g_auto(GVariantBuilder) builder = G_VARIANT_BUILDER_INIT(G_VARIANT_TYPE(ROWS_SIGNATURE));

	for (guint i = 0; i < json_array_get_length(array); i++) {
		JsonNode *node = json_array_get_element(array, i);

		if (!JSON_NODE_HOLDS_OBJECT(node)) {
			refuse(error, "profile %u is not an object", i + 1);
			return NULL;
		}
		if (!read_profile(json_node_get_object(node), &builder, error)) {
			g_prefix_error(error, "profile %u: ", i + 1);
			return NULL;
		}
	}
	return g_variant_builder_end(&builder);
}

static JsonArray *find_profiles(JsonNode *root, GError **error)
{
	JsonObject *object =
	    root && JSON_NODE_HOLDS_OBJECT(root) ? json_node_get_object(root) : NULL;
	const char *format = "";
	guint64 version = 0;

	if (!object || !read_string(object, "format", &format, NULL) ||
	    !g_str_equal(format, PROFILES_JSON_FORMAT)) {
		refuse(error, "it was not written by \"pandemoniumctl export\"");
		return NULL;
	}
	if (!read_uint(object, "version", G_MAXUINT32, &version, error))
		return NULL;
	if (version != PROFILES_JSON_VERSION) {
		refuse(error,
		       "it has version %" G_GUINT64_FORMAT
		       " of the format, and this program reads version %d",
		       version, PROFILES_JSON_VERSION);
		return NULL;
	}
	root = json_object_get_member(object, "profiles");
	if (!root || !JSON_NODE_HOLDS_ARRAY(root)) {
		refuse(error, "\"profiles\" must be an array");
		return NULL;
	}
	return json_node_get_array(root);
}

/* Parses; json-glib quotes raw bytes of the text in its messages, fit for no terminal. */
static gboolean parse(JsonParser *parser, const char *data, gsize length, GError **error)
{
	g_autoptr(GError) reason = NULL;
	g_autofree char *plain = NULL;
	unsigned int line, column;
	int start = 0;

	if (json_parser_load_from_data(parser, data, (gssize)length, &reason))
		return TRUE;
	plain = escape_plain(reason->message);
	if (sscanf(plain, "<data>:%u:%u: Parse error: %n", &line, &column, &start) == 2 &&
	    start > 0)
		return refuse(error, "line %u, column %u: %s", line, column, plain + start);
	return refuse(error, "%s", plain);
}

GVariant *profiles_from_json(const char *data, gsize length, GError **error)
{
	g_autoptr(JsonParser) parser = json_parser_new_immutable();
	JsonArray *array;

	if (length > PROFILES_JSON_MAX_BYTES) {
		refuse(error, "it is larger than %" G_GSIZE_FORMAT " MiB",
		       PROFILES_JSON_MAX_BYTES / 1024 / 1024);
		return NULL;
	}
	if (!g_utf8_validate_len(data, length, NULL)) {
		refuse(error, "it is not UTF-8 text");
		return NULL;
	}
	if (!check_depth(data, length, error) || !parse(parser, data, length, error))
		return NULL;
	array = find_profiles(json_parser_get_root(parser), error);
	return array ? read_profiles(array, error) : NULL;
}
