/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "scripts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity.h"
#include "script.h"

/* Opens what tells the arguments of a task, if it is still of that user; -1 else. */
static int open_arguments(const struct procdb_task_row *task)
{
	g_autofree char *path = g_strdup_printf("/proc/%u", task->tgid);
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

char *procdb_script_of_task(const struct procdb_task_row *task)
{
	const int file = procdb_task_is_interpreter(task) ? open_arguments(task) : -1;
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
