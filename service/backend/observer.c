/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "load.h"
#include "observer.skel.h"
#include "state.h"

#include <errno.h>

/* A failed start is tried again after this many refreshes, doubling up to the second. */
#define RETRY_FIRST 1
#define RETRY_LAST 64

typedef struct observer Skeleton;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Skeleton, observer__destroy)

typedef struct {
	ProcdbBackend base;
	ProcdbBpfMaps maps;
	Skeleton *skeleton; /* NULL while not observing */
	ProcdbPinsId pins;
	ProcdbObserverSettings settings; /* its compositors are ours */
	ProcdbDrainCount count;
	ProcdbScoreCount scores;
	struct ring_buffer *requests; /* of the skeleton */
	GArray *taking;		      /* what on_request() appends to */
	gboolean watching;
	guint64 slices[PROCDB_TIERS];
	ProcdbBackendState state;
	guint retry_in; /* refreshes until the next attempt */
	guint retry_pause;
} Observer;

static Observer *observer(ProcdbBackend *backend)
{
	return (Observer *)backend;
}

/* libbpf calls this for each event; context is the array that take_tasks() fills. */
static int on_request(void *context, void *event, size_t size)
{
	if (size >= sizeof(struct procdb_task_event))
		g_array_append_vals(*(GArray **)context, event, 1);
	return 0;
}

static void tell_wanted(const Observer *self)
{
	struct procdb_wanted *wanted = &self->skeleton->bss->wanted;

	for (guint i = 0; i < PROCDB_TIERS; i++)
		wanted->slice[i] = self->slices[i];
	/* The next event wakes the service, which arms it again. */
	wanted->armed = 1;
	__atomic_store_n(&wanted->on, self->watching, __ATOMIC_RELEASE);
}

/* Loads, attaches and pins; on failure nothing is left. */
static gboolean start(Observer *self, GError **error)
{
	g_autoptr(Skeleton) skeleton = NULL;
	struct bpf_map *observe, *init;
	gboolean reused;

	if (!procdb_load_ready(self->settings.ledger, error))
		return FALSE;
	skeleton = observer__open();
	if (!skeleton)
		return procdb_load_refuse(error, errno, "cannot open the BPF observer");
	observe = skeleton->maps.task_class_observe;
	init = skeleton->maps.task_class_init;
	skeleton->rodata->observing = self->settings.observing;
	skeleton->rodata->online_cpus = procdb_load_online_cpus();
	procdb_ledger_share(self->settings.ledger, skeleton->maps.procdb_given,
			    skeleton->maps.procdb_guards);
	reused = procdb_load_reuse(observe, init);
	if (observer__load(skeleton))
		return procdb_load_refuse(error, errno, "cannot load the BPF observer");
	procdb_load_compositors(skeleton->maps.compositors,
				(const char *const *)self->settings.compositors);
	if (observer__attach(skeleton))
		return procdb_load_refuse(error, errno,
					  "cannot attach the BPF observer to the scheduler");
	g_clear_pointer(&self->requests, ring_buffer__free);
	self->requests =
	    ring_buffer__new(bpf_map__fd(skeleton->maps.requests), on_request, &self->taking, NULL);
	if (!self->requests)
		return procdb_load_refuse(error, errno,
					  "cannot map the ring buffer of the BPF observer");
	if (!procdb_load_open(&self->maps, observe, init, reused, error))
		return FALSE;
	self->skeleton = g_steal_pointer(&skeleton);
	tell_wanted(self);
	self->pins = procdb_pins_identify();
	self->count = (ProcdbDrainCount){.leftovers = reused};
	return TRUE;
}

static gboolean observer_refresh(ProcdbBackend *backend)
{
	Observer *self = observer(backend);
	g_autoptr(GError) error = NULL;

	if (self->skeleton) {
		if (procdb_load_check_pins(&self->maps, &self->pins))
			procdb_load_set_active(&self->state);
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
	procdb_load_set_active(&self->state);
	self->retry_pause = 0;
	return TRUE;
}

static gboolean observer_drain(ProcdbBackend *backend, GArray *seen, GError **error)
{
	Observer *self = observer(backend);

	return !self->skeleton || procdb_load_drain(&self->maps, &self->count,
						    &self->skeleton->bss->observed, seen, error);
}

static gboolean observer_scores(ProcdbBackend *backend, GArray *scores, GError **error)
{
	Observer *self = observer(backend);

	return !self->skeleton ||
	       procdb_load_scores(&self->maps, &self->scores, self->skeleton->maps.scores,
				  &self->skeleton->bss->scored, scores, error);
}

static gboolean observer_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
				 const struct procdb_class *classes, guint n, guint *done,
				 GError **error)
{
	return procdb_bpf_maps_publish(&observer(backend)->maps, comms, classes, n, done, error);
}

