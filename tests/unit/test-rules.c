/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* Which override by program or unit decides for a task, and what the script of an interpreter is.
 */

#include "engine-fixture.h"

#include <string.h>

#include "ledger.h"
#include "script.h"

/* Arguments as a program gets them, from words with | between. */
static gsize arguments(const char *words, char *args, gsize size)
{
	const gsize len = MIN(strlen(words) + 1, size);

	memcpy(args, words, len);
	for (gsize i = 0; i < len; i++)
		if (args[i] == '|')
			args[i] = '\0';
	return len;
}

static void test_the_script_of_an_interpreter(void)
{
	static const struct {
		const char *path, *args, *script;
	} cases[] = {
	    {"/usr/bin/python3.11", "python3|train.py", "train.py"},
	    {"/usr/bin/python3.11", "python3|-u|-W|ignore|/srv/a b.py|train.py", "/srv/a b.py"},
	    {"/usr/bin/python3", "python3|-m|http.server|80", "http.server"},
	    {"/usr/bin/python3", "python3|-c|print(1)|train.py", NULL},
	    {"/usr/bin/python3", "python3", NULL},
	    {"/usr/bin/python3", "python3|", NULL},
	    {"/usr/bin/python3", "python3|-", NULL},
	    {"/opt/pypy3.9-7/bin/pypy3", "x|-X|dev|t.py", "t.py"},
	    {"/bin/bash", "bash|./build.sh|all", "./build.sh"},
	    {"/bin/bash", "-bash", NULL},
	    {"/bin/bash", "bash|-lc|make|build.sh", NULL},
	    {"/bin/dash", "sh|-euo|pipefail|build.sh", "build.sh"},
	    {"/bin/bash", "bash|--norc|--|-odd.sh", "-odd.sh"},
	    {"/usr/bin/node", "node|-r|hook|--inspect|server.js", "server.js"},
	    {"/usr/bin/node", "node|--eval|1", NULL},
	    {"/usr/lib/jvm/17/bin/java", "java|-Xmx1g|-cp|a:b|-jar|/opt/x.jar|-v", "/opt/x.jar"},
	    {"/usr/lib/jvm/17/bin/java", "java|-cp|a:b|org.Main", "org.Main"},
	    {"/usr/bin/perl", "perl|-w|job.pl", "job.pl"},
	    {"/usr/bin/perl", "perl|-ne|print|job.pl", NULL},
	    {"/usr/bin/wine", "wine|game.exe", "game.exe"},
	    {"/usr/bin/vim", "vim|train.py", NULL},
	    {"/usr/bin/pythonic", "python3|train.py", NULL},
	    {"", "python3|train.py", NULL},
	};
	char args[PROCDB_ARGS_LEN];

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
		const gsize len = arguments(cases[i].args, args, sizeof(args));

		g_assert_cmpstr(procdb_script_find(cases[i].path, args, len), ==, cases[i].script);
	}
}

static void test_programs_that_run_others(void)
{
	g_assert_true(procdb_script_is_interpreter("/usr/bin/python3.11"));
	g_assert_true(procdb_script_is_interpreter("sh"));
	g_assert_false(procdb_script_is_interpreter("/usr/bin/python3/vim"));
	g_assert_false(procdb_script_is_interpreter("pythonic"));
	g_assert_false(procdb_script_is_interpreter("3"));
	g_assert_false(procdb_script_is_interpreter(""));
}

static void test_what_is_cut_is_not_believed(void)
{
	char args[PROCDB_ARGS_LEN];
	const gsize len = arguments("python3|-u|train.py", args, sizeof(args));

	g_assert_null(procdb_script_find("/usr/bin/python3", args, len - 1));
	for (gsize cut = 1; cut <= len; cut++)
		g_assert_null(procdb_script_find("/usr/bin/python3", args, len - cut));
}

