/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* What a program is to a person: of bytes that any program may have chosen. */

#include <glib.h>

#include "task-row.h"

typedef enum {
	PROCDB_USER_ROOT,
	PROCDB_USER_SYSTEM, /* services, and users that systemd made for one */
	PROCDB_USER_ORDINARY,
	PROCDB_USER_CLASSES,
} ProcdbUserClass;

ProcdbUserClass procdb_user_class(guint32 uid);
/* "root", "system" or "user"; static. */
const char *procdb_user_class_name(ProcdbUserClass user);

/* Whether a user may know where the programs are that another one runs. */
gboolean procdb_user_may_know(guint32 reader, guint32 uid);

/* "process", "thread" or "kernel"; "" for what is not known, or is no kind. Static. */
const char *procdb_kind_name(guint8 kind);

/*
 * The desktop application that a unit is of, by the names that desktops give them
 * (systemd.io/DESKTOP_ENVIRONMENTS): app[-LAUNCHER]-ID-RANDOM.scope and
 * app[-LAUNCHER]-ID[@RANDOM].service, in which a '-' of the ID is "\x2d". Raw bytes;
 * NULL for any other unit. Free with g_free().
 */
char *procdb_application_of(const char *unit);

/* A text of at most size bytes, which may have no terminator, escaped as a task name is. */
char *procdb_identity_text(const char *bytes, gsize size);
