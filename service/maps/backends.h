/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The maps that live in the kernel. All do their I/O in refresh(), none in new(). */

#include "maps.h"
#include "pins.h"

typedef struct {
	/* Names that are always latency critical, NULL-terminated; longer than 15 bytes are cut. */
	const char *const *compositors;
	gboolean from_maturity; /* observe tasks whose averages have matured */
	gboolean from_exit;	/* observe tasks that die before */
	guint exit_min_us;	/* CPU time, in µs, below which a task that dies says nothing */
	guint
	    renew_s; /* observe a task that goes on running again after so many seconds; 0: never */
} ProcdbObserverSettings;

/*
 * Our own BPF programs and maps. The maps are pinned at the paths of the ABI:
 * taken over when a service that did not stop cleanly left them, refused when
 * another program has pinned its own there. Backend "observer".
 */
ProcdbMaps *procdb_maps_observer_new(const ProcdbObserverSettings *settings);

/* The maps that another scheduler pinned; waits for them. Backend "pinned". */
ProcdbMaps *procdb_maps_pinned_new(void);

/*
 * The pins as its last refresh saw them, valid until the next; NULL while it
 * is not in action and so did not look.
 */
const ProcdbPinsId *procdb_maps_observer_pins(ProcdbMaps *maps);
const ProcdbPinsId *procdb_maps_pinned_pins(ProcdbMaps *maps);

/* Pinned maps while another program's are there, our own observer else. */
ProcdbMaps *procdb_maps_auto_new(const ProcdbObserverSettings *settings);
