/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#include "comm.h"

#include <string.h>

guint procdb_comm_hash(gconstpointer comm)
{
	guint hash = 5381;

	for (guint i = 0; i < PROCDB_COMM_LEN; i++)
		hash = hash * 33 + ((const struct procdb_comm *)comm)->bytes[i];
	return hash;
}

gboolean procdb_comm_equal(gconstpointer a, gconstpointer b)
{
	return memcmp(a, b, sizeof(struct procdb_comm)) == 0;
}
