/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The observe and the init map as two file descriptors: the operations that
 * every backend on real BPF maps shares. In batches where the kernel can, one
 * by one where it refuses.
 */

#include "backend.h"

typedef struct {
	int observe_fd; /* -1 while closed */
	int init_fd;
	guint init_capacity;
	guint64 errors;		  /* operations that failed */
	gboolean no_batch;	  /* the kernel refused batches on these maps */
	struct procdb_comm *keys; /* scratch for one batch */
	struct procdb_class *values;
} ProcdbBpfMaps;

/* A closed pair. */
void procdb_bpf_maps_init(ProcdbBpfMaps *pair);
/* Takes the two descriptors over. */
void procdb_bpf_maps_open(ProcdbBpfMaps *pair, int observe_fd, int init_fd, guint init_capacity);
/* Closes the descriptors; the error count stays. */
void procdb_bpf_maps_close(ProcdbBpfMaps *pair);
/* Closes and frees what the pair holds. */
void procdb_bpf_maps_clear(ProcdbBpfMaps *pair);
gboolean procdb_bpf_maps_is_open(const ProcdbBpfMaps *pair);

/* As the members of ProcdbBackendOps of the same names; on a closed pair nothing is there. */
gboolean procdb_bpf_maps_drain(ProcdbBpfMaps *pair, GArray *seen, GError **error);
gboolean procdb_bpf_maps_publish(ProcdbBpfMaps *pair, const struct procdb_comm *comms,
				 const struct procdb_class *classes, guint n, guint *done,
				 GError **error);
gboolean procdb_bpf_maps_retract(ProcdbBpfMaps *pair, const struct procdb_comm *comms, guint n,
				 GError **error);
gboolean procdb_bpf_maps_predictions(ProcdbBpfMaps *pair, GArray *entries, GError **error);
gboolean procdb_bpf_maps_lookup(ProcdbBpfMaps *pair, const struct procdb_comm *comm,
				struct procdb_class *prediction);
