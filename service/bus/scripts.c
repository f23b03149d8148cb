/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "scripts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity.h"
#include "log.h"
#include "script.h"

/* Shared with the thread. */
struct _ProcdbScriptReader {
	GMutex lock;
	GCond changed;
	char *proc;
	gboolean started;
	gboolean quit;
	enum { IDLE, ASKED, ANSWERED } state;
	struct procdb_task_row task; /* of the question */
	char *answer;
	/* Of the thread that asks, monotonic µs: how long it has waited since then. */
	gint64 since;
	gint64 waited;
	gboolean told; /* that one does not answer */
};

/* Opens what tells the arguments of a task, if it is still of that user; -1 else. */
static int open_arguments(const char *proc, const struct procdb_task_row *task)
{
	g_autofree char *path = g_strdup_printf("%s/%u", proc, task->tgid);
	const int directory = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat now;
	int file = -1;

	if (directory < 0)
		return -1;
	/* Its number may be another's by now, whose arguments its user is not to see. */
	if (fstat(directory, &now) == 0 && now.st_uid == task->uid)
		file = openat(directory, "cmdline", O_RDONLY | O_CLOEXEC);
	(void)close(directory);
	return file;
}

static void copy_path(const struct procdb_task_row *task, char path[PROCDB_PATH_LEN])
{
	memcpy(path, task->path, PROCDB_PATH_LEN);
	path[PROCDB_PATH_LEN - 1] = '\0';
}

gboolean procdb_task_is_interpreter(const struct procdb_task_row *task)
{
	char path[PROCDB_PATH_LEN];

	copy_path(task, path);
	return task->kind == PROCDB_KIND_PROCESS && procdb_script_is_interpreter(path);
}

static char *read_script(const char *proc, const struct procdb_task_row *task)
{
	const int file = open_arguments(proc, task);
	char path[PROCDB_PATH_LEN], args[PROCDB_ARGS_LEN];
	const char *script;
	ssize_t len;

	if (file < 0)
		return NULL;
	len = read(file, args, sizeof(args));
	(void)close(file);
	copy_path(task, path);
	script = len > 0 ? procdb_script_find(path, args, (gsize)len) : NULL;
	return script ? procdb_identity_text(script, strlen(script)) : NULL;
}

static void reader_clear(gpointer data)
{
	ProcdbScriptReader *reader = data;

	g_mutex_clear(&reader->lock);
	g_cond_clear(&reader->changed);
	g_free(reader->proc);
	g_free(reader->answer);
}

static gpointer run(gpointer data)
{
	ProcdbScriptReader *reader = data;

	g_mutex_lock(&reader->lock);
	while (!reader->quit) {
		const struct procdb_task_row task = reader->task;

		if (reader->state != ASKED) {
			g_cond_wait(&reader->changed, &reader->lock);
			continue;
		}
		g_mutex_unlock(&reader->lock);
		char *answer = read_script(reader->proc, &task);
		g_mutex_lock(&reader->lock);
		g_free(reader->answer);
		reader->answer = answer;
		reader->state = ANSWERED;
		g_cond_broadcast(&reader->changed);
	}
	g_mutex_unlock(&reader->lock);
	g_atomic_rc_box_release_full(reader, reader_clear);
	return NULL;
}

ProcdbScriptReader *procdb_script_reader_new(const char *proc)
{
	ProcdbScriptReader *reader = g_atomic_rc_box_new0(ProcdbScriptReader);

	g_mutex_init(&reader->lock);
	g_cond_init(&reader->changed);
	reader->proc = g_strdup(proc);
	return reader;
}

void procdb_script_reader_free(ProcdbScriptReader *reader)
{
	if (!reader)
		return;
	g_mutex_lock(&reader->lock);
	reader->quit = TRUE;
	g_cond_broadcast(&reader->changed);
	g_mutex_unlock(&reader->lock);
	g_atomic_rc_box_release_full(reader, reader_clear);
}

static void start(ProcdbScriptReader *reader)
{
	GThread *thread =
	    g_thread_try_new("procdb-scripts", run, g_atomic_rc_box_acquire(reader), NULL);

	reader->started = thread != NULL;
	if (thread)
		g_thread_unref(thread);
	else
		g_atomic_rc_box_release_full(reader, reader_clear);
}

/* Whether there is time left in this second. */
static gboolean may_wait(ProcdbScriptReader *reader, gint64 now)
{
	if (now - reader->since >= G_USEC_PER_SEC) {
		reader->since = now;
		reader->waited = 0;
	}
	return reader->waited < PROCDB_SCRIPTS_WAIT_US;
}

static void tell(ProcdbScriptReader *reader, const struct procdb_task_row *task)
{
	if (reader->told)
		return;
	reader->told = TRUE;
	procdb_log(G_LOG_LEVEL_MESSAGE, PROCDB_MESSAGE_CALLS,
		   "The arguments of process %u of user %u cannot be read; until they can, it is "
		   "not told which scripts run",
		   task->tgid, task->uid);
}

/* The answer of the thread, if it comes in time. With the lock. */
static char *wait_for_answer(ProcdbScriptReader *reader, const struct procdb_task_row *task,
			     gint64 end)
{
	reader->task = *task;
	reader->state = ASKED;
	g_cond_broadcast(&reader->changed);
	while (reader->state == ASKED && g_cond_wait_until(&reader->changed, &reader->lock, end))
		;
	if (reader->state == ANSWERED)
		return g_steal_pointer(&reader->answer);
	tell(reader, task);
	return NULL;
}

char *procdb_script_reader_ask(ProcdbScriptReader *reader, const struct procdb_task_row *task)
{
	const gint64 now = g_get_monotonic_time();
	char *answer = NULL;

	if (!procdb_task_is_interpreter(task) || !may_wait(reader, now))
		return NULL;
	g_mutex_lock(&reader->lock);
	if (!reader->started)
		start(reader);
	/* One that was too late is not waited for again; its answer is of another task. */
	if (reader->started && reader->state != ASKED)
		answer = wait_for_answer(reader, task, now + PROCDB_SCRIPT_WAIT_US);
	g_mutex_unlock(&reader->lock);
	reader->waited += g_get_monotonic_time() - now;
	return answer;
}
