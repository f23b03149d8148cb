/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

/* What interpreters were started for, from files like those of /proc; also from one that hangs. */

#include "scripts.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct {
	char *proc;
	ProcdbScriptReader *reader;
} Fixture;

static void set_up(Fixture *f, gconstpointer data)
{
	f->proc = g_dir_make_tmp("procdb-scripts-XXXXXX", NULL);
	f->reader = procdb_script_reader_new(f->proc);
}

static char *file_of(const Fixture *f, guint pid)
{
	g_autofree char *directory = g_strdup_printf("%s/%u", f->proc, pid);

	g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
	return g_build_filename(directory, "cmdline", NULL);
}

static void tear_down(Fixture *f, gconstpointer data)
{
	for (guint pid = 1; pid < 10; pid++) {
		g_autofree char *file = g_strdup_printf("%s/%u/cmdline", f->proc, pid);
		g_autofree char *directory = g_path_get_dirname(file);

		(void)g_unlink(file);
		(void)g_rmdir(directory);
	}
	g_assert_cmpint(g_rmdir(f->proc), ==, 0);
	g_free(f->proc);
	procdb_script_reader_free(f->reader);
}

static struct procdb_task_row task_of(guint pid, const char *path)
{
	struct procdb_task_row task = {
	    .pid = pid, .tgid = pid, .uid = geteuid(), .kind = PROCDB_KIND_PROCESS};

	g_strlcpy(task.path, path, sizeof(task.path));
	return task;
}

/* The arguments of a task, each of which ends with a '|'. */
static void write_arguments(const Fixture *f, guint pid, const char *arguments)
{
	g_autofree char *file = file_of(f, pid), *bytes = g_strdup(arguments);
	const gsize len = strlen(bytes);

	for (gsize i = 0; i < len; i++)
		if (bytes[i] == '|')
			bytes[i] = '\0';
	g_assert_true(g_file_set_contents(file, bytes, (gssize)len, NULL));
}

static void assert_script(const Fixture *f, const struct procdb_task_row *task,
			  const char *expected)
{
	g_autofree char *script = procdb_script_reader_ask(f->reader, task);

	/* One whose thread gets no CPU for PROCDB_SCRIPT_WAIT_US is asked again. */
	for (guint i = 0; expected && !script && i < 10000; i++) {
		g_usleep(1000);
		script = procdb_script_reader_ask(f->reader, task);
	}
	g_assert_cmpstr(script, ==, expected);
}

static void test_scripts_are_read(Fixture *f, gconstpointer data)
{
	struct procdb_task_row task = task_of(1, "/usr/bin/python3.11");
	g_autofree char *long_argument = g_strnfill(300, 'a');
	g_autofree char *cut = g_strdup_printf("python3|%s.py|", long_argument);

	write_arguments(f, 1,
			"python3|-u|/srv/tr\xff"
			"ain.py|--fast|");
	assert_script(f, &task, "/srv/tr\\xffain.py");
	write_arguments(f, 1, "python3|-c|print()|");
	assert_script(f, &task, NULL);
	write_arguments(f, 1, "python3|-uc|print()|");
	assert_script(f, &task, NULL);
	write_arguments(f, 1, cut);
	assert_script(f, &task, NULL);
	write_arguments(f, 1, "");
	assert_script(f, &task, NULL);
	write_arguments(f, 1, "python3|a.py|");
	/* Threads have that of their process; another program has none. */
	task.kind = PROCDB_KIND_THREAD;
	assert_script(f, &task, NULL);
	task.kind = PROCDB_KIND_PROCESS;
	g_strlcpy(task.path, "/usr/bin/cat", sizeof(task.path));
	assert_script(f, &task, NULL);
	/* A number that is another user's by now, and one that is no longer there. */
	task = task_of(1, "/usr/bin/python3");
	task.uid++;
	assert_script(f, &task, NULL);
	task = task_of(2, "/usr/bin/python3");
	assert_script(f, &task, NULL);
}

