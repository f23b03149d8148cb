/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The real engine on real BPF maps, with the benchmark in BPF's part: it
 * writes observations and counts them as the observer's programs do.
 */

#include "engine.h"

typedef enum {
	RIG_PINNED,   /* maps pinned by a stranger */
	RIG_OBSERVER, /* our own programs, attached, with every source of theirs off */
} RigBackend;

typedef struct _Rig Rig;

/*
 * An engine that remembers so many confident profiles and has them published,
 * on pins below /sys/fs/bpf, which has to be private. Ends the program with a
 * message on failure.
 */
Rig *rig_new(RigBackend backend, guint remembered);
/* Removes the pins as well. */
void rig_free(Rig *rig);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Rig, rig_free)

ProcdbEngine *rig_engine(Rig *rig);

/* One observation each for the first n profiles, with other statistics every time. */
void rig_observe(Rig *rig, guint n);

/* The same maps without an engine, and what scx_pandemonium does with them once a second. */
typedef struct _Reference Reference;

Reference *reference_new(guint profiles);
void reference_free(Reference *reference);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reference, reference_free)

void reference_observe(Reference *reference);
/* All keys, then look-up and deletion of each, then an update for each confident profile. */
void reference_step(Reference *reference);
/* What no drain can do without: one system call that takes all out. */
void reference_drain(Reference *reference);

/* n confident records, named for their number. */
GArray *confident_records(guint n);
