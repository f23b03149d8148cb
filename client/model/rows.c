/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rows.h"

#include <stddef.h>
#include <string.h>

#include "columns.h"
#include "entry.h"

static gboolean next_row(GVariantIter *iter, Row *row)
{
	return g_variant_iter_next(iter, "(&s&sdbu(uuu)ttttx&s)", &row->name, &row->tier,
				   &row->confidence, &row->confident, &row->observations,
				   &row->votes[0], &row->votes[1], &row->votes[2],
				   &row->avg_runtime_ns, &row->runtime_dev_ns, &row->wakeup_freq,
				   &row->csw_rate, &row->last_seen_us, &row->origin);
}

static gboolean next_record(GVariantIter *iter, Row *row)
{
	return g_variant_iter_next(
	    iter, "(&s&sdbu(uuu)ttttx&sxttu&su)", &row->name, &row->tier, &row->confidence,
	    &row->confident, &row->observations, &row->votes[0], &row->votes[1], &row->votes[2],
	    &row->avg_runtime_ns, &row->runtime_dev_ns, &row->wakeup_freq, &row->csw_rate,
	    &row->last_seen_us, &row->origin, &row->first_seen_us, &row->right, &row->wrong,
	    &row->withdrawals, &row->taught_by, &row->owner);
}

const RowMember row_members[] = {
    {"name", "s", offsetof(Row, name)},
    {"tier", "s", offsetof(Row, tier)},
    {"confidence", "d", offsetof(Row, confidence)},
    {"confident", "b", offsetof(Row, confident)},
    {"observations", "u", offsetof(Row, observations)},
    {"avg_runtime_ns", "t", offsetof(Row, avg_runtime_ns)},
    {"runtime_dev_ns", "t", offsetof(Row, runtime_dev_ns)},
    {"wakeup_freq", "t", offsetof(Row, wakeup_freq)},
    {"csw_rate", "t", offsetof(Row, csw_rate)},
    {"last_seen_us", "x", offsetof(Row, last_seen_us)},
    {"origin", "s", offsetof(Row, origin)},
    {"prediction_source", "s", offsetof(Row, prediction_source)},
    {"held", "s", offsetof(Row, held)},
    {"kind", "s", offsetof(Row, kind)},
    {"program", "s", offsetof(Row, program)},
    {"cpu_ns", "t", offsetof(Row, cpu_ns)},
    {"runs", "t", offsetof(Row, runs)},
    {"cpu_share", "d", offsetof(Row, cpu_share)},
    {"wakeups_per_second", "d", offsetof(Row, wakeups_per_second)},
    {"script", "s", offsetof(Row, script)},
    {"scripts", "u", offsetof(Row, scripts)},
    {"application", "s", offsetof(Row, application)},
    {"votes", "(uuu)", offsetof(Row, votes)},
};
const gsize row_members_count = G_N_ELEMENTS(row_members);

const char **rows_fields(void)
{
	const char **fields = g_new0(const char *, G_N_ELEMENTS(row_members));

	/* All but the last two, in whose places are this and the end. */
	for (size_t i = 0; i + 2 < G_N_ELEMENTS(row_members); i++)
		fields[i] = row_members[i].name;
	fields[G_N_ELEMENTS(row_members) - 2] = PROCDB_FIELD_PACKED;
	return fields;
}

static void set_member(Row *row, const char *name, GVariant *value)
{
	for (size_t i = 0; i < G_N_ELEMENTS(row_members); i++) {
		void *to = (char *)row + row_members[i].offset;

		if (!g_str_equal(row_members[i].name, name))
			continue;
		if (!g_variant_is_of_type(value, G_VARIANT_TYPE(row_members[i].type)))
			return;
		if (g_str_equal(row_members[i].type, "s"))
			*(const char **)to = g_variant_get_string(value, NULL);
		else if (g_str_equal(row_members[i].type, "(uuu)"))
			g_variant_get(value, "(uuu)", &row->votes[0], &row->votes[1],
				      &row->votes[2]);
		else
			g_variant_get(value, row_members[i].type, to);
		return;
	}
}

