/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* A list of the tasks that run, by a BPF iterator: one pass in the kernel, whatever /proc shows. */

#include "backend.h"
#include "task-ledger.h"

typedef struct _ProcdbTaskList ProcdbTaskList;

/* Loads nothing before the first list. ledger must outlive it. */
ProcdbTaskList *procdb_task_list_new(const ProcdbLedger *ledger);
void procdb_task_list_free(ProcdbTaskList *list);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbTaskList, procdb_task_list_free)

/*
 * Appends the tasks of the pid namespace of the service (struct procdb_task_row) with what this
 * backend measured of them. FALSE with error set when the kernel refuses. The first list after the
 * backend's maps changed takes 0.1 s, for loading.
 */
gboolean procdb_task_list_read(ProcdbTaskList *list, const ProcdbBackend *backend, GArray *tasks,
			       GError **error);
