/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "tasks.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define SCHED_EXT_STATE "/sys/kernel/sched_ext/state"

/* include/uapi/linux/pidfd.h, since 6.9: threads too, not only processes. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

/* include/uapi/linux/sched/types.h, version 0; that header cannot be used beside glibc's. */
struct sched_attr_v0 {
	guint32 size;
	guint32 sched_policy;
	guint64 sched_flags;
	gint32 sched_nice;
	guint32 sched_priority;
	guint64 sched_runtime;
	guint64 sched_deadline;
	guint64 sched_period;
};
G_STATIC_ASSERT(sizeof(struct sched_attr_v0) == 48);

struct _ProcdbKernelTasks {
	ProcdbLedger *ledger;
	gboolean without_slices; /* the kernel, for single tasks */
	int sched_ext_fd;	 /* of SCHED_EXT_STATE; -1: not open yet */
};

/* Clock ticks since boot at which a thread started; 0 when it cannot be told. */
static guint64 start_ticks(guint pid)
{
	char path[32], text[512];
	const char *at;
	ssize_t n;
	int fd;

	g_snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name may hold anything, also parentheses; field 3 follows its last one. */
	at = strrchr(text, ')');
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

static int open_task(gpointer data, guint pid, guint64 start_time, guint64 pidfs_ino)
{
	int handle = (int)syscall(SYS_pidfd_open, (pid_t)pid, PIDFD_THREAD);
	struct stat st;
	gboolean same;

	if (handle < 0)
		return -1;
	/* The inode number of a pidfd is never used twice (since 6.9, 64-bit kernels). */
	if (pidfs_ino != 0)
		same = fstat(handle, &st) == 0 && st.st_ino == pidfs_ino;
	else
		same = start_ticks(pid) == start_time / (guint64)(NS_PER_S / sysconf(_SC_CLK_TCK));
	if (same)
		return handle;
	close(handle);
	return -1;
}

static gboolean is_alive(gpointer data, int handle)
{
	/* A zombie still takes signals and keeps its pid; a reaped task does neither. */
	return syscall(SYS_pidfd_send_signal, handle, 0, NULL, 0) == 0 || errno != ESRCH;
}

static void close_task(gpointer data, int handle)
{
	close(handle);
}

static int get_attr(gpointer data, guint pid, ProcdbSchedAttr *attr)
{
	struct sched_attr_v0 raw = {.size = sizeof(raw)};

	if (syscall(SYS_sched_getattr, (pid_t)pid, &raw, (guint)sizeof(raw), 0))
		return -errno;
	*attr = (ProcdbSchedAttr){
	    .policy = raw.sched_policy,
	    .flags = raw.sched_flags,
	    .nice = raw.sched_nice,
	    .slice_ns = raw.sched_runtime,
	};
	return 0;
}

/*
 * The kernel keeps the policy under its lock, and refuses a real-time task: its priority
 * would be missing. SCHED_FLAG_KEEP_PARAMS would keep the nice value, and the slice with it
 * (6.12 to 7.0, kernel/sched/syscalls.c, __sched_setscheduler()), hence guard_task().
 */
static int set_attr(gpointer data, guint pid, const ProcdbSchedAttr *attr)
{
	struct sched_attr_v0 raw = {
	    .size = sizeof(raw),
	    .sched_flags = SCHED_FLAG_KEEP_POLICY,
	    .sched_nice = attr->nice,
	    .sched_runtime = attr->slice_ns,
	};

	return syscall(SYS_sched_setattr, (pid_t)pid, &raw, 0) ? -errno : 0;
}

static ProcdbLedger *ledger_of(gpointer data)
{
	return ((ProcdbKernelTasks *)data)->ledger;
}

static void read_record(gpointer data, int handle, struct procdb_given *given)
{
	procdb_ledger_read(ledger_of(data), handle, given);
}

static gboolean write_record(gpointer data, int handle, const struct procdb_given *given)
{
	return procdb_ledger_write(ledger_of(data), handle, given);
}

static gboolean list_given(gpointer data, GArray *tasks)
{
	return procdb_ledger_list_given(ledger_of(data), tasks);
}

static void list_leftovers(gpointer data, GArray *tasks)
{
	procdb_ledger_list_leftovers(ledger_of(data), tasks);
}

static void guard_task(gpointer data, guint pid)
{
	procdb_ledger_guard_task(ledger_of(data), pid);
}

static void expect_values(gpointer data, const ProcdbSchedAttr *now, const ProcdbSchedAttr *next)
{
	const gint32 nice[] = {now->nice, next->nice};
	const guint64 slice_ns[] = {now->slice_ns, next->slice_ns};

	procdb_ledger_expect_values(ledger_of(data), nice, slice_ns);
}

static guint count_changes(gpointer data, struct procdb_guard *last)
{
	return procdb_ledger_count_changes(ledger_of(data), last);
}

/*
 * sched_getattr(2) tells the slice of a task of SCHED_OTHER since Linux 6.12, which is the first
 * that takes one (kernel/sched/syscalls.c, get_params()). Of a task of another policy it does not.
 */
static gboolean has_no_slices(void)
{
	ProcdbSchedAttr own = {0};

	return get_attr(NULL, 0, &own) == 0 && own.policy == SCHED_NORMAL && own.slice_ns == 0;
}

static const char *refusal(gpointer data)
{
	const ProcdbKernelTasks *tasks = data;

	return tasks->without_slices ? "this kernel has no slices for single tasks; Linux 6.12 is "
				       "the first that has them"
				     : procdb_ledger_refusal(tasks->ledger);
}

static gboolean refresh(gpointer data)
{
	return procdb_ledger_refresh(ledger_of(data));
}

/* Asked each second: the file stays open. */
static gboolean sched_ext(gpointer data)
{
	ProcdbKernelTasks *tasks = data;
	char state[16] = "";
	ssize_t n;

	if (tasks->sched_ext_fd < 0)
		tasks->sched_ext_fd = open(SCHED_EXT_STATE, O_RDONLY | O_CLOEXEC);
	/* A kernel without sched_ext. */
	if (tasks->sched_ext_fd < 0)
		return FALSE;
	n = pread(tasks->sched_ext_fd, state, sizeof(state) - 1, 0);
	return n > 0 && strncmp(state, "disabled", strlen("disabled")) != 0;
}

static gint64 monotonic_ns(gpointer data)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

gboolean procdb_tasks_shorten_own_slice(void)
{
	ProcdbSchedAttr attr = {0};

	if (get_attr(NULL, 0, &attr) != 0 || attr.policy != SCHED_NORMAL || attr.nice != 0)
		return FALSE;
	/* Without our mark: restoring must not find this thread. */
	attr.slice_ns = PROCDB_SLICE_MIN_US * (guint64)1000;
	return set_attr(NULL, 0, &attr) == 0;
}

ProcdbKernelTasks *procdb_kernel_tasks_new(ProcdbLedger *ledger)
{
	ProcdbKernelTasks *tasks = g_new0(ProcdbKernelTasks, 1);

	tasks->ledger = ledger;
	tasks->without_slices = has_no_slices();
	tasks->sched_ext_fd = -1;
	return tasks;
}

void procdb_kernel_tasks_free(ProcdbKernelTasks *tasks)
{
	if (tasks->sched_ext_fd >= 0)
		close(tasks->sched_ext_fd);
	g_free(tasks);
}

const ProcdbTaskOps procdb_kernel_tasks = {
    .open_task = open_task,
    .is_alive = is_alive,
    .close_task = close_task,
    .get_attr = get_attr,
    .set_attr = set_attr,
    .read_record = read_record,
    .write_record = write_record,
    .list_given = list_given,
    .list_leftovers = list_leftovers,
    .guard_task = guard_task,
    .expect_values = expect_values,
    .count_changes = count_changes,
    .refusal = refusal,
    .refresh = refresh,
    .sched_ext = sched_ext,
    .clock = monotonic_ns,
};
