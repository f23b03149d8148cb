/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "guest.h"

#include "classify.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void guest_init(int *argc, char ***argv)
{
	g_test_init(argc, argv, NULL);
	/* A warning is what the backend says of an ejection: not the end of a test. */
	g_log_set_always_fatal(G_LOG_FATAL_MASK);
}

guint guest_seconds(guint seconds)
{
	const char *wanted = g_getenv("PROCDB_VM_SECONDS");

	return wanted ? (guint)atoi(wanted) : seconds;
}

gint64 guest_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 * GUEST_MS + now.tv_nsec;
}

void guest_sleep_ms(guint ms)
{
	g_usleep(ms * 1000UL);
}

const char *guest_state(ProcdbBackend *backend)
{
	ProcdbBackendStatus status;

	procdb_backend_refresh(backend);
	procdb_backend_status(backend, &status);
	g_assert_cmpstr(status.backend, ==, "sched-ext");
	return status.state;
}

/* The kernel takes a scheduler out in a thread of its own: the one before may still go. */
static void wait_for_no_scheduler(void)
{
	for (guint i = 0; i < 1000; i++) {
		g_autofree char *state = NULL;

		if (!g_file_get_contents("/sys/kernel/sched_ext/state", &state, NULL, NULL) ||
		    g_str_equal(g_strchomp(state), "disabled"))
			return;
		guest_sleep_ms(10);
	}
	g_error("A sched_ext scheduler does not go");
}

ProcdbBackend *guest_schedule_for(const char *const *compositors)
{
	ProcdbBackend *backend;

	wait_for_no_scheduler();
	backend = procdb_backend_scheduler_new(
	    &(ProcdbObserverSettings){PROCDB_OBSERVING_DEFAULTS, (GStrv)compositors});

	guest_assert_active(backend);
	return backend;
}

ProcdbBackend *guest_schedule(void)
{
	static const char *const none[] = {NULL};

	return guest_schedule_for(none);
}

void guest_predict(ProcdbBackend *backend, const char *name, guint8 tier)
{
	struct procdb_comm comm = {0};
	struct procdb_class class = {
	    .tier = tier,
	    .avg_runtime = tier == PROCDB_TIER_BATCH ? GUEST_BATCH_NS : GUEST_MS / 2,
	};
	g_autoptr(GError) error = NULL;
	guint done;

	memcpy(comm.bytes, name, MIN(strlen(name), PROCDB_COMM_LEN - 1));
	procdb_backend_publish(backend, &comm, &class, 1, &done, &error);
	g_assert_no_error(error);
}

guint guest_observed(ProcdbBackend *backend, const char *name, struct procdb_class *seen)
{
	g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(struct procdb_observation));
	g_autoptr(GError) error = NULL;
	guint n = 0;

	procdb_backend_drain(backend, all, &error);
	g_assert_no_error(error);
	for (guint i = 0; i < all->len; i++) {
		const struct procdb_observation *o =
		    &g_array_index(all, struct procdb_observation, i);

		if (!strncmp((const char *)o->comm.bytes, name, PROCDB_COMM_LEN)) {
			n++;
			*seen = o->seen;
		}
	}
	return n;
}

/* The scheduler's map of task states; the id of the newest map of that name. */
static int tasks_map(void)
{
	struct bpf_map_info info;
	__u32 id = 0, len;
	int found = -1, fd;

	while (!bpf_map_get_next_id(id, &id)) {
		fd = bpf_map_get_fd_by_id(id);
		len = sizeof(info);
		memset(&info, 0, sizeof(info));
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &info, &len) &&
		    g_str_equal(info.name, "tasks")) {
			if (found >= 0)
				close(found);
			found = fd;
		} else if (fd >= 0) {
			close(fd);
		}
	}
	return found;
}

int guest_tier(pid_t pid)
{
	/* Begins with what classify.h measures, whatever follows. */
	union {
		struct procdb_task task;
		char bytes[1024];
	} state;
	int map = tasks_map(), pidfd = (int)syscall(SYS_pidfd_open, pid, 0), tier = -1;

	g_assert_cmpint(map, >=, 0);
	g_assert_cmpint(pidfd, >=, 0);
	if (!bpf_map_lookup_elem(map, &pidfd, &state))
		tier = (int)state.task.tier;
	close(pidfd);
	close(map);
	return tier;
}

pid_t guest_fork(void (*run)(gpointer data), gpointer data)
{
	pid_t pid = fork();

	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run(data);
		_exit(0);
	}
	return pid;
}

pid_t guest_exec(const char *name, const char *action)
{
	g_autofree char *path = g_strdup_printf("/tmp/%s", name);
	pid_t pid;

	if (symlink("/usr/bin/vm-task", path) && errno != EEXIST)
		g_error("%s: %s", path, g_strerror(errno));
	pid = fork();
	g_assert_cmpint(pid, >=, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, name, action, NULL);
		_exit(127);
	}
	return pid;
}

/*
 * Blocked and off its CPU: the kernel shows a place to wait only of such a task
 * (get_wchan() in kernel/sched/core.c). The state letter is S before the
 * scheduler's last look at it.
 */
static gboolean off_cpu(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/wchan", pid);
	g_autofree char *place = NULL;

	return g_file_get_contents(path, &place, NULL, NULL) && !g_str_equal(place, "0");
}

static gboolean executed(pid_t pid)
{
	g_autofree char *path = g_strdup_printf("/proc/%d/exe", pid);
	g_autofree char *exe = g_file_read_link(path, NULL);

	return exe && g_str_has_suffix(exe, "/vm-task");
}

void guest_wait_asleep(pid_t pid)
{
	for (int i = 0; i < 20000; i++) {
		if (executed(pid) && off_cpu(pid))
			return;
		g_usleep(500);
	}
	g_error("task %d does not come to rest", pid);
}

void guest_reap(pid_t pid)
{
	g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
}

double guest_kill(pid_t pid)
{
	struct rusage usage;

	kill(pid, SIGKILL);
	g_assert_cmpint(wait4(pid, NULL, 0, &usage), ==, pid);
	return (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
	       ((double)usage.ru_utime.tv_usec + (double)usage.ru_stime.tv_usec) / 1e6;
}

void guest_pin(guint cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	g_assert_cmpint(sched_setaffinity(0, sizeof(set), &set), ==, 0);
}

void guest_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		g_error("cannot write %s to %s: %s", text, path, g_strerror(errno));
	close(fd);
}

void guest_spin(gpointer unused)
{
	/* No compiler may know that it has no end. */
	for (volatile gboolean on = TRUE; on;)
		;
}
