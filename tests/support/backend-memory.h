/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The two maps in memory, with the capacity and the failures that a test wants. */

#include "backend.h"

/* Empty maps; init holds at most capacity entries. Closed by procdb_backend_close(). */
ProcdbBackend *test_maps_new(guint capacity);

/* What BPF would do: one observation, in place of an undrained one of that name. */
void test_maps_observe(ProcdbBackend *backend, const struct procdb_comm *comm,
		       const struct procdb_class *seen);

/* What BPF would count: how predictions for a name fared since the last step. */
void test_maps_score(ProcdbBackend *backend, const struct procdb_comm *comm,
		     struct procdb_score score);

/* What BPF would count of the tasks of a name; programs are appended to, and never drained. */
void test_maps_count_program(ProcdbBackend *backend, const struct procdb_comm *comm,
			     const struct procdb_program *program);

/* A prediction that another program left in the init map. */
void test_maps_plant(ProcdbBackend *backend, const struct procdb_comm *comm,
		     const struct procdb_class *prediction);

/* From now on it is a map that other programs write to as well. */
void test_maps_share(ProcdbBackend *backend);

/* Another program removes a prediction. */
void test_maps_remove(ProcdbBackend *backend, const struct procdb_comm *comm);

/* The number of predictions in the init map. */
guint test_maps_predictions(ProcdbBackend *backend);

/* From now on every n-th operation fails; 0 for none. */
void test_maps_fail_every(ProcdbBackend *backend, guint n);

/* As if a scheduler had pinned new, empty maps: the next refresh says so. */
void test_maps_replace(ProcdbBackend *backend);

/* Calls of publish and retract so far, and of entries in them. */
typedef struct {
	guint publishes;
	guint published;
	guint retracts;
	guint retracted;
} TestMapsCalls;
TestMapsCalls test_maps_calls(ProcdbBackend *backend);
