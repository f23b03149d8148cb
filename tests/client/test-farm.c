/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The parts of "farm" that need no store: addresses, increments, steps, sums, hostile answers. */

#include <string.h>

#include "decisions.h"
#include "increments.h"
#include "reader.h"
#include "scripts.h"
#include "store.h"
#include "sums.h"
#include "url.h"

static void assert_url(const char *text, const char *expected)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(FarmUrl) url = farm_url_parse(text, &error);
	g_autofree char *found = url ? farm_url_to_text(url) : NULL;

	g_assert_cmpstr(found, ==, expected);
	g_assert_true((url != NULL) == (error == NULL));
}

static void test_addresses(void)
{
	assert_url("redis://h", "redis://h:6379/0");
	assert_url("redis://h/", "redis://h:6379/0");
	assert_url("rediss://user@h:1/3", "rediss://h:1/3");
	assert_url("redis://[fe80::1]:7", "redis://[fe80::1]:7/0");
	assert_url("redis://[::1]", "redis://[::1]:6379/0");
	assert_url("unix:/run/x", "unix:/run/x");
	assert_url("unix:///run/x", "unix:/run/x");
	assert_url("redis://:secret@h", NULL);
	assert_url("redis://user:secret@h", NULL);
	assert_url("redis://", NULL);
	assert_url("redis://h:0", NULL);
	assert_url("redis://h:65536", NULL);
	assert_url("redis://h:1/x", NULL);
	assert_url("redis://fe80::1", NULL);
	assert_url("redis://[::1", NULL);
	assert_url("redis://h\r\nFLUSHALL", NULL);
	assert_url("http://h", NULL);
	assert_url("unix:", NULL);
	assert_url("", NULL);
}

static void assert_node(const char *node, const char *expected)
{
	g_autoptr(FarmUrl) url = farm_url_parse("rediss://u@h:1", NULL);
	g_autoptr(FarmUrl) other = farm_url_at_node(url, node, NULL);
	g_autofree char *found = other ? farm_url_to_text(other) : NULL;

	g_assert_cmpstr(found, ==, expected);
}

static void test_nodes_of_a_cluster(void)
{
	assert_node("10.0.0.2:7001", "rediss://10.0.0.2:7001/0");
	assert_node(":7001", "rediss://h:7001/0");
	assert_node("fe80::2:7001", "rediss://[fe80::2]:7001/0");
	assert_node("h", NULL);
	assert_node("h:x", NULL);
	assert_node("", NULL);
	assert_node("a b:1", NULL);
}

/* Rows of one name, "x". */
static Rows *rows_of(guint32 batch, guint32 critical, guint32 observations, const char *taught_by)
{
	g_autoptr(Records) records = records_new();
	g_autoptr(GVariant) rows = NULL;
	const Row row = {
	    .name = "x",
	    .tier = "batch",
	    .observations = observations,
	    .votes = {batch, 0, critical},
	    .origin = PROCDB_ORIGIN_LIVE,
	    .right = 0,
	    .taught_by = taught_by,
	};

	records_add(records, &row);
	rows = g_variant_ref_sink(records_end(records));
	return rows_from_variant(rows);
}

/* What is new after rows of these counters; the marks go on. */
static void step(GHashTable **marks, Rows *made, guint32 batch, guint32 critical, guint32 runs)
{
	g_autoptr(Rows) rows = made;
	GHashTable *now;
	g_autoptr(GArray) found = farm_increments(*marks, rows, &now);
	const FarmIncrement *one = &g_array_index(found, FarmIncrement, 0);

	g_hash_table_unref(*marks);
	*marks = now;
	g_assert_cmpuint(found->len, ==, runs > 0);
	if (runs == 0)
		return;
	g_assert_cmpuint(one->votes[0], ==, batch);
	g_assert_cmpuint(one->votes[1], ==, 0);
	g_assert_cmpuint(one->votes[2], ==, critical);
	g_assert_cmpuint(one->runs, ==, runs);
}

static void test_increments(void)
{
	g_autoptr(GHashTable) marks = farm_marks_new();

	step(&marks, rows_of(3, 0, 4, "root"), 3, 0, 4);
	step(&marks, rows_of(3, 0, 4, "root"), 0, 0, 0);
	step(&marks, rows_of(60, 1, 62, "root"), 57, 1, 58);
	/* The service has halved the votes: what came since is as the votes are now. */
	step(&marks, rows_of(36, 0, 72, "root"), 10, 0, 10);
	/* Halved, and a new vote for another tier. */
	step(&marks, rows_of(20, 1, 73, "root"), 0, 1, 1);
	/* Forgotten, and learned anew. */
	step(&marks, rows_of(0, 2, 2, "root"), 0, 2, 2);
	step(&marks, rows_of(G_MAXUINT32, 2, G_MAXUINT32, "root"), 1 << 24, 0, 1 << 24);
}

