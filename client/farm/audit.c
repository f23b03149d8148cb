/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Which machine gave what, which of them stands alone with it, and how its part is taken out. */

#include <stdio.h>
#include <string.h>

#include "ask.h"
#include "json.h"
#include "out-table.h"
#include "output.h"
#include "decisions.h"
#include "overrides.h"
#include "session.h"
#include "sums.h"

/* Times as many runs as other machines have of the name on average. */
#define HEAVY 100
/* Names of a machine that a line of the table shows. */
#define SHOWN_NAMES 3

typedef struct {
	char *host;
	gint64 pushed_s;
	guint names;
	guint64 runs;
	guint against; /* names that all others see otherwise */
	guint heavy;   /* names with far more runs than others have */
	guint overrides;
	GString *which; /* some of these */
	guint shown;	/* those that note() got, which may be both */
} Line;

static void line_clear(gpointer data)
{
	Line *line = data;

	g_free(line->host);
	g_string_free(line->which, TRUE);
}

/* The records at a key, by name: checked texts. NULL with error set. */
static GHashTable *read_records(FarmSession *session, const char *kind, const char *host,
				GError **error)
{
	g_autofree char *key = farm_session_key(session, kind, host);
	g_autoptr(GPtrArray) words = g_ptr_array_new();
	g_autoptr(FarmReply) reply = NULL;
	GHashTable *records;

	g_ptr_array_add(words, (gpointer) "HGETALL");
	g_ptr_array_add(words, key);
	reply = farm_store_call(session->store, words, error);
	if (!reply || !farm_session_check_pairs(reply, error))
		return NULL;
	records = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	for (gsize i = 0; i < reply->elements; i += 2)
		if (farm_name_is_valid(reply->element[i]->str))
			g_hash_table_insert(records, g_strdup(reply->element[i]->str),
					    g_strdup(reply->element[i + 1]->str));
	return records;
}

/* Whether nearly all of these votes are for one tier. */
static gboolean agree(const guint64 votes[PROCDB_TIERS])
{
	const guint64 all = votes[0] + votes[1] + votes[2];

	return all >= PROCDB_PRIOR_VOTES && votes[farm_tier_of(votes)] * 5 >= all * 4;
}

static void note(Line *line, const char *name)
{
	if (line->shown++ < SHOWN_NAMES)
		g_string_append_printf(line->which, "%s%s", line->which->len ? ", " : "", name);
}

/* Compares a machine with all others that have seen the name. */
static void compare(Line *line, const char *name, const FarmPart *part, FarmSum *sum)
{
	guint64 share[PROCDB_TIERS];
	gboolean against;

	line->names++;
	line->runs += part->runs;
	if (sum->hosts < 3)
		return;
	farm_part_share(part, share);
	for (guint i = 0; i < PROCDB_TIERS; i++)
		sum->votes[i] -= MIN(sum->votes[i], share[i]);
	sum->runs -= MIN(sum->runs, part->runs);
	against =
	    agree(share) && agree(sum->votes) && farm_tier_of(share) != farm_tier_of(sum->votes);
	line->against += against;
	if (part->runs / HEAVY > sum->runs / (sum->hosts - 1))
		line->heavy++;
	else if (!against)
		return;
	note(line, name);
}

/* What the farm knows of all machines together. */
typedef struct {
	GHashTable *sums;
	GHashTable *overrides; /* by machine */
} Whole;

