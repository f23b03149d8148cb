/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The record of the slices and nice values that tasks were given. The kernel keeps it in the task
 * itself (BPF task storage), where no task can write it. Children inherit it, it ends with the
 * task, and it is pinned while the service runs: the next service finds there what a killed one
 * gave.
 *
 * A file of pids and start times would need a write for each task that is set, and would miss the
 * children that inherit a slice while no service runs.
 */

#include <gio/gio.h>

#include "ledger.h"

struct bpf_map;

typedef struct _ProcdbLedger ProcdbLedger;

/* Loads the record. Never NULL; where the kernel has none, procdb_ledger_refusal() says why. */
ProcdbLedger *procdb_ledger_new(void);
/* Ends the record and its pin. Restore all tasks before: the record is needed for that. */
void procdb_ledger_free(ProcdbLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbLedger, procdb_ledger_free)

/*
 * The reason why this service may change no task, as a sentence for people; NULL when it may.
 * Valid until the next procdb_ledger_refresh().
 */
const char *procdb_ledger_refusal(const ProcdbLedger *ledger);

/*
 * Called once a tick: checks whether an older service still runs, and pins the record again if its
 * pin is gone. TRUE when the refusal changed.
 */
gboolean procdb_ledger_refresh(ProcdbLedger *ledger);

/* Whether an older service runs on this kernel. Its pins are not ours to take over. */
gboolean procdb_ledger_is_second(const ProcdbLedger *ledger);

/* Makes a BPF object of ours share the record and the guard. Call it before the object is loaded.
 */
void procdb_ledger_share(const ProcdbLedger *ledger, struct bpf_map *given, struct bpf_map *guards);

/* Reads the record of the task of a pidfd; FALSE and all 0 when it has none. */
gboolean procdb_ledger_read(ProcdbLedger *ledger, int pidfd, struct procdb_given *given);
/* Writes the record; call it before the task is set. FALSE when the kernel refuses. */
gboolean procdb_ledger_write(ProcdbLedger *ledger, int pidfd, const struct procdb_given *given);

/* Appends the tasks that have a slice of ours (struct procdb_given_task). FALSE: none can be
 * listed. */
gboolean procdb_ledger_list_given(ProcdbLedger *ledger, GArray *tasks);
/*
 * The same for a service before this one that did not stop cleanly; tasks are included that are
 * not on its record but whose slice has its mark. Call it once, before any slice is given.
 */
void procdb_ledger_list_leftovers(ProcdbLedger *ledger, GArray *tasks);

/* Counts from now on the changes of others to this task; pid 0: to none. ledger may be NULL. */
void procdb_ledger_guard_task(ProcdbLedger *ledger, guint pid);
/* The values that are no change: those that the task has now, and those that it gets next. */
void procdb_ledger_expect_values(ProcdbLedger *ledger, const gint32 nice[2],
				 const guint64 slice_ns[2]);
/* The number of changes since procdb_ledger_guard_task(); the last of them in *last, if any. */
guint procdb_ledger_count_changes(ProcdbLedger *ledger, struct procdb_guard *last);
