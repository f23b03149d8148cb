/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The record of what was given to which task, kept by the kernel in the task itself (BPF
 * task storage), where no task can write it. It follows forks, ends with the task, and is
 * pinned as long as the service runs: what a service left that was killed is found there.
 *
 * A file of pids and start times would need a write for each task that is set, and knew
 * nothing of the children that inherit a slice while no service runs.
 */

#include <gio/gio.h>

#include "ledger.h"

struct bpf_map;

typedef struct _ProcdbLedger ProcdbLedger;

/* Loads it. Never NULL: procdb_ledger_refusal() says why tasks may not be set. */
ProcdbLedger *procdb_ledger_new(void);
/* Ends the record and its pin; what is on it should have been put back. */
void procdb_ledger_free(ProcdbLedger *ledger);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbLedger, procdb_ledger_free)

/*
 * Why this service changes no task, as a sentence for people; NULL when it may. Valid until
 * the next procdb_ledger_refresh().
 */
const char *procdb_ledger_refusal(const ProcdbLedger *ledger);

/*
 * Once a tick: looks whether the service that was here first still is, and keeps a pin of ours in
 * the pin directory. TRUE when the refusal changed.
 */
gboolean procdb_ledger_refresh(ProcdbLedger *ledger);

/* Whether another service on this kernel was first: its pins are its own. */
gboolean procdb_ledger_is_second(const ProcdbLedger *ledger);

/* Lets an object of ours use the record and the guard, before it is loaded. */
void procdb_ledger_share(const ProcdbLedger *ledger, struct bpf_map *given, struct bpf_map *guards);

/* Of the task that a pidfd holds: what it was given; FALSE and all 0 for nothing. */
gboolean procdb_ledger_read(ProcdbLedger *ledger, int pidfd, struct procdb_given *given);
/* Writes it down; before the task is set. FALSE when the kernel refuses. */
gboolean procdb_ledger_write(ProcdbLedger *ledger, int pidfd, const struct procdb_given *given);

/* Appends the tasks that have a slice of ours now (struct procdb_given_task). FALSE: not known. */
gboolean procdb_ledger_list(ProcdbLedger *ledger, GArray *tasks);
/*
 * The same for what a service gave that did not stop cleanly; with those that were not on
 * its record and seem to be its own. To be called once, before anything is given.
 */
void procdb_ledger_leftovers(ProcdbLedger *ledger, GArray *tasks);

/* From now on changes to this task are noted; NULL of the ledger: nothing is. */
void procdb_ledger_guard(ProcdbLedger *ledger, guint pid);
/* What the task has now, and what we are about to give it, which are no changes. */
void procdb_ledger_expect(ProcdbLedger *ledger, const gint32 nice[2], const guint64 slice_ns[2]);
/* How many changes were noted; the last of them in *last, if there were any. */
guint procdb_ledger_changes(ProcdbLedger *ledger, struct procdb_guard *last);
