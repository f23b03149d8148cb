/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Putting tasks back at the start and at the end of the service, with a word in the log. */

#include "apply.h"

/* Restores what a service before this one left, which was killed. */
void procdb_putback_leftovers(ProcdbApply *apply);
/* Restores all tasks, and says which ones keep what they were given. */
void procdb_putback_all(ProcdbApply *apply);
