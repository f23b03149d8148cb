/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

/*
 * The kernel types that our programs touch, and no others. Every record is
 * preserve_access_index: libbpf takes the offsets from the running kernel's
 * BTF, so only names and types of the members have to be right.
 */

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u8 u8;
typedef __s8 s8;
typedef __u16 u16;
typedef __s16 s16;
typedef __u32 u32;
typedef __s32 s32;
typedef __u64 u64;
typedef __s64 s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0

/* include/uapi/linux/bpf.h */
enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
	BPF_EXIST = 2,
};
enum {
	BPF_F_NO_PREALLOC = 1,
	BPF_F_MMAPABLE = 1024,
};
enum {
	BPF_LOCAL_STORAGE_GET_F_CREATE = 1,
};
enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_LRU_HASH = 9,
	BPF_MAP_TYPE_RINGBUF = 27,
	BPF_MAP_TYPE_TASK_STORAGE = 29,
};
struct bpf_spin_lock {
	__u32 val;
};

/* include/linux/sched.h */
#define TASK_DEAD 0x00000080
#define PF_EXITING 0x00000004
#define PF_WQ_WORKER 0x00000020
#define PF_KTHREAD 0x00200000

struct pt_regs;
struct css_set;
struct task_group;
struct seq_file;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* kernel/sched/sched.h */
struct rq {
	u64 clock;
	struct task_struct *curr;
};

struct cfs_rq {
	struct rq *rq; /* CONFIG_FAIR_GROUP_SCHED */
};

struct sched_entity {
	struct cfs_rq *cfs_rq;	     /* CONFIG_FAIR_GROUP_SCHED */
	unsigned char sched_delayed; /* since 6.12 */
	unsigned char custom_slice;  /* since 6.12 */
	u64 slice;
	u64 deadline; /* of the fair class, virtual: EEVDF, since 6.6 */
	u64 vruntime;
	u64 sum_exec_runtime;
};

struct sched_info {
	unsigned long long run_delay; /* CONFIG_SCHED_INFO, as the next one */
	unsigned long long last_queued;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level; /* of its pid namespace */
	u64 ino;	    /* since 6.9 */
	struct upid numbers[1];
};

/* include/linux/path.h, dcache.h, fs.h, mount.h, fs/mount.h */
struct qstr {
	u32 len;
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
};

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start;
	unsigned long arg_end;
};

typedef struct {
	u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
};

/* include/linux/binfmts.h */
struct linux_binprm {
	const char *filename;
};

/* include/linux/cpumask_types.h */
struct cpumask {
	unsigned long bits[1];
};

/* include/linux/sched/ext.h */
struct sched_ext_entity {
	u32 flags;
	u32 weight;
	u64 slice;
	u64 dsq_vtime;
};

struct signal_struct {
	int nr_threads;
};

/* include/uapi/linux/sched/types.h */
struct sched_attr {
	__u32 sched_policy;
	__u64 sched_flags;
	__s32 sched_nice;
	__u64 sched_runtime; /* of the fair class: its slice, since 6.12 */
};

struct hlist_node {
	struct hlist_node *next;
};

struct hlist_head {
	struct hlist_node *first;
};

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	int pid;
	int tgid;
	int static_prio;
	unsigned int policy;
	struct task_struct *real_parent;
	int nr_cpus_allowed;
	const struct cpumask *cpus_ptr;
	struct cpumask cpus_mask; /* makes the type complete in BTF, as the kfuncs want it */
	struct sched_ext_entity scx;
	struct task_struct *group_leader;
	struct signal_struct *signal;
	char comm[16];
	unsigned long nvcsw;
	u64 start_boottime;
	struct sched_entity se;
	struct sched_info sched_info;
	struct pid *thread_pid;
	const struct cred *cred;
	struct mm_struct *mm;
	struct hlist_head preempt_notifiers; /* with CONFIG_PREEMPT_NOTIFIERS */
	struct css_set *cgroups;
	struct task_group *sched_task_group; /* CONFIG_CGROUP_SCHED */
	/* Last: comm is copied by as many bytes as it is aligned to. */
	unsigned int in_execve : 1;
};

/* include/linux/bpf.h */
enum bpf_prog_type {
	BPF_PROG_TYPE_TRACING = 26,
};

struct bpf_prog_aux {
	u32 id;
	char name[16];
};

struct bpf_prog {
	enum bpf_prog_type type;
	struct bpf_prog_aux *aux;
};

/* include/linux/kernfs.h, include/linux/cgroup-defs.h */
struct kernfs_node {
	u64 id;
	const char *name;
	struct kernfs_node *parent; /* until 6.14 */
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

/* kernel/sched/ext.c, ext_internal.h from 6.18 on */
enum scx_exit_kind {
	SCX_EXIT_NONE = 0,
};

struct scx_exit_info {
	enum scx_exit_kind kind;
	s64 exit_code;
	const char *reason;
	char *msg;
};

struct scx_init_task_args {
	bool fork;
	struct cgroup *cgroup;
};

struct scx_cgroup_init_args {
	u32 weight;
};

struct scx_cpu_release_args;

struct bpf_iter_meta {
	struct seq_file *seq;
};

/* include/linux/types.h, include/linux/bpf.h */
typedef struct {
	s64 counter;
} atomic64_t;

struct bpf_map {
	u32 id;
	atomic64_t refcnt;
	atomic64_t usercnt;
};

#pragma clang attribute pop

/* Arguments of the iterators: these are part of the kernel's interface, as they are. */
struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__bpf_prog {
	struct bpf_iter_meta *meta;
	struct bpf_prog *prog;
};

struct bpf_iter__bpf_map {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
};

/*
 * libbpf finds the members in the kernel's own struct by name, so those that we
 * do not use are left out; libbpf before 1.4 refuses ones that the kernel lacks.
 */
struct sched_ext_ops {
	s32 (*select_cpu)(struct task_struct *p, s32 prev_cpu, u64 wake_flags);
	void (*enqueue)(struct task_struct *p, u64 enq_flags);
	void (*dispatch)(s32 cpu, struct task_struct *prev);
	void (*tick)(struct task_struct *p);
	void (*runnable)(struct task_struct *p, u64 enq_flags);
	void (*running)(struct task_struct *p);
	void (*stopping)(struct task_struct *p, bool runnable);
	void (*quiescent)(struct task_struct *p, u64 deq_flags);
	void (*cpu_release)(s32 cpu, struct scx_cpu_release_args *args);
	s32 (*init_task)(struct task_struct *p, struct scx_init_task_args *args);
	void (*enable)(struct task_struct *p);
	s32 (*cgroup_init)(struct cgroup *cgrp, struct scx_cgroup_init_args *args);
	void (*cgroup_exit)(struct cgroup *cgrp);
	void (*cgroup_move)(struct task_struct *p, struct cgroup *from, struct cgroup *to);
	void (*cgroup_set_weight)(struct cgroup *cgrp, u32 weight);
	s32 (*init)(void);
	void (*exit)(struct scx_exit_info *info);
	u32 timeout_ms;
	char name[128];
};

#endif
