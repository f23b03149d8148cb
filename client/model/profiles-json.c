/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "profiles-json.h"

#include <string.h>

#include "json-value.h"
#include "programs-json.h"

static JsonNode *profiles_of(const Rows *records, const Rows *programs)
{
	g_autoptr(GHashTable) known = g_hash_table_new(g_str_hash, g_str_equal);
	JsonNode *node = ctl_json_from_rows(records);
	JsonArray *array = json_node_get_array(node);

	for (guint i = 0; i < programs->items->len; i++) {
		const Row *row = rows_get(programs, i);

		g_hash_table_insert(known, (gpointer)row->name, (gpointer)row);
	}
	for (guint i = 0; i < records->items->len; i++) {
		const Row *row = g_hash_table_lookup(known, rows_get(records, i)->name);

		if (row)
			program_to_json(json_array_get_object_element(array, i), row);
	}
	return node;
}

JsonNode *profiles_to_json(const Rows *records, const Rows *programs, const Rules *rules)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_string(builder, "format", PROFILES_JSON_FORMAT);
	ctl_json_set_uint(builder, "version", PROFILES_JSON_VERSION);
	ctl_json_set(builder, "exported_us",
		     json_node_init_int(json_node_alloc(), g_get_real_time()));
	ctl_json_set(builder, "profiles", profiles_of(records, programs));
	ctl_json_set(builder, "overrides", rules_to_json(rules));
	return ctl_json_end(builder);
}

/* One profile while it is read. */
typedef struct {
	Row row;
	char *name;
	char *tier;
	char *origin;
	char *taught_by;
	ProgramReading program;
	guint given; /* bits of enum below */
} Reading;

enum {
	GIVEN_NAME = 1 << 0,
	GIVEN_OBSERVATIONS = 1 << 1,
	GIVEN_VOTES = 1 << 2,
	GIVEN_RUNTIME = 1 << 3,
	GIVEN_DEVIATION = 1 << 4,
	GIVEN_WAKEUPS = 1 << 5,
	GIVEN_SWITCHES = 1 << 6,
	GIVEN_SEEN = 1 << 7,
};

static void reading_clear(Reading *reading)
{
	g_free(reading->name);
	g_free(reading->tier);
	g_free(reading->origin);
	g_free(reading->taught_by);
	program_reading_clear(&reading->program);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reading, reading_clear)

typedef struct {
	guint32 *votes;
	guint given;
} Votes;

static gboolean read_vote(JsonText *text, const char *key, gpointer data, GError **error)
{
	Votes *votes = data;
	const int rank = rows_tier_rank(key);

	if (rank < 0)
		return json_text_skip(text, error);
	votes->given |= 1U << rank;
	return json_value_uint32(text, key, &votes->votes[rank], error);
}

static gboolean read_votes(JsonText *text, guint32 *values, GError **error)
{
	Votes votes = {.votes = values};

	if (json_text_kind(text) == JSON_TEXT_OBJECT) {
		if (!json_text_object(text, read_vote, &votes, error))
			return FALSE;
		if (votes.given == (1U << PROCDB_TIERS) - 1)
			return TRUE;
	}
	return json_value_refuse(error,
				 "\"votes\" must be an object of three whole numbers, by tier");
}

/* The value follows from the rest, but one that is given has to be valid. */
static gboolean read_confidence(JsonText *text, double *confidence, GError **error)
{
	g_autofree char *number = NULL;

	*confidence = -1;

	if (json_text_kind(text) == JSON_TEXT_NUMBER) {
		if (!json_text_number(text, &number, error))
			return FALSE;
		*confidence = g_ascii_strtod(number, NULL);
	}
	return (*confidence >= 0 && *confidence <= 1) ||
	       json_value_refuse(error, "\"confidence\" must be a number from 0 to 1");
}

/* A member that is a number of 64 bits: where it goes, and its bit. */
struct wide_member {
	const char *key;
	gsize offset; /* in Reading */
	guint given;
};

