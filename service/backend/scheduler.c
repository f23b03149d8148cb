/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backend-ops.h"
#include "backends.h"
#include "bpf-program.h"
#include "own-maps.h"
#include "scheduler-stats.h"
#include "scheduler.skel.h"
#include "state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The consequence in the state while the scheduler does not run. */
#define OBSERVING "observing instead"
#define SYSFS_STATE "/sys/kernel/sched_ext/state"
#define SYSFS_OPS "/sys/kernel/sched_ext/root/ops"

/* In the exit code: the scheduler may start again, as after CPU hotplug (enum scx_exit_code). */
#define EXIT_RESTART (1LL << 48)

/* The refreshes between two attempts to start: they double from the first to the last. */
#define RETRY_FIRST 4
#define RETRY_LAST 64

/* include/uapi/linux/bpf.h from 6.4 on: newer than the headers of Debian 12. */
#define MAP_FLAG_LINK (1U << 13)
#define ATTACH_STRUCT_OPS ((enum bpf_attach_type)44)

typedef struct scheduler Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, scheduler__destroy)

typedef struct {
	ProcdbBackend base;
	ProcdbOwnMaps maps;
	Skeleton *skeleton;    /* NULL while we do not schedule */
	struct bpf_link *link; /* libbpf's; NULL while we do not schedule */
	int link_fd;	       /* our link, where libbpf is too old to make one; else -1 */
	ProcdbObserverSettings settings; /* a copy */
	ProcdbBackendState state;
	gboolean ejected; /* the kernel ended our scheduler: it starts again on request only */
	guint retry_in;	  /* refreshes until the next attempt */
	guint retry_pause;
} Scheduler;

static Scheduler *scheduler(ProcdbBackend *backend)
{
	return (Scheduler *)backend;
}

/* Reads one line of sysfs; NULL on an error. */
static char *read_line(const char *path)
{
	char *text = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL))
		g_strchomp(text);
	return text;
}

/* Attaches the scheduler by a link, which ends with this process. */
static gboolean attach(Scheduler *self, Skeleton *skeleton, GError **error)
{
	struct bpf_map *ops = skeleton->maps.procdb_ops;

	self->link = bpf_map__attach_struct_ops(ops);
	if (!self->link)
		return procdb_program_fail(error, errno, "the kernel did not take the scheduler");
	/*
	 * libbpf before 1.2 makes no links for struct_ops: it only fills the map, which attaches
	 * nothing with MAP_FLAG_LINK. Without that flag and a link the scheduler would outlive a
	 * kill -9 of the service.
	 */
	if (libbpf_major_version() == 1 && libbpf_minor_version() < 2) {
		self->link_fd = bpf_link_create(bpf_map__fd(ops), 0, ATTACH_STRUCT_OPS, NULL);
		if (self->link_fd < 0)
			return procdb_program_fail(error, errno,
						   "the kernel did not take the scheduler");
	}
	return TRUE;
}

static void detach(Scheduler *self)
{
	if (self->link_fd >= 0)
		close(self->link_fd);
	self->link_fd = -1;
	if (self->link)
		bpf_link__destroy(self->link);
	self->link = NULL;
}

/* init and init_task allocate; libbpf 1.1 has no section name that says so. */
static void allow_sleeping(Skeleton *skeleton)
{
	bpf_program__set_flags(skeleton->progs.procdb_init, BPF_F_SLEEPABLE);
	bpf_program__set_flags(skeleton->progs.procdb_init_task, BPF_F_SLEEPABLE);
	bpf_program__set_flags(skeleton->progs.procdb_cgroup_init, BPF_F_SLEEPABLE);
}

/*
 * libbpf searches the BTF of modules for a kfunc that the kernel lacks. That takes CAP_SYS_ADMIN;
 * without it the search fails, and the load because of a weak kfunc. libbpf searches once for an
 * object: here, for a function that does not exist, where a failure does no harm.
 */
static void skip_module_search(Skeleton *skeleton)
{
	bpf_program__set_attach_target(skeleton->progs.procdb_init, 0, "procdb_no_such_function");
}

