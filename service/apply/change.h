/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Gives one task other values while other programs may do the same. */

#include "tasks.h"

/*
 * After so many attempts, each disturbed by another program, the task is left alone: that program
 * sets it all the time.
 */
#define PROCDB_CHANGE_ATTEMPTS 8
#define PROCDB_CHANGE_RETRY PROCDB_APPLY_RESULTS

/*
 * Sets *next, and checks afterwards by the handle that the pid was the task's own all the
 * time: the kernel does not use a pid again before its task is reaped. The caller guards the
 * task before it reads *now. data: of the calls in ops. Returns wanted when all went well, and
 * PROCDB_CHANGE_RETRY when *now is out of date.
 */
ProcdbApplyResult procdb_change(const ProcdbTaskOps *ops, gpointer data, guint pid, int handle,
				const ProcdbSchedAttr *now, const ProcdbSchedAttr *next,
				ProcdbApplyResult wanted);
