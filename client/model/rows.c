/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "rows.h"

#include <stddef.h>
#include <string.h>

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

/* Members of a PROCDB_RECORD. */
#define RECORD_MEMBERS 18

struct _Records {
	GVariantBuilder builder;
	/* Of the record before; most of its members are those of the next one. */
	Row before;
	GVariant *values[RECORD_MEMBERS];
};

Records *records_new(void)
{
	Records *records = g_new0(Records, 1);

	g_variant_builder_init(&records->builder, G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));
	return records;
}

void records_free(Records *records)
{
	for (guint i = 0; i < RECORD_MEMBERS; i++)
		g_clear_pointer(&records->values[i], g_variant_unref);
	g_variant_builder_clear(&records->builder);
	g_free(records);
}

static void remember(GVariant **last, GVariant *value)
{
	g_clear_pointer(last, g_variant_unref);
	*last = g_variant_ref_sink(value);
}

static void set_uint64(GVariant **last, guint64 before, guint64 value)
{
	if (!*last || before != value)
		remember(last, g_variant_new_uint64(value));
}

static void set_int64(GVariant **last, gint64 before, gint64 value)
{
	if (!*last || before != value)
		remember(last, g_variant_new_int64(value));
}

static void set_uint32(GVariant **last, guint32 before, guint32 value)
{
	if (!*last || before != value)
		remember(last, g_variant_new_uint32(value));
}

/* The text of the record before may be gone. */
static void set_string(GVariant **last, const char *value)
{
	if (!*last || strcmp(g_variant_get_string(*last, NULL), value) != 0)
		remember(last, g_variant_new_string(value));
}

static void set_votes(GVariant **last, const guint32 before[PROCDB_TIERS],
		      const guint32 votes[PROCDB_TIERS])
{
	if (!*last || memcmp(before, votes, sizeof(guint32) * PROCDB_TIERS) != 0)
		remember(last, g_variant_new("(uuu)", votes[0], votes[1], votes[2]));
}

/* What the service ignores, and says itself. */
static void set_confidence(GVariant *last[2], const Row *before, const Row *row)
{
	if (!last[0] || before->confidence != row->confidence)
		remember(&last[0], g_variant_new_double(row->confidence));
	if (!last[1] || before->confident != row->confident)
		remember(&last[1], g_variant_new_boolean(row->confident));
}

void records_add(Records *records, const Row *row)
{
	const Row *before = &records->before;
	GVariant **values = records->values;

	set_string(&values[0], row->name);
	set_string(&values[1], row->tier);
	set_confidence(&values[2], before, row);
	set_uint32(&values[4], before->observations, row->observations);
	set_votes(&values[5], before->votes, row->votes);
	set_uint64(&values[6], before->avg_runtime_ns, row->avg_runtime_ns);
	set_uint64(&values[7], before->runtime_dev_ns, row->runtime_dev_ns);
	set_uint64(&values[8], before->wakeup_freq, row->wakeup_freq);
	set_uint64(&values[9], before->csw_rate, row->csw_rate);
	set_int64(&values[10], before->last_seen_us, row->last_seen_us);
	set_string(&values[11], row->origin);
	set_int64(&values[12], before->first_seen_us, row->first_seen_us);
	set_uint64(&values[13], before->right, row->right);
	set_uint64(&values[14], before->wrong, row->wrong);
	set_uint32(&values[15], before->withdrawals, row->withdrawals);
	set_string(&values[16], row->taught_by);
	set_uint32(&values[17], before->owner, row->owner);
	records->before = *row;
	g_variant_builder_add_value(&records->builder, g_variant_new_tuple(values, RECORD_MEMBERS));
}

GVariant *records_end(Records *records)
{
	return g_variant_builder_end(&records->builder);
}

/* Members of a row by name, and where they go; the type is that of the member. */
static const struct {
	const char *name;
	const char *type;
	size_t offset;
} members[] = {
    {"name", "s", offsetof(Row, name)},
    {"tier", "s", offsetof(Row, tier)},
    {"confidence", "d", offsetof(Row, confidence)},
    {"confident", "b", offsetof(Row, confident)},
    {"observations", "u", offsetof(Row, observations)},
    {"votes", "(uuu)", offsetof(Row, votes)},
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
};

