/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "group-use.h"

#include "classify.h"
#include "crowd.h"

#include <bpf/bpf.h>
#include <errno.h>

#define BATCH 64

gboolean procdb_group_use_others(int fd, guint64 window, guint64 *others)
{
	struct procdb_group_use uses[BATCH];
	guint32 keys[BATCH], taken = 0;
	guint64 most = 0, all = 0;
	__u32 cursor = 0;
	void *in = NULL;
	int err = 0;

	while (!err && taken < PROCDB_GROUPS_MAX) {
		__u32 n = BATCH;

		if (bpf_map_lookup_batch(fd, in, &cursor, keys, uses, &n, NULL))
			err = errno;
		/* ENOENT is the end of the map; entries that came with it count. */
		for (__u32 i = 0; (!err || err == ENOENT) && i < MIN(n, BATCH); i++) {
			if (uses[i].window != window)
				continue;
			most = MAX(most, uses[i].demand);
			all = procdb_add(all, uses[i].demand);
		}
		taken += n;
		in = &cursor;
	}
	*others = all - most;
	return !err || err == ENOENT;
}
