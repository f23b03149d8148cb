/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

#include <glib.h>

/* The bytes of a name that the kernel keeps, without the terminator. */
#define TASK_NAME_MAX 15

/*
 * The escaped task name of the process or thread with this ID, as the kernel
 * has it. NULL if the text is not a number or there is no such task. Free with
 * g_free().
 */
char *task_name_of_pid(const char *text);

/* Whether there is a process or thread with this ID that /proc does not show us (hidepid). */
gboolean task_is_hidden(const char *text);
