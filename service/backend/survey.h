/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Which services there are on this kernel, asked of the kernel itself by a BPF iterator. */

#include <gio/gio.h>

/*
 * The id of the oldest program by which a service like this one follows its slices, in any
 * namespace of this kernel; 0 when there is none, or it cannot be told. Needs CAP_BPF and
 * CAP_PERFMON.
 */
guint32 procdb_survey_oldest_service(void);