/* In memory of its own size, for what watches what is read. */
static void test_arguments_of_any_bytes(void)
{
	static const char *const paths[] = {"/usr/bin/python3", "/bin/sh", "java", "lua5.4",
					    "/x/node"};
	g_autoptr(GRand) random = g_rand_new_with_seed(16);

	for (guint round = 0; round < 100000; round++) {
		const gsize len = (gsize)g_rand_int_range(random, 0, PROCDB_ARGS_LEN);
		g_autofree char *args = g_malloc(len + 1), *end = NULL;
		const char *script;

		for (gsize i = 0; i < len; i++)
			args[i] = "-\0\0cemW a/+\xff"[g_rand_int_range(random, 0, 13)];
		end = g_memdup2(args, MAX(len, 1));
		script = procdb_script_find(paths[round % G_N_ELEMENTS(paths)], end, len);
		if (script)
			g_assert_true(script > end && script < end + len && *script &&
				      memchr(script, '\0', (gsize)(end + len - script)));
	}
}

static void test_patterns(void)
{
	static const struct {
		const char *pattern, *text;
		gboolean matches;
	} cases[] = {
	    {"a.py", "a.py", TRUE},
	    {"a.py", "a.pyc", FALSE},
	    {"*", "", TRUE},
	    {"", "", TRUE},
	    {"", "a", FALSE},
	    {"?", "", FALSE},
	    {"app-*.scope", "app-x-1.scope", TRUE},
	    {"app-*.scope", "app-x.service", FALSE},
	    {"*.scope", "a.scope.scope", TRUE},
	    {"a*b*c", "aXbXbXc", TRUE},
	    {"a?c", "abc", TRUE},
	    {"**", "abc", TRUE},
	    {"/srv/*/run.py", "/srv/a/b/run.py", TRUE},
	};
	g_autofree char *stars = g_strnfill(255, '*'), *text = g_strnfill(255, 'a');

	for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
		g_assert_cmpint(procdb_script_matches(cases[i].pattern, cases[i].text), ==,
				cases[i].matches);
	/* No pattern takes long. */
	for (gsize i = 0; i + 1 < 255; i += 2)
		stars[i] = 'a';
	stars[254] = 'b';
	for (guint i = 0; i < 1000; i++)
		g_assert_false(procdb_script_matches(stars, text));
}

static struct procdb_execution execution(const char *path, const char *args, const char *unit)
{
	struct procdb_execution executed = {0};

	memcpy(executed.event.comm.bytes, "python3", 7);
	g_strlcpy(executed.path, path, sizeof(executed.path));
	g_strlcpy(executed.unit, unit, sizeof(executed.unit));
	executed.args_len = (guint32)arguments(args, executed.args, sizeof(executed.args));
	return executed;
}

static guint8 decide(const EngineFixture *f, const char *args, const char *unit)
{
	const struct procdb_execution executed = execution("/usr/bin/python3", args, unit);

	return procdb_engine_decide(f->engine, &executed);
}

static void set(EngineFixture *f, ProcdbRuleKind kind, const char *text, enum procdb_tier tier)
{
	g_autoptr(GError) error = NULL;

	procdb_engine_set_rule(f->engine, kind, text, tier, &error);
	g_assert_no_error(error);
}

#define BY_PROGRAM(tier) PROCDB_DECISION(PROCDB_TIER_##tier, PROCDB_BY_PROGRAM)

