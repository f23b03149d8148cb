/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backend-ops.h"
#include "backends.h"
#include "bpf-program.h"
#include "delay-reader.h"
#include "group-use.h"
#include "observer.skel.h"
#include "own-maps.h"
#include "state.h"
#include "survey-private.h"

#include <errno.h>

/* The refreshes between two attempts to start: they double from the first to the last. */
#define RETRY_FIRST 1
#define RETRY_LAST 64

typedef struct observer Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, observer__destroy)

typedef struct {
	ProcdbBackend base;
	ProcdbOwnMaps maps;
	ProcdbTaskEvents events;
	Skeleton *skeleton;		 /* NULL while not observing */
	ProcdbObserverSettings settings; /* a copy */
	ProcdbBackendState state;
	guint retry_in; /* refreshes until the next attempt */
	guint retry_pause;
	guint64 demanded; /* ns, at the last call of observer_other_groups() */
} Observer;

static Observer *observer(ProcdbBackend *backend)
{
	return (Observer *)backend;
}

/* Loads, attaches and pins; a failure leaves nothing behind. */
static gboolean start(Observer *self, GError **error)
{
	g_autoptr(Skeleton) skeleton = NULL;
	ProcdbProgramMaps maps;
	gboolean reused;

	if (!procdb_program_check(self->settings.ledger, error))
		return FALSE;
	skeleton = observer__open();
	if (!skeleton)
		return procdb_program_fail(error, errno, "cannot open the BPF observer");
	skeleton->rodata->observing = self->settings.observing;
	skeleton->rodata->online_cpus = procdb_program_online_cpus();
	procdb_ledger_share(self->settings.ledger, skeleton->maps.procdb_given,
			    skeleton->maps.procdb_guards);
	bpf_program__set_autoattach(skeleton->progs.procdb_ask, false);
	bpf_program__set_autoattach(skeleton->progs.procdb_rest, false);
	bpf_program__set_autoload(
	    skeleton->progs.on_attach,
	    libbpf_find_vmlinux_btf_id("cgroup_attach_task", BPF_TRACE_RAW_TP) > 0);
	reused = procdb_own_maps_reuse(skeleton->maps.task_class_observe,
				       skeleton->maps.task_class_init);
	if (observer__load(skeleton))
		return procdb_program_fail(error, errno, "cannot load the BPF observer");
	procdb_program_set_compositors(skeleton->maps.compositors,
				       (const char *const *)self->settings.compositors);
	if (observer__attach(skeleton))
		return procdb_program_fail(error, errno,
					   "cannot attach the BPF observer to the scheduler");
	if (!procdb_task_events_open(&self->events, skeleton->maps.requests, &skeleton->bss->wanted,
				     error))
		return FALSE;
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
		procdb_task_events_close(&self->events);
		return FALSE;
	}
	self->base.states = skeleton->maps.tasks;
	self->skeleton = g_steal_pointer(&skeleton);
	return TRUE;
}

static gboolean observer_refresh(ProcdbBackend *backend)
{
	Observer *self = observer(backend);
	g_autoptr(GError) error = NULL;

	if (self->skeleton) {
		if (procdb_own_maps_check_pins(&self->maps))
			procdb_own_maps_set_active(&self->state);
		return FALSE;
	}
	if (self->retry_in > 0) {
		self->retry_in--;
		return FALSE;
	}
	if (!start(self, &error)) {
		procdb_backend_state_set(&self->state, "failed", error->message, NULL);
		self->retry_pause = CLAMP(self->retry_pause * 2, RETRY_FIRST, RETRY_LAST);
		self->retry_in = self->retry_pause;
		return FALSE;
	}
	procdb_own_maps_set_active(&self->state);
	self->retry_pause = 0;
	return TRUE;
}

static void observer_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	Observer *self = observer(backend);

	*status = (ProcdbBackendStatus){
	    .backend = "observer",
	    .in_use = self->skeleton ? "observer" : "",
	    .errors = self->maps.bpf.errors,
	    .lost = procdb_own_maps_lost(&self->maps),
	    .init_capacity = self->maps.bpf.init_capacity,
	};
	procdb_backend_state_report(&self->state, status);
	if (self->skeleton)
		status->tasks_lost =
		    __atomic_load_n(&self->skeleton->bss->requests_lost, __ATOMIC_RELAXED);
}

