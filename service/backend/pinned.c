/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "bpf-maps.h"
#include "pins.h"
#include "state.h"

typedef struct {
	ProcdbBackend base;
	ProcdbBpfMaps maps;
	ProcdbPinsId pins; /* as last seen; while maps is open, those that it was opened from */
	ProcdbBackendState state;
	gboolean abandoned;
	guint look_in;	      /* refreshes until the next look whether they are */
	ProcdbSurvey *survey; /* for that; NULL before the first */
} Pinned;

static Pinned *pinned(ProcdbBackend *backend)
{
	return (Pinned *)backend;
}

static void set_state(Pinned *self, const char *token, const char *reason)
{
	procdb_backend_state_set(&self->state, token, reason, NULL);
}

/* Looks whether the scheduler still has its maps, and says so. */
static void look_for_scheduler(Pinned *self)
{
	if (self->look_in > 0) {
		self->look_in--;
		return;
	}
	self->look_in = PROCDB_PINS_LOOK_TICKS;
	self->abandoned = procdb_pins_are_abandoned(&self->survey, 1);
	set_state(self, "active", self->abandoned ? PROCDB_PINS_ABANDONED : NULL);
}

static gboolean pinned_refresh(ProcdbBackend *backend)
{
	Pinned *self = pinned(backend);
	gboolean moved = procdb_pins_moved(&self->pins);
	g_autoptr(GError) error = NULL;
	int observe_fd, init_fd;
	guint capacity;

	if (procdb_bpf_maps_is_open(&self->maps) && !moved) {
		look_for_scheduler(self);
		return FALSE;
	}

	/* A scheduler that restarts pins new maps: the old ones work and stay empty for ever. */
	procdb_bpf_maps_close(&self->maps);
	self->abandoned = FALSE;
	self->look_in = 0;
	if (!procdb_pins_present(&self->pins)) {
		if (procdb_pins_check_directory(&error))
			set_state(self, "waiting", NULL);
		else
			set_state(self, "failed", error->message);
		return FALSE;
	}
	if (!procdb_pins_open(&observe_fd, &init_fd, &capacity, &error)) {
		set_state(self, "failed", error->message);
		return FALSE;
	}
	/* Replaced while we opened them: the next refresh sees that. */
	procdb_bpf_maps_open(&self->maps, observe_fd, init_fd, capacity);
	look_for_scheduler(self);
	return TRUE;
}

static gboolean pinned_drain(ProcdbBackend *backend, GArray *seen, GError **error)
{
	return procdb_bpf_maps_drain(&pinned(backend)->maps, seen, error);
}

static gboolean pinned_publish(ProcdbBackend *backend, const struct procdb_comm *comms,
			       const struct procdb_class *classes, guint n, guint *done,
			       GError **error)
{
	return procdb_bpf_maps_publish(&pinned(backend)->maps, comms, classes, n, done, error);
}

static gboolean pinned_retract(ProcdbBackend *backend, const struct procdb_comm *comms, guint n,
			       GError **error)
{
	return procdb_bpf_maps_retract(&pinned(backend)->maps, comms, n, error);
}

static gboolean pinned_predictions(ProcdbBackend *backend, GArray *entries, GError **error)
{
	return procdb_bpf_maps_predictions(&pinned(backend)->maps, entries, error);
}

static gboolean pinned_lookup(ProcdbBackend *backend, const struct procdb_comm *comm,
			      struct procdb_class *prediction)
{
	return procdb_bpf_maps_lookup(&pinned(backend)->maps, comm, prediction);
}

static void pinned_status(ProcdbBackend *backend, ProcdbBackendStatus *status)
{
	*status = (ProcdbBackendStatus){
	    .backend = "pinned",
	    .in_use = procdb_bpf_maps_is_open(&pinned(backend)->maps) ? "pinned" : "",
	    .errors = pinned(backend)->maps.errors,
	    .init_capacity = pinned(backend)->maps.init_capacity,
	    .shared = procdb_bpf_maps_is_open(&pinned(backend)->maps),
	};
	procdb_backend_state_report(&pinned(backend)->state, status);
}

static void pinned_close(ProcdbBackend *backend)
{
	Pinned *self = pinned(backend);

	procdb_bpf_maps_clear(&self->maps);
	procdb_backend_state_clear(&self->state);
	g_clear_pointer(&self->survey, procdb_survey_free);
	g_free(self);
}

const ProcdbPinsId *procdb_backend_pinned_pins(ProcdbBackend *backend)
{
	return procdb_bpf_maps_is_open(&pinned(backend)->maps) ? &pinned(backend)->pins : NULL;
}

gboolean procdb_backend_pinned_is_abandoned(ProcdbBackend *backend)
{
	return pinned(backend)->abandoned;
}

ProcdbBackend *procdb_backend_pinned_new(void)
{
	static const ProcdbBackendOps ops = {
	    .refresh = pinned_refresh,
	    .drain = pinned_drain,
	    .publish = pinned_publish,
	    .retract = pinned_retract,
	    .predictions = pinned_predictions,
	    .lookup = pinned_lookup,
	    .status = pinned_status,
	    .close = pinned_close,
	};
	Pinned *self = g_new0(Pinned, 1);

	self->base.ops = &ops;
	procdb_bpf_maps_init(&self->maps);
	set_state(self, "waiting", NULL);
	return &self->base;
}