static void test_what_says_more_decides(EngineFixture *f, gconstpointer data)
{
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "a.service"), ==, 0);
	set(f, PROCDB_RULE_UNIT, "a.*", PROCDB_TIER_BATCH);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "a.service"), ==,
			 PROCDB_DECISION(PROCDB_TIER_BATCH, 0));
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "b.service"), ==, 0);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", ""), ==, 0);
	set(f, PROCDB_RULE_UNIT, "a.service", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "a.service"), ==,
			 PROCDB_DECISION(PROCDB_TIER_INTERACTIVE, 0));
	/* As for systemctl. */
	set(f, PROCDB_RULE_UNIT, "nginx", PROCDB_TIER_BATCH);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "nginx.service"), ==,
			 PROCDB_DECISION(PROCDB_TIER_BATCH, 0));
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "nginx.scope"), ==, 0);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "nginx"), ==,
			 PROCDB_DECISION(PROCDB_TIER_BATCH, 0));
	set(f, PROCDB_RULE_PROGRAM, "*.py", PROCDB_TIER_BATCH);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "a.service"), ==, BY_PROGRAM(BATCH));
	set(f, PROCDB_RULE_PROGRAM, "train.py", PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "a.service"), ==,
			 BY_PROGRAM(LAT_CRITICAL));
	set(f, PROCDB_RULE_PROGRAM, "/srv/train.py", PROCDB_TIER_BATCH);
	g_assert_cmpuint(decide(f, "python3|/srv/train.py", "a.service"), ==, BY_PROGRAM(BATCH));
	g_assert_cmpuint(decide(f, "python3|train.py", "a.service"), ==, BY_PROGRAM(LAT_CRITICAL));
	set(f, PROCDB_RULE_PROGRAM, "/usr/bin/python3", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(decide(f, "python3|-c|1", ""), ==, BY_PROGRAM(INTERACTIVE));
}

