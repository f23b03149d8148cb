/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What the tasks of a name took, and where the last program of it is. Counted a few times a second
 * for each task that runs, and at its death: nothing of it is on the way of a switch.
 */

#include "identity.bpf.h"
#include "share.h"
#include "threads.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct procdb_comm);
	__type(value, struct procdb_program);
} programs SEC(".maps");

#define WAIT_CELLS (PROCDB_DELAY_SIDES * PROCDB_WAIT_OCTAVES)

/* By side and octave, as in struct procdb_program. */
struct wait_counts {
	u16 cells[WAIT_CELLS];
} __attribute__((aligned(8)));

/* What a task did in its life, as far as its name has it. */
struct program_use {
	u64 cpu;
	u64 alive;
	u64 wakeups;
	u64 switches;
	struct wait_counts waits; /* that its name does not have yet */
};

/* The entry of a name, made when there is none; NULL when the map refuses. */
static __always_inline struct procdb_program *program_of(const struct procdb_comm *comm,
							 bool *created)
{
	static const struct procdb_program none;
	struct procdb_program *program = bpf_map_lookup_elem(&programs, comm);

	*created = !program;
	if (program)
		return program;
	bpf_map_update_elem(&programs, comm, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&programs, comm);
}

/* Moves what a task waited to its name. Global, for the verifier to follow the loop only once. */
PROCDB_ONCE int move_waits(struct procdb_program *program, struct wait_counts *counts)
{
	u32 *sums;

	if (!program || !counts)
		return 0;
	sums = &program->waits[0][0];
	for (u32 i = 0; i < WAIT_CELLS; i++) {
		/* Nearly all are zero: four at a time. */
		if (i % 4 == 0 && !*(u64 *)&counts->cells[i]) {
			i += 3;
			continue;
		}
		if (counts->cells[i])
			__sync_fetch_and_add(&sums[i], counts->cells[i]);
		counts->cells[i] = 0;
	}
	return 0;
}

/*
 * Begins to write whose program a name is; seen: the version that was found. FALSE if another CPU
 * does so, or has done it since. Each of these is a full barrier: see procdb_program_is_whole().
 */
static __always_inline bool describe(struct procdb_program *program, u32 seen)
{
	if (seen & 1 || __sync_val_compare_and_swap(&program->version, seen, seen + 1) != seen)
		return false;
	__sync_lock_test_and_set(&program->version_again, seen + 1);
	return true;
}

/* Last comes what lets another CPU begin. */
static __always_inline void described(struct procdb_program *program, u32 seen)
{
	__sync_lock_test_and_set(&program->version_again, seen + 2);
	__sync_lock_test_and_set(&program->version, seen + 2);
}

/*
 * Adds what p did since the last look, *counted, by what it did in its life. Where its program is
 * is not looked for here, which the verifier would follow through all ways to here: of what was
 * never executed under this name, living tasks tell. What a task waited between its last look and
 * the program that it executed counts for no name.
 */
static __noinline void count_use(struct program_use *counted, const struct procdb_use *life,
				 struct task_struct *p, const struct procdb_comm *key, u64 alive)
{
	const u64 cpu = procdb_elapsed(counted->cpu, life->run);
	const u64 lived = procdb_elapsed(counted->alive, alive);
	const u64 wakeups = procdb_elapsed(counted->wakeups, life->wakeups);
	const u64 switches = procdb_elapsed(counted->switches, p->nvcsw);
	struct procdb_program *program;
	struct procdb_comm comm = *key;
	bool created;

	counted->cpu = life->run;
	counted->alive = alive;
	counted->wakeups = life->wakeups;
	counted->switches = p->nvcsw;
	program = program_of(&comm, &created);
	if (!program)
		return;
	if (created && describe(program, 0)) {
		program->uid = uid_of(p);
		program->kind = kind_of(p);
		described(program, 0);
	}
	__sync_fetch_and_add(&program->cpu, cpu);
	__sync_fetch_and_add(&program->alive, lived);
	__sync_fetch_and_add(&program->wakeups, wakeups);
	__sync_fetch_and_add(&program->switches, switches);
	move_waits(program, &counted->waits);
}

/*
 * Whether the name that was given to exec is that of the file: absolute, and no link that leads
 * elsewhere for each process, as /proc/self/exe and the /dev/fd/N of fexecve(3) do.
 */
static __always_inline bool names_a_file(const char *filename)
{
	char begin[8] = {};

	if (bpf_probe_read_kernel_str(begin, sizeof(begin), filename) < 0 || begin[0] != '/')
		return false;
	return !(begin[1] == 'p' && begin[2] == 'r' && begin[3] == 'o' && begin[4] == 'c' &&
		 begin[5] == '/') &&
	       !(begin[1] == 'd' && begin[2] == 'e' && begin[3] == 'v' && begin[4] == '/' &&
		 begin[5] == 'f' && begin[6] == 'd');
}

/*
 * p has executed this file: of a script, which its executable is not, where it is absolute. The
 * user decides about readers of the path, so that of two CPUs that describe programs of one name at
 * once one does it.
 */
static __always_inline void describe_executed(struct task_struct *p, const struct procdb_comm *key,
					      const char *filename)
{
	/* Of a task in a tracepoint: plain loads, which cost a tenth of probes. */
	const u32 cgroup = (u32)p->cgroups->dfl_cgrp->kn->id & ((1U << 24) - 1);
	struct procdb_program *program;
	bool created;
	u32 seen;

	program = program_of(key, &created);
	if (!program)
		return;
	seen = program->version;
	if (!describe(program, seen))
		return;
	program->uid = uid_of(p);
	program->kind = kind_of(p);
	program->path[0] = '\0';
	if (names_a_file(filename))
		bpf_probe_read_kernel_str(program->path, sizeof(program->path), filename);
	else
		path_of(p, program->path);
	/* Nearly always the same, and the way up to it would be more than half of an exec's cost.
	 */
	if (!cgroup || program->cgroup != cgroup) {
		program->unit[0] = '\0';
		unit_of(p, program->unit);
		program->cgroup = cgroup;
	}
	described(program, seen);
}