/* A task may keep its memory locked; opening a FIFO waits in the same way. */
static void test_a_task_that_cannot_be_read_holds_nothing_up(Fixture *f, gconstpointer data)
{
	const struct procdb_task_row hangs = task_of(1, "/usr/bin/python3"),
				     other = task_of(2, "/usr/bin/python3");
	g_autofree char *file = file_of(f, 1);
	const gint64 began = g_get_monotonic_time();
	char *script = NULL;
	int writer;

	write_arguments(f, 2, "python3|other.py|");
	g_assert_cmpint(mkfifo(file, 0600), ==, 0);
	for (guint i = 0; i < 1000; i++)
		assert_script(f, &hangs, NULL);
	/* It was waited for once. */
	g_assert_cmpint(g_get_monotonic_time() - began, <, 500 * PROCDB_SCRIPT_WAIT_US);
	assert_script(f, &other, NULL);
	writer = open(file, O_WRONLY);
	g_assert_cmpint(writer, >=, 0);
	g_assert_cmpint(write(writer, "python3\0late.py", 16), ==, 16);
	(void)close(writer);
	/* From then on all are told again, and none has the answer that came late. */
	while (!script) {
		script = procdb_script_reader_ask(f->reader, &other);
		g_usleep(1000);
	}
	g_assert_cmpstr(script, ==, "other.py");
	g_free(script);
}

/* Answers each FIFO 30 ms after it was opened. */
static gpointer answer_late(gpointer data)
{
	const Fixture *f = data;

	for (guint pid = 1; pid < 10; pid++) {
		g_autofree char *file = file_of(f, pid);
		const int writer = open(file, O_WRONLY);

		g_assert_cmpint(writer, >=, 0);
		g_usleep(30000);
		(void)!write(writer, "python3\0late.py", 16);
		(void)close(writer);
	}
	return NULL;
}

/* Each of them in time, but thousands of them would hold the service up for minutes. */
static void test_many_that_answer_late_are_not_all_waited_for(Fixture *f, gconstpointer data)
{
	guint answers = 0;
	GThread *thread;
	int readers[10];

	for (guint pid = 1; pid < 10; pid++) {
		g_autofree char *file = file_of(f, pid);

		g_assert_cmpint(mkfifo(file, 0600), ==, 0);
	}
	thread = g_thread_new("late", answer_late, f);
	for (guint pid = 1; pid < 10; pid++) {
		const struct procdb_task_row task = task_of(pid, "/usr/bin/python3");
		g_autofree char *script = procdb_script_reader_ask(f->reader, &task);

		answers += script ? 1 : 0;
	}
	g_assert_cmpuint(answers, <, 9);
	/* Lets the thread end, for which some were not opened. */
	for (guint pid = 1; pid < 10; pid++) {
		g_autofree char *file = file_of(f, pid);

		readers[pid] = open(file, O_RDONLY | O_NONBLOCK);
	}
	g_thread_join(thread);
	for (guint pid = 1; pid < 10; pid++)
		(void)close(readers[pid]);
}

/* It goes when its thread does, which reads still. */
static void test_a_reader_is_freed_while_it_reads(Fixture *f, gconstpointer data)
{
	const struct procdb_task_row hangs = task_of(1, "/usr/bin/python3");
	g_autofree char *file = file_of(f, 1);
	int writer;

	g_assert_cmpint(mkfifo(file, 0600), ==, 0);
	assert_script(f, &hangs, NULL);
	procdb_script_reader_free(f->reader);
	f->reader = NULL;
	writer = open(file, O_WRONLY);
	g_assert_cmpint(writer, >=, 0);
	(void)close(writer);
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	g_test_add("/scripts/are-read", Fixture, NULL, set_up, test_scripts_are_read, tear_down);
	g_test_add("/scripts/a-task-that-cannot-be-read-holds-nothing-up", Fixture, NULL, set_up,
		   test_a_task_that_cannot_be_read_holds_nothing_up, tear_down);
	g_test_add("/scripts/many-that-answer-late-are-not-all-waited-for", Fixture, NULL, set_up,
		   test_many_that_answer_late_are_not_all_waited_for, tear_down);
	g_test_add("/scripts/a-reader-is-freed-while-it-reads", Fixture, NULL, set_up,
		   test_a_reader_is_freed_while_it_reads, tear_down);
	return g_test_run();
}
