/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* From what a person types to the name of a task, in the one place that knows how. */

#include "ctl.h"

/*
 * The name that tasks of what was typed have, in the escaped form: of a path the last part,
 * and of what is longer the 15 bytes that the kernel keeps (TASK_COMM_LEN in
 * include/linux/sched.h of Linux). The same as typed if that is a name already, and a path
 * is if it is literal. Free with g_free().
 */
char *name_of_typed(const char *typed, gboolean literal);

/*
 * The name for a command that reads: what was typed if that is known, else as
 * name_of_typed(), and of a number the name of the
 * process or thread with that ID if there is one and it is not literal. What it became is
 * said on standard error. NULL, and why is said, for a process that /proc hides. Free with
 * g_free().
 */
char *name_to_read(Ctl *ctl, const char *typed, gboolean literal);

/*
 * The name for a command that changes, which takes only what it was given: NULL, and what to
 * type instead is said, if no task can have that name. Free with g_free().
 */
char *name_to_change(const CtlCommand *command, const char *typed, gboolean literal);

/* Says on standard error which known names resemble one that is not known, if any do. */
void name_suggest(Ctl *ctl, const char *name);
