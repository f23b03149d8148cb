/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Messages to the service manager: readiness, a line of status, and that the loop still runs. */

#include "engine.h"

typedef struct _ProcdbNotify ProcdbNotify;

/*
 * Says that the service is ready, and from now on how it is, from the main
 * loop; and that it is alive as often as the manager asks for. The engine stays
 * the caller's and has to outlive it.
 */
ProcdbNotify *procdb_notify_new(ProcdbEngine *engine);

/* Tells the service manager that the service stops; no other message follows. */
void procdb_notify_free(ProcdbNotify *notify);

/* Around the reading of the configuration. */
void procdb_notify_reloading(ProcdbNotify *notify);
void procdb_notify_reloaded(ProcdbNotify *notify);
