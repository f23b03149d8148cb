/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/* Task names as keys of hash tables. */

#include <glib.h>

#include "procdb-abi.h"

guint procdb_comm_hash(gconstpointer comm);
gboolean procdb_comm_equal(gconstpointer a, gconstpointer b);
