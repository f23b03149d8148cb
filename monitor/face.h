/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What the window says of the service and of programs. Free what is not constant with g_free(). */

#include "procdb-dbus.h"
#include "program.h"

/* What a person has to know first: a failure, a pause of the guard; NULL if there is nothing. */
char *monitor_face_banner(ProcdbDBusProcDb1 *proxy);

/* How much is known. */
char *monitor_face_counts(ProcdbDBusProcDb1 *proxy);

/* Why no program is shown, of these that are known, and a title for it. */
const char *monitor_face_empty(guint known, const char **title);

/* What becomes of new tasks of a program. */
char *monitor_face_program(MonitorProgram *program);

/* What an answer of GetTrial comes to. */
char *monitor_face_verdict(GVariant *trial);
