/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The authority that asks polkit, never blocking: over the connection of the
 * service, with which all of it comes and goes, and not by libpolkit, whose
 * authority keeps a connection of the whole process, for good.
 */

#include "gate.h"

typedef struct _ProcdbPolkit ProcdbPolkit;

/* The vtable that goes with a ProcdbPolkit. */
extern const ProcdbAuthority procdb_polkit_authority;

/* Asks over this connection; polkit need not be there yet. */
ProcdbPolkit *procdb_polkit_new(sd_bus *bus);
void procdb_polkit_free(ProcdbPolkit *polkit);

/* Whom to tell when polkit says that something changed, or comes or goes. */
void procdb_polkit_set_gate(ProcdbPolkit *polkit, ProcdbGate *gate);
