/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* From what a person types to the name of a task, in the one place that knows how. */

#include <stdio.h>

#include "ctl.h"

/*
 * The task name that a typed text stands for, in the escaped form: the last part of a path, and of
 * a longer name the 15 bytes that the kernel keeps (TASK_COMM_LEN in include/linux/sched.h of
 * Linux). A text that is a name already stays as it is; with literal, so does a path. Free with
 * g_free().
 */
char *name_of_typed(const char *typed, gboolean literal);

/*
 * The name for a command that reads: the typed text if the service knows it, else name_of_typed().
 * A number, unless literal, is the ID of a process or thread, if there is one. A name that differs
 * from the typed text is printed on standard error. NULL after an error message for a process that
 * /proc hides. Free with g_free().
 */
char *name_to_read(Ctl *ctl, const char *typed, gboolean literal);

/*
 * The name for a command that changes profiles. If no task can have the typed name, or it is empty
 * or a pattern and not literal: NULL, after an error message that says what to type instead. Free
 * with g_free().
 */
char *name_to_change(const CtlCommand *command, const char *typed, gboolean literal);

/* What was typed as patterns, in the escaped form. Free with g_strfreev(). */
char **name_patterns(char *const *typed);

/*
 * Prints, if tasks of another name run a program or script that is called so now, that they do, and
 * how that one alone is decided for. Whether they do.
 */
gboolean name_say_runner(Ctl *ctl, const char *program, FILE *stream);

/*
 * Says on standard error which tasks run a program of that name, or else which known names resemble
 * one that is not known, if any do; of a path, the last part of it.
 */
void name_suggest(Ctl *ctl, const char *name);
