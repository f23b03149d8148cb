/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* The hold of a program that runs: asked for, kept over restarts of the service, and let go. */

#include <sys/types.h>

#include "ctl.h"

typedef struct RunHold RunHold;

/*
 * Has the service hold the name that the program argv is started with at a tier, and says on
 * standard error where that is more than this program. NULL after an error message.
 */
RunHold *run_hold_new(Ctl *ctl, char **argv, const char *tier);

/*
 * Returns when a child has ended, which is not reaped. Meanwhile says on standard error when the
 * hold has ended with the service, and holds again when that comes back.
 */
void run_hold_keep(RunHold *hold, pid_t child);

/* Lets go, and frees the hold. */
void run_hold_end(RunHold *hold);