static void whole_clear(Whole *whole)
{
	g_clear_pointer(&whole->sums, g_hash_table_unref);
	g_clear_pointer(&whole->overrides, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Whole, whole_clear)

static gboolean add_line(FarmSession *session, const Whole *whole, GArray *lines, const char *host,
			 gint64 pushed_s, GError **error)
{
	FarmDecisions *decisions = g_hash_table_lookup(whole->overrides, host);
	g_autoptr(GHashTable) parts = read_records(session, "host", host, error);
	Line line = {.pushed_s = pushed_s};
	GHashTableIter iter;
	gpointer name, text;

	if (!parts)
		return FALSE;
	line.host = g_strdup(host);
	line.overrides = decisions ? g_hash_table_size(decisions) : 0;
	line.which = g_string_new(NULL);
	g_hash_table_iter_init(&iter, parts);
	while (g_hash_table_iter_next(&iter, &name, &text)) {
		const char *all = g_hash_table_lookup(whole->sums, name);
		g_autofree FarmSum *sum = g_new0(FarmSum, 1);
		FarmPart part;

		if (all && farm_sum_parse(all, sum) && farm_part_parse(text, &part))
			compare(&line, name, &part, sum);
	}
	g_array_append_val(lines, line);
	return TRUE;
}

/* Those that stand alone first. */
static gint by_suspicion(gconstpointer a, gconstpointer b)
{
	const Line *x = a, *y = b;
	const guint p = x->against + x->heavy, q = y->against + y->heavy;

	return p != q ? (p < q ? 1 : -1) : strcmp(x->host, y->host);
}

static void print_lines(Ctl *ctl, const GArray *lines)
{
	static const OutColumn columns[] = {
	    {"MACHINE", 0},
	    {"PUSHED", 0},
	    {"PROGRAMS", SCOLS_FL_RIGHT},
	    {"RUNS", SCOLS_FL_RIGHT},
	    {"AGAINST ALL", SCOLS_FL_RIGHT},
	    {"FAR MORE", SCOLS_FL_RIGHT},
	    {"OVERRIDES", SCOLS_FL_RIGHT},
	    {"AS", SCOLS_FL_TRUNC},
	    {NULL},
	};
	g_autoptr(OutTable) table = out_table_new(ctl, columns);

	for (guint i = 0; i < lines->len; i++) {
		const Line *line = &g_array_index(lines, Line, i);
		g_autofree char *ago = out_ago(line->pushed_s * G_USEC_PER_SEC, g_get_real_time());
		g_autofree char *names = out_number(line->names);
		g_autofree char *runs = out_number(line->runs);
		g_autofree char *against = out_number(line->against);
		g_autofree char *heavy = out_number(line->heavy);
		g_autofree char *overrides = out_number(line->overrides);
		const char *texts[] = {line->host, ago,	  names,     runs,
				       against,	   heavy, overrides, line->which->str};

		out_table_add(table, texts, NULL);
	}
	out_table_print(table, stdout);
}

static JsonNode *line_to_json(const Line *line)
{
	JsonBuilder *builder = ctl_json_begin();

	ctl_json_set_string(builder, "machine", line->host);
	ctl_json_set_uint(builder, "pushed_us", (guint64)MAX(line->pushed_s, 0) * G_USEC_PER_SEC);
	ctl_json_set_uint(builder, "programs", line->names);
	ctl_json_set_uint(builder, "runs", line->runs);
	ctl_json_set_uint(builder, "against_all", line->against);
	ctl_json_set_uint(builder, "far_more", line->heavy);
	ctl_json_set_uint(builder, "overrides", line->overrides);
	return ctl_json_end(builder);
}

static void print_json(const GArray *lines)
{
	JsonArray *array = json_array_new();
	JsonNode *node = json_node_alloc();

	for (guint i = 0; i < lines->len; i++)
		json_array_add_element(array, line_to_json(&g_array_index(lines, Line, i)));
	ctl_json_print(json_node_init_array(node, array));
	json_array_unref(array);
}

/* What one machine gave of one name. */
static void add_part(OutTable *table, const char *host, gint64 pushed_s, const FarmPart *part,
		     const char *override)
{
	g_autofree char *ago = out_ago(pushed_s * G_USEC_PER_SEC, g_get_real_time());
	g_autofree char *batch = out_number(part->votes[0]);
	g_autofree char *interactive = out_number(part->votes[1]);
	g_autofree char *critical = out_number(part->votes[2]);
	g_autofree char *runs = out_number(part->runs);
	g_autofree char *runtime =
	    out_duration_ns(farm_step_value((guint)MIN(part->steps[0], FARM_STEP_MAX)));
	const char *texts[] = {host,	 ago,  batch,	interactive,
			       critical, runs, runtime, override ? override : ""};

	out_table_add(table, texts, NULL);
}

static JsonNode *part_to_json(const char *host, gint64 pushed_s, const FarmPart *part,
			      const char *override)
{
	JsonBuilder *builder = ctl_json_begin();
	JsonBuilder *votes = ctl_json_begin();

	for (guint i = 0; i < PROCDB_TIERS; i++)
		ctl_json_set_uint(votes, procdb_tier_names[i], part->votes[i]);
	ctl_json_set_string(builder, "machine", host);
	ctl_json_set_uint(builder, "pushed_us", (guint64)MAX(pushed_s, 0) * G_USEC_PER_SEC);
	ctl_json_set(builder, "votes", ctl_json_end(votes));
	ctl_json_set_uint(builder, "runs", part->runs);
	ctl_json_set_uint(builder, "avg_runtime_ns",
			  farm_step_value((guint)MIN(part->steps[0], FARM_STEP_MAX)));
	if (override)
		ctl_json_set_string(builder, "override", override);
	return ctl_json_end(builder);
}

/* Calls add_part() or part_to_json() for each machine that saw the name. */
static gboolean read_parts(FarmSession *session, GHashTable *hosts, const char *name,
			   OutTable *table, JsonArray *array, GError **error)
{
	g_autoptr(GList) all = g_list_sort(g_hash_table_get_keys(hosts), (GCompareFunc)strcmp);
	g_autoptr(GHashTable) overrides = farm_overrides_read(session, error);

	if (!overrides)
		return FALSE;
	for (const GList *host = all; host; host = host->next) {
		g_autoptr(GHashTable) parts = read_records(session, "host", host->data, error);
		const gint64 *pushed_s = g_hash_table_lookup(hosts, host->data);
		FarmDecisions *decisions = g_hash_table_lookup(overrides, host->data);
		const char *override = decisions ? g_hash_table_lookup(decisions, name) : NULL;
		FarmPart part = {0};
		const char *text;

		if (!parts)
			return FALSE;
		text = g_hash_table_lookup(parts, name);
		/* It may have decided what it has not seen. */
		if (text ? !farm_part_parse(text, &part) : !override)
			continue;
		if (array)
			json_array_add_element(
			    array, part_to_json(host->data, *pushed_s, &part, override));
		else
			add_part(table, host->data, *pushed_s, &part, override);
	}
	return TRUE;
}

static gboolean audit_name(Ctl *ctl, FarmSession *session, GHashTable *hosts, const char *name,
			   GError **error)
{
	static const OutColumn columns[] = {
	    {"MACHINE", 0},
	    {"PUSHED", 0},
	    {"BATCH", SCOLS_FL_RIGHT},
	    {"INTERACTIVE", SCOLS_FL_RIGHT},
	    {"LAT-CRITICAL", SCOLS_FL_RIGHT},
	    {"RUNS", SCOLS_FL_RIGHT},
	    {"RUNTIME", SCOLS_FL_RIGHT},
	    {"OVERRIDE", 0},
	    {NULL},
	};
	g_autoptr(JsonArray) array = ctl->json ? json_array_new() : NULL;
	g_autoptr(OutTable) table = ctl->json ? NULL : out_table_new(ctl, columns);

	if (!read_parts(session, hosts, name, table, array, error))
		return FALSE;
	if (table)
		out_table_print(table, stdout);
	else
		ctl_json_print(json_node_init_array(json_node_alloc(), array));
	return TRUE;
}

static gboolean audit_all(Ctl *ctl, FarmSession *session, GHashTable *hosts, GError **error)
{
	g_auto(Whole) whole = {0};
	g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(Line));
	GHashTableIter iter;
	gpointer host, pushed_s;

	whole.sums = read_records(session, "sums", NULL, error);
	if (whole.sums)
		whole.overrides = farm_overrides_read(session, error);
	if (!whole.overrides)
		return FALSE;
	g_array_set_clear_func(lines, line_clear);
	g_hash_table_iter_init(&iter, hosts);
	while (g_hash_table_iter_next(&iter, &host, &pushed_s))
		if (!add_line(session, &whole, lines, host, *(gint64 *)pushed_s, error))
			return FALSE;
	g_array_sort(lines, by_suspicion);
	if (ctl->json)
		print_json(lines);
	else
		print_lines(ctl, lines);
	return TRUE;
}

