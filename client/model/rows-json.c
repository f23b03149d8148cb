/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rows-json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "columns.h"
#include "json.h"

/* Written out when it is so long. */
#define ENOUGH 65536

/* A member of an object, and the column that its value is in. */
struct member {
	const char *name;
	char type; /* of a value; p: of pids */
	/* The column of which the value tells whether this one is known; NULL: it always is. */
	const char *given;
};

/* The first of three, in the order of the tiers. */
#define FIRST_VOTES "votes_batch"

/* In the order of GetProfile. */
static const struct member members[] = {
    {"name", 's', NULL},
    {"tier", 's', NULL},
    {"confidence", 'd', NULL},
    {"confident", 'b', NULL},
    {"observations", 'u', NULL},
    {FIRST_VOTES, 'u', NULL},
    {"votes_interactive", 'u', NULL},
    {"votes_lat_critical", 'u', NULL},
    {"avg_runtime_ns", 't', NULL},
    {"runtime_dev_ns", 't', NULL},
    {"wakeup_freq", 't', NULL},
    {"csw_rate", 't', NULL},
    {"last_seen_us", 'x', NULL},
    {"origin", 's', NULL},
    {"first_seen_us", 'x', NULL},
    {"predicted", 'b', NULL},
    {"taught_by", 's', NULL},
    {"found", 't', NULL},
    {"missed", 't', NULL},
    {"right", 't', NULL},
    {"wrong", 't', NULL},
    {"withdrawals", 'u', NULL},
    {"override", 's', "override"},
    {"override_source", 's', "override"},
    {"prediction_source", 's', NULL},
    {"predicted_tier", 's', "predicted_tier"},
    {"held", 's', "held"},
    {"held_by", 's', "held"},
    {"held_uid", 'x', "held"},
    {"held_reason", 's', "held"},
    {"cpu_ns", 't', "cpu_known"},
    {"runs", 't', NULL},
    {"cpu_share", 'd', "cpu_share"},
    {"waits_without", 't', "waits_without"},
    {"wait_p50_without", 't', "waits_without"},
    {"wait_p90_without", 't', "waits_without"},
    {"wait_p99_without", 't', "waits_without"},
    {"waits_with", 't', "waits_with"},
    {"wait_p50_with", 't', "waits_with"},
    {"wait_p90_with", 't', "waits_with"},
    {"wait_p99_with", 't', "waits_with"},
    {"wakeups_per_second", 'd', "wakeups_per_second"},
    {"switches_per_second", 'd', "switches_per_second"},
    {"kind", 's', "kind"},
    {"user", 's', "user"},
    {"program", 's', "program"},
    {"unit", 's', "unit"},
    {"application", 's', "application"},
    {"uid", 'x', "uid"},
    {"script", 's', "scripts"},
    {"scripts", 'u', "scripts"},
    {"pids", 'p', "pids"},
    /* It is no member itself. */
    {"cpu_known", 'b', NULL},
};
#define SHOWN (G_N_ELEMENTS(members) - 1)

/* The columns of one answer. */
struct part {
	const void *columns[G_N_ELEMENTS(members)]; /* by their type; NULL: not in the answer */
	GPtrArray *kept;
};

const char **rows_json_fields(void)
{
	const char **fields = g_new0(const char *, G_N_ELEMENTS(members) + 2);

	for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
		fields[i] = members[i].name;
	fields[G_N_ELEMENTS(members)] = PROCDB_FIELD_PACKED;
	return fields;
}

static const void *find_column(GVariant *columns, const struct member *member, gsize count,
			       GPtrArray *kept)
{
	switch (member->type) {
	case 's':
		return columns_texts(columns, member->name, count, kept);
	case 'b':
		return columns_booleans(columns, member->name, count, kept);
	case 'p':
		return columns_pids(columns, count, kept);
	default:
		return columns_numbers(columns, member->name, member->type, count, kept);
	}
}

static struct part *part_new(GVariant *columns)
{
	struct part *part = g_new0(struct part, 1);
	const gsize count = columns_count(columns);

	part->kept = columns_kept_new();
	for (gsize i = 0; i < G_N_ELEMENTS(members); i++)
		part->columns[i] = find_column(columns, &members[i], count, part->kept);
	return part;
}

static void part_free(gpointer data)
{
	struct part *part = data;

	g_ptr_array_unref(part->kept);
	g_free(part);
}

/* Whether a value tells that something is known: no empty text, no 0, and nothing negative. */
static gboolean is_given(const void *column, char type, guint place)
{
	switch (type) {
	case 'b':
		return ((const guint8 *)column)[place] != 0;
	case 'u':
		return ((const guint32 *)column)[place] != 0;
	case 't':
		return ((const guint64 *)column)[place] != 0;
	case 'x':
		return ((const gint64 *)column)[place] >= 0;
	case 'd':
		return ((const double *)column)[place] >= 0;
	case 's':
		return *((const char *const *)column)[place] != '\0';
	default:
		return *((const guint32 *const *)column)[place] != 0;
	}
}

static gsize member_of(const char *name)
{
	gsize i = 0;

	while (!g_str_equal(members[i].name, name))
		i++;
	return i;
}

