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

/* The look at maps, loaded: that takes a tenth of a second of a CPU, and a look 0.1 ms. */
typedef struct survey ProcdbSurvey;

/* NULL when the kernel refuses. Needs the same. */
ProcdbSurvey *procdb_survey_new(void);
void procdb_survey_free(ProcdbSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbSurvey, procdb_survey_free)

/*
 * What holds the map of this id, by the time of the call (map-users.h). FALSE when there is no
 * such map, or it cannot be told. survey may be NULL.
 */
gboolean procdb_survey_map(ProcdbSurvey *survey, guint32 id, struct procdb_map_users *users);
