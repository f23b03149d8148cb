/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "delay-reader.h"

#include "bpf-program.h"
#include "classify.h"

#include <bpf/bpf.h>
#include <errno.h>

/*
 * A run that goes on for longer than this, ns, is none: its CPU went offline, or its task was not
 * seen to stop. A minute.
 */
#define LONGEST_RUN 60000000000ULL

static void add(__u64 *sum, __u64 more)
{
	*sum = procdb_add(*sum, more);
}

static void add_cpu(struct procdb_delays *sum, const struct procdb_delays *cpu, guint64 now)
{
	for (guint tier = 0; tier < PROCDB_TIERS; tier++)
		for (guint side = 0; side < PROCDB_DELAY_SIDES; side++)
			for (guint i = 0; i < PROCDB_DELAY_BUCKETS; i++)
				add(&sum->waits[tier][side][i], cpu->waits[tier][side][i]);
	add(&sum->batch_run, cpu->batch_run);
	if (cpu->batch_since > 0 && cpu->batch_since < now && now - cpu->batch_since < LONGEST_RUN)
		add(&sum->batch_run, now - cpu->batch_since);
}

gboolean procdb_delays_read(int fd, guint64 now_ns, struct procdb_delays *sum, GError **error)
{
	const int cpus = libbpf_num_possible_cpus();
	g_autofree struct procdb_delays *all = cpus > 0 ? g_new0(struct procdb_delays, cpus) : NULL;
	const __u32 first = 0;

	*sum = (struct procdb_delays){0};
	if (!all)
		return procdb_program_fail(error, -cpus, "cannot tell the number of CPUs");
	if (bpf_map_lookup_elem(fd, &first, all))
		return procdb_program_fail(error, errno, "cannot read how long tasks waited");
	for (int i = 0; i < cpus; i++)
		add_cpu(sum, &all[i], now_ns);
	return TRUE;
}
