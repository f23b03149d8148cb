/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * A backend is the source of the two maps between the service and BPF: our own observer, our
 * sched_ext scheduler, the pins of another scheduler, or memory in tests. The functions here are
 * for the users of a backend; a new backend implements backend-ops.h.
 */

#include <gio/gio.h>

#include "delays.h"
#include "events.h"
#include "procdb-abi.h"
#include "task-row.h"

typedef struct _ProcdbBackend ProcdbBackend;

/*
 * The most entries of a map that one call reads, plus at most one batch: bounds the time and
 * memory of a tick.
 */
#define PROCDB_WALK_MAX 65536

/* An entry of the observe or of the init map. */
struct procdb_observation {
	struct procdb_comm comm;
	struct procdb_class seen;
};

/* The outcomes of the predictions for one name since the last procdb_backend_scores(). */
struct procdb_named_score {
	struct procdb_comm comm;
	struct procdb_score score;
};

/* Strings that are not static are valid until the next call on the backend. */
typedef struct {
	const char *backend; /* "observer", "sched-ext", "pinned", "none"; static */
	const char *state;   /* a sentence: the token, and ": " and the reason if there is one */
	const char *token;   /* "active", "waiting" or "failed"; static */
	const char *reason;  /* "" when there is none */
	const char *in_use;  /* the backend that observes now, "" for none; static */
	guint64 errors;	     /* map operations that failed since the start */
	guint64 tasks_lost;  /* events of running tasks that had no room in the ring buffer */
	guint64 lost;	     /* known number of observations that BPF could not keep */
	guint init_capacity; /* entries that the init map holds; 0 while there is none */
	gboolean shared;     /* other programs write to the init map, too */
} ProcdbBackendStatus;

/*
 * Called before each step: checks that the maps are still those in use, and attaches or
 * re-attaches. TRUE when they are other maps than before this call: then no prediction that was
 * published is in them.
 */
gboolean procdb_backend_refresh(ProcdbBackend *backend);

/*
 * Takes all entries out of the observe map, each one atomically, and appends them to seen (of
 * struct procdb_observation). FALSE with error set when the kernel refused; entries that were taken
 * until then are in seen.
 */
gboolean procdb_backend_drain(ProcdbBackend *backend, GArray *seen, GError **error);

/*
 * Takes the outcomes of predictions and appends them to scores (of struct procdb_named_score). A
 * backend that does not know them has none.
 */
gboolean procdb_backend_scores(ProcdbBackend *backend, GArray *scores, GError **error);

/* Takes what the tasks of a name did since the maps were made. Both are gone afterwards. */
typedef void (*ProcdbProgramFunc)(const struct procdb_comm *comm,
				  const struct procdb_program *program, gpointer data);

/*
 * Calls take for each name that tasks had. FALSE when that is not known now, or not whole: a part
 * may have been taken.
 */
gboolean procdb_backend_programs(ProcdbBackend *backend, ProcdbProgramFunc take, gpointer data);

/*
 * Writes n predictions. *done is the number of those that are in the map now, from the first on.
 * FALSE with error set when that is less than n: G_IO_ERROR_NO_SPACE for a full map.
 */
gboolean procdb_backend_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
				const struct procdb_class *classes, guint n, guint *done,
				GError **error);

/* Removes n predictions; one that is not in the map is no error. */
gboolean procdb_backend_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
				GError **error);

/*
 * Appends the entries of the init map to entries (of struct procdb_observation). With
 * PROCDB_WALK_MAX or more of them, the map may have further ones.
 */
gboolean procdb_backend_predictions(ProcdbBackend *backend, GArray *entries, GError **error);

/* Reads one prediction back; FALSE when there is none. */
gboolean procdb_backend_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
			       struct procdb_class *prediction);

/*
 * Requests an event for each task whose slice is not slices[its tier] (ns, marked; 0 for the
 * kernel's own); NULL ends that. The request stands while the backend stops and starts. A backend
 * without an observer of ours has no events.
 */
void procdb_backend_request_events(ProcdbBackend *backend, const guint64 *slices);
/*
 * What rules decide for a task that executed a program or came into another cgroup:
 * PROCDB_DECISION() (ledger.h), or 0.
 */
typedef guint8 (*ProcdbDecide)(const struct procdb_execution *execution, gpointer data);
/*
 * From now on each program that is executed brings an event, in which is what decide() says of it;
 * NULL ends that. It stands as the request for events does, and tells nothing without that.
 */
void procdb_backend_set_rules(ProcdbBackend *backend, ProcdbDecide decide, gpointer data);
/*
 * A descriptor, owned by the backend, that becomes readable with the first event after
 * procdb_backend_take_events() was called with arm; -1 while there is none.
 */
int procdb_backend_events_fd(ProcdbBackend *backend);
/* Appends the events since the last call to events (of struct procdb_task_event). */
void procdb_backend_take_events(ProcdbBackend *backend, GArray *events, gboolean arm);
/*
 * Has BPF look at all tasks now: each whose slice is not that of its tier gets an event, as far
 * as the ring buffer has room. FALSE if the kernel does not let it.
 */
gboolean procdb_backend_ask_again(ProcdbBackend *backend);

/*
 * Batch tasks that have slept for a while are taken for interactive until they are measured again,
 * and those that have the slice of batch send an event that takes it back. The number of batch
 * tasks there were; G_MAXUINT if the kernel did not let them be listed.
 */
guint procdb_backend_let_rest(ProcdbBackend *backend);

/*
 * What all groups of tasks wanted of the CPUs since the last call, ns, but the one that wanted most
 * (crowd.h). 0 where all wanted less than least together, and where nothing counts it.
 */
guint64 procdb_backend_other_groups(ProcdbBackend *backend, guint64 least);

/*
 * Reads how long tasks have waited for a CPU since the backend started (delays.h). FALSE with
 * error set where it does not count that, or the kernel refuses.
 */
gboolean procdb_backend_delays(ProcdbBackend *backend, struct procdb_delays *sum, GError **error);

void procdb_backend_status(ProcdbBackend *backend, ProcdbBackendStatus *status);

/* Detaches, removes the pins that the backend made, and frees it. */
void procdb_backend_close(ProcdbBackend *backend);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbBackend, procdb_backend_close)

/* A backend without maps: nothing to drain, and no prediction is kept. Backend "none". */
ProcdbBackend *procdb_backend_none_new(void);