/* A row of which nothing is known. */
const Row rows_unknown = {
    .name = "", .tier = "", .origin = "", .cpu_share = -1, .wakeups_per_second = -1};

/* Takes a row from an a{sv}. Texts are added to replies, or are of map if that is serialized. */
static void take_members(GVariant *map, Row *row, GPtrArray *replies)
{
	const gsize count = g_variant_n_children(map);

	*row = rows_unknown;
	row->members = map;
	for (gsize i = 0; i < count; i++) {
		g_autoptr(GVariant) name = NULL, value = entry_at(map, i, &name);

		set_member(row, g_variant_get_string(name, NULL), value);
		if (replies && g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
			g_ptr_array_add(replies, g_steal_pointer(&value));
	}
}

void rows_row_of_map(GVariant *map, Row *row)
{
	/* Texts are of this, whatever becomes of what it was made of. */
	(void)g_variant_get_data(map);
	take_members(map, row, NULL);
}

/* Strings and members belong to the reply. */
static gboolean next_map(GVariantIter *iter, Row *row, GPtrArray *replies)
{
	g_autoptr(GVariant) map = g_variant_iter_next_value(iter);

	if (map)
		take_members(map, row, replies);
	return map != NULL;
}

Rows *rows_new(void)
{
	Rows *rows = g_new0(Rows, 1);

	rows->replies = g_ptr_array_new_with_free_func((GDestroyNotify)g_variant_unref);
	rows->items = g_array_new(FALSE, FALSE, sizeof(Row));
	return rows;
}

/* Appends the rows of an array, which must be of the same type as those before. */
static void add_array(Rows *rows, GVariant *profiles)
{
	const gboolean are_maps = g_variant_is_of_type(profiles, G_VARIANT_TYPE("aa{sv}"));
	Row row = rows_unknown;
	GVariantIter iter;

	rows->whole = g_variant_is_of_type(profiles, G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));
	g_ptr_array_add(rows->replies, g_variant_ref(profiles));
	g_variant_iter_init(&iter, profiles);
	while (are_maps	     ? next_map(&iter, &row, rows->replies)
	       : rows->whole ? next_record(&iter, &row)
			     : next_row(&iter, &row))
		g_array_append_val(rows->items, row);
}

Rows *rows_from_variant(GVariant *profiles)
{
	Rows *rows = rows_new();

	add_array(rows, profiles);
	return rows;
}

Rows *rows_from_columns(GVariant *columns)
{
	Rows *rows = rows_new();

	columns_add(rows, columns);
	return rows;
}

Rows *rows_fetch(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) profiles = NULL;

	if (!procdb_dbus_proc_db1_call_list_profiles_sync(ctl->proxy, ctl->call_flags,
							  ctl->timeout_ms, &profiles, NULL, error))
		return NULL;
	return rows_from_variant(profiles);
}

gboolean rows_is_unknown_method(const GError *error)
{
	return g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_METHOD);
}

void rows_filter_titles(GVariantDict *filter, const char *const *patterns)
{
	gsize bytes = 0;
	guint count = 0;

	for (; patterns[count]; count++)
		bytes += strlen(patterns[count]);
	if (count > 0 && count <= PROCDB_MAX_TITLES && bytes <= PROCDB_MAX_TITLE_BYTES)
		g_variant_dict_insert_value(filter, PROCDB_FILTER_TITLES,
					    g_variant_new_strv(patterns, -1));
}

/* A filter that any service knows. Floating. */
static GVariant *filter_of_old(GVariant *filter)
{
	GVariantDict entries = G_VARIANT_DICT_INIT(filter);

	g_variant_dict_remove(&entries, PROCDB_FILTER_TITLES);
	return g_variant_dict_end(&entries);
}

gboolean rows_is_unknown_field(const GError *error)
{
	g_autofree char *name = error ? g_dbus_error_get_remote_error(error) : NULL;

	return g_strcmp0(name, PROCDB_BUS_INTERFACE ".Error.InvalidFilter") == 0;
}