static void test_a_prior_is_nothing_of_ones_own(void)
{
	g_autoptr(GHashTable) marks = farm_marks_new();

	step(&marks, rows_of(3, 0, 3, "farm"), 0, 0, 0);
	step(&marks, rows_of(4, 0, 4, "root and farm"), 1, 0, 1);
	/* It contradicted the prior, which is gone. */
	step(&marks, rows_of(1, 1, 2, "root"), 0, 1, 1);
	g_assert_cmpuint(g_hash_table_size(marks), ==, 1);
}

static void test_steps(void)
{
	g_autofree guint32 *hosts = g_new0(guint32, FARM_STEP_MAX + 1);
	guint last = 0;

	for (guint64 value = 0; value < 16; value++)
		g_assert_cmpuint(farm_step_value(farm_step_of(value)), ==, value);
	for (guint64 value = 16; value < G_MAXUINT64 / 9 * 8; value += value / 9 + 1) {
		const guint now = farm_step_of(value);
		const guint64 back = farm_step_value(now);

		g_assert_cmpuint(now, >=, last);
		g_assert_cmpuint(back > value ? back - value : value - back, <=, value / 15);
		last = now;
	}
	g_assert_cmpuint(farm_step_of(G_MAXUINT64), ==, FARM_STEP_MAX);
	g_assert_cmpuint(farm_step_median(hosts, 0), ==, 0);
	hosts[50] = 3;
	hosts[52] = 2;
	hosts[400] = 2;
	g_assert_cmpuint(farm_step_median(hosts, 7), ==, 52);
	hosts[50] = 4;
	g_assert_cmpuint(farm_step_median(hosts, 8), ==, 50);
}

static gboolean is_prior(const char *text, guint quorum)
{
	const FarmDemands demands = {.quorum = quorum, .since_s = 100, .now_s = 1000};
	g_autofree FarmSum *sum = g_new(FarmSum, 1);

	g_assert_true(farm_sum_parse(text, sum));
	return farm_sum_is_prior(sum, &demands);
}

static void test_what_makes_a_prior(void)
{
	g_assert_true(is_prior("16 2 2 3 9 0 0 1 500", 2));
	g_assert_false(is_prior("15 2 2 3 9 0 0 1 500", 2)); /* they disagree */
	g_assert_false(is_prior("16 2 2 1 9 0 0 1 500", 2)); /* one machine */
	g_assert_true(is_prior("16 2 2 1 9 0 0 1 500", 1));
	g_assert_false(is_prior("16 2 2 3 9 0 0 1 99", 2)); /* forgotten */
	g_assert_false(is_prior("2 0 0 2 9 0 0 1 500", 2)); /* too little */
	g_assert_false(is_prior("0 0 0 2 9 0 0 1 500", 2));
}

static void test_a_prior_has_medians_and_three_votes(void)
{
	const FarmDemands demands = {.quorum = 1, .since_s = 0, .now_s = 1000};
	g_autofree FarmSum *sum = g_new(FarmSum, 1);
	Row row;

	g_assert_true(
	    farm_sum_parse("0 0 24 3 90 8 1 5 9999 a3=7 a9=1 a300=1 a3=1 w7=3 c0=3", sum));
	row = farm_sum_to_row(sum, "x", &demands);
	g_assert_cmpuint(row.votes[2], ==, PROCDB_PRIOR_VOTES);
	g_assert_cmpuint(row.observations, ==, PROCDB_PRIOR_VOTES);
	g_assert_cmpuint(row.avg_runtime_ns, ==, 9);
	g_assert_cmpuint(row.wakeup_freq, ==, 7);
	g_assert_cmpuint(row.csw_rate, ==, 0);
	g_assert_cmpstr(row.tier, ==, "lat-critical");
	g_assert_cmpstr(row.taught_by, ==, "farm");
	/* Not in the future. */
	g_assert_cmpint(row.last_seen_us, ==, 1000 * G_USEC_PER_SEC);
}

