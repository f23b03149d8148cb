/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#pragma once

/*
 * What the threads of a process have in common: how much they want together, and
 * what became of those that go by the name of their process.
 */

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "classify.h"
#include "names.h"
#include "share.h"

/* The machine's CPUs. */
const volatile __u32 online_cpus = 1;

/*
 * Whether a task is in execve(2), where it may be switched away between the new name and the
 * tracepoint that the exec is seen by (begin_new_exec() and exec_binprm() in fs/exec.c).
 */
static __always_inline bool is_executing(struct task_struct *task)
{
	return bpf_core_field_exists(task->in_execve) && BPF_CORE_READ_BITFIELD(task, in_execve);
}

static __always_inline void comm_of(const struct task_struct *p, struct procdb_comm *comm)
{
	__builtin_memcpy(comm->bytes, p->comm, sizeof(comm->bytes));
}

/* Of whom nothing is known: no user in particular, and not root. */
#define UID_UNKNOWN 65534

/*
 * The user of p. The BTF of kernels that clang built, as of CachyOS, tells the verifier that cred
 * is protected by RCU, and it then wants to see a check.
 */
static __always_inline u32 uid_of(const struct task_struct *p)
{
	const struct cred *cred = p->cred;

	return cred ? cred->uid.val : UID_UNKNOWN;
}

static __always_inline bool is_same_comm(const struct procdb_comm *a, const struct procdb_comm *b)
{
	const u64 *one = (const u64 *)a->bytes, *other = (const u64 *)b->bytes;

	return one[0] == other[0] && one[1] == other[1];
}

/*
 * Whether p is a thread that goes by its process's name. What is predicted for a name
 * holds for what executes it, of which such threads say nothing: redis is not what its
 * background threads are.
 */
static __always_inline bool is_nameless(const struct task_struct *p)
{
	struct procdb_comm own, leaders;

	if (p->pid == p->tgid)
		return false;
	comm_of(p, &own);
	bpf_probe_read_kernel(&leaders, sizeof(leaders), p->group_leader->comm);
	return is_same_comm(&own, &leaders);
}

/* The number of a pid in the namespace of this level; 0 if it has none there. */
static __always_inline u32 number_of(struct pid *pid, u32 level)
{
	struct upid upid = {};

	if (!pid || BPF_CORE_READ(pid, level) < level || level > 32 ||
	    bpf_probe_read_kernel(&upid.nr, sizeof(upid.nr),
				  (void *)pid + bpf_core_field_offset(struct pid, numbers) +
				      level * bpf_core_type_size(struct upid) +
				      bpf_core_field_offset(struct upid, nr)))
		return 0;
	return (u32)upid.nr;
}

/*
 * The name under which p is learned: its own, without numbers that count tasks. Of what does not
 * change as long as p has its name, so that all of a life goes to one.
 */
static __noinline void key_of(struct task_struct *p, struct procdb_comm *key)
{
	struct procdb_name_task task = {};
	struct procdb_name_signs signs = {};
	struct pid *pid, *leader;
	struct procdb_comm comm;
	u32 level;

	if (!key)
		return;
	comm_of(p, &comm);
	*key = comm;
	if (!procdb_name_has_digit(&comm))
		return;
	procdb_name_signs(&comm, &signs);
	task.is_thread = p->pid != p->tgid && !is_nameless(p);
	if (!task.is_thread && !procdb_runs_of_four(signs.digits))
		return;
	pid = BPF_CORE_READ(p, thread_pid);
	leader = BPF_CORE_READ(p, group_leader, thread_pid);
	/* Reaped, as threads are before their last switch, it has none (__change_pid() in
	 * kernel/pid.c). */
	level = BPF_CORE_READ(pid ?: leader, level);
	task.pids[0] = p->pid;
	task.pids[1] = p->tgid;
	task.pids[2] = number_of(pid, level);
	task.pids[3] = number_of(leader, level);
	procdb_name_key(&comm, &signs, &task, key);
}

