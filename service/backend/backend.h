/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The two maps between the service and BPF, wherever they live: in our own
 * observer, pinned by another scheduler, or in memory for tests.
 */

#include <gio/gio.h>

#include "events.h"
#include "procdb-abi.h"

typedef struct _ProcdbMaps ProcdbBackend;

/*
 * Entries of a map that are read at a time, give or take a batch: bounds time and
 * memory of a tick, however full the map is.
 */
#define PROCDB_WALK_MAX 65536

/* One drained entry of the observe map. */
struct procdb_observation {
	struct procdb_comm comm;
	struct procdb_class seen;
};

/* How the predictions for one name fared since they were last asked for. */
struct procdb_named_score {
	struct procdb_comm comm;
	struct procdb_score score;
};

/* Strings that are not static are valid until the next call on the maps. */
typedef struct {
	const char *backend; /* "observer", "sched-ext", "pinned", "none"; static */
	/* How it is, in words; token is the first of them: "active", "waiting" or "failed". */
	const char *state;
	const char *token;  /* static */
	const char *reason; /* why; "" when there is nothing to say */
	/* What observes now: one of the backends' names, "" for nothing. Static. */
	const char *in_use;
	guint64 errors;	     /* map operations that failed since the start */
	guint64 tasks_lost;  /* events of running tasks that found no room */
	guint64 lost;	     /* observations that BPF could not keep, as far as known */
	guint init_capacity; /* entries that the init map holds; 0 while there is none */
	gboolean shared;     /* other programs write to the init map, too */
} ProcdbBackendStatus;

typedef struct {
	/*
	 * Called before each step: looks whether the maps are still the ones in
	 * use, and attaches or re-attaches. TRUE when they are others than at
	 * the call before, so nothing that was published is in them.
	 */
	gboolean (*refresh)(ProcdbBackend *backend);

	/*
	 * Takes every entry out of the observe map, atomically entry by entry,
	 * and appends it to seen (of struct procdb_observation). FALSE with
	 * error set when the kernel refused; what was taken is in seen all the
	 * same.
	 */
	gboolean (*drain)(ProcdbBackend *backend, GArray *seen, GError **error);

	/*
	 * Takes out how predictions fared and appends it to scores (of struct
	 * procdb_named_score). NULL in a backend that does not know.
	 */
	gboolean (*scores)(ProcdbBackend *backend, GArray *scores, GError **error);

	/*
	 * Writes n predictions. *done is how many, from the first on, are in the
	 * map. FALSE with error set when not all are: G_IO_ERROR_NO_SPACE for a
	 * full map.
	 */
	gboolean (*publish)(ProcdbBackend *backend, const struct procdb_comm *comms,
			    const struct procdb_class *classes, guint n, guint *done,
			    GError **error);

	/* Removes n predictions; one that is not there is no error. */
	gboolean (*retract)(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
			    GError **error);

	/*
	 * Appends the entries of the init map to entries (of struct
	 * procdb_observation); PROCDB_WALK_MAX or more are perhaps not all.
	 */
	gboolean (*predictions)(ProcdbBackend *backend, GArray *entries, GError **error);

	/* Reads one prediction back; FALSE when there is none. */
	gboolean (*lookup)(ProcdbBackend *backend, const struct procdb_comm *comm,
			   struct procdb_class *prediction);

	/*
	 * The next three are NULL in a backend that does not know of running
	 * tasks. Asks for an event for each task whose slice is not slices[its
	 * tier] (ns, marked; 0 for the kernel's own); NULL ends that. Holds for
	 * backends that start later, too.
	 */
	void (*watch_tasks)(ProcdbBackend *backend, const guint64 *slices);
	/*
	 * A descriptor, of the maps, that becomes readable with the first event
	 * after take_tasks() was called with arm; -1 while there is none.
	 */
	int (*tasks_fd)(ProcdbBackend *backend);
	/* Appends the events since the last call to events (of struct procdb_task_event). */
	void (*take_tasks)(ProcdbBackend *backend, GArray *events, gboolean arm);

	void (*status)(ProcdbBackend *backend, ProcdbBackendStatus *status);

	/* Detaches, removes what it pinned, frees. */
	void (*close)(ProcdbBackend *backend);
} ProcdbBackendOps;

struct _ProcdbMaps {
	const ProcdbBackendOps *ops;
};

void procdb_backend_close(ProcdbBackend *backend);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbBackend, procdb_backend_close)

/* Maps that are not there: nothing to drain, publishing does nothing. Backend "none". */
ProcdbBackend *procdb_backend_none_new(void);
