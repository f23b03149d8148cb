/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * Large calls, which GDBus takes up to 30 MB of memory for. They wait as the
 * bytes that they are until their caller was found to be allowed them, by what
 * their header says; then one at a time is let through. So whoever may not make
 * them, or has polkit ask somebody, keeps nobody from making theirs.
 *
 * All but procdb_large_new() and procdb_large_set_authorizer() are for the one
 * thread that reads.
 */

#include "authorizer.h"
#include "window.h"
#include "wire.h"

typedef struct _ProcdbLarge ProcdbLarge;

/* The window is told when something can be let through. */
ProcdbLarge *procdb_large_new(ProcdbWindow *window);
void procdb_large_unref(ProcdbLarge *large);

/* Who is asked, in the main loop; without one everybody is allowed everything. NULL: nobody is. */
void procdb_large_set_authorizer(ProcdbLarge *large, ProcdbAuthorizer *authorizer);

/* Keeps a whole call. FALSE if there are too many: of its sender, or of all. */
gboolean procdb_large_keep(ProcdbLarge *large, const guint8 *data, ProcdbWireSize size);
/* The one that may be let through now, which becomes the caller's; or NULL. */
GByteArray *procdb_large_next(ProcdbLarge *large);
/* A call was answered. */
void procdb_large_answered(ProcdbLarge *large, const char *sender, guint32 serial);
