/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The observe and the init map as two file descriptors: the operations that
 * every backend on real BPF maps shares. In batches where the kernel can, one
 * by one where it refuses.
 */

#include "maps.h"

typedef struct {
	int observe_fd; /* -1 while closed */
	int init_fd;
	guint init_capacity;
	guint64 errors;		  /* operations that failed */
	gboolean no_batch;	  /* the kernel refused batches on these maps */
	struct procdb_comm *keys; /* scratch for one batch */
	struct procdb_class *values;
} ProcdbPair;

/* A closed pair. */
void procdb_pair_init(ProcdbPair *pair);
/* Takes the two descriptors over. */
void procdb_pair_open(ProcdbPair *pair, int observe_fd, int init_fd, guint init_capacity);
/* Closes the descriptors; the error count stays. */
void procdb_pair_close(ProcdbPair *pair);
/* Closes and frees what the pair holds. */
void procdb_pair_clear(ProcdbPair *pair);
gboolean procdb_pair_is_open(const ProcdbPair *pair);

/* As the members of ProcdbMapsOps of the same names; on a closed pair nothing is there. */
gboolean procdb_pair_drain(ProcdbPair *pair, GArray *seen, GError **error);
gboolean procdb_pair_publish(ProcdbPair *pair, const struct procdb_comm *comms,
			     const struct procdb_class *classes, guint n, guint *done,
			     GError **error);
gboolean procdb_pair_retract(ProcdbPair *pair, const struct procdb_comm *comms, guint n,
			     GError **error);
gboolean procdb_pair_predictions(ProcdbPair *pair, GArray *entries, GError **error);
gboolean procdb_pair_lookup(ProcdbPair *pair, const struct procdb_comm *comm,
			    struct procdb_class *prediction);
