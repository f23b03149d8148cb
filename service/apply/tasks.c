/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "tasks.h"

#include <dirent.h>
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

static int hold_pid(gpointer data, guint pid)
{
	return (int)syscall(SYS_pidfd_open, (pid_t)pid, PIDFD_THREAD);
}

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

static gboolean is_event_task(int handle, const struct procdb_task_event *event)
{
	struct stat st;

	/* The inode number of a pidfd is never used twice (since 6.9, 64-bit kernels). */
	if (event->pidfs_ino != 0)
		return fstat(handle, &st) == 0 && st.st_ino == event->pidfs_ino;
	return start_ticks(event->pid) ==
	       event->start_time / (guint64)(NS_PER_S / sysconf(_SC_CLK_TCK));
}

static int hold(gpointer data, const struct procdb_task_event *event)
{
	int handle = hold_pid(data, event->pid);

	if (handle < 0 || is_event_task(handle, event))
		return handle;
	close(handle);
	return -1;
}

static gboolean held(gpointer data, int handle)
{
	/* A zombie still answers, and keeps its pid; one that was reaped does not. */
	return syscall(SYS_pidfd_send_signal, handle, 0, NULL, 0) == 0 || errno != ESRCH;
}

static void release(gpointer data, int handle)
{
	close(handle);
}

static int get(gpointer data, guint pid, ProcdbSchedAttr *attr)
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

static int set(gpointer data, guint pid, const ProcdbSchedAttr *attr)
{
	struct sched_attr_v0 raw = {
	    .size = sizeof(raw),
	    .sched_policy = attr->policy,
	    /* Would be cleared otherwise; no other flag can be set on such a task. */
	    .sched_flags = attr->flags & SCHED_FLAG_RESET_ON_FORK,
	    .sched_nice = attr->nice,
	    .sched_runtime = attr->slice_ns,
	};

	return syscall(SYS_sched_setattr, (pid_t)pid, &raw, 0) ? -errno : 0;
}

static guint pid_of(const struct dirent *entry)
{
	return g_ascii_isdigit(entry->d_name[0]) ? (guint)strtoul(entry->d_name, NULL, 10) : 0;
}

static void list(gpointer data, GArray *pids)
{
	DIR *proc = opendir("/proc");
	struct dirent *process, *thread;

	while (proc && (process = readdir(proc))) {
		char path[32];
		DIR *threads;
		guint pid = pid_of(process);

		if (pid == 0)
			continue;
		g_snprintf(path, sizeof(path), "/proc/%u/task", pid);
		threads = opendir(path);
		while (threads && (thread = readdir(threads)))
			if ((pid = pid_of(thread)) != 0)
				g_array_append_val(pids, pid);
		if (threads)
			closedir(threads);
	}
	if (proc)
		closedir(proc);
}

static gboolean sched_ext(gpointer data)
{
	char state[16] = "";
	int fd = open(SCHED_EXT_STATE, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	/* A kernel without sched_ext. */
	if (fd < 0)
		return FALSE;
	n = read(fd, state, sizeof(state) - 1);
	close(fd);
	return n > 0 && strncmp(state, "disabled", strlen("disabled")) != 0;
}

static gint64 monotonic_ns(gpointer data)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

gboolean procdb_tasks_hurry_self(void)
{
	ProcdbSchedAttr attr = {0};

	if (get(NULL, 0, &attr) != 0 || attr.policy != SCHED_NORMAL || attr.nice != 0)
		return FALSE;
	/* Without our mark: this one is not to be put back. */
	attr.slice_ns = PROCDB_SLICE_MIN_US * (guint64)1000;
	return set(NULL, 0, &attr) == 0;
}

const ProcdbTaskOps procdb_kernel_tasks = {
    .hold = hold,
    .hold_pid = hold_pid,
    .held = held,
    .release = release,
    .get = get,
    .set = set,
    .list = list,
    .sched_ext = sched_ext,
    .clock = monotonic_ns,
};
