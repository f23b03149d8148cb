/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What is on this kernel, asked of the kernel itself by BPF iterators. */

#include <gio/gio.h>

#include "map-users.h"

/*
 * The id of the oldest program by which a service like this one follows its slices, in any
 * namespace of this kernel; 0 when there is none, or it cannot be told. Needs CAP_BPF and
 * CAP_PERFMON.
 */
guint32 procdb_survey_oldest_service(void);

/*
 * What holds the map of this id, by the time of the call (map-users.h). FALSE when there is no
 * such map, or it cannot be told. Needs the same.
 */
gboolean procdb_survey_map(guint32 id, struct procdb_map_users *users);