/* Of python3 many are, of a script few, and of a pattern it is not known which. */
static void test_a_script_is_above_its_interpreter(EngineFixture *f, gconstpointer data)
{
	set(f, PROCDB_RULE_PROGRAM, "python3", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(decide(f, "python3|a.py", ""), ==, BY_PROGRAM(INTERACTIVE));
	set(f, PROCDB_RULE_PROGRAM, "a*.py", PROCDB_TIER_BATCH);
	g_assert_cmpuint(decide(f, "python3|a.py", ""), ==, BY_PROGRAM(BATCH));
	set(f, PROCDB_RULE_PROGRAM, "/usr/bin/python3", PROCDB_TIER_INTERACTIVE);
	g_assert_cmpuint(decide(f, "python3|a.py", ""), ==, BY_PROGRAM(BATCH));
	set(f, PROCDB_RULE_PROGRAM, "a.py", PROCDB_TIER_LAT_CRITICAL);
	g_assert_cmpuint(decide(f, "python3|a.py", ""), ==, BY_PROGRAM(LAT_CRITICAL));
	g_assert_cmpuint(decide(f, "python3|b.py", ""), ==, BY_PROGRAM(INTERACTIVE));
}

/* The executable is behind all links: python3 is python3.11. */
static void test_the_name_that_was_executed_counts(EngineFixture *f, gconstpointer data)
{
	struct procdb_execution executed = execution("/usr/bin/python3.11", "python3|-c|1", "");

	set(f, PROCDB_RULE_PROGRAM, "python3", PROCDB_TIER_BATCH);
	g_assert_cmpuint(procdb_engine_decide(f->engine, &executed), ==, BY_PROGRAM(BATCH));
	/* A task gives itself any name later. */
	executed.event.reason = PROCDB_TASK_MOVED;
	g_assert_cmpuint(procdb_engine_decide(f->engine, &executed), ==, 0);
}

static void test_a_hold_is_above_all(EngineFixture *f, gconstpointer data)
{
	struct procdb_comm comm = {0};

	memcpy(comm.bytes, "python3", 7);
	set(f, PROCDB_RULE_PROGRAM, "train.py", PROCDB_TIER_BATCH);
	g_assert_true(procdb_engine_hold(f->engine, &comm, PROCDB_TIER_LAT_CRITICAL, NULL));
	g_assert_cmpuint(decide(f, "python3|train.py", ""), ==, 0);
	procdb_engine_release(f->engine, &comm);
	g_assert_cmpuint(decide(f, "python3|train.py", ""), ==, BY_PROGRAM(BATCH));
}

static void test_what_bpf_did_not_end_is_bounded(EngineFixture *f, gconstpointer data)
{
	struct procdb_execution executed;

	set(f, PROCDB_RULE_PROGRAM, "*", PROCDB_TIER_BATCH);
	memset(&executed, 'x', sizeof(executed));
	g_assert_cmpuint(procdb_engine_decide(f->engine, &executed), ==, BY_PROGRAM(BATCH));
}

static void test_there_is_a_bounded_number(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	ProcdbEngineStatus status;

	for (guint i = 0; i < PROCDB_MAX_RULES; i++) {
		g_autofree char *text = g_strdup_printf("%u.py", i);

		set(f, PROCDB_RULE_PROGRAM, text, PROCDB_TIER_BATCH);
	}
	g_assert_false(
	    procdb_engine_set_rule(f->engine, PROCDB_RULE_UNIT, "1.py", PROCDB_TIER_BATCH, &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_LIMIT_EXCEEDED);
	/* One that is there takes no room. */
	set(f, PROCDB_RULE_PROGRAM, "1.py", PROCDB_TIER_LAT_CRITICAL);
	procdb_engine_status(f->engine, &status);
	g_assert_cmpuint(status.overrides, ==, PROCDB_MAX_RULES);
}

static void test_they_are_saved_and_loaded(EngineFixture *f, gconstpointer data)
{
	g_autoptr(GError) error = NULL;
	guint loaded;

	set(f, PROCDB_RULE_PROGRAM, "train.py", PROCDB_TIER_BATCH);
	set(f, PROCDB_RULE_UNIT, "a.service", PROCDB_TIER_BATCH);
	/* What was learned goes, decisions stay. */
	procdb_engine_reset(f->engine);
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_true(procdb_engine_clear_rule(f->engine, PROCDB_RULE_UNIT, "a.service", &error));
	g_assert_false(procdb_engine_clear_rule(f->engine, PROCDB_RULE_UNIT, "a.service", &error));
	g_assert_error(error, PROCDB_ENGINE_ERROR, PROCDB_ENGINE_ERROR_NO_SUCH_PROFILE);
	g_assert_cmpuint(procdb_engine_rules(f->engine)->len, ==, 1);
	g_assert_true(procdb_engine_reload(f->engine, &loaded, NULL));
	g_assert_cmpuint(procdb_engine_rules(f->engine)->len, ==, 2);
	g_assert_true(procdb_engine_clear_rule(f->engine, PROCDB_RULE_UNIT, "a.service", NULL));
	g_assert_true(procdb_engine_save(f->engine, NULL, NULL));
	g_assert_true(procdb_engine_reload(f->engine, &loaded, NULL));
	g_assert_cmpuint(procdb_engine_rules(f->engine)->len, ==, 1);
	g_assert_cmpuint(decide(f, "python3|train.py", ""), ==, BY_PROGRAM(BATCH));
}

static void set_up(EngineFixture *f, gconstpointer data)
{
	engine_fixture_set_up(f, &test_settings, 100);
}

static void tear_down(EngineFixture *f, gconstpointer data)
{
	engine_fixture_tear_down(f);
}

#define ADD(path, func) g_test_add(path, EngineFixture, NULL, set_up, func, tear_down)

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/rules/script", test_the_script_of_an_interpreter);
	g_test_add_func("/rules/script-interpreters", test_programs_that_run_others);
	g_test_add_func("/rules/script-cut", test_what_is_cut_is_not_believed);
	g_test_add_func("/rules/script-any-bytes", test_arguments_of_any_bytes);
	g_test_add_func("/rules/patterns", test_patterns);
	ADD("/rules/what-says-more-decides", test_what_says_more_decides);
	ADD("/rules/a-script-is-above-its-interpreter", test_a_script_is_above_its_interpreter);
	ADD("/rules/the-name-that-was-executed", test_the_name_that_was_executed_counts);
	ADD("/rules/a-hold-is-above-all", test_a_hold_is_above_all);
	ADD("/rules/bounded-texts", test_what_bpf_did_not_end_is_bounded);
	ADD("/rules/a-bounded-number", test_there_is_a_bounded_number);
	ADD("/rules/saved-and-loaded", test_they_are_saved_and_loaded);
	return g_test_run();
}