static void test_records_that_are_none_are_refused(void)
{
	static const char *const bad[] = {
	    "",
	    "1",
	    "1 2 3 4 5 6 7 8",
	    "-1 0 0 1 1 0 0 1 1",
	    "1 2 3 4 5 6 7 8 9x",
	    "1 2 3 4 5 6 7 8 9 a",
	    "1 2 3 4 5 6 7 8 9 a1",
	    "1 2 3 4 5 6 7 8 9 a496=1",
	    "1 2 3 4 5 6 7 8 9 q1=1",
	    "1 2 3 4 5 6 7 8 9 a1=4294967296",
	    "1 2 3 4 5 6 7 8 9 a1=1=1",
	    "99999999999999999999 0 0 1 1 0 0 1 1",
	    "1  2 3 4 5 6 7 8 9",
	    "1 2 3 4 5 6 7 8 9 =",
	};
	g_autofree FarmSum *sum = g_new(FarmSum, 1);
	FarmPart part;

	for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_assert_false(farm_sum_parse(bad[i], sum));
		g_assert_false(farm_part_parse(bad[i], &part));
	}
	g_assert_true(farm_part_parse("1 2 3 4 5 6 7 8 9 10 11 12", &part));
	g_assert_false(farm_part_parse("1 2 3 4 5 6 7 8 9 10 11 12 13", &part));
}

static void test_names_that_are_none_are_refused(void)
{
	g_assert_true(farm_name_is_valid("cc1"));
	g_assert_true(farm_name_is_valid("\\x1b[2J"));
	g_assert_false(farm_name_is_valid("\033[2J"));
	g_assert_false(farm_name_is_valid(""));
	g_assert_false(farm_name_is_valid("a\nb"));
	g_assert_false(farm_name_is_valid("\\x61")); /* not how it is written */
	g_assert_false(farm_name_is_valid("sixteen-bytes-16"));
	g_assert_false(farm_name_is_valid("\xff"));
}

static void test_a_machine_has_one_voice(void)
{
	FarmPart part = {.votes = {0, 0, 1000000}};
	guint64 share[PROCDB_TIERS];

	farm_part_share(&part, share);
	g_assert_cmpuint(share[2], ==, FARM_HOST_WEIGHT);
	part = (FarmPart){.votes = {5, 2, 1}};
	farm_part_share(&part, share);
	g_assert_cmpuint(share[0], ==, 5);
	g_assert_cmpuint(share[1], ==, 2);
}

static void test_decisions_that_are_none_are_left_out(void)
{
	g_autoptr(GHashTable) none = farm_decisions_parse("");
	g_autoptr(GHashTable) some = farm_decisions_parse(
	    "batch cc1\n\nhigh x\nbatch\nbatch \033[2J\nlat-critical Web Content\n"
	    "batch seventeen-bytes-17\ninteractive last");
	g_autoptr(GString) many = g_string_new(NULL);
	g_autoptr(GHashTable) bounded = NULL;

	g_assert_cmpuint(g_hash_table_size(none), ==, 0);
	g_assert_cmpuint(g_hash_table_size(some), ==, 3);
	g_assert_cmpstr(g_hash_table_lookup(some, "cc1"), ==, "batch");
	g_assert_cmpstr(g_hash_table_lookup(some, "Web Content"), ==, "lat-critical");
	g_assert_cmpstr(g_hash_table_lookup(some, "last"), ==, "interactive");
	for (guint i = 0; i < 2 * FARM_MAX_OVERRIDES; i++)
		g_string_append_printf(many, "batch x%u\n", i);
	bounded = farm_decisions_parse(many->str);
	g_assert_cmpuint(g_hash_table_size(bounded), ==, FARM_MAX_OVERRIDES);
}

static void add_machine(GHashTable *machines, const char *host, const char *text)
{
	g_hash_table_insert(machines, g_strdup(host), farm_decisions_parse(text));
}

static void test_machines_decide_together(void)
{
	g_autoptr(GHashTable) machines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
							       (GDestroyNotify)g_hash_table_unref);
	g_autoptr(GHashTable) sum = NULL;
	const FarmDecision *agreed, *disagreed, *alone;

	add_machine(machines, "a", "batch agreed\nbatch disagreed");
	add_machine(machines, "b", "batch agreed\ninteractive disagreed\nbatch alone");
	add_machine(machines, "c", "batch disagreed");
	/* What the machine itself said before is not a reason to do it. */
	add_machine(machines, "own", "batch alone\nbatch gone");
	sum = farm_decisions_sum(machines, "own", 2);
	agreed = g_hash_table_lookup(sum, "agreed");
	disagreed = g_hash_table_lookup(sum, "disagreed");
	alone = g_hash_table_lookup(sum, "alone");
	g_assert_cmpuint(g_hash_table_size(sum), ==, 3);
	g_assert_cmpint(agreed->verdict, ==, FARM_AGREED);
	g_assert_cmpstr(agreed->tier, ==, "batch");
	g_assert_cmpint(disagreed->verdict, ==, FARM_DISAGREED);
	g_assert_cmpint(alone->verdict, ==, FARM_TOO_FEW);
}

