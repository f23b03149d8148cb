/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What the backends with BPF programs of their own share: getting their
 * programs into the kernel, and their two maps to the pins. The programs count
 * in the mapped memory what they add to the observe map.
 */

#include "backends.h"
#include "bpf-maps.h"
#include "pins.h"
#include "state.h"

#include <bpf/libbpf.h>

/* How much of what BPF counted has come out of the observe map. */
typedef struct {
	guint64 drained;
	guint64 lost;
	gboolean leftovers; /* the map may hold entries that BPF has not counted */
} ProcdbDrainCount;

/*
 * Before loading: TRUE when the kernel has type information and no other program has
 * pinned maps: no scheduler that is alive, and, if ledger says that there is one, no other service.
 */
gboolean procdb_load_ready(const ProcdbLedger *ledger, GError **error);

/* FALSE, with error set to what failed and why in words for an admin. */
gboolean procdb_load_refuse(GError **error, int err, const char *what);

/*
 * Lets the object use the pinned maps that a service left which did not stop
 * cleanly. TRUE if they are there and as the object's own would be.
 */
gboolean procdb_load_reuse(struct bpf_map *observe, struct bpf_map *init);

/* How much of what BPF counted has come out of the score map. */
typedef struct {
	guint64 taken;
	struct procdb_comm *keys; /* scratch for one batch */
	struct procdb_score *values;
} ProcdbScoreCount;

/* CPUs that the machine has now, at least 1. */
guint32 procdb_load_online_cpus(void);

/* The state of a backend whose programs run; with what is to be said of the pins. */
void procdb_load_set_active(ProcdbBackendState *state);

/* Fills the map of names that are always latency critical; names may be NULL. */
void procdb_load_compositors(struct bpf_map *map, const char *const *names);

/*
 * Pins the maps, unless they are reused and pinned, or there are those of a scheduler that was
 * killed; and opens pair on them.
 */
gboolean procdb_load_open(ProcdbBpfMaps *pair, struct bpf_map *observe, struct bpf_map *init,
			  gboolean reused, GError **error);

/*
 * Restores pins that were removed; those of other programs stay. pins: what was seen last.
 * Whether it is another sight than that.
 */
gboolean procdb_load_check_pins(const ProcdbBpfMaps *pair, ProcdbPinsId *pins);

/* procdb_bpf_maps_drain(), without a system call while nothing was added. */
gboolean procdb_load_drain(ProcdbBpfMaps *pair, ProcdbDrainCount *count, const __u64 *observed,
			   GArray *seen, GError **error);

/*
 * As the member scores of ProcdbBackendOps, without a system call while nothing
 * changed. A failure counts in the errors of pair.
 */
gboolean procdb_load_scores(ProcdbBpfMaps *pair, ProcdbScoreCount *count, struct bpf_map *map,
			    const __u64 *scored, GArray *scores, GError **error);
void procdb_load_scores_clear(ProcdbScoreCount *count);