static gboolean observer_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
				 GError **error)
{
	return procdb_bpf_maps_retract(&observer(backend)->maps, comms, n, error);
}

static gboolean observer_predictions(ProcdbBackend *backend, GArray *entries, GError **error)
{
	return procdb_bpf_maps_predictions(&observer(backend)->maps, entries, error);
}

static gboolean observer_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
				struct procdb_class *prediction)
{
	return procdb_bpf_maps_lookup(&observer(backend)->maps, comm, prediction);
}

static void observer_watch_tasks(ProcdbBackend *backend, const guint64 *slices)
{
	Observer *self = observer(backend);

	self->watching = slices != NULL;
	for (guint i = 0; slices && i < PROCDB_TIERS; i++)
		self->slices[i] = slices[i];
	if (self->skeleton)
		tell_wanted(self);
}

static int observer_tasks_fd(ProcdbBackend *backend)
{
	Observer *self = observer(backend);

	return self->skeleton && self->watching ? bpf_map__fd(self->skeleton->maps.requests) : -1;
}

static void observer_take_tasks(ProcdbBackend *backend, GArray *events, gboolean arm)
{
	Observer *self = observer(backend);

	if (!self->skeleton)
		return;
	self->taking = events;
	ring_buffer__consume(self->requests);
	if (arm) {
		__atomic_store_n(&self->skeleton->bss->wanted.armed, 1, __ATOMIC_SEQ_CST);
		/* What came in before BPF could see that it has to wake us. */
		ring_buffer__consume(self->requests);
	}
	self->taking = NULL;
}

static void observer_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	Observer *self = observer(backend);

	*status = (ProcdbBackendStatus){
	    .backend = "observer",
	    .in_use = self->skeleton ? "observer" : "",
	    .errors = self->maps.errors,
	    .lost = self->count.lost,
	    .init_capacity = self->maps.init_capacity,
	};
	procdb_backend_state_report(&self->state, status);
	if (!self->skeleton)
		return;
	status->tasks_lost = __atomic_load_n(&self->skeleton->bss->requests_lost, __ATOMIC_RELAXED);
	status->lost += __atomic_load_n(&self->skeleton->bss->failed, __ATOMIC_RELAXED);
}

static void observer_close(ProcdbBackend *backend)
{
	Observer *self = observer(backend);

	g_clear_pointer(&self->requests, ring_buffer__free);
	if (self->skeleton) {
		observer__destroy(self->skeleton);
		procdb_pins_remove();
	}
	procdb_bpf_maps_clear(&self->maps);
	procdb_observer_settings_clear(&self->settings);
	procdb_load_scores_clear(&self->scores);
	procdb_backend_state_clear(&self->state);
	g_free(self);
}

const ProcdbPinsId *procdb_backend_observer_pins(ProcdbBackend *backend)
{
	return observer(backend)->skeleton ? &observer(backend)->pins : NULL;
}

ProcdbBackend *procdb_backend_observer_new(const ProcdbObserverSettings *settings)
{
	static const ProcdbBackendOps ops = {
	    .refresh = observer_refresh,
	    .drain = observer_drain,
	    .scores = observer_scores,
	    .publish = observer_publish,
	    .retract = observer_retract,
	    .predictions = observer_predictions,
	    .lookup = observer_lookup,
	    .watch_tasks = observer_watch_tasks,
	    .tasks_fd = observer_tasks_fd,
	    .take_tasks = observer_take_tasks,
	    .status = observer_status,
	    .close = observer_close,
	};
	Observer *self = g_new0(Observer, 1);

	self->base.ops = &ops;
	procdb_observer_settings_copy(&self->settings, settings);
	procdb_backend_state_set(&self->state, "waiting", NULL, NULL);
	procdb_bpf_maps_init(&self->maps);
	return &self->base;
}
