/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "load.h"
#include "scheduler-stats.h"
#include "scheduler.skel.h"
#include "state.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* What it does while it does not run. */
#define OBSERVING "observing instead"
#define SYSFS_STATE "/sys/kernel/sched_ext/state"
#define SYSFS_OPS "/sys/kernel/sched_ext/root/ops"

/* In the exit code: the scheduler may start again, as after CPU hotplug (enum scx_exit_code). */
#define EXIT_RESTART (1LL << 48)

/* A failed start is tried again after this many refreshes, doubling up to the last. */
#define RETRY_FIRST 4
#define RETRY_LAST 64

/* include/uapi/linux/bpf.h from 6.4 on: newer than the headers of Debian 12. */
#define MAP_FLAG_LINK (1U << 13)
#define ATTACH_STRUCT_OPS ((enum bpf_attach_type)44)

typedef struct scheduler Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, scheduler__destroy)

typedef struct {
	ProcdbBackend base;
	ProcdbBpfMaps maps;
	Skeleton *skeleton;	 /* NULL while we do not schedule */
	struct bpf_link *link;	 /* of libbpf; NULL while we do not schedule */
	int link_fd;		 /* ours, when libbpf is too old to make one; else -1 */
	ProcdbBackend *fallback; /* in use while we do not schedule */
	ProcdbPinsId pins;
	ProcdbDrainCount count;
	ProcdbScoreCount scores;
	ProcdbObserverSettings settings; /* its compositors are ours */
	gboolean watching;		 /* what watch_tasks() asked for */
	guint64 slices[PROCDB_TIERS];
	ProcdbBackendState state;
	gboolean ejected; /* the kernel ended our scheduler: not again until asked to */
	guint retry_in;	  /* refreshes until the next attempt */
	guint retry_pause;
} Scheduler;

static Scheduler *scheduler(ProcdbBackend *backend)
{
	return (Scheduler *)backend;
}

/* One line of sysfs; NULL if it cannot be read. */
static char *read_line(const char *path)
{
	char *text = NULL;

	if (g_file_get_contents(path, &text, NULL, NULL))
		g_strchomp(text);
	return text;
}