/* Feeds bytes one at a time, and returns whether an answer came of them. */
static gboolean reads(const char *bytes)
{
	g_autoptr(FarmReader) reader = farm_reader_new();
	redisReply *reply = NULL;

	for (; *bytes; bytes++) {
		if (!farm_reader_feed(reader, bytes, 1) || !farm_reader_next(reader, &reply))
			return FALSE;
		if (reply) {
			freeReplyObject(reply);
			return !bytes[1];
		}
	}
	return FALSE;
}

static void test_answers_that_are_none_are_refused(void)
{
	g_assert_true(reads("*2\r\n$2\r\nok\r\n:5\r\n"));
	g_assert_true(reads("+PONG\r\n"));
	g_assert_false(reads("HTTP/1.1 400 Bad Request\r\n\r\n"));
	g_assert_false(reads("*2147483647\r\n"));
	g_assert_false(reads("*262145\r\n"));
	g_assert_false(reads("*99999999999999999999\r\n"));
	g_assert_false(reads("$-5\r\n"));
	g_assert_true(reads("*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"));
	g_assert_false(reads("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n"));
}

static void test_an_answer_has_an_end(void)
{
	g_autoptr(FarmReader) reader = farm_reader_new();
	g_autofree char *much = g_malloc(1 << 20);
	redisReply *reply;
	guint fed = 0;

	memset(much, 'x', 1 << 20);
	g_assert_true(farm_reader_feed(reader, "$1000000000\r\n", 13));
	while (fed < 100 && farm_reader_next(reader, &reply) &&
	       farm_reader_feed(reader, much, 1 << 20))
		fed++;
	g_assert_cmpuint(fed, <=, 64);
}

static FarmStoreError code_of(const char *text)
{
	redisReply reply = {.type = REDIS_REPLY_ERROR};
	g_autofree char *copy = g_strdup(text);
	g_autoptr(GError) error = NULL;

	reply.str = copy;
	reply.len = strlen(text);
	error = farm_store_error_of(&reply);
	g_assert_nonnull(error);
	g_assert_true(g_str_is_ascii(error->message));
	return (FarmStoreError)error->code;
}

static void test_errors_of_a_store_have_their_meaning(void)
{
	g_assert_cmpint(code_of("NOAUTH Authentication required."), ==, FARM_STORE_DENIED);
	g_assert_cmpint(code_of("WRONGPASS invalid"), ==, FARM_STORE_DENIED);
	g_assert_cmpint(code_of("OOM command not allowed"), ==, FARM_STORE_FULL);
	g_assert_cmpint(code_of("CLUSTERDOWN Hash slot not served"), ==, FARM_STORE_BUSY);
	g_assert_cmpint(code_of("MOVED 1 h:2"), ==, FARM_STORE_MOVED);
	g_assert_cmpint(code_of("NOSCRIPT No"), ==, FARM_STORE_UNKNOWN_SCRIPT);
	g_assert_cmpint(code_of("\033[2Jx\xff"), ==, FARM_STORE_FAILED);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/farm/addresses", test_addresses);
	g_test_add_func("/farm/nodes-of-a-cluster", test_nodes_of_a_cluster);
	g_test_add_func("/farm/increments", test_increments);
	g_test_add_func("/farm/a-prior-is-nothing-of-ones-own",
			test_a_prior_is_nothing_of_ones_own);
	g_test_add_func("/farm/steps", test_steps);
	g_test_add_func("/farm/what-makes-a-prior", test_what_makes_a_prior);
	g_test_add_func("/farm/a-prior-has-medians-and-three-votes",
			test_a_prior_has_medians_and_three_votes);
	g_test_add_func("/farm/records-that-are-none-are-refused",
			test_records_that_are_none_are_refused);
	g_test_add_func("/farm/names-that-are-none-are-refused",
			test_names_that_are_none_are_refused);
	g_test_add_func("/farm/a-machine-has-one-voice", test_a_machine_has_one_voice);
	g_test_add_func("/farm/decisions-that-are-none-are-left-out",
			test_decisions_that_are_none_are_left_out);
	g_test_add_func("/farm/machines-decide-together", test_machines_decide_together);
	g_test_add_func("/farm/answers-that-are-none-are-refused",
			test_answers_that_are_none_are_refused);
	g_test_add_func("/farm/an-answer-has-an-end", test_an_answer_has_an_end);
	g_test_add_func("/farm/errors-of-a-store-have-their-meaning",
			test_errors_of_a_store_have_their_meaning);
	return g_test_run();
}