/* As many as fit into one answer, whatever their names and programs are. */
#define ROWS_AT_ONCE 8192

/* A filter for those behind a row; for all that it lets pass without one. Floating. */
static GVariant *filter_after(GVariant *filter, const Row *last)
{
	GVariantDict entries = G_VARIANT_DICT_INIT(filter);

	if (last)
		g_variant_dict_insert(&entries, "after", "s", last->name);
	return g_variant_dict_end(&entries);
}

/* Appends the rows that follow, at most ROWS_AT_ONCE. */
static gboolean query_more(Ctl *ctl, Rows *rows, GVariant *filter, const char *const *fields,
			   guint64 *serial, GError **error)
{
	const guint count = rows->items->len;
	GVariant *entries = filter_after(filter, count > 0 ? rows_get(rows, count - 1) : NULL);
	g_autoptr(GVariant) reply = NULL, found = NULL;

	reply = g_dbus_proxy_call_sync(
	    G_DBUS_PROXY(ctl->proxy), fields ? "QueryColumns" : "QueryProfiles",
	    fields ? g_variant_new("(@a{sv}^asu)", entries, fields, ROWS_AT_ONCE)
		   : g_variant_new("(@a{sv}u)", entries, ROWS_AT_ONCE),
	    ctl->call_flags, ctl->timeout_ms, NULL, error);
	if (!reply)
		return FALSE;
	found = g_variant_get_child_value(reply, 0);
	if (fields)
		columns_add(rows, found);
	else
		add_array(rows, found);
	/* What changes from now on may have been sent already. */
	if (serial && count == 0)
		g_variant_get_child(reply, 1, "t", serial);
	return TRUE;
}

Rows *rows_query(Ctl *ctl, GVariant *filter, const char *const *fields, guint64 *serial,
		 GError **error)
{
	g_autoptr(GVariant) wanted =
	    g_variant_ref_sink(filter ? filter : g_variant_new("a{sv}", NULL));
	g_autoptr(Rows) rows = rows_new();
	g_autoptr(GError) reason = NULL;
	guint before;

	if (serial)
		*serial = 0;
	do {
		before = rows->items->len;
		if (!query_more(ctl, rows, wanted, fields, serial, &reason))
			break;
	} while (rows->items->len == before + ROWS_AT_ONCE);
	if (!reason)
		return g_steal_pointer(&rows);
	if (rows_is_unknown_method(reason) || (fields && rows_is_unknown_field(reason)))
		return fields ? rows_query(ctl, filter_of_old(wanted), NULL, serial, error)
			      : rows_fetch(ctl, error);
	g_propagate_error(error, g_steal_pointer(&reason));
	return NULL;
}

Rows *rows_fetch_whole(Ctl *ctl, GError **error)
{
	g_autoptr(GVariant) profiles = NULL;

	if (!procdb_dbus_proc_db1_call_export_profiles_sync(
		ctl->proxy, ctl->call_flags, ctl->timeout_ms, &profiles, NULL, error))
		return NULL;
	return rows_from_variant(profiles);
}

void rows_free(Rows *rows)
{
	g_array_unref(rows->items);
	g_ptr_array_unref(rows->replies);
	g_free(rows);
}

const char *const rows_origins[] = {PROCDB_ORIGIN_LIVE, PROCDB_ORIGIN_RETAINED,
				    PROCDB_ORIGIN_OVERRIDE, NULL};

int rows_tier_rank(const char *tier)
{
	enum procdb_tier rank;

	return tier && procdb_tier_parse(tier, &rank) ? (int)rank : -1;
}

const char *const rows_words[] = {"batch", "interactive", "lat-critical", ROWS_BRIEF, NULL};

gboolean rows_predicts(const Row *row)
{
	if (row->prediction_source)
		return !g_str_equal(row->prediction_source, "none");
	return row->confident || g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE);
}

/* As python3 and python3.11, make and gmake, as and x86_64-linux-gnu-as, or a name that was cut. */
static gboolean is_same_word(const char *program, const char *name)
{
	const gsize len = strlen(name), whole = strlen(program);

	if (g_str_has_prefix(program, name) || g_str_has_prefix(name, program))
		return TRUE;
	return whole > len && g_str_has_suffix(program, name) &&
	       (program[whole - len - 1] == '-' || (program[0] == 'g' && whole == len + 1));
}

