/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "task.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "escape.h"

/*
 * For a workqueue worker /proc appends what it works on to the name, after a
 * "-" or "+". Rescuers ("kworker/R-...") have a "-" of their own.
 */
static gsize without_work(const char *comm, gsize length)
{
	gsize end;

	if (!g_str_has_prefix(comm, "kworker/") || g_str_has_prefix(comm, "kworker/R-"))
		return length;
	end = strcspn(comm, "-+");
	return MIN(end, length);
}

static gboolean is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

gboolean task_is_hidden(const char *text)
{
	guint64 pid;
	g_autofree char *name = task_name_of_pid(text);

	if (name || !is_number(text) ||
	    !g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT32, &pid, NULL))
		return FALSE;
	/* Signal 0 only checks: EPERM also means that there is such a process. */
	return kill((pid_t)pid, 0) == 0 || errno == EPERM;
}

char *task_name_of_pid(const char *text)
{
	g_autofree char *path = NULL;
	g_autofree char *comm = NULL;
	gsize length;

	if (!is_number(text))
		return NULL;
	path = g_strdup_printf("/proc/%s/comm", text);
	if (!g_file_get_contents(path, &comm, &length, NULL))
		return NULL;
	if (length > 0 && comm[length - 1] == '\n')
		length--;
	length = MIN(without_work(comm, length), TASK_NAME_MAX);
	return escape_raw(comm, length);
}
