/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Reads which groups of tasks used the CPUs (crowd.h). */

#include <glib.h>

/*
 * What all groups wanted of the CPUs in this window, ns, but the one that wanted most. fd: of the
 * map. FALSE where it cannot be read.
 */
gboolean procdb_group_use_others(int fd, guint64 window, guint64 *others);