static void set_member(Row *row, const char *name, GVariant *value)
{
	for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
		void *to = (char *)row + members[i].offset;

		if (!g_str_equal(members[i].name, name))
			continue;
		if (!g_variant_is_of_type(value, G_VARIANT_TYPE(members[i].type)))
			return;
		if (g_str_equal(members[i].type, "s"))
			*(const char **)to = g_variant_get_string(value, NULL);
		else if (g_str_equal(members[i].type, "(uuu)"))
			g_variant_get(value, "(uuu)", &row->votes[0], &row->votes[1],
				      &row->votes[2]);
		else
			g_variant_get(value, members[i].type, to);
		return;
	}
}

void rows_row_of_map(GVariant *map, Row *row)
{
	GVariantIter entries;
	const char *name;
	GVariant *value;

	*row = (Row){.name = "", .tier = "", .origin = "", .members = map};
	row->cpu_share = row->wakeups_per_second = -1;
	g_variant_iter_init(&entries, map);
	while (g_variant_iter_loop(&entries, "{&sv}", &name, &value))
		set_member(row, name, value);
}

/* Strings and members belong to the reply. */
static gboolean next_map(GVariantIter *iter, Row *row)
{
	g_autoptr(GVariant) map = g_variant_iter_next_value(iter);

	if (map)
		rows_row_of_map(map, row);
	return map != NULL;
}

static gboolean next(const Rows *rows, GVariantIter *iter, Row *row)
{
	if (g_variant_is_of_type(rows->reply, G_VARIANT_TYPE("aa{sv}")))
		return next_map(iter, row);
	return rows->whole ? next_record(iter, row) : next_row(iter, row);
}

Rows *rows_new(guint room)
{
	Rows *rows = g_new0(Rows, 1);

	rows->items = g_array_sized_new(FALSE, FALSE, sizeof(Row), room);
	return rows;
}

Rows *rows_from_variant(GVariant *profiles)
{
	Rows *rows = rows_new((guint)g_variant_n_children(profiles));
	GVariantIter iter;
	Row row = {.cpu_share = -1, .wakeups_per_second = -1};

	rows->whole = g_variant_is_of_type(profiles, G_VARIANT_TYPE("a(" PROCDB_RECORD ")"));
	rows->reply = g_variant_ref(profiles);
	g_variant_iter_init(&iter, profiles);
	while (next(rows, &iter, &row))
		g_array_append_val(rows->items, row);
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

Rows *rows_query(Ctl *ctl, GVariant *filter, guint limit, guint64 *serial, GError **error)
{
	g_autoptr(GVariant) reply = NULL;
	g_autoptr(GVariant) profiles = NULL;
	g_autoptr(GError) reason = NULL;

	if (serial)
		*serial = 0;
	reply = g_dbus_proxy_call_sync(
	    G_DBUS_PROXY(ctl->proxy), "QueryProfiles",
	    g_variant_new("(@a{sv}u)", filter ? filter : g_variant_new("a{sv}", NULL), limit),
	    ctl->call_flags, ctl->timeout_ms, NULL, &reason);
	if (rows_is_unknown_method(reason))
		return rows_fetch(ctl, error);
	if (!reply) {
		g_propagate_error(error, g_steal_pointer(&reason));
		return NULL;
	}
	profiles = g_variant_get_child_value(reply, 0);
	if (serial)
		g_variant_get_child(reply, 1, "t", serial);
	return rows_from_variant(profiles);
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
	g_clear_pointer(&rows->reply, g_variant_unref);
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

/* As python3 and python3.11, make and gmake, or a name that the kernel has cut. */
static gboolean is_same_word(const char *program, const char *name)
{
	return strstr(program, name) || strstr(name, program);
}

char *rows_title(const Row *row)
{
	g_autofree char *program = NULL;

	if (!row->program || !*row->program)
		return g_strdup(row->name);
	program = g_path_get_basename(row->program);
	return is_same_word(program, row->name) ? g_strdup(row->name)
						: g_strdup_printf("%s (%s)", row->name, program);
}

gboolean rows_is_brief(const Row *row)
{
	const gboolean is_known = row->cpu_ns > 0 && row->runs > 0;

	/* All of its life, where that is known, and else what it does between two sleeps. */
	if (is_known ? row->cpu_ns / row->runs >= ROWS_BRIEF_LIFE_NS
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
