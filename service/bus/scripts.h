/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What interpreters that run were started for: of four tasks named python3, which is which. */

#include <glib.h>

#include "events.h"

/* The most tasks that one answer asks: each is a file of /proc to be read. */
#define PROCDB_MAX_SCRIPTS 2048
/* The most bytes of one, escaped. */
#define PROCDB_SCRIPT_MOST ((gsize)4 * PROCDB_ARGS_LEN)

/* Whether a task is the main thread of an interpreter: only such a one is worth to be asked. */
gboolean procdb_task_is_interpreter(const struct procdb_task_row *task);

/*
 * Reads arguments of tasks in a thread of its own. To read those of a task is to wait for the lock
 * of its memory (access_remote_vm() in mm/memory.c of Linux), which a program may hold for as long
 * as it likes: by a page of a FUSE file that is not answered, and a mapping that waits for it.
 */
typedef struct _ProcdbScriptReader ProcdbScriptReader;

/* proc: where the files of tasks are, /proc. The thread begins with the first question. */
ProcdbScriptReader *procdb_script_reader_new(const char *proc);
/* Does not wait for a task that is being read. NULL is ignored. */
void procdb_script_reader_free(ProcdbScriptReader *reader);

/*
 * The script, module or archive that a task runs, as its interpreter was given it, escaped as a
 * task name is; NULL of one that is no interpreter, or has no script, has ended meanwhile, or does
 * not let itself be read in PROCDB_SCRIPT_WAIT_US, and of any other one until it does. cmdline of
 * proc(5) is what the task says of itself: it is looked at, never acted on. Free with g_free().
 */
char *procdb_script_reader_ask(ProcdbScriptReader *reader, const struct procdb_task_row *task);
#define PROCDB_SCRIPT_WAIT_US (G_USEC_PER_SEC / 20)
/* For all questions of a second together: many that answer late hold as much up as one that hangs.
 */
#define PROCDB_SCRIPTS_WAIT_US (G_USEC_PER_SEC / 5)
