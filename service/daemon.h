/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Puts the layers together and runs the main loop. */

#include "options.h"

/* Runs the service until it is told to stop; the options stay the caller's. The exit status. */
int procdb_daemon_run(const ProcdbOptions *options);
