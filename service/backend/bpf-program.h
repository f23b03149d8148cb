/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Loading a BPF program of ours: what the kernel must offer, and what each program is told. */

#include <bpf/libbpf.h>

#include "task-ledger.h"

/*
 * Call it before loading. TRUE when the kernel has type information and the pin directory is free:
 * no other scheduler is alive and, by ledger (may be NULL), no older service.
 */
gboolean procdb_program_check(const ProcdbLedger *ledger, GError **error);

/* Sets error to what failed and why, in words for an admin. FALSE always. */
gboolean procdb_program_fail(GError **error, int err, const char *what);

/* The number of CPUs that are online now, at least 1. */
guint32 procdb_program_online_cpus(void);

/* Writes the names of tasks that are always latency critical to the map; names may be NULL. */
void procdb_program_set_compositors(struct bpf_map *map, const char *const *names);