static const struct wide_member *find_wide_member(const char *key)
{
	static const struct wide_member members[] = {
	    {"avg_runtime_ns", G_STRUCT_OFFSET(Reading, row.avg_runtime_ns), GIVEN_RUNTIME},
	    {"runtime_dev_ns", G_STRUCT_OFFSET(Reading, row.runtime_dev_ns), GIVEN_DEVIATION},
	    {"wakeup_freq", G_STRUCT_OFFSET(Reading, row.wakeup_freq), GIVEN_WAKEUPS},
	    {"csw_rate", G_STRUCT_OFFSET(Reading, row.csw_rate), GIVEN_SWITCHES},
	    /* Older exports have no scores. */
	    {"right", G_STRUCT_OFFSET(Reading, row.right), 0},
	    {"wrong", G_STRUCT_OFFSET(Reading, row.wrong), 0},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
		if (g_str_equal(members[i].key, key))
			return &members[i];
	return NULL;
}

static gboolean read_member(JsonText *text, const char *key, gpointer data, GError **error)
{
	Reading *reading = data;
	const struct wide_member *wide = find_wide_member(key);
	gboolean of_program;

	if (json_value_is_none(text, error))
		return FALSE;
	if (wide) {
		reading->given |= wide->given;
		return json_value_uint(text, key, G_MAXUINT64,
				       G_STRUCT_MEMBER_P(reading, wide->offset), error);
	}
	if (g_str_equal(key, "name")) {
		reading->given |= GIVEN_NAME;
		return json_value_text(text, key, &reading->name, error);
	}
	if (g_str_equal(key, "tier"))
		return json_value_text(text, key, &reading->tier, error);
	if (g_str_equal(key, "origin"))
		return json_value_text(text, key, &reading->origin, error);
	if (g_str_equal(key, "confidence"))
		return read_confidence(text, &reading->row.confidence, error);
	if (g_str_equal(key, "confident"))
		return json_value_flag(text, key, &reading->row.confident, error);
	if (g_str_equal(key, "observations")) {
		reading->given |= GIVEN_OBSERVATIONS;
		return json_value_uint32(text, key, &reading->row.observations, error);
	}
	if (g_str_equal(key, "withdrawals"))
		return json_value_uint32(text, key, &reading->row.withdrawals, error);
	if (g_str_equal(key, "owner"))
		return json_value_uint32(text, key, &reading->row.owner, error);
	if (g_str_equal(key, "taught_by"))
		return json_value_text(text, key, &reading->taught_by, error);
	if (g_str_equal(key, "first_seen_us"))
		return json_value_time(text, key, &reading->row.first_seen_us, error);
	if (g_str_equal(key, "votes")) {
		reading->given |= GIVEN_VOTES;
		return read_votes(text, reading->row.votes, error);
	}
	if (g_str_equal(key, "last_seen_us")) {
		reading->given |= GIVEN_SEEN;
		return json_value_time(text, key, &reading->row.last_seen_us, error);
	}
	if (!program_reading_member(&reading->program, text, key, &of_program, error))
		return FALSE;
	return of_program || json_text_skip(text, error);
}

static gboolean check_given(const Reading *reading, GError **error)
{
	static const struct {
		guint given;
		const char *key;
	} needed[] = {
	    {GIVEN_NAME, "name"},
	    {GIVEN_OBSERVATIONS, "observations"},
	    {GIVEN_VOTES, "votes"},
	    {GIVEN_RUNTIME, "avg_runtime_ns"},
	    {GIVEN_DEVIATION, "runtime_dev_ns"},
	    {GIVEN_WAKEUPS, "wakeup_freq"},
	    {GIVEN_SWITCHES, "csw_rate"},
	    {GIVEN_SEEN, "last_seen_us"},
	};

	for (gsize i = 0; i < G_N_ELEMENTS(needed); i++)
		if (!(reading->given & needed[i].given))
			return json_value_refuse(error, "\"%s\" is missing", needed[i].key);
	return TRUE;
}

static gboolean check_teachers(Reading *reading, GError **error)
{
	guint8 ignored;

	if (!reading->taught_by)
		reading->taught_by = g_strdup(procdb_teachers_name(0));
	return procdb_teachers_parse(reading->taught_by, &ignored) ||
	       json_value_refuse(
		   error,
		   "\"taught_by\" must be unknown, or one or more of root, users and farm, as in "
		   "\"root, users and farm\"");
}

/* The tier is what the votes say, unless it is an override: then it is what decides. */
static gboolean check_tier(Reading *reading, GError **error)
{
	const char *voted = procdb_tier_name(procdb_tier_of_votes(reading->row.votes));

	if (!reading->origin)
		reading->origin = g_strdup(PROCDB_ORIGIN_RETAINED);
	if (!g_strv_contains(rows_origins, reading->origin))
		return json_value_refuse(error, "\"origin\" must be live, retained or override");
	if (reading->tier && rows_tier_rank(reading->tier) < 0)
		return json_value_refuse(error,
					 "\"tier\" must be batch, interactive or lat-critical");
	if (g_str_equal(reading->origin, PROCDB_ORIGIN_OVERRIDE))
		return reading->tier
			   ? TRUE
			   : json_value_refuse(error, "\"tier\" of an override is missing");
	if (reading->tier && !g_str_equal(reading->tier, voted))
		return json_value_refuse(
		    error,
		    "\"tier\" says %s, and the votes say %s: write \"origin\": "
		    "\"override\" to decide it, or leave \"tier\" out",
		    reading->tier, voted);
	g_free(reading->tier);
	reading->tier = g_strdup(voted);
	return TRUE;
}

/* The document as far as it was read. */
typedef struct {
	Records *records;
	GVariantBuilder programs;
	GVariantBuilder rules;
	char *format;
	guint64 version;
	gboolean has_version;
	gboolean has_profiles;
} Document;

static gboolean read_row(JsonText *text, Document *document, GError **error)
{
	g_auto(Reading) reading = {0};
	Row *row = &reading.row;
	GVariant *program;

	if (json_text_kind(text) != JSON_TEXT_OBJECT)
		return json_value_refuse(error, "it is not an object");
	if (!json_text_object(text, read_member, &reading, error) ||
	    !check_given(&reading, error) || !check_tier(&reading, error) ||
	    !check_teachers(&reading, error))
		return FALSE;
	row->name = reading.name;
	row->tier = reading.tier;
	row->origin = reading.origin;
	row->taught_by = reading.taught_by;
	records_add(document->records, row);
	program = program_reading_end(&reading.program, row->name);
	if (program)
		g_variant_builder_add_value(&document->programs, program);
	return TRUE;
}

static gboolean read_element(JsonText *text, guint index, gpointer data, GError **error)
{
	GError *reason = NULL;

	if (read_row(text, data, &reason))
		return TRUE;
	/* A place in the text says it all. */
	if (reason->domain != JSON_TEXT_ERROR)
		g_prefix_error(&reason, "profile %u: ", index + 1);
	g_propagate_error(error, reason);
	return FALSE;
}

static gboolean read_top(JsonText *text, const char *key, gpointer data, GError **error)
{
	Document *document = data;

	if (json_value_is_none(text, error))
		return FALSE;
	if (g_str_equal(key, "format"))
		return json_value_text(text, key, &document->format, error);
	if (g_str_equal(key, "version")) {
		document->has_version = TRUE;
		return json_value_uint(text, key, G_MAXUINT32, &document->version, error);
	}
	if (g_str_equal(key, "overrides"))
		return rules_from_json(text, &document->rules, error);
	if (!g_str_equal(key, "profiles"))
		return json_text_skip(text, error);
	if (document->has_profiles)
		return json_value_refuse(error, "\"profiles\" is given twice");
	document->has_profiles = TRUE;
	if (json_text_kind(text) != JSON_TEXT_ARRAY)
		return json_value_refuse(error, "\"profiles\" must be an array");
	return json_text_array(text, read_element, document, error);
}

static gboolean check_document(const Document *document, GError **error)
{
	if (g_strcmp0(document->format, PROFILES_JSON_FORMAT) != 0)
		return json_value_refuse(error, "it was not written by \"pandemoniumctl export\"");
	if (!document->has_version)
		return json_value_refuse(error, "\"version\" is missing");
	if (document->version != PROFILES_JSON_VERSION)
		return json_value_refuse(error,
					 "it has version %" G_GUINT64_FORMAT
					 " of the format, and this program reads version %d",
					 document->version, PROFILES_JSON_VERSION);
	return document->has_profiles || json_value_refuse(error, "\"profiles\" must be an array");
}

static gboolean read_document(JsonText *text, Document *document, GError **error)
{
	if (json_text_kind(text) != JSON_TEXT_OBJECT && json_text_kind(text) != JSON_TEXT_NONE)
		return json_value_refuse(error, "it was not written by \"pandemoniumctl export\"");
	return json_text_object(text, read_top, document, error) && json_text_end(text, error) &&
	       check_document(document, error);
}

void export_free(Export *export)
{
	g_variant_unref(export->profiles);
	g_variant_unref(export->programs);
	g_variant_unref(export->rules);
	g_free(export);
}

Export *profiles_from_json(const char *data, gsize length, GError **error)
{
	g_autoptr(Records) records = NULL;
	g_autoptr(Export) export = NULL;
	Document document = {0};
	JsonText text;
	gboolean ok;

	if (length > PROFILES_JSON_MAX_BYTES) {
		json_value_refuse(error, "it is larger than %" G_GSIZE_FORMAT " MiB",
				  PROFILES_JSON_MAX_BYTES / 1024 / 1024);
		return NULL;
	}
	if (!g_utf8_validate_len(data, length, NULL)) {
		json_value_refuse(error, "it is not UTF-8 text");
		return NULL;
	}
	document.records = records = records_new();
	g_variant_builder_init(&document.programs, G_VARIANT_TYPE("aa{sv}"));
	g_variant_builder_init(&document.rules, G_VARIANT_TYPE("a(sss)"));
	json_text_begin(&text, data, length);
	ok = read_document(&text, &document, error);
	export = g_new(Export, 1);
	*export = (Export){
	    .profiles = g_variant_ref_sink(records_end(records)),
	    .programs = g_variant_ref_sink(g_variant_builder_end(&document.programs)),
	    .rules = g_variant_ref_sink(g_variant_builder_end(&document.rules)),
	};
	g_free(document.format);
	return ok ? g_steal_pointer(&export) : NULL;
}