/* What a script is called without its directory, and how many others there are. */
static char *script_title(const Row *row)
{
	g_autofree char *script = g_path_get_basename(row->script);

	if (row->scripts < 2)
		return is_same_word(script, row->name)
			   ? g_strdup(row->name)
			   : g_strdup_printf("%s (%s)", row->name, script);
	return g_strdup_printf("%s (%s and %u more)", row->name, script, row->scripts - 1);
}

char *rows_title(const Row *row)
{
	g_autofree char *program = NULL;

	if (row->script && *row->script)
		return script_title(row);
	if (!row->program || !*row->program)
		return g_strdup(row->name);
	program = g_path_get_basename(row->program);
	return is_same_word(program, row->name) ? g_strdup(row->name)
						: g_strdup_printf("%s (%s)", row->name, program);
}

gboolean rows_is_brief(const Row *row)
{
	/* What began before the service has no starts: one life is known to be as long as this. */
	const gboolean is_known =
	    row->cpu_ns > 0 && (row->runs > 0 || row->cpu_ns >= ROWS_BRIEF_LIFE_NS);

	/* All of its life, where that is known, and else what it does between two sleeps. */
	if (is_known ? row->cpu_ns / MAX(row->runs, 1) >= ROWS_BRIEF_LIFE_NS
		     : row->avg_runtime_ns >= ROWS_BRIEF_NS)
		return FALSE;
	return row->observations > 0 && !row->held &&
	       g_str_equal(row->tier, procdb_tier_name(PROCDB_TIER_INTERACTIVE)) &&
	       !g_str_equal(row->origin, PROCDB_ORIGIN_OVERRIDE);
}

const char *rows_word(const Row *row)
{
	if (row->held)
		return row->held;
	return rows_is_brief(row) ? ROWS_BRIEF : row->tier;
}

gboolean rows_is_of(const Row *row, const char *word)
{
	return g_str_equal(word, row->tier) || g_str_equal(word, rows_word(row));
}

gboolean rows_is_kernel_thread(const Row *row)
{
	static const char *const names[] = {"kthreadd", "khugepaged", "ksmd",	    "kdevtmpfs",
					    "kauditd",	"oom_reaper", "khungtaskd", NULL};
	static const char *const starts[] = {
	    "kworker/", "ksoftirqd/", "migration/", "irq/",   "cpuhp/", "idle_inject/",
	    "rcu_",	"rcuop/",     "rcuog/",	    "rcub/",  "kswapd", "kcompactd",
	    "jbd2/",	"kdamond.",   "watchdogd",  "psimon", "nvme-",	"scsi_",
	    "md_",	"card0-crtc", NULL};

	if (row->kind)
		return g_str_equal(row->kind, "kernel");
	if (g_strv_contains(names, row->name))
		return TRUE;
	for (const char *const *start = starts; *start; start++) {
		if (g_str_has_prefix(row->name, *start))
			return TRUE;
	}
	return FALSE;
}

void rows_keep(Rows *rows, gboolean (*wanted)(const Row *row, gpointer user_data),
	       gpointer user_data)
{
	guint kept = 0;

	for (guint i = 0; i < rows->items->len; i++) {
		if (wanted(rows_get(rows, i), user_data))
			g_array_index(rows->items, Row, kept++) = *rows_get(rows, i);
	}
	g_array_set_size(rows->items, kept);
}

gboolean rows_match(const char *pattern, const char *name)
{
	return g_pattern_match_simple(pattern, name);
}

gboolean rows_match_any(char *const *patterns, const char *name)
{
	if (!patterns[0])
		return TRUE;
	for (; *patterns; patterns++) {
		if (rows_match(*patterns, name))
			return TRUE;
	}
	return FALSE;
}

gboolean rows_is_pattern(const char *text)
{
	return strpbrk(text, "*?") != NULL;
}
