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
 * The script, module or archive that a task runs, as its interpreter was given it, escaped as a
 * task name is; NULL of one that is no interpreter, or has no script, or has ended meanwhile.
 * /proc/PID/cmdline (proc(5)) is what the task says of itself: it is looked at, never acted on.
 * Free with g_free().
 */
char *procdb_script_of_task(const struct procdb_task_row *task);