/* Makes what was attached last as long as this process at most, and no longer. */
static gboolean attach(Scheduler *self, Skeleton *skeleton, GError **error)
{
	struct bpf_map *ops = skeleton->maps.procdb_ops;

	self->link = bpf_map__attach_struct_ops(ops);
	if (!self->link)
		return procdb_load_refuse(error, errno, "the kernel did not take the scheduler");
	/*
	 * libbpf before 1.2 knows no links for struct_ops: what it did was to fill
	 * the map, and with MAP_FLAG_LINK it is the link that attaches. Without
	 * one the scheduler would outlive a kill -9 of the service.
	 */
	if (libbpf_major_version() == 1 && libbpf_minor_version() < 2) {
		self->link_fd = bpf_link_create(bpf_map__fd(ops), 0, ATTACH_STRUCT_OPS, NULL);
		if (self->link_fd < 0)
			return procdb_load_refuse(error, errno,
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
 * A kfunc that the kernel lacks makes libbpf look through the BTF of modules,
 * which takes CAP_SYS_ADMIN; without that it fails, and the weak kfunc with it.
 * It looks only once for an object: here, where its failure is of no account.
 */
static void give_up_modules(Skeleton *skeleton)
{
	bpf_program__set_attach_target(skeleton->progs.procdb_init, 0, "procdb_no_such_function");
}

/* Loads, pins and takes the CPUs over; on failure nothing is left. */
static gboolean start(Scheduler *self, GError **error)
{
	g_autoptr(Skeleton) skeleton = NULL;
	struct bpf_map *observe, *init;
	gboolean reused;
	int cpus = libbpf_num_possible_cpus();

	if (!procdb_load_ready(self->settings.ledger, error))
		return FALSE;
	if (cpus > PROCDB_SCHED_CPUS) {
		g_set_error(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
			    "the BPF scheduler knows %d CPUs, this machine may have %d",
			    PROCDB_SCHED_CPUS, cpus);
		return FALSE;
	}
	skeleton = scheduler__open();
	if (!skeleton)
		return procdb_load_refuse(error, errno, "cannot open the BPF scheduler");
	observe = skeleton->maps.task_class_observe;
	init = skeleton->maps.task_class_init;
	skeleton->rodata->observing = self->settings.observing;
	skeleton->rodata->online_cpus = procdb_load_online_cpus();
	skeleton->rodata->nr_cpus = (__u32)MAX(cpus, 1);
	allow_sleeping(skeleton);
	give_up_modules(skeleton);
	bpf_map__set_map_flags(skeleton->maps.procdb_ops, MAP_FLAG_LINK);
	reused = procdb_load_reuse(observe, init);
	if (scheduler__load(skeleton))
		return procdb_load_refuse(
		    error, errno, "this kernel's sched_ext does not take the BPF scheduler");
	procdb_load_compositors(skeleton->maps.compositors,
				(const char *const *)self->settings.compositors);
	if (!attach(self, skeleton, error)) {
		detach(self);
		return FALSE;
	}
	if (!procdb_load_open(&self->maps, observe, init, reused, error)) {
		detach(self);
		return FALSE;
	}
	self->skeleton = g_steal_pointer(&skeleton);
	self->pins = procdb_pins_identify();
	self->count = (ProcdbDrainCount){.leftovers = reused};
	self->scores.taken = 0;
	return TRUE;
}

/* Gives the CPUs back to the kernel; the pins stay. */
static void stop(Scheduler *self)
{
	detach(self);
	g_clear_pointer(&self->skeleton, scheduler__destroy);
	procdb_bpf_maps_close(&self->maps);
}

/* TRUE when the kernel has ended our scheduler; state says why, unless it may start again. */
static gboolean check_ended(Scheduler *self)
{
	const struct procdb_sched_exit *ended = &self->skeleton->bss->ended;
	g_autofree char *state = NULL, *reason = NULL;

	if (!__atomic_load_n(&ended->kind, __ATOMIC_ACQUIRE))
		return FALSE;
	/* A CPU came or went: as soon as the kernel is done with it we start again. */
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

/* TRUE when only our own start is missing to schedule; else state says what prevents it. */
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

		procdb_backend_state_set(&self->state, "waiting", reason, "its maps are used");
		return FALSE;
	}
	if (self->retry_in > 0) {
		self->retry_in--;
		return FALSE;
	}
	return TRUE;
}

static ProcdbBackend *fallback(Scheduler *self)
{
	if (!self->fallback) {
		self->fallback = procdb_backend_auto_new(&self->settings);
		if (self->watching)
			self->fallback->ops->watch_tasks(self->fallback, self->slices);
	}
	return self->fallback;
}

static gboolean scheduler_refresh(ProcdbBackend *backend)
{
	Scheduler *self = scheduler(backend);
	g_autoptr(GError) error = NULL;
	gboolean others = FALSE;

	if (self->skeleton) {
		if (!check_ended(self)) {
			if (procdb_load_check_pins(&self->maps, &self->pins))
				procdb_load_set_active(&self->state);
			return FALSE;
		}
		stop(self);
		others = TRUE;
	}
	if (may_start(self)) {
		/* It removes its pins, unless they are another program's. */
		g_clear_pointer(&self->fallback, procdb_backend_close);
		if (start(self, &error)) {
			procdb_load_set_active(&self->state);
			self->retry_pause = 0;
			return TRUE;
		}
		procdb_backend_state_set(&self->state, "failed", error->message, OBSERVING);
		self->retry_pause = CLAMP(self->retry_pause * 2, RETRY_FIRST, RETRY_LAST);
		self->retry_in = self->retry_pause;
		others = TRUE;
	}
	return fallback(self)->ops->refresh(fallback(self)) || others;
}

static gboolean scheduler_drain(ProcdbBackend *backend, GArray *seen, GError **error)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton)
		return procdb_load_drain(&self->maps, &self->count, &self->skeleton->bss->observed,
					 seen, error);
	return fallback(self)->ops->drain(fallback(self), seen, error);
}

