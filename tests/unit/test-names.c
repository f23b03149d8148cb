/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* The names under which tasks are learned: which numbers count tasks, and which belong to a name.
 */

#include "names.h"

#include <glib.h>
#include <string.h>

static struct procdb_comm comm_of(const char *text)
{
	struct procdb_comm comm = {0};

	g_assert_cmpuint(strlen(text), <, sizeof(comm.bytes));
	memcpy(comm.bytes, text, strlen(text));
	return comm;
}

static struct procdb_comm key_of(const char *text, const struct procdb_name_task *task)
{
	struct procdb_comm comm = comm_of(text), key;
	struct procdb_name_signs signs;

	(void)procdb_name_signs(&comm, &signs);
	/* All of it is written, whatever was there. */
	memset(&key, 0xff, sizeof(key));
	procdb_name_key(&comm, &signs, task, &key);
	return key;
}

static void assert_key(const char *text, const struct procdb_name_task *task, const char *expected)
{
	const struct procdb_comm key = key_of(text, task), wanted = comm_of(expected);

	if (memcmp(&key, &wanted, sizeof(key)) != 0)
		g_error("'%s' is learned as '%.16s', not as '%s'", text, (const char *)key.bytes,
			expected);
}

static const struct procdb_name_task process = {.pids = {4711, 4711, 1204, 1204}},
				     thread = {.pids = {4712, 4711, 1205, 1204}, .is_thread = 1};

/* What is executed under a name with a number keeps it. */
static void test_versions_stay(void)
{
	static const char *const names[] = {
	    "",
	    "cc1",
	    "cc1plus",
	    "python3",
	    "python3.11",
	    "gcc-12",
	    "clang-14",
	    "x264",
	    "h264",
	    "mp3",
	    "ld-2.36",
	    "perl5.36",
	    "2048",
	    "7z",
	    "389-console",
	    "2to3-3.11",
	    "ld-linux-x86-6",
	    "iec16022",
	    "e2fsck",
	    "pool-12",
	    "kworker/0:1",
	    "kworker/u8:2-ev",
	    "0ad",
	    "sha512sum",
	    "1234x",
	    "x-1234-yz",
	    "irq/127-nvme0q1",
	    "foo-1234a",
	    "rtl8139.rom",
	    "\303\2514713x",
	};

	for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
		assert_key(names[i], &process, names[i]);
	/* Nor in a container, where it may be the pid of its process. */
	for (guint pid = 1; pid < 1000; pid++) {
		const struct procdb_name_task small = {
		    .pids = {40000 + pid, 40000 + pid, pid, pid}};
		g_autofree char *glued = g_strdup_printf("x%u", pid);
		g_autofree char *apart = g_strdup_printf("gcc-%u", pid);

		assert_key(glued, &small, glued);
		assert_key(apart, &small, apart);
	}
}

static void test_long_numbers_at_the_end_are_counters(void)
{
	assert_key("conn-4711", &process, "conn-#");
	assert_key("conn-9999", &process, "conn-#");
	assert_key("conn-999", &process, "conn-999");
	assert_key("a b 12345678", &process, "a b #");
	assert_key("iso_8859-88591", &process, "iso_8859-#");
	assert_key("x1-1234-56789", &process, "x1-1234-#");
	assert_key("-12345678901234", &process, "-#");
}

static void test_a_pid_is_known_anywhere(void)
{
	assert_key("worker4711", &process, "worker#");
	assert_key("4711", &process, "#");
	assert_key("w4711x1204.4713", &process, "w#x#.#");
	assert_key("w4711-job", &process, "w#-job");
	assert_key("w1204-job", &process, "w#-job");
	assert_key("w4713-job", &process, "w4713-job");
	assert_key("w47110-job", &process, "w47110-job");
	assert_key("w14711-job", &process, "w14711-job");
	/* No pid at all is not the number 0. */
	assert_key("w0000-job", &(struct procdb_name_task){.pids = {0}}, "w0000-job");
}

static void test_numbers_of_threads_are_counters(void)
{
	assert_key("iou-wrk-9261", &thread, "iou-wrk-#");
	assert_key("iou-wrk-7", &thread, "iou-wrk-#");
	assert_key("pool-12", &thread, "pool-#");
	assert_key("pool-1-thread-2", &thread, "pool-#-thread-#");
	assert_key("pool-12-thread-", &thread, "pool-#-thread-");
	assert_key("GC Thread#0", &thread, "GC Thread##");
	assert_key("CPU 0/KVM", &thread, "CPU #/KVM");
	assert_key("0:1:2:3:4:5:6:7", &thread, "#:#:#:#:#:#:#:#");
	assert_key("worker4711", &thread, "worker#");
	assert_key("worker1205", &thread, "worker#");
	/* What is at the side of a letter is part of a word. */
	assert_key("h264", &thread, "h264");
	assert_key("av:h264:df3", &thread, "av:h264:df3");
	assert_key("HTML5 Parser", &thread, "HTML5 Parser");
	assert_key("2d render", &thread, "2d render");
	assert_key("\303\25112", &thread, "\303\25112");
}

/* The same rules, written down for people. */
static char *plainly(const char *text, const struct procdb_name_task *task)
{
	GString *key = g_string_new(NULL);

	for (const char *at = text; *at;) {
		const char *end = at;
		gboolean letter_before = at > text && (g_ascii_isalpha(at[-1]) || at[-1] & 0x80);
		gboolean number = FALSE;
		guint64 value = 0;

		while (g_ascii_isdigit(*end))
			value = value * 10 + (guint64)(*end++ - '0');
		if (end == at) {
			g_string_append_c(key, *at++);
			continue;
		}
		for (guint i = 0; i < PROCDB_NAME_PIDS; i++)
			number = number || (value > 999 && value == task->pids[i]);
		number = number || (end - at >= 4 && !*end && at > text && !letter_before);
		number = number || (task->is_thread && !letter_before &&
				    !(g_ascii_isalpha(*end) || *end & 0x80));
		if (number)
			g_string_append_c(key, '#');
		else
			g_string_append_len(key, at, end - at);
		at = end;
	}
	return g_string_free(key, FALSE);
}

static void test_any_name(void)
{
	/* Often a number, and often one of the task's. */
	static const char *const parts[] = {"1", "0", "4711", "1204", "12", "-",
					    "#", " ", "a",    "\x80", "Z",  "9"};

	for (guint round = 0; round < 500000; round++) {
		const struct procdb_name_task *task = round & 1 ? &thread : &process;
		g_autofree char *expected = NULL;
		char text[PROCDB_COMM_LEN] = "";

		for (gint n = g_test_rand_int_range(0, 12); n > 0; n--)
			g_strlcat(text, parts[g_test_rand_int_range(0, G_N_ELEMENTS(parts))],
				  sizeof(text));
		expected = plainly(text, task);
		assert_key(text, task, expected);
		/* Once is enough, so that a name that is read back is found. */
		assert_key(expected, &(struct procdb_name_task){.pids = {0}}, expected);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/names/versions-stay", test_versions_stay);
	g_test_add_func("/names/long-numbers-at-the-end-are-counters",
			test_long_numbers_at_the_end_are_counters);
	g_test_add_func("/names/a-pid-is-known-anywhere", test_a_pid_is_known_anywhere);
	g_test_add_func("/names/numbers-of-threads-are-counters",
			test_numbers_of_threads_are_counters);
	g_test_add_func("/names/any-name", test_any_name);
	return g_test_run();
}