/* Loads, pins and takes the CPUs over; a failure leaves nothing behind. */
static gboolean start(Scheduler *self, GError **error)
{
	g_autoptr(Skeleton) skeleton = NULL;
	ProcdbProgramMaps maps;
	gboolean reused;
	int cpus = libbpf_num_possible_cpus();

	if (!procdb_program_check(self->settings.ledger, error))
		return FALSE;
	if (cpus > PROCDB_SCHED_CPUS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "the BPF scheduler knows %d CPUs, this machine may have %d",
			    PROCDB_SCHED_CPUS, cpus);
		return FALSE;
	}
	skeleton = scheduler__open();
	if (!skeleton)
		return procdb_program_fail(error, errno, "cannot open the BPF scheduler");
	skeleton->rodata->observing = self->settings.observing;
	skeleton->rodata->online_cpus = procdb_program_online_cpus();
	skeleton->rodata->nr_cpus = (__u32)MAX(cpus, 1);
	allow_sleeping(skeleton);
	skip_module_search(skeleton);
	bpf_map__set_map_flags(skeleton->maps.procdb_ops, MAP_FLAG_LINK);
	reused = procdb_own_maps_reuse(skeleton->maps.task_class_observe,
				       skeleton->maps.task_class_init);
	if (scheduler__load(skeleton))
		return procdb_program_fail(
		    error, errno, "this kernel's sched_ext does not take the BPF scheduler");
	procdb_program_set_compositors(skeleton->maps.compositors,
				       (const char *const *)self->settings.compositors);
	if (!attach(self, skeleton, error)) {
		detach(self);
		return FALSE;
	}
	maps = (ProcdbProgramMaps){
	    .observe = skeleton->maps.task_class_observe,
	    .init = skeleton->maps.task_class_init,
	    .scores = skeleton->maps.scores,
	    .programs = skeleton->maps.programs,
	    .observed = &skeleton->bss->observed,
	    .failed = &skeleton->bss->failed,
	    .scored = &skeleton->bss->scored,
	};
	if (!procdb_own_maps_open(&self->maps, &maps, reused, error)) {
		detach(self);
		return FALSE;
	}
	self->base.states = skeleton->maps.tasks;
	self->skeleton = g_steal_pointer(&skeleton);
	return TRUE;
}

/* Gives the CPUs back to the kernel; the pins stay. */
static void stop(Scheduler *self)
{
	detach(self);
	self->base.states = NULL;
	procdb_own_maps_close(&self->maps);
	g_clear_pointer(&self->skeleton, scheduler__destroy);
}

/* TRUE when the kernel has ended our scheduler. The state says why, unless it may start again. */
static gboolean check_ended(Scheduler *self)
{
	const struct procdb_sched_exit *ended = &self->skeleton->bss->ended;
	g_autofree char *state = NULL, *reason = NULL;

	if (!__atomic_load_n(&ended->kind, __ATOMIC_ACQUIRE))
		return FALSE;
	/* A CPU came or went: the scheduler starts again when the kernel has ended it. */
	if (ended->code & EXIT_RESTART) {
		state = read_line(SYSFS_STATE);
		return g_strcmp0(state, "disabling") != 0;
	}
	self->ejected = TRUE;
	reason = g_strdup_printf("the kernel ended the scheduler: %.*s%s%.*s", PROCDB_SCHED_REASON,
				 ended->reason, ended->message[0] ? ": " : "", PROCDB_SCHED_REASON,
				 ended->message);
	procdb_backend_state_set(&self->state, "failed", reason,
				 OBSERVING ", until the backend is set again");
	g_warning("sched_ext: %s", self->state.text);
	return TRUE;
}

/* Whether our scheduler may start now; else the state says what prevents it. */
static gboolean may_start(Scheduler *self)
{
	g_autofree char *state = read_line(SYSFS_STATE);

	if (self->ejected)
		return FALSE;
	if (!state) {
		procdb_backend_state_set(&self->state, "failed",
					 "this kernel has no sched_ext (CONFIG_SCHED_CLASS_EXT)",
					 OBSERVING);
		return FALSE;
	}
	if (!g_str_equal(state, "disabled")) {
		g_autofree char *name = read_line(SYSFS_OPS);
		g_autofree char *reason =
		    g_strdup_printf("the sched_ext scheduler %s is running (%s)",
				    name ? name : "of another program", state);

		procdb_backend_state_set(&self->state, "waiting", reason,
					 "what \"auto\" chooses observes instead");
		return FALSE;
	}
	if (self->retry_in > 0) {
		self->retry_in--;
		return FALSE;
	}
	return TRUE;
}