int farm_audit(Ctl *ctl, const FarmOptions *options, const char *name)
{
	g_autoptr(FarmSession) session = NULL;
	g_autoptr(GHashTable) hosts = NULL;
	g_autoptr(GError) error = NULL;
	int status = CTL_OK;

	session = farm_session_open(options, FALSE, &status);
	if (!session)
		return status;
	hosts = farm_session_hosts(session, &error);
	if (!hosts || !(name ? audit_name(ctl, session, hosts, name, &error)
			     : audit_all(ctl, session, hosts, &error)))
		return farm_session_report(session, error);
	return CTL_OK;
}

int farm_forget(Ctl *ctl, const FarmOptions *options, const char *host)
{
	g_autoptr(FarmSession) session = NULL;
	g_autoptr(GHashTable) hosts = NULL;
	g_autoptr(GPtrArray) names = NULL;
	g_autoptr(GError) error = NULL;
	g_autofree char *count = NULL;
	int status = CTL_OK;

	session = farm_session_open(options, FALSE, &status);
	if (!session)
		return status;
	hosts = farm_session_hosts(session, &error);
	names = hosts && farm_is_word(host) ? farm_session_names(session, host, &error)
					    : g_ptr_array_new();
	if (!hosts || !names)
		return farm_session_report(session, error);
	if (names->len == 0 && !g_hash_table_contains(hosts, host)) {
		g_printerr("The farm has nothing from a machine \"%s\".\n"
			   "\"pandemoniumctl farm audit\" shows those that there are.\n",
			   host);
		return CTL_NO_PROFILE;
	}
	if (!farm_session_drop(session, host, names, &error))
		return farm_session_report(session, error);
	count = out_count(names->len, "program");
	if (ctl->json)
		ctl_json_print_count("forgotten", names->len);
	else
		printf("Forgot what %s gave: %s. What it pushes from now on counts again.\n", host,
		       count);
	return CTL_OK;
}
