/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What other programs have in the kernel, asked of the kernel itself by BPF iterators. */

#include <gio/gio.h>

typedef enum {
	PROCDB_MAP_UNKNOWN, /* the kernel cannot be asked, or does not know the map */
	PROCDB_MAP_HELD,    /* a BPF program uses it */
	PROCDB_MAP_ALONE,   /* none does: whoever made it is gone, or never loaded a program */
} ProcdbMapUse;

/* Whether BPF programs use the map of this id. */
ProcdbMapUse procdb_survey_map(guint32 id);

/*
 * The id of the oldest program by which a service like this one follows its slices, in any
 * namespace of this kernel; 0 when there is none, or it cannot be told. Needs CAP_BPF and
 * CAP_PERFMON.
 */
guint32 procdb_survey_oldest_service(void);