static gboolean scheduler_refresh(ProcdbBackend *backend)
{
	Scheduler *self = scheduler(backend);
	g_autoptr(GError) error = NULL;
	gboolean others = FALSE;

	if (self->skeleton) {
		if (!check_ended(self)) {
			if (procdb_own_maps_check_pins(&self->maps))
				procdb_own_maps_set_active(&self->state);
			return FALSE;
		}
		stop(self);
		others = TRUE;
	}
	if (may_start(self)) {
		/* The fallback removes its pins, unless they are another program's. */
		procdb_backend_choose(backend, NULL);
		if (start(self, &error)) {
			procdb_own_maps_set_active(&self->state);
			self->retry_pause = 0;
			return TRUE;
		}
		procdb_backend_state_set(&self->state, "failed", error->message, OBSERVING);
		self->retry_pause = CLAMP(self->retry_pause * 2, RETRY_FIRST, RETRY_LAST);
		self->retry_in = self->retry_pause;
		others = TRUE;
	}
	if (!backend->chosen)
		procdb_backend_choose(backend, procdb_backend_auto_new(&self->settings));
	return procdb_backend_refresh(backend->chosen) || others;
}

static void scheduler_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton) {
		*status = (ProcdbBackendStatus){
		    .in_use = "sched-ext",
		    .errors = self->maps.bpf.errors,
		    .lost = procdb_own_maps_lost(&self->maps),
		    .init_capacity = self->maps.bpf.init_capacity,
		};
	} else if (backend->chosen) {
		procdb_backend_status(backend->chosen, status);
	} else {
		/* Before the first refresh. */
		*status = (ProcdbBackendStatus){.in_use = ""};
	}
	status->backend = "sched-ext";
	procdb_backend_state_report(&self->state, status);
}

static void scheduler_close(ProcdbBackend *backend)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton) {
		stop(self);
		procdb_pins_remove();
	}
	procdb_backend_choose(backend, NULL);
	procdb_own_maps_clear(&self->maps);
	procdb_observer_settings_clear(&self->settings);
	procdb_backend_state_clear(&self->state);
	g_free(self);
}

ProcdbBackend *procdb_backend_scheduler_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbBackendOps ops = {
	    .refresh = scheduler_refresh,
	    .status = scheduler_status,
	    .close = scheduler_close,
	};
	Scheduler *self = g_new0(Scheduler, 1);

	self->base.ops = &ops;
	self->link_fd = -1;
	procdb_observer_settings_copy(&self->settings, settings);
	procdb_backend_state_set(&self->state, "waiting", NULL, NULL);
	procdb_own_maps_init(&self->maps);
	self->base.io = &self->maps.bpf.io;
	return &self->base;
}

gboolean procdb_backend_scheduler_statistics(ProcdbBackend *backend,
					     ProcdbSchedulerStatistics *statistics)
{
	Scheduler *self = scheduler(backend);

	memset(statistics, 0, sizeof(*statistics));
	if (backend->ops->refresh != scheduler_refresh || !self->skeleton)
		return FALSE;
	for (guint i = 0; i < self->skeleton->rodata->nr_cpus; i++) {
		const struct procdb_sched_cpu *cpu = &self->skeleton->bss->cpus[i];

		for (guint tier = 0; tier < PROCDB_TIERS; tier++) {
			statistics->runs[tier] += cpu->runs[tier];
			statistics->longest_wait_ns[tier] =
			    MAX(statistics->longest_wait_ns[tier], cpu->longest_wait[tier]);
		}
		statistics->preempted += cpu->preempted;
		statistics->demoted += cpu->demoted;
		statistics->at_enable += cpu->at_enable;
		statistics->at_rename += cpu->at_rename;
		statistics->unknown += cpu->unknown;
	}
	return TRUE;
}
