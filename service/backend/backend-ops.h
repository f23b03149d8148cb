/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The parts of a backend: its life, the access to its two maps, and the events of running tasks if
 * it has them. A selector is a backend that chooses another one; calls reach that directly.
 */

#include "backend.h"
#include "task-events.h"

typedef struct _ProcdbMapIo ProcdbMapIo;

/* As the functions of backend.h of the same names. scores and programs may be NULL. */
typedef struct {
	gboolean (*drain)(ProcdbMapIo *io, GArray *seen, GError **error);
	gboolean (*scores)(ProcdbMapIo *io, GArray *scores, GError **error);
	gboolean (*programs)(ProcdbMapIo *io, ProcdbProgramFunc take, gpointer data);
	gboolean (*publish)(ProcdbMapIo *io, const struct procdb_comm *comms,
			    const struct procdb_class *classes, guint n, guint *done,
			    GError **error);
	gboolean (*retract)(ProcdbMapIo *io, const struct procdb_comm *comms, guint n,
			    GError **error);
	gboolean (*predictions)(ProcdbMapIo *io, GArray *entries, GError **error);
	gboolean (*lookup)(ProcdbMapIo *io, const struct procdb_comm *comm,
			   struct procdb_class *prediction);
} ProcdbMapIoOps;

struct _ProcdbMapIo {
	const ProcdbMapIoOps *ops;
};

/* As the functions of backend.h of the same names. */
typedef struct {
	gboolean (*refresh)(ProcdbBackend *backend);
	void (*status)(ProcdbBackend *backend, ProcdbBackendStatus *status);
	void (*close)(ProcdbBackend *backend);
	/* NULL where nothing counts delays, and where no slices are requested. */
	gboolean (*delays)(ProcdbBackend *backend, struct procdb_delays *sum, GError **error);
	gboolean (*ask_again)(ProcdbBackend *backend);
	guint (*let_rest)(ProcdbBackend *backend);
	guint64 (*other_groups)(ProcdbBackend *backend, guint64 least);
} ProcdbBackendOps;

struct _ProcdbBackend {
	const ProcdbBackendOps *ops;
	ProcdbMapIo *io;	  /* NULL: no maps */
	ProcdbTaskEvents *events; /* NULL: none */
	struct bpf_map *states;	  /* task storage that begins with struct task_stats; NULL: none */
	ProcdbBackend *chosen;	  /* of a selector, see procdb_backend_choose(); else NULL */
	gboolean events_requested;
	guint64 slices[PROCDB_TIERS]; /* of the request */
	ProcdbDecide decide;	      /* NULL: no rules */
	gpointer decide_data;
};

/* The descriptor of the states of tasks that the backend in use keeps; -1: none. */
int procdb_backend_states(const ProcdbBackend *backend);

/*
 * Makes the calls on selector reach chosen, which gets the same request for events. selector owns
 * it, and closes the one before. NULL: the calls reach selector itself.
 */
void procdb_backend_choose(ProcdbBackend *selector, ProcdbBackend *chosen);