/* CPU time that the threads of a process burn together; of its leader, once it has several. */
struct pool {
	u64 run;    /* ns on a CPU since then */
	u64 since;  /* ns */
	u64 begun;  /* ns: when it was first seen */
	u32 demand; /* CPUs in eighths, over the last half second or more */
	u32 most;   /* the greatest demand so far */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct pool);
} pools SEC(".maps");

/* Adds what p ran to what its process did; NULL while that is one thread. */
static __always_inline struct pool *pool_of(struct task_struct *p, u64 ran, u64 now)
{
	struct pool *pool;
	u64 passed;

	if (p->signal->nr_threads < 2)
		return NULL;
	pool = bpf_task_storage_get(&pools, p->group_leader, 0, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!pool)
		return NULL;
	__sync_fetch_and_add(&pool->run, ran);
	if (!pool->begun) {
		pool->begun = now;
		pool->since = now;
	}
	passed = procdb_elapsed(pool->since, now);
	/* Two threads that find it due at once count one half second twice: no harm. */
	if (passed >> 29) {
		pool->demand = procdb_min((pool->run << 3) / passed, 0xffffffffULL);
		pool->run = 0;
		pool->since = now;
		if (pool->most < pool->demand)
			pool->most = pool->demand;
	}
	return pool;
}

/* Hints from the demand of its process about a task of this tier. */
PROCDB_ONCE u32 demand_hints(u32 demand, u32 tier)
{
	u32 least = tier == PROCDB_TIER_BATCH ? PROCDB_POOL_LEAVE_DEMAND : PROCDB_POOL_DEMAND;

	if (demand < least)
		return 0;
	/* Eighths against 5/8 of all. */
	return demand >= 5 * online_cpus ? PROCDB_HINT_POOL | PROCDB_HINT_FULL : PROCDB_HINT_POOL;
}

/*
 * Of threads without a name of their own no profile is kept. What became of the last
 * ones is remembered here, in the kernel only: programs that share out their work
 * start such threads again with each run. By user, for none may teach another.
 */
struct crew {
	struct procdb_comm comm;
	u32 uid;
};

struct crew_use {
	u64 batch; /* ns of CPU time that threads used which turned out to be batch */
	u64 other; /* ... which did not */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct crew);
	__type(value, struct crew_use);
} crews SEC(".maps");

/* CPU time after which more is not waited for, and with which old uses fade: 134 ms and 17 s. */
#define CREW_KNOWN_NS (1ULL << 27)
#define CREW_FADE_NS (1ULL << 34)

static __always_inline void crew_of(struct task_struct *p, const struct procdb_comm *key,
				    struct crew *crew)
{
	crew->comm = *key;
	crew->uid = uid_of(p);
}

/* A nameless thread has turned out to be of this tier, with ran ns of CPU time more. */
static __always_inline void crew_learn(struct task_struct *p, const struct procdb_comm *key,
				       u8 tier, u64 ran)
{
	static const struct crew_use none;
	struct crew_use *use;
	struct crew crew;

	crew_of(p, key, &crew);
	use = bpf_map_lookup_elem(&crews, &crew);
	if (!use) {
		bpf_map_update_elem(&crews, &crew, &none, BPF_NOEXIST);
		use = bpf_map_lookup_elem(&crews, &crew);
	}
	if (!use)
		return;
	/* Two threads that do so at once lose some of a sum of many. */
	if (use->batch + use->other >= CREW_FADE_NS) {
		use->batch >>= 1;
		use->other >>= 1;
	}
	__sync_fetch_and_add(tier == PROCDB_TIER_BATCH ? &use->batch : &use->other, ran);
}

/* Whether seven eighths of what the last ones used were batch. */
static __always_inline bool crew_is_batch(struct task_struct *p, const struct procdb_comm *key)
{
	struct crew_use *use;
	struct crew crew;

	crew_of(p, key, &crew);
	use = bpf_map_lookup_elem(&crews, &crew);
	return use && use->batch >= CREW_KNOWN_NS && use->batch >= 7 * use->other;
}