static gboolean scheduler_scores(ProcdbBackend *backend, GArray *scores, GError **error)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton)
		return procdb_load_scores(&self->maps, &self->scores, self->skeleton->maps.scores,
					  &self->skeleton->bss->scored, scores, error);
	return fallback(self)->ops->scores(fallback(self), scores, error);
}

static gboolean scheduler_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
				  const struct procdb_class *classes, guint n, guint *done,
				  GError **error)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton)
		return procdb_bpf_maps_publish(&self->maps, comms, classes, n, done, error);
	return fallback(self)->ops->publish(fallback(self), comms, classes, n, done, error);
}

static gboolean scheduler_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
				  GError **error)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton)
		return procdb_bpf_maps_retract(&self->maps, comms, n, error);
	return fallback(self)->ops->retract(fallback(self), comms, n, error);
}

static gboolean scheduler_predictions(ProcdbBackend *backend, GArray *entries, GError **error)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton)
		return procdb_bpf_maps_predictions(&self->maps, entries, error);
	return fallback(self)->ops->predictions(fallback(self), entries, error);
}

static gboolean scheduler_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
				 struct procdb_class *prediction)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton)
		return procdb_bpf_maps_lookup(&self->maps, comm, prediction);
	return fallback(self)->ops->lookup(fallback(self), comm, prediction);
}

/* A task's slice is the kernel's business only while the kernel schedules. */
static void scheduler_watch_tasks(ProcdbBackend *backend, const guint64 *slices)
{
	Scheduler *self = scheduler(backend);

	self->watching = slices != NULL;
	for (guint i = 0; slices && i < PROCDB_TIERS; i++)
		self->slices[i] = slices[i];
	if (self->fallback)
		self->fallback->ops->watch_tasks(self->fallback, slices);
}

static int scheduler_tasks_fd(ProcdbBackend *backend)
{
	Scheduler *self = scheduler(backend);

	return self->fallback ? self->fallback->ops->tasks_fd(self->fallback) : -1;
}

static void scheduler_take_tasks(ProcdbBackend *backend, GArray *events, gboolean arm)
{
	Scheduler *self = scheduler(backend);

	if (self->fallback)
		self->fallback->ops->take_tasks(self->fallback, events, arm);
}

static void scheduler_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	Scheduler *self = scheduler(backend);

	if (self->skeleton) {
		*status = (ProcdbBackendStatus){
		    .in_use = "sched-ext",
		    .errors = self->maps.errors,
		    .lost = self->count.lost +
			    __atomic_load_n(&self->skeleton->bss->failed, __ATOMIC_RELAXED),
		    .init_capacity = self->maps.init_capacity,
		};
	} else {
		fallback(self)->ops->status(fallback(self), status);
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
	procdb_backend_close(self->fallback);
	procdb_bpf_maps_clear(&self->maps);
	procdb_observer_settings_clear(&self->settings);
	procdb_load_scores_clear(&self->scores);
	procdb_backend_state_clear(&self->state);
	g_free(self);
}

ProcdbBackend *procdb_backend_scheduler_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbBackendOps ops = {
	    .refresh = scheduler_refresh,
	    .drain = scheduler_drain,
	    .scores = scheduler_scores,
	    .publish = scheduler_publish,
	    .retract = scheduler_retract,
	    .predictions = scheduler_predictions,
	    .lookup = scheduler_lookup,
	    .watch_tasks = scheduler_watch_tasks,
	    .tasks_fd = scheduler_tasks_fd,
	    .take_tasks = scheduler_take_tasks,
	    .status = scheduler_status,
	    .close = scheduler_close,
	};
	Scheduler *self = g_new0(Scheduler, 1);

	self->base.ops = &ops;
	self->link_fd = -1;
	procdb_observer_settings_copy(&self->settings, settings);
	procdb_backend_state_set(&self->state, "waiting", NULL, NULL);
	procdb_bpf_maps_init(&self->maps);
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
