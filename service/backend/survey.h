/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* BPF iterators over the programs and maps of this kernel, those of other programs included. */

#include <gio/gio.h>

#include "map-users.h"

/* A loaded iterator. Loading it takes 0.1 s of CPU time, reading it 0.1 ms. */
typedef struct survey ProcdbSurvey;

/* Over maps, and over programs. NULL when the kernel refuses. Needs CAP_BPF and CAP_PERFMON. */
ProcdbSurvey *procdb_survey_new(void);
ProcdbSurvey *procdb_survey_new_of_services(void);
void procdb_survey_free(ProcdbSurvey *survey);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ProcdbSurvey, procdb_survey_free)

/*
 * Reads the users that a map has now (map-users.h). FALSE when there is no map of this id, or on an
 * error. survey may be NULL.
 */
gboolean procdb_survey_map(ProcdbSurvey *survey, guint32 id, struct procdb_map_users *users);

/*
 * Finds the oldest service of this kind on this kernel, in any namespace: the id of its program
 * procdb_inherit; 0 when there is none, or on an error. survey is one of services, or NULL.
 */
guint32 procdb_survey_oldest_service(ProcdbSurvey *survey);