static gboolean observer_delays(ProcdbBackend *backend, struct procdb_delays *sum, GError **error)
{
	Observer *self = observer(backend);
	guint64 now = (guint64)g_get_monotonic_time() * 1000;

	*sum = (struct procdb_delays){0};
	if (!self->skeleton) {
		g_set_error(
		    error, G_IO_ERROR, G_IO_ERROR_NOT_INITIALIZED,
		    "the observer, which counts the time that tasks wait for a CPU, does not "
		    "run");
		return FALSE;
	}
	/* Unsigned: the observer's clock may be ahead of this one. */
	now -= __atomic_load_n(&self->skeleton->bss->clock_ahead, __ATOMIC_RELAXED);
	return procdb_delays_read(bpf_map__fd(self->skeleton->maps.delays), now, sum, error);
}

static gboolean observer_ask_again(ProcdbBackend *backend)
{
	Observer *self = observer(backend);
	/* It lists nothing: it sends events. */
	g_autoptr(GByteArray) nothing =
	    self->skeleton ? procdb_survey_read(self->skeleton->progs.procdb_ask) : NULL;

	return nothing || !self->skeleton;
}

static guint observer_let_rest(ProcdbBackend *backend)
{
	Observer *self = observer(backend);
	g_autoptr(GByteArray) nothing = NULL;

	if (!self->skeleton)
		return 0;
	self->skeleton->bss->batch_tasks = 0;
	nothing = procdb_survey_read(self->skeleton->progs.procdb_rest);
	return nothing ? self->skeleton->bss->batch_tasks : G_MAXUINT;
}

static guint64 observer_other_groups(ProcdbBackend *backend, guint64 least)
{
	Observer *self = observer(backend);
	guint64 demanded, all, others = 0;

	if (!self->skeleton)
		return 0;
	demanded = __atomic_load_n(&self->skeleton->bss->demanded, __ATOMIC_RELAXED);
	/* An observer that was started anew counts from 0. */
	all = procdb_elapsed(self->demanded, demanded);
	self->demanded = demanded;
	/* Mostly the machine does little, and nothing has to be asked of the kernel. */
	if (all >= least && !procdb_group_use_others(bpf_map__fd(self->skeleton->maps.group_uses),
						     self->skeleton->bss->crowd_window, &others)) {
		self->maps.bpf.errors++;
		others = all;
	}
	__atomic_add_fetch(&self->skeleton->bss->crowd_window, 1, __ATOMIC_RELAXED);
	return others;
}

static void observer_close(ProcdbBackend *backend)
{
	Observer *self = observer(backend);

	procdb_task_events_close(&self->events);
	if (self->skeleton) {
		observer__destroy(self->skeleton);
		procdb_pins_remove();
	}
	procdb_own_maps_clear(&self->maps);
	procdb_observer_settings_clear(&self->settings);
	procdb_backend_state_clear(&self->state);
	g_free(self);
}

const ProcdbPinsId *procdb_backend_observer_pins(ProcdbBackend *backend)
{
	return observer(backend)->skeleton ? &observer(backend)->maps.pins : NULL;
}

ProcdbBackend *procdb_backend_observer_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbBackendOps ops = {
	    .refresh = observer_refresh,
	    .status = observer_status,
	    .close = observer_close,
	    .delays = observer_delays,
	    .ask_again = observer_ask_again,
	    .let_rest = observer_let_rest,
	    .other_groups = observer_other_groups,
	};
	Observer *self = g_new0(Observer, 1);

	self->base.ops = &ops;
	procdb_observer_settings_copy(&self->settings, settings);
	procdb_backend_state_set(&self->state, "waiting", NULL, NULL);
	procdb_own_maps_init(&self->maps);
	self->base.io = &self->maps.bpf.io;
	self->base.events = &self->events;
	return &self->base;
}
