/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (C) 2026 The ProcDb developers */

#include "backends.h"
#include "bpf-maps.h"
#include "pins.h"
#include "state.h"

typedef struct {
	ProcdbBackend base;
	ProcdbBpfMaps maps;
	ProcdbPinsId pins; /* as the last refresh found them; maps, if open, was opened from them */
	ProcdbBackendState state;
	gboolean abandoned;   /* the scheduler of the pins was killed */
	guint check_in;	      /* refreshes until abandoned is checked again */
	ProcdbSurvey *survey; /* for that check; NULL before the first */
} Pinned;

static Pinned *pinned(ProcdbBackend *backend)
{
	return (Pinned *)backend;
}

static void set_state(Pinned *self, const char *token, const char *reason)
{
	procdb_backend_state_set(&self->state, token, reason, NULL);
}

/* Checks whether the scheduler still has its maps open, and sets the state. */
static void check_scheduler(Pinned *self)
{
	if (self->check_in > 0) {
		self->check_in--;
		return;
	}
	self->check_in = PROCDB_PINS_CHECK_TICKS;
	self->abandoned = procdb_pins_are_abandoned(&self->survey, 1);
	set_state(self, "active", self->abandoned ? PROCDB_PINS_ABANDONED : NULL);
}

static gboolean pinned_refresh(ProcdbBackend *backend)
{
	Pinned *self = pinned(backend);
	gboolean changed = procdb_pins_changed(&self->pins);
	g_autoptr(GError) error = NULL;
	int observe_fd, init_fd;
	guint capacity;

	if (procdb_bpf_maps_is_open(&self->maps) && !changed) {
		check_scheduler(self);
		return FALSE;
	}

	/* A scheduler that restarts pins new maps; the old ones can be used but stay empty. */
	procdb_bpf_maps_close(&self->maps);
	self->abandoned = FALSE;
	self->check_in = 0;
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
	/* If the pins were replaced since they were identified, the next refresh finds it. */
	procdb_bpf_maps_open(&self->maps, observe_fd, init_fd, capacity);
	check_scheduler(self);
	return TRUE;
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
	    .status = pinned_status,
	    .close = pinned_close,
	};
	Pinned *self = g_new0(Pinned, 1);

	self->base.ops = &ops;
	procdb_bpf_maps_init(&self->maps);
	self->base.io = &self->maps.io;
	set_state(self, "waiting", NULL);
	return &self->base;
}
