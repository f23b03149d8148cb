/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What flaps is logged now and then, and counted. */

#include "limit.h"

/* How many of n lines at one time are logged. */
static guint take(ProcdbLogLimit *limit, const char *kind, gint64 now_us, guint n)
{
	guint left_out;
	guint taken = 0;

	while (n-- > 0)
		taken += (guint)procdb_log_limit_take(limit, kind, now_us, &left_out);
	return taken;
}

static void test_a_burst_and_then_one_a_minute(void)
{
	g_autoptr(ProcdbLogLimit) limit = procdb_log_limit_new();
	gint64 now = 1000;
	guint lines = 0;

	g_assert_cmpuint(take(limit, "a", now, PROCDB_LOG_BURST + 100), ==, PROCDB_LOG_BURST);
	/* One line a second for an hour. */
	for (guint second = 0; second < 3600; second++)
		lines += take(limit, "a", now += G_USEC_PER_SEC, 1);
	g_assert_cmpuint(lines, ==, 60);
	/* After a quiet day as in the beginning, and no more. */
	now += G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC;
	g_assert_cmpuint(take(limit, "a", now, 100), ==, PROCDB_LOG_BURST);
}

static void test_what_was_left_out_is_counted(void)
{
	g_autoptr(ProcdbLogLimit) limit = procdb_log_limit_new();
	guint left_out = 99;

	g_assert_true(procdb_log_limit_take(limit, "a", 0, &left_out));
	g_assert_cmpuint(left_out, ==, 0);
	take(limit, "a", 0, PROCDB_LOG_BURST - 1);
	take(limit, "a", 0, 7);
	g_assert_true(procdb_log_limit_take(limit, "a", PROCDB_LOG_REFILL_US, &left_out));
	g_assert_cmpuint(left_out, ==, 7);
	g_assert_true(procdb_log_limit_take(limit, "a", 2 * PROCDB_LOG_REFILL_US, &left_out));
	g_assert_cmpuint(left_out, ==, 0);
}

static void test_kinds_do_not_silence_each_other(void)
{
	g_autoptr(ProcdbLogLimit) limit = procdb_log_limit_new();

	take(limit, "a", 0, 1000);
	g_assert_cmpuint(take(limit, "", 0, 1000), ==, PROCDB_LOG_BURST);
	g_assert_cmpuint(take(limit, "b", 0, 1), ==, 1);
}

/* In a process of its own: hands lines over as GLib does. */
static void write_lines(GLogLevelFlags level, guint n)
{
	g_autoptr(ProcdbLogLimit) limit = procdb_log_limit_new();
	const GLogField fields[] = {
	    {"PRIORITY", "4", -1}, {"MESSAGE_ID", "abc", -1}, {"MESSAGE", "a line", -1}};

	g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
	while (n-- > 0)
		g_assert_cmpint(procdb_log_write(level, fields, G_N_ELEMENTS(fields), limit), ==,
				G_LOG_WRITER_HANDLED);
}

/* What that process wrote to standard error. */
static void assert_lines(const char *test, guint n)
{
	g_autoptr(GString) pattern = g_string_new("*");

	g_test_trap_subprocess(test, 0, (GTestSubprocessFlags)0);
	g_test_trap_assert_passed();
	while (n-- > 0)
		g_string_append(pattern, "a line*");
	g_test_trap_assert_stderr(pattern->str);
	g_string_append(pattern, "a line*");
	g_test_trap_assert_stderr_unmatched(pattern->str);
}

static void test_warnings_are_limited(void)
{
	if (g_test_subprocess()) {
		write_lines(G_LOG_LEVEL_WARNING, 3 * PROCDB_LOG_BURST);
		return;
	}
	assert_lines("/log-limit/warnings-are-limited", PROCDB_LOG_BURST);
}

static void test_criticals_are_not(void)
{
	if (g_test_subprocess()) {
		write_lines(G_LOG_LEVEL_CRITICAL, PROCDB_LOG_BURST + 5);
		return;
	}
	assert_lines("/log-limit/criticals-are-not", PROCDB_LOG_BURST + 5);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/log-limit/a-burst-and-then-one-a-minute",
			test_a_burst_and_then_one_a_minute);
	g_test_add_func("/log-limit/what-was-left-out-is-counted",
			test_what_was_left_out_is_counted);
	g_test_add_func("/log-limit/kinds-do-not-silence-each-other",
			test_kinds_do_not_silence_each_other);
	g_test_add_func("/log-limit/warnings-are-limited", test_warnings_are_limited);
	g_test_add_func("/log-limit/criticals-are-not", test_criticals_are_not);
	return g_test_run();
}
