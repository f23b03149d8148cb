/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The observe and the init map as two file descriptors: the access that all backends with real BPF
 * maps share. Entries move in batches, or one by one where the kernel refuses batches.
 */

#include "backend-ops.h"

typedef struct {
	ProcdbMapIo io; /* first: the functions below take it for the whole */
	int observe_fd; /* -1 while closed */
	int init_fd;
	guint init_capacity;
	guint64 errors;		  /* operations that failed */
	gboolean no_batch;	  /* the kernel refused batches on these maps */
	struct procdb_comm *keys; /* scratch for one batch */
	struct procdb_class *values;
} ProcdbBpfMaps;

/* Closed maps. */
void procdb_bpf_maps_init(ProcdbBpfMaps *maps);
/* Takes the two descriptors over. */
void procdb_bpf_maps_open(ProcdbBpfMaps *maps, int observe_fd, int init_fd, guint init_capacity);
/* Closes the descriptors; the error count stays. */
void procdb_bpf_maps_close(ProcdbBpfMaps *maps);
/* Closes the descriptors and frees the scratch memory. */
void procdb_bpf_maps_clear(ProcdbBpfMaps *maps);
gboolean procdb_bpf_maps_is_open(const ProcdbBpfMaps *maps);

/* As the functions of backend.h of the same names; closed maps are empty. */
gboolean procdb_bpf_maps_drain(ProcdbMapIo *io, GArray *seen, GError **error);
gboolean procdb_bpf_maps_publish(ProcdbMapIo *io, const struct procdb_comm *comms,
				 const struct procdb_class *classes, guint n, guint *done,
				 GError **error);
gboolean procdb_bpf_maps_retract(ProcdbMapIo *io, const struct procdb_comm *comms, guint n,
				 GError **error);
gboolean procdb_bpf_maps_predictions(ProcdbMapIo *io, GArray *entries, GError **error);
gboolean procdb_bpf_maps_lookup(ProcdbMapIo *io, const struct procdb_comm *comm,
				struct procdb_class *prediction);
