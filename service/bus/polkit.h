/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * The authority that asks polkit. It never blocks. Its calls use the connection of the service and
 * end with that. libpolkit cannot do this: its authority keeps one connection of the process for
 * ever.
 */

#include "gate.h"

typedef struct _ProcdbPolkit ProcdbPolkit;

/* The vtable; its self is a ProcdbPolkit. */
extern const ProcdbAuthority procdb_polkit_authority;

/* Makes an authority on this connection. polkit may start later. */
ProcdbPolkit *procdb_polkit_new(sd_bus *bus);
void procdb_polkit_free(ProcdbPolkit *polkit);

/* Sets the gate that is told when polkit reports a change, starts or ends. */
void procdb_polkit_set_gate(ProcdbPolkit *polkit, ProcdbGate *gate);
