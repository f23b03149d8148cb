/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Reads which groups of tasks used the CPUs (crowd.h). */

#include <glib.h>

/*
 * The CPU time in ns that was used in this window by all groups but the one that used most. fd: of
 * the map; all: of all groups in that window. All of it where the map cannot be read.
 */
guint64 procdb_group_use_others(int fd, guint64 window, guint64 all);
