/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The events of running tasks (events.h), from the ring buffer of our observer. */

#include <gio/gio.h>

#include "backend.h"

struct bpf_map;

typedef struct {
	gboolean requested;
	guint64 slices[PROCDB_TIERS];
	struct ring_buffer *ring;     /* NULL while closed */
	struct procdb_wanted *wanted; /* in BPF's memory; NULL while closed */
	int fd;			      /* of the ring buffer's map */
	GArray *taken;		      /* the array that on_event() appends to */
	ProcdbDecide decide;	      /* NULL: no rules */
	gpointer decide_data;
} ProcdbTaskEvents;

/* As procdb_backend_request_events(); also before the ring buffer is open. */
void procdb_task_events_request(ProcdbTaskEvents *events, const guint64 *slices);

/* As procdb_backend_set_rules(). */
void procdb_task_events_set_rules(ProcdbTaskEvents *events, ProcdbDecide decide, gpointer data);

/*
 * Maps the ring buffer and writes the request, if there is one, to wanted. Both must stay until
 * procdb_task_events_close().
 */
gboolean procdb_task_events_open(ProcdbTaskEvents *events, struct bpf_map *requests,
				 struct procdb_wanted *wanted, GError **error);
void procdb_task_events_close(ProcdbTaskEvents *events);

/* As the functions of backend.h of these names. */
int procdb_task_events_fd(const ProcdbTaskEvents *events);
void procdb_task_events_take(ProcdbTaskEvents *events, GArray *taken, gboolean arm);