/* Printing by a format takes ten times as long. */
static void append_uint(GString *out, guint64 value)
{
	char digits[20];
	gsize first = sizeof(digits);

	do {
		digits[--first] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	g_string_append_len(out, digits + first, (gssize)(sizeof(digits) - first));
}

static void append_int(GString *out, gint64 value)
{
	if (value < 0)
		g_string_append_c(out, '-');
	append_uint(out, value < 0 ? -(guint64)value : (guint64)value);
}

/* As json-glib does it, whose numbers with a fraction or an exponent are what json.c makes of it.
 */
static void append_double(GString *out, double value)
{
	char text[G_ASCII_DTOSTR_BUF_SIZE];

	if (value == floor(value) && fabs(value) < 1e9 && !signbit(value)) {
		append_uint(out, (guint64)value);
		g_string_append(out, ".0");
		return;
	}
	g_string_append(out, g_ascii_dtostr(text, sizeof(text), value));
	if (!strpbrk(text, ".e"))
		g_string_append(out, ".0");
}

/* Whether a text is the same inside of quotes. */
static gboolean is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~' || *text == '"' || *text == '\\')
			return FALSE;
	return TRUE;
}

static void append_text(GString *out, const char *text)
{
	g_autoptr(JsonNode) node = NULL;
	g_autofree char *escaped = NULL;

	if (is_plain(text)) {
		g_string_append_c(out, '"');
		g_string_append(out, text);
		g_string_append_c(out, '"');
		return;
	}
	node = json_node_init_string(json_node_alloc(), text);
	escaped = ctl_json_to_text(node, FALSE);
	g_string_append(out, escaped);
}

/* Their number is in front of them. */
static void append_pids(GString *out, const guint32 *pids)
{
	g_string_append_c(out, '[');
	for (guint32 i = 1; i <= pids[0]; i++) {
		g_string_append(out, i > 1 ? ",\n      " : "\n      ");
		append_uint(out, pids[i]);
	}
	g_string_append(out, "\n    ]");
}

static void append_value(GString *out, const void *column, char type, guint place)
{
	switch (type) {
	case 'b':
		g_string_append(out, ((const guint8 *)column)[place] ? "true" : "false");
		return;
	case 'u':
		append_uint(out, ((const guint32 *)column)[place]);
		return;
	case 't':
		append_uint(out, ((const guint64 *)column)[place]);
		return;
	case 'x':
		append_int(out, ((const gint64 *)column)[place]);
		return;
	case 'd':
		append_double(out, ((const double *)column)[place]);
		return;
	case 's':
		append_text(out, ((const char *const *)column)[place]);
		return;
	default:
		append_pids(out, ((const guint32 *const *)column)[place]);
	}
}

/* Three columns are one member, an object; member is the first of them. */
static void append_votes(GString *out, const struct part *part, gsize member, guint place)
{
	g_string_append(out, "    \"votes\" : {");
	for (gsize i = 0; i < PROCDB_TIERS; i++) {
		g_string_append(out, i > 0 ? ",\n      \"" : "\n      \"");
		g_string_append(out, procdb_tier_names[i]);
		g_string_append(out, "\" : ");
		append_value(out, part->columns[member + i], 'u', place);
	}
	g_string_append(out, "\n    },\n");
}

static gboolean is_shown(const struct part *part, gsize member, gsize given, guint place)
{
	return part->columns[member] &&
	       (!members[member].given ||
		(part->columns[given] &&
		 is_given(part->columns[given], members[given].type, place)));
}

static void append_row(GString *out, const struct part *part, const gsize given[SHOWN],
		       const Row *row)
{
	g_string_append(out, "  {\n");
	for (gsize i = 0; i < SHOWN; i++) {
		if (!is_shown(part, i, given[i], row->place))
			continue;
		if (g_str_equal(members[i].name, FIRST_VOTES)) {
			if (part->columns[i + 1] && part->columns[i + 2])
				append_votes(out, part, i, row->place);
			i += PROCDB_TIERS - 1;
			continue;
		}
		g_string_append(out, "    \"");
		g_string_append(out, members[i].name);
		g_string_append(out, "\" : ");
		append_value(out, part->columns[i], members[i].type, row->place);
		g_string_append(out, ",\n");
	}
	g_string_append(out, rows_is_brief(row) ? "    \"brief\" : true\n  }"
						: "    \"brief\" : false\n  }");
}

static void write_out(GString *out)
{
	fwrite(out->str, 1, out->len, stdout);
	g_string_truncate(out, 0);
}

static void print_columns(const Rows *rows)
{
	g_autoptr(GHashTable) parts = g_hash_table_new_full(NULL, NULL, NULL, part_free);
	g_autoptr(GString) out = g_string_sized_new(2 * (gsize)ENOUGH);
	gsize given[SHOWN] = {0};

	for (gsize i = 0; i < SHOWN; i++)
		given[i] = members[i].given ? member_of(members[i].given) : 0;
	for (guint i = 0; i < rows->items->len; i++) {
		const Row *row = rows_get(rows, i);
		struct part *part = g_hash_table_lookup(parts, row->columns);

		if (!part) {
			part = part_new(row->columns);
			g_hash_table_insert(parts, row->columns, part);
		}
		g_string_append(out, i > 0 ? ",\n" : "[\n");
		append_row(out, part, given, row);
		if (out->len > ENOUGH)
			write_out(out);
	}
	g_string_append(out, "\n]\n");
	write_out(out);
}

void rows_json_print(const Rows *rows)
{
	if (rows->items->len > 0 && rows_get(rows, 0)->columns)
		print_columns(rows);
	else
		ctl_json_print(ctl_json_from_rows(rows));
}
