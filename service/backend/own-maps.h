/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The maps of our own BPF programs: the observe and the init map, which are pinned for other
 * programs, and the map of scores. The programs count in mapped memory what they add, so that a
 * drain of maps without changes needs no system call.
 */

#include <bpf/libbpf.h>

#include "bpf-maps.h"
#include "pins.h"
#include "state.h"

/* Of a loaded BPF object: its maps, and the counters in its memory. */
typedef struct {
	struct bpf_map *observe;
	struct bpf_map *init;
	struct bpf_map *scores;
	struct bpf_map *programs;
	const __u64 *observed; /* entries that BPF added to observe */
	const __u64 *failed;   /* entries for which observe had no room */
	const __u64 *scored;   /* changes that BPF made to scores */
} ProcdbProgramMaps;

typedef struct {
	ProcdbBpfMaps bpf;
	ProcdbPinsId pins;	   /* as the last check found them */
	ProcdbProgramMaps program; /* all NULL while closed */
	guint64 drained;	   /* of *observed, the entries that were drained */
	guint wait;		   /* refreshes until pins are tried again */
	guint64 lost;		   /* of *observed, the entries that gave way to newer ones */
	gboolean leftovers;	   /* the map may have entries of an earlier service */
	guint64 scores_taken;	   /* *scored at the last procdb_backend_scores() */
	struct procdb_comm *keys;  /* scratch for one batch of scores */
	struct procdb_score *values;
} ProcdbOwnMaps;

/* Closed maps. bpf.io is the access to them. */
void procdb_own_maps_init(ProcdbOwnMaps *own);

/*
 * Makes a BPF object use the pinned maps of a service that did not stop cleanly; call it before the
 * object is loaded. TRUE if there are such maps and they are like the object's own.
 */
gboolean procdb_own_maps_reuse(struct bpf_map *observe, struct bpf_map *init);

/*
 * Opens the maps of a loaded object, and pins them, unless they are reused and pinned or the pins
 * are those of a scheduler that was killed. The object must stay until procdb_own_maps_close().
 */
gboolean procdb_own_maps_open(ProcdbOwnMaps *own, const ProcdbProgramMaps *program, gboolean reused,
			      GError **error);
/* The pins stay, and the count of errors. */
void procdb_own_maps_close(ProcdbOwnMaps *own);
/* Closes the maps and frees what belongs to them. */
void procdb_own_maps_clear(ProcdbOwnMaps *own);

/*
 * Restores pins that were removed; those of other programs stay. TRUE when other pins are there
 * than at the last check.
 */
gboolean procdb_own_maps_check_pins(ProcdbOwnMaps *own);

/* The number of observations that BPF could not keep, as far as it is known. */
guint64 procdb_own_maps_lost(const ProcdbOwnMaps *own);

/* Sets state to active; the reason tells of pins that a killed scheduler left. */
void procdb_own_maps_set_active(ProcdbBackendState *state);
