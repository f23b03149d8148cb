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

#include <bpf/libbpf.h>

/* How much of what BPF counted has come out of the observe map. */
typedef struct {
	guint64 drained;
	guint64 lost;
	gboolean leftovers; /* the map may hold entries that BPF has not counted */
} ProcdbDrainCount;

/*
 * Before loading: TRUE when the kernel has type information and nobody else
 * has pinned maps: no scheduler, and, if ledger says that there is one, no other service.
 */
gboolean procdb_load_ready(const ProcdbLedger *ledger, GError **error);

/* Hands libbpf's messages to g_debug() from now on. */
void procdb_load_quiet(void);

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

/* A copy with names of its own, and the end of one. */
ProcdbObserverSettings procdb_load_settings_copy(const ProcdbObserverSettings *settings);
void procdb_load_settings_clear(ProcdbObserverSettings *settings);

/* Hands the settings to the .rodata that bpf/watch.h declares, of any skeleton. */
#define procdb_load_configure(skeleton, settings)                                                  \
	do {                                                                                       \
		(skeleton)->rodata->from_maturity = (settings)->from_maturity;                     \
		(skeleton)->rodata->from_exit = (settings)->from_exit;                             \
		(skeleton)->rodata->by_share = !(settings)->reference_rule;                        \
		(skeleton)->rodata->max_user_tier = (guint8)(settings)->max_user_tier;             \
		(skeleton)->rodata->exit_min_ns = (guint64)(settings)->exit_min_us * 1000;         \
		(skeleton)->rodata->renew_ns =                                                     \
		    (guint64)(settings)->renew_s * G_GUINT64_CONSTANT(1000000000);                 \
	} while (0)

/* Fills the map of names that are always latency critical; names may be NULL. */
void procdb_load_compositors(struct bpf_map *map, const char *const *names);

/* Pins the maps, unless they are reused and pinned, and opens pair on them. */
gboolean procdb_load_open(ProcdbBpfMaps *pair, struct bpf_map *observe, struct bpf_map *init,
			  gboolean reused, GError **error);

/* Puts the pins back if somebody removed them; others' are left alone. pins is what is there. */
void procdb_load_check_pins(const ProcdbBpfMaps *pair, ProcdbPinsId *pins);

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
